"""Whether a text names a file: by the end of its path, by a pattern, by a folder, or without the suffix of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

HOLE = re.compile(r"[$#]?\{[^{}]*\}|%[sdv]|\*+")
"""A part of a text that stands for anything."""


def names_file(value: str, path: str) -> bool:
    """Whether a text names this file: the end of its path, a pattern for it, or its path without the suffix."""
    parts = parts_of(value)
    if not parts:
        return False
    own = path.split("/")
    folder = parts[-1] == ""
    if folder and value.startswith("/"):
        return False  # what begins at the root and goes on is the path of a route
    if folder or ("." not in parts[-1] and len(parts) > 1):
        return (not folder and is_page(path) and _ends(parts, [*own[:-1], stem_of(own[-1]).lstrip("_")])) or _inside(
            parts, own
        )
    return _ends(parts, own)


def is_page(path: str) -> bool:
    """Whether the file is a template, or another page that code shows or serves."""
    return f".{path.rpartition('.')[2].lower()}" in _PAGES


def stem_of(name: str) -> str:
    """The name of a file without all of its suffixes."""
    return name.partition(".")[0] if not name.startswith(".") else name


def common_folders(one: str, other: str) -> int:
    """How many folders two paths begin with together."""
    count = 0
    for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if left != right:
            break
        count += 1
    return count


@lru_cache(maxsize=65536)
def parts_of(value: str) -> tuple[str, ...]:
    """The steps of a text that could be a path; () where it could be none."""
    text = value.split("?")[0].split("#{")[0] if "?" in value else value
    if "**" in text:
        return ()  # a pattern for all that lies somewhere: tools say which files they pass over
    for lead in ("classpath:", "file:", "@/", "~/"):
        text = text.removeprefix(lead)
    if "://" in text or len(text) > 200 or " " in text or text in (".", "/", ""):
        return ()
    parts = [part for part in text.split("/")[:-1] if part not in ("", ".", "..")]
    last = text.rpartition("/")[2]
    if not parts and not last.strip(".*"):
        return ()
    parts.append(last)
    solid = [HOLE.sub("", part) for part in parts]
    if not any(part.strip("._-") and not part.startswith(".") for part in solid):
        return ()
    return tuple(parts)


# Private

_PAGES = frozenset(
    (
        *(".html", ".htm", ".xhtml", ".jinja", ".jinja2", ".j2", ".tmpl", ".gohtml", ".tpl", ".mustache", ".hbs"),
        *(".handlebars", ".ejs", ".haml", ".pug", ".slim", ".liquid", ".erb", ".ftl", ".twig", ".jsp", ".eta", ".njk"),
        *(".vm", ".xml", ".css", ".scss", ".less", ".vue", ".svelte", ".astro"),
    )
)


def _ends(parts: Sequence[str], own: Sequence[str]) -> bool:
    if len(parts) > len(own):
        return False
    return all(_same(part, step) for part, step in zip(reversed(parts), reversed(own), strict=False))


def _same(part: str, step: str) -> bool:
    if part == step:
        return True
    if not HOLE.search(part):
        return False
    return fnmatchcase(step, HOLE.sub("*", part.replace("[", "[[]").replace("?", "[?]")))


def _inside(parts: Sequence[str], own: Sequence[str]) -> bool:
    """Whether the text names a folder in which the file lies: two steps at least, or one with its final slash."""
    steps = [part for part in parts if part]
    folders = own[:-1]
    if len(steps) < 2 and parts[-1] != "":
        return False
    if len(steps) == 1 and len(folders) > 0:
        return steps[0] == folders[-1]
    return any(list(folders[at : at + len(steps)]) == steps for at in range(len(folders) - len(steps) + 1))
