"""Chooses among everything that added lines resemble: each added run has one clone, the best, and moves are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.facts import CloneFact, Place
from tidegate.verify.clones.change import fresh_lines, moved_share
from tidegate.verify.clones.index import Index
from tidegate.verify.clones.judge import is_clone
from tidegate.verify.clones.search import Added, Candidate, search

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_CLONES = 50
MOST_MOVED = 0.5
_COVERED = 0.3


class Clone(Struct, frozen=True):
    """A fact with the added lines that it is about, and the lines of the other place that match them."""

    fact: CloneFact
    lines: tuple[int, ...]
    other_lines: tuple[int, ...]


def find_clones(index: Index, added: Sequence[Added], removed: NDArray[np.uint64]) -> tuple[Clone, ...]:
    """The clones that a change adds, the longest first; of one inside the change, the later place is reported.

    `removed` are the runs of tokens that the change takes away.
    """
    fresh = {file.path: frozenset(file.tokens.lines[file.fresh].tolist()) for file in added}
    found = [clone for file in added for clone in _judged(index, file, removed) if not _comes_first(clone, fresh)]
    found.sort(key=_rank)
    chosen: list[Clone] = []
    taken: dict[str, set[int]] = {}
    for clone in found:
        lines = taken.setdefault(clone.fact.place.path, set())
        if len(lines.intersection(clone.lines)) > _COVERED * len(clone.lines):
            continue
        lines.update(clone.lines)
        chosen.append(clone)
    return tuple(chosen[:MOST_CLONES])


def cloned_lines(clones: Iterable[Clone]) -> int:
    """How many added lines are in clones, each counted once."""
    return len({(clone.fact.place.path, line) for clone in clones for line in clone.lines})


# Private


def _judged(index: Index, added: Added, removed: NDArray[np.uint64]) -> Iterable[Clone]:
    for candidate in search(index, added):
        lines = fresh_lines(added, candidate.likeness.lines)
        if not is_clone(candidate.likeness, len(lines)):
            continue
        if moved_share(added.tokens, candidate.likeness.left, removed) < MOST_MOVED:
            yield _clone(added, candidate, lines)


def _clone(added: Added, candidate: Candidate, lines: tuple[int, ...]) -> Clone:
    likeness = candidate.likeness
    fact = CloneFact(
        place=Place(_shown(added.path), lines[0], lines[-1]),
        other=Place(_shown(candidate.path), likeness.other_lines[0], likeness.other_lines[-1]),
        lines=len(lines),
        kind=likeness.kind,
        similarity=round(likeness.similarity, 2),
    )
    return Clone(fact, lines, likeness.other_lines)


def _rank(clone: Clone) -> tuple[float | str, ...]:
    """The longest and most alike first."""
    fact = clone.fact
    places = (fact.place.path, fact.place.line, fact.other.path, fact.other.line)
    return (-fact.lines * fact.similarity, fact.kind, *places)


def _comes_first(clone: Clone, fresh: Mapping[str, frozenset[int]]) -> bool:
    """Whether the change adds the other place too, and that is the later one: it is reported there."""
    place, other = clone.fact.place, clone.fact.other
    added = sum(line in fresh.get(other.path, ()) for line in clone.other_lines)
    return 2 * added > len(clone.other_lines) and (other.path, other.line) > (place.path, place.line)


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
