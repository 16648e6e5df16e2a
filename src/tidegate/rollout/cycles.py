"""Redeploy cycles: how often one logical change had to be deployed until it held.

A fix, its redeploys and its hot-fixes are one chain with the change that they repair. A deployment belongs to a chain
where it brings or takes away content of it; the first brings the change, and every one after it is a redeploy. A change
that nobody repaired has none, also where it was carried along in somebody else's roll-back. chains/links.py says what
ties commits together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.rollout.chains.links import Links, Repair, find_links
from tidegate.rollout.chains.past import Past, read_past, spoken_of
from tidegate.rollout.values import Deployment


class Tie(Struct, frozen=True):
    """Why a commit is part of a chain: what it does to which other one, in words."""

    commit: str
    of: str
    kind: str
    why: str


class Cycle(Struct, frozen=True, kw_only=True):
    """One logical change of a service in an environment. `commits` are all of its chain, the oldest first; `change`
    those that it began with. `deployments` are those that brought or took away some of it, in their order; `redeploys`
    those after the first.

    `perhaps` are the roots of other chains that may be the same change: commits of one branch that ran and came
    nowhere, of which nothing says whether they are one change or several.
    """

    service: str
    environment: str
    root: str
    change: tuple[str, ...]
    commits: tuple[str, ...]
    ties: tuple[Tie, ...]
    deployments: tuple[str, ...]
    redeploys: int
    perhaps: tuple[str, ...] = ()

    @property
    def repaired(self) -> bool:
        return len(self.commits) > len(self.change)


class Strand(Struct, frozen=True):
    """A chain as numbers of the past: the commits that it began with, and all."""

    began: frozenset[int]
    commits: frozenset[int]
    repairs: tuple[Repair, ...]


def find_cycles(repository: Repository, deployments: Iterable[Deployment]) -> tuple[Cycle, ...]:
    """The chains of everything that was deployed, for each service and environment, the oldest first.

    Counted are deployments that succeeded or were rolled back; `previous` and `revision` are whole object ids, and one
    whose revision is not known here changes nothing. Raises InputError where there is more than can be read.
    """
    groups: dict[tuple[str, str], list[Deployment]] = defaultdict(list)
    for one in {deployment.id: deployment for deployment in deployments}.values():
        groups[one.service, one.environment].append(one)
    found: list[Cycle] = []
    for _, group in sorted(groups.items()):
        found += _cycles(repository, sorted(group, key=lambda one: (one.started, one.id)))
    return tuple(found)


def redeploys_of(cycles: Iterable[Cycle]) -> dict[str, int]:
    """Commit to how often its change was deployed again, the most where it is part of several."""
    found: dict[str, int] = {}
    for cycle in cycles:
        for commit in cycle.commits:
            found[commit] = max(found.get(commit, 0), cycle.redeploys)
    return found


def find_strands(past: Past, links: Links, ran: int) -> tuple[Strand, ...]:
    """The chains of the past, of the commits that ran. A repair of two changes is part of both chains."""
    work = _works(past, links)
    members: dict[int, set[int]] = defaultdict(set)
    for number, first in enumerate(work):
        if ran >> number & 1:
            members[first].add(number)
    repairs: dict[int, list[Repair]] = defaultdict(list)
    for repair in links.repairs:
        if work[repair.of] < work[repair.commit]:
            repairs[work[repair.commit]].append(repair)
    roots: dict[int, frozenset[int]] = {}
    for first in sorted({*work}):
        ahead = frozenset[int]().union(*(roots[work[repair.of]] for repair in repairs[first]))
        roots[first] = ahead or (frozenset((first,)) if first in members else ahead)
    strands: dict[int, set[int]] = defaultdict(set)
    for first in sorted(members):
        for root in roots[first]:
            strands[root].add(first)
    return tuple(
        Strand(
            frozenset(members[root]),
            frozenset(number for first in works for number in members[first]),
            tuple(repair for first in sorted(works) for repair in repairs[first] if ran >> repair.commit & 1),
        )
        for root, works in sorted(strands.items())
    )


# Private

_RAN = ("succeeded", "rolled_back")


def _cycles(repository: Repository, deployments: Sequence[Deployment]) -> list[Cycle]:
    known = _known(repository, deployments)
    steps = [one for one in deployments if one.revision in known and one.status in _RAN and one.action != "remove"]
    if not steps:
        return []
    oldest = steps[0].previous if steps[0].previous in known else ""
    # What was only tried still tells which commits a squash was made of.
    revisions = [oid for one in deployments for oid in (one.previous, one.revision) if oid in known]
    past = _past(repository, revisions, oldest)
    links = find_links(repository, past, revisions)
    moves = _moves(past, links, steps, known)
    ran = 0
    for one in steps:
        ran |= past.content(one.revision)
    found = []
    strands = find_strands(past, links, ran)
    for strand in strands:
        touching = [one.id for one, moved in moves if moved & _bits(strand.commits)]
        if touching:
            perhaps = _perhaps(strand, strands, links)
            found.append(_cycle(past, strand, steps[0], touching, perhaps))
    return found


def _past(repository: Repository, revisions: Sequence[str], oldest: str) -> Past:
    """What ran, and beside it what its messages blame and never ran: a copy of that may have run, or what it mends."""
    past = read_past(repository, revisions, oldest)
    more = spoken_of(repository, past, oldest)
    return read_past(repository, (*revisions, *more), oldest) if more else past


def _perhaps(strand: Strand, strands: Sequence[Strand], links: Links) -> frozenset[int]:
    """The roots of other chains of the same loose branch."""
    branch = next((loose for loose in links.loose if strand.commits <= loose), frozenset[int]())
    return frozenset(min(one.began) for one in strands if one is not strand and one.commits <= branch)


def _cycle(past: Past, strand: Strand, of: Deployment, touching: Sequence[str], perhaps: frozenset[int]) -> Cycle:
    oids = [commit.oid for commit in past.commits]
    repaired = len(strand.commits) > len(strand.began)
    return Cycle(
        service=of.service,
        environment=of.environment,
        root=oids[min(strand.began)],
        change=tuple(oids[number] for number in sorted(strand.began)),
        commits=tuple(oids[number] for number in sorted(strand.commits)),
        ties=tuple(Tie(oids[tie.commit], oids[tie.of], tie.kind, tie.why) for tie in strand.repairs),
        deployments=tuple(touching),
        redeploys=len(touching) - 1 if repaired else 0,
        perhaps=tuple(oids[number] for number in sorted(perhaps)),
    )


def _known(repository: Repository, deployments: Sequence[Deployment]) -> frozenset[str]:
    """Which revisions are commits of this clone."""
    named = sorted({oid for one in deployments for oid in (one.revision, one.previous) if len(oid) in (40, 64)})
    plain = [oid for oid in named if all(character in "0123456789abcdef" for character in oid)]
    return frozenset(found.oid for found in repository.look_up(plain) if found.kind == "commit")


def _moves(
    past: Past, links: Links, steps: Sequence[Deployment], known: frozenset[str]
) -> list[tuple[Deployment, int]]:
    """What every deployment brings and takes away, by content: a copy of what is there brings nothing."""
    contents = _Contents(past, links)
    runs = steps[0].previous
    found = []
    for one in steps:
        before = one.previous if one.previous in known else runs
        found.append((one, contents.of(before) ^ contents.of(one.revision)))
        runs = one.revision if one.status == "succeeded" else before
    return found


class _Contents:
    """The content of a revision: its commits, their copies, and what they add up to or are made of. Merges have none
    of their own."""

    def __init__(self, past: Past, links: Links) -> None:
        self._past = past
        self._same: dict[int, int] = {}
        for copy in links.copies:
            both = self._same.get(copy.one, 1 << copy.one) | self._same.get(copy.other, 1 << copy.other)
            for number in _numbers(both):
                self._same[number] = both
        self._sums = [(1 << one.whole, _bits(one.parts), one.complete) for one in links.parts if not one.merge]
        self._merges = _bits(n for n, commit in enumerate(past.commits) if len(commit.parents) > 1)
        self._kept: dict[str, int] = {}

    def of(self, revision: str) -> int:
        if revision not in self._kept:
            self._kept[revision] = self._closed(self._past.content(revision) & ~self._merges)
        return self._kept[revision]

    def _closed(self, bits: int) -> int:
        while True:
            more = bits
            for number, same in self._same.items():
                if more >> number & 1:
                    more |= same
            for whole, parts, complete in self._sums:
                if more & whole:
                    more |= parts
                elif complete and more & parts == parts:
                    more |= whole
            if more == bits:
                return bits
            bits = more


def _works(past: Past, links: Links) -> list[int]:
    """For every commit the first one of its logical change: copies, squashes and merges are one with what they hold."""
    first = list(range(len(past.commits)))

    def top(number: int) -> int:
        while first[number] != number:
            first[number] = first[first[number]]
            number = first[number]
        return number

    def join(one: int, other: int) -> None:
        low, high = sorted((top(one), top(other)))
        first[high] = low

    for copy in links.copies:
        join(copy.one, copy.other)
    for group in links.parts:
        for part in group.parts:
            join(group.whole, part)
    return [top(number) for number in range(len(past.commits))]


def _bits(numbers: Iterable[int]) -> int:
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits


def _numbers(bits: int) -> list[int]:
    return [number for number in range(bits.bit_length()) if bits >> number & 1]
