"""Who wrote the lines of the base that a change removes or edits, and those around them.

Blame answers for one file at a time, so only the most changed files are asked about, within a time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, NamedTuple

from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository
from tidegate.change.values import FileChange, Person, show_path
from tidegate.errors import GitError

MOST_FILES = 20
MOST_RANGES = 100
AROUND = 3
"""Lines on each side of a hunk that count as its surroundings, as many as a diff shows."""

BUDGET_SECONDS = 3.0


class BlamedLine(NamedTuple):
    """`lines` lines of one file by one author, written at `at` (RFC 3339). `touched`: the change removes or edits them.

    Otherwise they stand beside what it changes.
    """

    author: Person
    at: str
    lines: int
    touched: bool


def read_blame(
    repository: Repository,
    base: str,
    files: Iterable[FileChange],
    notes: list[str],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[BlamedLine]:
    """The touched lines of at most 20 files of the base and their surroundings, one git process for each file.

    Lines whose origin a shallow clone does not hold are left out. So is what takes more than three seconds in all; both
    that and the files past the twentieth are added to `notes`.
    """
    # A hunk before line 1 says that the file was empty, or that lines came in at its top: there is nothing to ask.
    wanted = [f for f in files if f.status != "added" and f.by_hand and any(hunk.old_start for hunk in f.hunks)]
    wanted.sort(key=lambda file: (-(file.added + file.deleted), file.path))
    if len(wanted) > MOST_FILES:
        notes.append(f"experts: blame was asked of the {MOST_FILES} most changed of {len(wanted)} files")
    deadline = clock() + BUDGET_SECONDS
    found: list[tuple[str, int, bool]] = []
    for number, file in enumerate(wanted[:MOST_FILES]):
        if clock() > deadline:
            left = len(wanted[:MOST_FILES]) - number
            notes.append(f"experts: {left} files were left out after {BUDGET_SECONDS:.0f} s of blame")
            break
        found += _blame(repository, base, file, notes, lambda: clock() > deadline)
    commits = read_commit_objects(repository, sorted({oid for oid, _, _ in found}))
    for oid, count, touched in found:
        commit = commits.get(oid)
        if commit is not None and count:
            # What the commit itself says: blame would apply the .mailmap of a HEAD that may be the change's own.
            yield BlamedLine(commit.author, commit.authored_at, count, touched)


# Private

_ENTRY = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) \d+ (\d+) (\d+)\n")


def _blame(
    repository: Repository, base: str, file: FileChange, notes: list[str], overdue: Callable[[], bool]
) -> list[tuple[str, int, bool]]:
    touched = [range(h.old_start, h.old_start + h.old_count) for h in file.hunks if h.old_count]
    ranges = _surroundings(file)
    if len(ranges) > MOST_RANGES:
        notes.append(f"experts: only the first {MOST_RANGES} of {len(ranges)} places of {show_path(file.old_path)}")
    limits = [f"-L{first},{last}" for first, last in ranges[:MOST_RANGES]]
    arguments: tuple[str | bytes, ...] = ("blame", "--incremental", "-w", *limits, base, "--", file.old_path)
    found: list[tuple[str, int, bool]] = []
    try:
        with repository.stream(*arguments) as output:
            for oid, first, count in _entries(output):
                if oid not in repository.shallow_edge:
                    inside = sum(_overlap(first, count, lines) for lines in touched)
                    found += [
                        (oid, number, kind) for number, kind in ((inside, True), (count - inside, False)) if number
                    ]
                if overdue():
                    notes.append(f"experts: blame of {show_path(file.old_path)} was broken off")
                    break
    except GitError:
        notes.append(f"experts: git could not blame {show_path(file.old_path)}")
    return found


def _entries(output: IO[bytes]) -> Iterator[tuple[str, int, int]]:
    for line in output:
        match = _ENTRY.fullmatch(line)
        if match:
            yield match[1].decode("ascii"), int(match[2]), int(match[3])


def _surroundings(file: FileChange) -> list[tuple[int, int]]:
    """First and last lines of the base around the hunks, joined where they meet."""
    joined: list[tuple[int, int]] = []
    for hunk in file.hunks:
        start = hunk.old_start if hunk.old_count else hunk.old_start + 1
        first, last = max(1, start - AROUND), max(1, start + hunk.old_count - 1 + AROUND)
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _overlap(first: int, count: int, lines: Sequence[int]) -> int:
    return max(0, min(first + count, lines[-1] + 1) - max(first, lines[0]))
