"""Commits of the same content on different lines of history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.values import Commit
from tidegate.risk.labels.named import Names, picked_from
from tidegate.rollout.chains.past import Past

Work: TypeAlias = tuple[str, str, str, str]
"""Who wrote a commit, when and under which title: what a copy keeps."""

CopyKind: TypeAlias = Literal["picked", "same patch", "same author and time"]


class Copy(Struct, frozen=True):
    """Two commits of the same content."""

    one: int
    other: int
    kind: CopyKind


def find_copies(past: Past, names: Known) -> tuple[Copy, ...]:
    """The same on different lines of history. On one line the same comes again only to restore it: that is no copy.

    What says of itself what it is a copy of is believed before what has the same patch. A patch that came twice on one
    line, because it was taken back between, has one copy elsewhere, and not two.
    """
    found = list(_said(past, names))
    twins = _Twins(past)
    for copy in found:
        twins.join(copy)
    by_patch: dict[str, list[int]] = defaultdict(list)
    for number, commit in enumerate(past.commits):
        patch = past.patches[number].whole
        if len(commit.parents) > 1 or not patch:
            continue
        for one in by_patch[patch]:
            if not past.has(one, number) and twins.can_join(one, number):
                copy = Copy(one, number, "same patch")
                twins.join(copy)
                found.append(copy)
        by_patch[patch].append(number)
    return tuple(found)


def twins_of(past: Past, copies: Sequence[Copy]) -> tuple[frozenset[int], ...]:
    """For every commit its copies, itself among them."""
    twins = _Twins(past)
    for copy in copies:
        twins.join(copy)
    return tuple(twins.sets)


class Known:
    """The commits of the past by the beginnings of their names."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._names = Names([commit.oid for commit in past.commits])
        self._copies: dict[str, list[int]] = defaultdict(list)
        for number, commit in enumerate(past.commits):
            for start in picked_from(commit.message):
                self._copies[start].append(number)
        self._originals = Names([*self._copies, ""])

    def find(self, start: str, before: str) -> str:
        return self._names.find(start, before)

    def blamed(self, start: str, number: int) -> str:
        """The same for a commit that a later one speaks of: where that never ran, the copy of it that did."""
        if found := self.find(start, self._past.commits[number].oid):
            return found
        copies = self._copies.get(self._originals.find(start, ""), ())
        ran = [one for one in copies if one < number and self._past.has(one, number)]
        return self._past.commits[ran[0]].oid if ran else ""


# Private


def _said(past: Past, names: Known) -> Iterator[Copy]:
    by_work: dict[Work, list[int]] = defaultdict(list)
    for number, commit in enumerate(past.commits):
        if len(commit.parents) > 1:
            continue
        for start in picked_from(commit.message):
            oid = names.find(start, commit.oid)
            if oid and not past.has(past.place[oid], number):
                yield Copy(past.place[oid], number, "picked")
        work = _work(commit)
        for one in by_work[work]:
            if not past.has(one, number):
                yield Copy(one, number, "same author and time")
        by_work[work].append(number)


def _work(commit: Commit) -> Work:
    return commit.author.name, commit.author.email, commit.authored_at, commit.subject


class _Twins:
    """The copies of each commit, itself among them."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self.sets: list[frozenset[int]] = [frozenset((number,)) for number in range(len(past.commits))]

    def join(self, copy: Copy) -> None:
        both = self.sets[copy.one] | self.sets[copy.other]
        for number in both:
            self.sets[number] = both

    def can_join(self, one: int, other: int) -> bool:
        """Whether no two of what would be one then stand on one line of history."""
        mine, others = self.sets[one], self.sets[other]
        has = self._past.has
        return mine is others or not any(has(a, b) or has(b, a) for a in mine for b in others)
