"""Trailers of a commit message, wherever they stand in it.

git's own parser reads one block at the very end and nothing when that block is broken by a link or a blank line. In
real histories every third declaration of an agent stands somewhere else: in the middle of a squash body, after an
`Amp-Thread-ID` that broke the block, indented under a list item. What is quoted is not said: fenced code, `>` quotes,
pasted diffs and indented text (except in the body that `git merge --squash` indents itself) do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

LINE_LIMIT = 2000
"""A longer line cannot be a trailer that somebody means; it is not looked at."""

_TRAILER = re.compile(
    r"(?:[*•+-] {1,3})?(?:\*\*)?([A-Za-z][A-Za-z0-9-]{1,40}(?: [Bb]y)?)(?:\*\*)? ?:(?:\*\*)?[ \t]*(?!//)(\S.*)"
)
_INDENT = re.compile(r" *")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_SQUASHED = "Squashed commit of the following:"


class Trailer(Struct, frozen=True):
    """One `Key: value` line. `key` is lower case with hyphens, `line` counts the message's lines from 1."""

    key: str
    value: str
    line: int


def read_trailers(message: str) -> tuple[Trailer, ...]:
    """Every trailer of a message, in order, the same one twice when it is written twice."""
    indent_limit = 16 if _SQUASHED in message else 3
    found: list[Trailer] = []
    for number, line in said_lines(message):
        if ":" not in line or len(line) > LINE_LIMIT:
            continue
        indent = _INDENT.match(line)
        start = indent.end() if indent else 0
        if start > indent_limit:
            continue
        match = _TRAILER.match(line, start)
        if match:
            found.append(Trailer(match[1].lower().replace(" ", "-"), _clean(match[2]), number))
    return tuple(found)


def said_lines(message: str) -> Iterator[tuple[int, str]]:
    """Lines of a message that are its author's own words: without fenced code, `>` quotes and pasted diffs."""
    lines = message.split("\n")
    fence_ends = _fences(lines)
    skip_to = 0
    in_diff = False
    for index, line in enumerate(lines):
        line = line.rstrip("\r")
        if index < skip_to:
            continue
        if index in fence_ends:
            skip_to = fence_ends[index] + 1
            continue
        in_diff = line.startswith("diff --git ") or (in_diff and line != "")
        if not in_diff and not line.lstrip().startswith(">"):
            yield index + 1, line


# Private


def _fences(lines: Sequence[str]) -> dict[int, int]:
    """Line that opens a fenced block to the line that closes it. A fence that nothing closes hides nothing."""
    ends: dict[int, int] = {}
    opened: tuple[int, str] | None = None
    for index, line in enumerate(lines):
        match = _FENCE.match(line)
        if match is None:
            continue
        if opened is None:
            opened = (index, match[1])
        elif match[1].startswith(opened[1]):
            ends[opened[0]] = index
            opened = None
    return ends


def _clean(value: str) -> str:
    plain = value.replace("\\<", "<").replace("\\>", ">").replace("&lt;", "<").replace("&gt;", ">")
    plain = plain.strip().rstrip("\\").strip()
    opened = plain.rpartition("<")[2]
    return f"{plain}>" if "<" in plain and ">" not in opened and "@" in opened else plain
