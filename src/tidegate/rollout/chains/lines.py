"""Whose lines a commit changes: every line that a deployed change wrote keeps its writer while others edit around it.

As blame sees it, but for all commits at once and from line numbers alone. Lines that are older than the past, and those
of files that are too long or cannot be compared, belong to nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from tidegate.change.diff import CommitDiff, read_commit_diffs
from tidegate.change.git import Repository
from tidegate.change.values import FileChange, Hunk
from tidegate.rollout.chains.past import Past

MOST_LINES = 50_000
"""Of a longer file nothing is known: generated files are."""
NOBODY = -1

_Owners = Mapping[bytes, tuple[int, ...]]


class Back(NamedTuple):
    """Lines that come back: those that the commit `undone` had taken out belong to whom they belonged before; all
    others to `writer`, which may be nobody."""

    undone: int
    writer: int = NOBODY


def changed_lines(repository: Repository, past: Past, back: Mapping[int, Back]) -> tuple[Counter[int], ...]:
    """For every commit, how many lines of which earlier commits it changes or takes out; a line that is put between
    two lines of one commit counts as one. `back` says of a commit what it only brings back."""
    diffs = read_commit_diffs(repository, [commit.oid for commit in past.commits])
    kept: dict[int, dict[bytes, tuple[int, ...]]] = {}
    children = Counter(past.place[p] for commit in past.commits for p in set(commit.parents) if p in past.place)
    found: list[Counter[int]] = []
    taken: dict[int, dict[bytes, list[int]]] = {one.undone: {} for one in back.values()}
    for number, against in enumerate(_by_commit(past, diffs)):
        parents = [past.place.get(parent, -1) for parent in past.commits[number].parents]
        states = [dict(kept.get(parent, {})) for parent in parents[: len(against)]] or [{}]
        touched: Counter[int] = Counter()
        here = back.get(number)
        writer = here.writer if here is not None else number
        again = taken.get(here.undone, {}) if here is not None else {}
        if against:
            gone = _apply(states[0], against[0].files, writer, touched, again)
            if number in taken:
                taken[number] = gone
        if len(against) > 1:
            _apply(states[1], against[1].files, writer, Counter(), {})
            _take_over(states[0], states[1], against[0].files, writer)
            touched = Counter()
        found.append(touched)
        kept[number] = states[0]
        for parent in set(parents):
            children[parent] -= 1
            if parent >= 0 and not children[parent]:
                kept.pop(parent, None)
    return tuple(found)


# Private


def _by_commit(past: Past, diffs: Iterator[CommitDiff]) -> Iterator[list[CommitDiff]]:
    groups = groupby(diffs, key=lambda diff: diff.oid)
    for commit, (oid, group) in zip(past.commits, groups, strict=True):
        found = list(group)
        yield found if oid == commit.oid else []


def _apply(
    state: dict[bytes, tuple[int, ...]],
    files: Sequence[FileChange],
    writer: int,
    touched: Counter[int],
    again: Mapping[bytes, Sequence[int]],
) -> dict[bytes, list[int]]:
    """Brings the state behind these files' changes, and says whose lines went, in their order. Reads of the old state
    come first: two files can change places."""
    before: _Owners = dict(state)
    taken: dict[bytes, list[int]] = {}
    for file in files:
        if file.old_path != file.path and file.status == "renamed":
            state.pop(file.old_path, None)
    for file in files:
        owners = before.get(file.old_path, ()) if file.status not in ("added", "copied") else ()
        if not file.lines_known or file.binary:
            state.pop(file.path, None)
            continue
        coming = list(again.get(file.path, ()))
        fits = len(coming) == sum(hunk.new_count for hunk in file.hunks)
        edited = _edited(list(owners), file.hunks, coming if fits else [writer] * file.added, touched)
        if edited is None:
            state.pop(file.path, None)
            continue
        after, taken[file.path] = edited
        if file.status == "deleted":
            state.pop(file.path, None)
        else:
            state[file.path] = after
    return taken


def _edited(
    owners: list[int], hunks: Sequence[Hunk], coming: list[int], touched: Counter[int]
) -> tuple[tuple[int, ...], list[int]] | None:
    """The owners of the lines after the hunks, and those of the lines that went; None for a file that is too long.
    `coming` are the owners of all new lines, in their order."""
    went: list[int] = []
    for hunk in reversed(hunks):
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        if max(start + hunk.old_count, len(owners) + hunk.new_count) > MOST_LINES or len(coming) < hunk.new_count:
            return None
        owners += [NOBODY] * (start + hunk.old_count - len(owners))
        gone = owners[start : start + hunk.old_count]
        went[:0] = gone
        if hunk.old_count:
            touched.update(owner for owner in gone if owner != NOBODY)
        elif 0 < start < len(owners) and owners[start - 1] == owners[start] != NOBODY:
            touched[owners[start]] += 1
        keep = len(coming) - hunk.new_count
        owners[start : start + hunk.old_count] = coming[keep:]
        del coming[keep:]
    return tuple(owners), went


def _take_over(state: dict[bytes, tuple[int, ...]], other: _Owners, files: Sequence[FileChange], writer: int) -> None:
    """Lines that a merge took from its second parent belong to whoever wrote them there."""
    for file in files:
        mine, theirs = state.get(file.path), other.get(file.path)
        if mine is None:
            continue
        taken = theirs or ()
        state[file.path] = tuple(
            owner if owner != writer else taken[at] if at < len(taken) else NOBODY for at, owner in enumerate(mine)
        )
