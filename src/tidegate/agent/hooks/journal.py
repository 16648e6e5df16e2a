"""What was written by whom: a journal that only ever grows, one record a line, appended whole by one system call.

    {"at": .., "path": .., "head": .., "writer": {..}}<TAB>digest digest ...<TAB>.

A record begins with a line break and ends with a dot, so that what a crash cut off spoils no other record and is seen.
A week has its own file; the newest are read, up to a limit.
"""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set
    from typing import Any

    from tidegate.agent.hooks.place import Place

WEEK_SECONDS = 7 * 24 * 3600
READ_LIMIT_BYTES = 8 << 20
"""Older lines are still attributed by the notes of their commits, but no longer found when they are committed late."""


class Run:
    """Lines that somebody wrote at once, in order: their digests, where, on which commit, and who."""

    __slots__ = ("head", "lines", "path", "writer")

    def __init__(self, path: str, head: str, writer: dict[str, str], lines: Sequence[str]) -> None:
        self.path = path
        self.head = head
        self.writer = writer
        self.lines = lines


def append(place: Place, path: str, head: str, writer: dict[str, str], runs: Sequence[Sequence[str]]) -> None:
    """Add one record for each run of lines, all of them in one write."""
    if not runs:
        return
    header = json.dumps({"at": int(time.time()), "path": path, "head": head, "writer": writer})
    text = "".join(f"\n{header}\t{' '.join(run)}\t.\n" for run in runs)
    append_text(place.shared, f"journal-{int(time.time()) // WEEK_SECONDS}", text)


def append_text(folder: str, name: str, text: str) -> None:
    """Add a text to a file of the recorder by one write: other texts stand before or after it, never within."""
    os.makedirs(folder, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(f"{folder}/{name}", flags, 0o600)
    try:
        os.write(descriptor, text.encode("utf-8", "surrogateescape"))
    finally:
        os.close(descriptor)


def read_runs(place: Place, wanted: Set[str]) -> list[Run]:
    """The runs that hold any of these lines, in the order in which they were written."""
    found: list[Run] = []
    for text in _texts(place):
        for line in text.split("\n"):
            header, tab, rest = line.partition("\t")
            if not tab or not rest.endswith("\t."):
                continue
            lines = rest[:-2].split(" ")
            if wanted.isdisjoint(lines):
                continue
            record = _read_header(header)
            if record is not None:
                found.append(Run(record["path"], record["head"], record["writer"], lines))
    return found


def has_session(place: Place, tool: str) -> bool:
    """Whether an agent's own hooks recorded anything lately: then its edits are known line by line."""
    mark = f'"tool": {json.dumps(tool)}'
    return any(mark in text for text in _texts(place))


def read_counts(place: Place) -> tuple[int, int]:
    """How many whole records there are, and how many that a crash or a hand broke."""
    whole = broken = 0
    for text in _texts(place):
        for line in text.split("\n"):
            good = line.endswith("\t.") and _read_header(line.partition("\t")[0]) is not None
            whole += good
            broken += bool(line) and not good
    return whole, broken


# Private


def _texts(place: Place) -> Iterator[str]:
    """The newest journals, the oldest of them first."""
    try:
        names = [name for name in os.listdir(place.shared) if name.startswith("journal-") and name[8:].isdigit()]
    except OSError:
        return
    chosen: list[bytes] = []
    left = READ_LIMIT_BYTES
    for name in sorted(names, key=lambda name: int(name[8:]), reverse=True):
        try:
            with open(f"{place.shared}/{name}", "rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - left))
                chosen.append(file.read(left))
        except OSError:
            continue
        left -= len(chosen[-1])
        if left <= 0:
            break
    for content in reversed(chosen):
        yield content.decode("utf-8", "replace")


def _read_header(text: str) -> dict[str, Any] | None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("writer"), dict):
        return None
    texts = [record.get("path"), record.get("head"), *record["writer"].values()]
    return record if all(isinstance(text, str) for text in texts) else None
