"""Lines as digests, and which of them are new. White space does not count: a formatter is nobody's hand."""

from __future__ import annotations

import os
import stat
from hashlib import blake2b

WEAK_CHARS = 4
FILE_LIMIT_BYTES = 4 << 20
STEPS = 2000
"""Edits up to which two versions are compared line by line; above, a line is new when the old version lacks it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def digest(line: bytes) -> str:
    """Twelve hex digits that stand for a line without its white space; a `~` before them says that it is too short
    to tell anything: a brace, a blank line."""
    text = b"".join(line.split())
    return ("~" if len(text) < WEAK_CHARS else "") + blake2b(text, digest_size=6).hexdigest()


def digests(content: bytes) -> list[str]:
    """One digest for each line, as git counts lines."""
    lines = content.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    return [digest(line) for line in lines]


def read_digests(path: str) -> list[str] | None:
    """The lines of a file; [] where there is none, None for what has no lines: binary, too large, not a file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        return None
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_LIMIT_BYTES:
            return None
        content = file.read(FILE_LIMIT_BYTES + 1)
    if b"\0" in content[:8000] or len(content) > FILE_LIMIT_BYTES:
        return None
    return digests(content)


def inserted(old: Sequence[str], new: Sequence[str]) -> list[list[str]]:
    """The runs of lines that the new version has and the old one has not, in order."""
    start, last = 0, min(len(old), len(new))
    while start < last and old[start] == new[start]:
        start += 1
    end_old, end_new = len(old), len(new)
    while end_old > start and end_new > start and old[end_old - 1] == new[end_new - 1]:
        end_old -= 1
        end_new -= 1
    middle = new[start:end_new]
    if not middle:
        return []
    kept = _kept(old[start:end_old], middle) if end_old > start else frozenset()
    runs: list[list[str]] = [[]]
    for number, line in enumerate(middle):
        if number in kept:
            runs.append([])
        else:
            runs[-1].append(line)
    return [run for run in runs if run]


# Private


def _kept(old: Sequence[str], new: Sequence[str]) -> frozenset[int] | set[int]:
    """Which lines of `new` are lines of `old`, by the shortest edit script (Myers 1986), within `STEPS`."""
    reach = {1: 0}
    trail: list[dict[int, int]] = []
    for steps in range(min(len(old) + len(new), STEPS) + 1):
        trail.append(dict(reach))
        for diagonal in range(-steps, steps + 1, 2):
            down = diagonal == -steps or (
                diagonal != steps and reach.get(diagonal - 1, -1) < reach.get(diagonal + 1, -1)
            )
            x = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            reach[diagonal] = x
            if x >= len(old) and x - diagonal >= len(new):
                return _walked(trail, len(old), len(new))
        if steps * steps > STEPS * 200:
            break
    known = set(old)
    return {number for number, line in enumerate(new) if line in known}


def _walked(trail: list[dict[int, int]], x: int, y: int) -> set[int]:
    kept: set[int] = set()
    for steps in range(len(trail) - 1, -1, -1):
        reach = trail[steps]
        diagonal = x - y
        down = diagonal == -steps or (diagonal != steps and reach.get(diagonal - 1, -1) < reach.get(diagonal + 1, -1))
        before = diagonal + 1 if down else diagonal - 1
        start_x = reach[before] if steps else 0
        start_y = start_x - before if steps else 0
        while x > start_x and y > start_y and x > 0 and y > 0:
            x, y = x - 1, y - 1
            kept.add(y)
        x, y = start_x, start_y
    return kept
