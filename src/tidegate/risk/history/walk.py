"""Which commits are new: asked of git as a difference.

Git gives up on a walk at a commit that is missing. Then the commit objects that are here are walked by ourselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.errors import GitError
from tidegate.risk.history.read import Gap, read_parents


class New(NamedTuple):
    """Commits to read, parents before children, and those of them whose parents are not here."""

    oids: list[str]
    gaps: list[Gap]


def list_new(repository: Repository, until: str, tips: Collection[str]) -> New:
    """The ancestors of `until` (itself among them) that no tip holds. One process, three where commits are missing.

    Where clocks disagree git may list some that a tip does hold.
    """
    arguments = ("rev-list", "--topo-order", "--reverse", "--stdin")
    asked = _lines((until, *(f"^{tip}" for tip in sorted(tips))))
    try:
        return New(repository.run(*arguments, stdin=asked).decode("ascii").split(), [])
    except GitError:
        parents = read_parents(repository)
    known = reachable(parents, tips)
    found = _ordered(parents, until, known)
    lost = [Gap(oid, "parent", parent) for oid in found for parent in parents[oid] if parent not in parents]
    edge = repository.shallow_edge
    return New(found, [gap for gap in lost if gap.commit not in edge])


def list_gone(repository: Repository, tips: Collection[str]) -> frozenset[str]:
    """The tips that this repository does not have any more."""
    return frozenset(answer.name for answer in repository.look_up(sorted(tips)) if answer.kind != "commit")


def reachable(parents: Mapping[str, tuple[str, ...]], heads: Iterable[str]) -> set[str]:
    """The heads and their ancestors, as far as they are in `parents`."""
    found: set[str] = set()
    todo = list(heads)
    while todo:
        oid = todo.pop()
        if oid in parents and oid not in found:
            found.add(oid)
            todo += parents[oid]
    return found


# Private


def _ordered(parents: Mapping[str, tuple[str, ...]], head: str, known: Collection[str]) -> list[str]:
    """What `reachable` finds and is not known, parents before children."""
    order: dict[str, None] = {}
    todo = [(head, False)]
    while todo:
        oid, below_done = todo.pop()
        if below_done:
            order[oid] = None
        elif oid in parents and oid not in known and oid not in order:
            todo.append((oid, True))
            todo += [(parent, False) for parent in reversed(parents[oid]) if parent not in order]
    return list(order)


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode("ascii")
