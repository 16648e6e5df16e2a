"""Reads YAML and JSON documents within bounds, and finds the line of a key in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from tidegate.verify.contracts.values import Unreadable

LARGEST_YAML = 4 * 1024 * 1024
DEEPEST = 150
_DEEP = re.compile(rb"(?:[-?][ \t]+){100}|^ {2000}", re.MULTILINE)
_BRACKETS = re.compile(rb"[\[\]{}]")


def read_document(content: bytes) -> Any:
    """The first document. Scalars of YAML stay text (`true`, `5`), so that no spelling is lost; JSON keeps its types.

    Raises Unreadable.
    """
    if content.lstrip()[:1] in (b"{", b"["):
        try:
            return msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError):
            pass  # YAML's flow style looks like this too
    return _read_yaml(content)


def text_of(value: Any) -> str:
    """A scalar as it is written, whichever format it comes from."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case str():
            return value
    return str(value)


def is_true(value: Any) -> bool:
    return value is True or value == "true"


def line_of(text: str, keys: Iterable[str]) -> int:
    """The line of the last of these keys that is there, each looked for below the one before. 0 if none is."""
    at, line = 0, 0
    for key in keys:
        found = re.compile(rf"""^[ \t\-{{,]*["']?{re.escape(key)}["']?\s*:""", re.MULTILINE).search(text, at)
        if found is None:
            break
        at = found.end()
        line = text.count("\n", 0, found.end()) + 1
    return line


# Private


def _read_yaml(content: bytes) -> Any:
    import yaml  # only where a document changed

    if len(content) > LARGEST_YAML:
        raise Unreadable(f"it has {len(content):,} bytes; YAML is read up to {LARGEST_YAML:,}")
    if _DEEP.search(content) or _depth(content) > DEEPEST:
        raise Unreadable("it is nested too deeply")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return next(iter(yaml.load_all(content, loader)), None)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise Unreadable("it is neither YAML nor JSON") from error


def _depth(content: bytes) -> int:
    depth = deepest = 0
    for found in _BRACKETS.finditer(content):
        depth = depth + 1 if found[0] in b"[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest
