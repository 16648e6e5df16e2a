"""Reminders that a change leaves in comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.verify.debt.source import Site, Source


def todos(source: Source) -> Iterator[Site]:
    """Comments that say TODO, FIXME, HACK or XXX."""
    if not any(word in source.content for word in (b"TODO", b"FIXME", b"HACK", b"XXX")):
        return
    for number, line in enumerate(source.lines, 1):
        match = _TODO.search(line) if len(line) < 2_000 else None
        if match is not None:
            text = " ".join(line[match.start(1) :].split())[:80]
            key = f"todo {text}"
            message = f"a {match[1]} is added that nothing else keeps track of"
            if re.search(r"#\d+|https?://|\b[A-Z]{2,}-\d+\b", line):
                message = f"a {match[1]} is added"
            yield Site("todo-grown", "note", number, key, message, "do it in this change, or name an issue beside it")


# Private

_TODO = re.compile(r"(?:#|//|/\*|^\s*\*|<!--|--|;)\s*@?(?:[\w,.]+\s+){0,3}?\b(TODO|FIXME|HACK|XXX)\b(?=[\s:(.!-]|$)")
