"""Lines whose mutants somebody judged not to be worth a test, with the reason. Kept in the repository, and read from
the base of a change alone: a change cannot dismiss what is asked of it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tidegate.change.trees import Tree
from tidegate.errors import InputError

PLACE = ".tidegate/mutants.toml"
_LONGEST = 1000


class Dismissals(Struct, frozen=True):
    """Reasons by path and text of the line, without the blanks around it."""

    reasons: Mapping[tuple[str, str], str]

    def cover(self, path: str, key: str) -> bool:
        return (path, key) in self.reasons


def read_dismissals(base: Tree) -> Dismissals:
    """Those of the base. Raises InputError for a file that is not what we write."""
    content = base.read([PLACE]).get(PLACE)
    return parse_dismissals(content) if content else Dismissals({})


def parse_dismissals(content: bytes) -> Dismissals:
    """`[[dismissed]]` with path, text and because. Raises InputError."""
    try:
        entries = tomllib.loads(content.decode("utf-8")).get("dismissed", [])
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is no TOML ({error})", where=PLACE, mend="mend it at the base of the change") from error
    if not isinstance(entries, list):
        raise InputError("`dismissed` is no list of tables", where=PLACE, mend="write [[dismissed]]")
    return Dismissals(dict(map(_entry, entries)))


def dismiss(root: Path, place: str, because: str) -> str:
    """Adds PATH:LINE of the working tree to the file, and answers the text of the line. Raises InputError."""
    path, _, number = place.rpartition(":")
    if not path or not number.isdigit():
        raise InputError("no line is named", where=place, mend="name it like src/app.py:12")
    if not because.strip():
        raise InputError("a dismissal needs a reason", where="--because", mend="say why no test should notice it")
    file = (root / path).resolve()
    if not file.is_relative_to(root.resolve()):
        raise InputError("this file is not of the repository", where=path, mend="name it from the repository's top")
    inside = file.relative_to(root.resolve()).as_posix()
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
        text = lines[int(number) - 1].strip() if 0 < int(number) <= len(lines) else ""
        if not text:
            raise InputError("there is no such line", where=place, mend="name a line of code")
        kept = root / PLACE
        before = kept.read_bytes() if kept.exists() else b""
        if parse_dismissals(before).cover(inside, text):
            return text
        kept.parent.mkdir(exist_ok=True)
        lead = "" if not before or before.endswith(b"\n\n") else "\n"
        entry = (
            f"[[dismissed]]\npath = {_quoted(inside)}\ntext = {_quoted(text)}\nbecause = {_quoted(because.strip())}\n"
        )
        kept.write_bytes(before + (lead + entry).encode())
    except (OSError, UnicodeError) as error:
        raise InputError(f"cannot be read or written ({error})", where=place, mend="check the path") from error
    return text


# Private


def _entry(entry: Any) -> tuple[tuple[str, str], str]:
    values = [entry.get(name) if isinstance(entry, dict) else None for name in ("path", "text", "because")]
    path, text, because = values
    if not (isinstance(path, str) and isinstance(text, str) and isinstance(because, str) and because.strip()):
        raise InputError("an entry lacks its path, text or reason", where=PLACE, mend="write path, text and because")
    return (path, text.strip()), because


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's, but for the one control character that JSON does not escape."""
    return json.dumps(text[:_LONGEST], ensure_ascii=False).replace("\x7f", "\\u007f")
