"""The lines that commits added, for audits that step over commits whose diff cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tidegate.change.diff import CommitDiff, read_commit_diffs
from tidegate.change.git import Repository
from tidegate.change.values import FileChange
from tidegate.errors import GitError
from tidegate.provenance.runs import joined, outside
from tidegate.provenance.values import LineRange

BROKEN_DIFFS = 16
"""Commits whose diff git cannot make (a blob is missing) that are stepped over before the rest is given up."""


def added_lines(diffs: Sequence[CommitDiff]) -> Mapping[bytes, tuple[LineRange, ...] | None]:
    """Path to the lines that a commit added; None where they could not be compared. Of a merge: new to every parent."""
    by_parent = [{file.path: file for file in diff.files} for diff in diffs]
    added: dict[bytes, tuple[LineRange, ...] | None] = {}
    for path in {path for files in by_parent for path in files}:
        versions = [files.get(path) for files in by_parent]
        if any(file is not None and not _compared(file) for file in versions):
            added[path] = None
        else:
            added[path] = _common([_new_lines(file) if file else () for file in versions])
    return added


def read_known_diffs(
    repository: Repository, oids: Sequence[str], *, text: bool = False
) -> Iterator[tuple[str, list[CommitDiff] | None]]:
    """What each commit changed, in order; None where git cannot tell.

    Git stops at the first object that is missing (a partial clone, a damaged one), so the commit is stepped over and
    git started again behind it, a few times.
    """
    at = 0
    for _ in range(BROKEN_DIFFS):
        read = _grouped(read_commit_diffs(repository, oids[at:], text=text))
        try:
            for oid, diffs in read:
                at += 1
                yield oid, (diffs if all(diff.known for diff in diffs) else None)
        except GitError:
            first = _read_one(repository, oids[at], text=text)
            yield oids[at], first
            at += 1
        if at >= len(oids):
            return
    for oid in oids[at:]:
        yield oid, None


# Private


def _compared(file: FileChange) -> bool:
    return file.lines_known and not file.binary


def _new_lines(file: FileChange) -> tuple[LineRange, ...]:
    return joined((hunk.new_start, hunk.new_start + hunk.new_count - 1) for hunk in file.hunks if hunk.new_count)


def _common(versions: Sequence[tuple[LineRange, ...]]) -> tuple[LineRange, ...]:
    shared = versions[0]
    for other in versions[1:]:
        shared = outside(shared, outside(shared, other))
    return shared


def _read_one(repository: Repository, oid: str, *, text: bool) -> list[CommitDiff] | None:
    try:
        diffs = list(read_commit_diffs(repository, [oid], text=text))
    except GitError:
        return None
    return diffs if all(diff.known for diff in diffs) else None


def _grouped(diffs: Iterable[CommitDiff]) -> Iterator[tuple[str, list[CommitDiff]]]:
    """The diffs of one commit together. A commit comes out once the next one begins, so that its group is whole."""
    group: list[CommitDiff] = []
    for diff in diffs:
        if group and diff.oid != group[0].oid:
            yield group[0].oid, group
            group = []
        group.append(diff)
    if group:
        yield group[0].oid, group
