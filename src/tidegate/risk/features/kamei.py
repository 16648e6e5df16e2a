"""The fourteen features of Kamei et al. 2013, for one change and in one sweep over all of history."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from math import log2

from tidegate.risk.features.past import DAY, FileHistory, Landed, Past, area_of, folder_of
from tidegate.risk.values import PastCommit

KAMEI = ("ns", "nd", "nf", "ent", "la", "ld", "lt", "fix", "ndev", "age", "nuc", "exp", "rexp", "sexp")
YEAR_SECONDS = 31_557_600
"""365.25 days."""


def sweep_kamei(
    commits: Iterable[PastCommit], key_of: Callable[[PastCommit], str], is_fix: Callable[[str], object]
) -> Iterator[tuple[str, tuple[float, ...]]]:
    """The fourteen of every commit that is no merge, in the order of `KAMEI`. `commits` have parents before children.

    `key_of` says who wrote a commit, `is_fix` whether a message tells of a repair.
    """
    past = Past()
    for commit in commits:
        if not commit.is_merge:
            change = landed(commit, key_of(commit), bool(is_fix(commit.message)))
            yield commit.oid, kamei(past, change, past.files_of(change.touches))
            past.learn(change)


def landed(commit: PastCommit, author: str, fix: bool) -> Landed:
    """A commit of history as a change."""
    return Landed(commit.committed_at, author, commit.touches, commit.message, fix)


def kamei(past: Past, change: Landed, files: list[FileHistory | None]) -> tuple[float, ...]:
    """The fourteen of one change; `files` is what the past knows of those that it touches, in their order."""
    touches = change.touches
    areas = {area_of(touch.path) for touch in touches}
    sizes = [max(touch.added, 0) + max(touch.deleted, 0) for touch in touches]
    nd = len({folder_of(touch.path) for touch in touches})
    la = sum(touch.added for touch in touches if touch.added > 0)
    exp, rexp, sexp = _experience(past, change, areas)
    known = [file for file in files if file is not None]
    return (
        *(float(len(areas)), float(nd), float(len(touches)), _entropy(sizes)),
        *(float(la), float(sum(sizes) - la), _lines_before(change, files), float(change.fix)),
        *(float(_people(known)), _age(change.at, known), float(_changes(known)), exp, rexp, sexp),
    )


# Private


def _entropy(sizes: list[int]) -> float:
    total = sum(sizes)
    if len(sizes) < 2 or not total:
        return 0.0
    return -sum(size / total * log2(size / total) for size in sizes if size) + 0.0


def _lines_before(change: Landed, files: list[FileHistory | None]) -> float:
    if not files:
        return 0.0
    pairs = zip(change.touches, files, strict=True)
    total = sum(max(file.lines, 0) for touch, file in pairs if file is not None and touch.status != "A")
    return total / len(files)


def _people(files: list[FileHistory]) -> int:
    found = 0
    for file in files:
        found |= file.people
    return found.bit_count()


def _changes(files: list[FileHistory]) -> int:
    if len(files) == 1:
        return len(files[0].changes)
    return len(set().union(*(file.changes for file in files)))


def _age(at: int, files: list[FileHistory]) -> float:
    """An earlier change that claims to be younger than this one is of the same moment."""
    if not files:
        return 0.0
    return sum(max(at - file.times[-1][0], 0) for file in files) / len(files) / DAY


def _experience(past: Past, change: Landed, areas: set[str]) -> tuple[float, float, float]:
    person = past.people.get(change.author)
    if not change.author:
        return float("nan"), float("nan"), float("nan")
    if person is None:
        return 0.0, 0.0, 0.0
    here = 0
    for area in areas:
        here |= person.areas.get(area, 0)
    times = person.times
    rexp, upper, years = 0.0, len(times), 0
    while upper:
        lower = bisect_left(times, change.at - (years + 1) * YEAR_SECONDS + 1, 0, upper)
        rexp += (upper - lower) / (years + 1)
        upper, years = lower, years + 1
        if upper:
            years = max(years, (change.at - times[upper - 1]) // YEAR_SECONDS)
    return float(len(times)), rexp, float(here.bit_count())
