"""What ties one commit to another: copies of it, and what undoes, restores or repairs it.

What a commit says of itself wins over a ticket that both name, and that over lines that both change. Lines and tickets
speak only where the later commit calls itself a repair: features grow on young code as well.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.risk.labels.issues import issue_keys
from tidegate.risk.labels.messages import is_fix
from tidegate.risk.labels.named import blamed_commits, picked_from
from tidegate.risk.labels.reverts import Revert, read_revert
from tidegate.rollout.chains.copies import Copy, Known, find_copies, twins_of
from tidegate.rollout.chains.lines import NOBODY, Back, changed_lines
from tidegate.rollout.chains.past import Past
from tidegate.rollout.chains.squashes import Parts, find_loose, find_merges, find_squashes

WINDOW_SECONDS = 14 * 86400.0
"""How long after a change its lines, its ticket, or its exact opposite speak of a repair of it."""
MOST_OF_A_TICKET = 6
"""Changes beyond repairs that name one ticket: more of them make it a theme."""

RepairKind: TypeAlias = Literal["reverts", "restores", "fixes", "ticket", "lines"]


class Repair(Struct, frozen=True):
    """A commit that undoes, restores or repairs an earlier one."""

    commit: int
    of: int
    kind: RepairKind
    why: str


class Links(Struct, frozen=True):
    """Everything that ties commits of the past together.

    `loose` are the commits of each branch that ran and came nowhere: nothing says whether they are one change.
    """

    copies: tuple[Copy, ...]
    parts: tuple[Parts, ...]
    repairs: tuple[Repair, ...]
    loose: tuple[frozenset[int], ...] = ()


def find_links(repository: Repository, past: Past, deployed: Sequence[str]) -> Links:
    """The ties between the commits of the past; `deployed` are the revisions that ran."""
    names = Known(past)
    undone = [*_said(past, names)]
    undone += _silent(repository, past, {repair.commit for repair in undone})
    copies = find_copies(past, names)
    twins = twins_of(past, copies)
    parts = (*find_merges(past, twins), *find_squashes(repository, past, deployed, twins))
    touched = changed_lines(repository, past, _back(undone))
    said = {repair.commit for repair in undone}
    repairs = [*undone, *_restored(past, names, undone, said)]
    said = {repair.commit for repair in repairs}
    subjects = _Tickets(past)
    for number, commit in enumerate(past.commits):
        if number in said or any(twin in said and twin < number for twin in twins[number]):
            continue
        blamed = [past.place[oid] for one in blamed_commits(commit.message) if (oid := names.blamed(one.oid, number))]
        blamed = blamed or [*_titled(past, number)]
        if blamed:
            repairs += [Repair(number, one, "fixes", "its message names it") for one in blamed]
        elif is_repair(commit.message) and len(commit.parents) < 2:
            repairs += _by_ticket(past, number, subjects, twins) or _by_lines(past, number, touched[number])
    return Links(copies, parts, tuple(repairs), find_loose(past, deployed, twins, parts))


def is_repair(message: str) -> bool:
    """Whether a message speaks of a repair of what is there: a fix or a hot-fix, and no reland."""
    return bool(is_fix(message)) or bool(_HOTFIX.search(message.partition("\n")[0]))


# Private

_HOTFIX = re.compile(r"\bhot-?fix\b|\bfollow-?up (?:fix|to)\b", re.IGNORECASE)
_TITLED = re.compile(r'^Fixes: *[0-9a-f]{7,64} +\("(?P<title>.{1,500})"\) *$', re.IGNORECASE | re.MULTILINE)
_OWN_PULL = re.compile(r"\(#(?P<squash>[0-9]{1,7})\)$|^Merge pull request #(?P<merge>[0-9]{1,7}) ")


def _said(past: Past, names: Known) -> Iterator[Repair]:
    """What undoes or restores something by its message."""
    by_subject: dict[str, list[int]] = defaultdict(list)
    undone: set[int] = set()
    for number, commit in enumerate(past.commits):
        revert = read_revert(commit.message)
        if revert is not None:
            kind: RepairKind = "restores" if revert.restores else "reverts"
            for target in _targets(past, number, revert, names, by_subject, undone):
                undone.add(target)
                yield Repair(number, target, kind, "its message says so")
        by_subject[commit.subject.strip()].append(number)


def _silent(repository: Repository, past: Past, said: set[int]) -> Iterator[Repair]:
    """What undoes something without a word of it: the opposite patch, and where the lines around have changed since,
    the opposite of lines that only the other commit wrote."""
    by_patch: dict[str, list[int]] = defaultdict(list)
    doubtful: list[tuple[int, int]] = []
    for number in range(len(past.commits)):
        if number not in said:
            opposite = _young(past, by_patch.get(past.undoing[number].bare, ()), number)
            exact = [one for one in opposite if past.patches[one].whole == past.undoing[number].whole]
            if exact:
                yield Repair(number, exact[-1], "reverts", "its patch is the opposite")
            elif opposite:
                doubtful.append((number, opposite[-1]))
        if past.patches[number].bare:
            by_patch[past.patches[number].bare].append(number)
    touched = changed_lines(repository, past, {}) if doubtful else ()
    for number, one in doubtful:
        if set(touched[number]) == {one}:
            yield Repair(number, one, "reverts", "it takes out what that brought, and nothing beside")


def _young(past: Past, earlier: Sequence[int], number: int) -> list[int]:
    return [one for one in earlier if past.has(one, number) and past.at(number) - past.at(one) <= WINDOW_SECONDS]


def _targets(
    past: Past,
    number: int,
    revert: Revert,
    names: Known,
    by_subject: Mapping[str, Sequence[int]],
    undone: Collection[int],
) -> Iterator[int]:
    named = [target for start in revert.oids if (target := names.blamed(start, number))]
    yield from dict.fromkeys(past.place[target] for target in named)
    if named or revert.oids:
        return
    for subject in revert.subjects:
        earlier = by_subject.get(subject.strip(), ())
        near = [one for one in earlier if past.has(one, number)] or list(earlier)
        if revert.restores:  # what comes back had gone
            near = [one for one in near if one in undone] or near
        # Of several with this subject it is the one whose patch fits.
        patch = past.patches[number].bare if revert.restores else past.undoing[number].bare
        fitting = [one for one in near if patch and past.patches[one].bare == patch]
        if near:
            yield (fitting or near)[-1]


def _restored(past: Past, names: Known, undone: Sequence[Repair], said: set[int]) -> Iterator[Repair]:
    """What comes again on the same line of history, behind its undoing: the same patch, or picked once more."""
    by_patch: dict[str, list[int]] = defaultdict(list)
    for number, patch in enumerate(past.patches):
        if patch.bare:
            by_patch[patch.bare].append(number)
    undoing: dict[int, list[int]] = defaultdict(list)
    for repair in undone:
        undoing[repair.of].append(repair.commit)
    for number, commit in enumerate(past.commits):
        if number in said:
            continue
        picked = [past.place[oid] for start in picked_from(commit.message) if (oid := names.find(start, commit.oid))]
        for one in (*picked, *by_patch.get(past.patches[number].bare, ())):
            if one < number and any(past.has(one, at) and past.has(at, number) for at in undoing[one]):
                yield Repair(number, one, "restores", "it comes again behind its undoing")
                break


def _titled(past: Past, number: int) -> Iterator[int]:
    """What a `Fixes:` trailer means by its title, where the commit that it names is not here: the newest so called."""
    for title in dict.fromkeys(match["title"] for match in _TITLED.finditer(past.commits[number].message)):
        called = (one for one in range(number - 1, -1, -1) if past.commits[one].subject.strip() == title.strip())
        yield from itertools.islice((one for one in called if past.has(one, number)), 1)


def _back(undone: Sequence[Repair]) -> dict[int, Back]:
    """What comes back with an undoing: the lines that the undone commit had taken out. Where something is restored
    that no commit here took out, it is what was restored that wrote the lines."""
    undoing = {repair.commit for repair in undone}
    return {
        repair.commit: Back(repair.of, repair.of if repair.kind == "restores" and repair.of not in undoing else NOBODY)
        for repair in undone
    }


class _Tickets:
    """Which commits name which ticket, or are the pull request that a later message names."""

    def __init__(self, past: Past) -> None:
        self.keys = [frozenset(issue_keys(commit.message)) for commit in past.commits]
        self.named: dict[str, list[int]] = defaultdict(list)
        self.pulls: dict[str, list[int]] = defaultdict(list)
        features: Counter[str] = Counter()
        for number, commit in enumerate(past.commits):
            for key in self.keys[number]:
                self.named[key].append(number)
                features[key] += not is_repair(commit.message)
            if own := _OWN_PULL.search(commit.subject.strip()):
                self.pulls[f"#{own['squash'] or own['merge']}"].append(number)
        self.themes = {key for key, count in features.items() if count > MOST_OF_A_TICKET}


def _by_ticket(past: Past, number: int, tickets: _Tickets, twins: Sequence[frozenset[int]]) -> list[Repair]:
    for key in sorted(tickets.keys[number]):
        for named in (tickets.pulls, tickets.named):
            if named is tickets.named and key in tickets.themes:
                continue
            earlier = [one for one in named.get(key, ()) if one < number and _is_before(past, one, number, twins)]
            if earlier:
                return [Repair(number, earlier[-1], "ticket", f"both are of {key}")]
    return []


def _is_before(past: Past, one: int, number: int, twins: Sequence[frozenset[int]]) -> bool:
    """Whether a commit, or a copy of it, is in the history of another and not older than the window; a copy of the
    later one is not before it."""
    if one in twins[number] or past.written(number) - past.at(one) > WINDOW_SECONDS:
        return False
    return any(past.has(twin, number) for twin in twins[one])


def _by_lines(past: Past, number: int, touched: Counter[int]) -> list[Repair]:
    young = {one: count for one, count in touched.items() if past.written(number) - past.at(one) <= WINDOW_SECONDS}
    if not young:
        return []
    most = max(young, key=lambda one: (young[one], one))
    return [Repair(number, most, "lines", f"it changes {young[most]} of its lines")]
