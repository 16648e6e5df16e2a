"""What ties one commit to another: copies of it, and what undoes, restores or repairs it.

What a commit says of itself wins over a ticket that both name, and that over lines that both change. Lines and tickets
speak only where the later commit calls itself a repair: features grow on young code as well.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.risk.labels.issues import issue_keys
from tidegate.risk.labels.messages import is_fix
from tidegate.risk.labels.named import Names, blamed_commits, picked_from
from tidegate.risk.labels.reverts import Revert, read_revert
from tidegate.rollout.chains.lines import NOBODY, Back, changed_lines
from tidegate.rollout.chains.past import Pair, Past, joint_patches

WINDOW_SECONDS = 14 * 86400.0
"""How long after a change its lines, its ticket, or its exact opposite speak of a repair of it."""
MOST_OF_A_TICKET = 6
"""Changes beyond repairs that name one ticket: more of them make it a theme."""
MOST_OF_A_MERGE = 200

CopyKind: TypeAlias = Literal["picked", "same patch", "same author and time"]
RepairKind: TypeAlias = Literal["reverts", "restores", "fixes", "ticket", "lines"]


class Copy(Struct, frozen=True):
    """Two commits of the same content."""

    one: int
    other: int
    kind: CopyKind


class Parts(Struct, frozen=True):
    """A squash or a merge, and the commits that it is made of. A merge has no content of its own; a squash that is not
    `complete` holds more than its parts that are known."""

    whole: int
    parts: tuple[int, ...]
    merge: bool
    complete: bool = True


class Repair(Struct, frozen=True):
    """A commit that undoes, restores or repairs an earlier one."""

    commit: int
    of: int
    kind: RepairKind
    why: str


class Links(Struct, frozen=True):
    """Everything that ties commits of the past together."""

    copies: tuple[Copy, ...]
    parts: tuple[Parts, ...]
    repairs: tuple[Repair, ...]


def find_links(repository: Repository, past: Past, deployed: Sequence[str]) -> Links:
    """The ties between the commits of the past; `deployed` are the revisions that ran."""
    names = _Known(past)
    undone = [*_said(past, names)]
    undone += _silent(repository, past, {repair.commit for repair in undone})
    copies = tuple(_copies(past, names))
    twins = _twins(past, copies)
    parts = (*_merges(past, twins), *_squashes(repository, past, deployed, twins))
    touched = changed_lines(repository, past, _back(undone))
    said = {repair.commit for repair in undone}
    repairs = [*undone, *_restored(past, names, undone, said)]
    said = {repair.commit for repair in repairs}
    subjects = _Tickets(past)
    for number, commit in enumerate(past.commits):
        if number in said or any(twin in said and twin < number for twin in twins[number]):
            continue
        blamed = [names.blamed(one.oid, number) for one in blamed_commits(commit.message)]
        if any(blamed):
            repairs += [Repair(number, past.place[oid], "fixes", "its message names it") for oid in blamed if oid]
        elif is_repair(commit.message) and len(commit.parents) < 2:
            repairs += _by_ticket(past, number, subjects, twins) or _by_lines(past, number, touched[number])
    return Links(copies, tuple(parts), tuple(repairs))


def is_repair(message: str) -> bool:
    """Whether a message speaks of a repair of what is there: a fix or a hot-fix, and no reland."""
    return bool(is_fix(message)) or bool(_HOTFIX.search(message.partition("\n")[0]))


# Private

_HOTFIX = re.compile(r"\bhot-?fix\b|\bfollow-?up (?:fix|to)\b", re.IGNORECASE)
_OWN_PULL = re.compile(r"\(#(?P<squash>[0-9]{1,7})\)$|^Merge pull request #(?P<merge>[0-9]{1,7}) ")
_BULLET = re.compile(r"^\* (?P<title>\S.*)$", re.MULTILINE)
_SYNC = re.compile(
    r"^Merge (?:remote-tracking )?(?:branch|tag|pull request #[0-9]+ from) '?(?:\S*?/)?"
    r"(?:main|master|trunk|develop|release|releases|hotfix|stable|v?[0-9]+\.[0-9x.]+)(?:[/_-][^' ]*)?'?(?: |$)",
    re.IGNORECASE,
)


class _Known:
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


def _said(past: Past, names: _Known) -> Iterator[Repair]:
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
    names: _Known,
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


def _copies(past: Past, names: _Known) -> Iterator[Copy]:
    """The same on different lines of history. On one line the same comes again only to restore it: that is no copy."""
    by_patch: dict[str, list[int]] = defaultdict(list)
    by_work: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, commit in enumerate(past.commits):
        if len(commit.parents) > 1:
            continue
        for start in picked_from(commit.message):
            oid = names.find(start, commit.oid)
            if oid and not past.has(past.place[oid], number):
                yield Copy(past.place[oid], number, "picked")
        work = (commit.author.name, commit.author.email, commit.authored_at, commit.subject)
        for one in by_work[work]:
            if not past.has(one, number):
                yield Copy(one, number, "same author and time")
        by_work[work].append(number)
        if patch := past.patches[number].whole:
            for one in by_patch[patch]:
                if not past.has(one, number):
                    yield Copy(one, number, "same patch")
            by_patch[patch].append(number)


def _restored(past: Past, names: _Known, undone: Sequence[Repair], said: set[int]) -> Iterator[Repair]:
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


def _twins(past: Past, copies: Sequence[Copy]) -> tuple[frozenset[int], ...]:
    """For every commit its copies, itself among them."""
    found: list[frozenset[int]] = [frozenset((number,)) for number in range(len(past.commits))]
    for copy in copies:
        both = found[copy.one] | found[copy.other]
        for number in both:
            found[number] = both
    return tuple(found)


def _merges(past: Past, twins: Sequence[frozenset[int]]) -> Iterator[Parts]:
    """Merges of one change: not those that bring two long-lived branches together."""
    for number, commit in enumerate(past.commits):
        first = past.place.get(commit.parents[0], -1) if commit.parents else -1
        if len(commit.parents) < 2 or _SYNC.match(commit.subject):
            continue
        before = past.ancestors[first] if first >= 0 else 0
        brought = _numbers(past.ancestors[number] & ~before & ~(1 << number), MOST_OF_A_MERGE + 1)
        own = [one for one in brought if len(past.commits[one].parents) < 2]
        copied = any(before >> twin & 1 for one in own for twin in twins[one] if twin != one)
        if own and len(brought) <= MOST_OF_A_MERGE and not copied:
            yield Parts(number, tuple(own), merge=True)


def _squashes(
    repository: Repository, past: Past, deployed: Sequence[str], twins: Sequence[frozenset[int]]
) -> Iterator[Parts]:
    """Commits that hold what a branch held: by the same patch as the whole branch, or by the list of its titles."""
    tips = {past.place[oid] for oid in deployed if oid in past.place}
    branches = {tip: common for tip in sorted(tips) if (common := _common(past, tip, tips)) is not None}
    pairs = {tip: (_newest_on(past, tip, common), common) for tip, common in branches.items()}
    asked = [Pair(past.commits[tip].oid, base) for tip, (base, _) in pairs.items() if base]
    if not asked:
        return
    joint = joint_patches(repository, asked)
    for tip, (_, common) in pairs.items():
        own = [n for n in _numbers(past.ancestors[tip] & ~common, MOST_OF_A_MERGE + 1) if _is_plain(past, n)]
        patch = joint.get(past.commits[tip].oid, "")
        if 0 < len(own) <= MOST_OF_A_MERGE:
            yield from _wholes(past, tip, own, patch, twins)


def _wholes(past: Past, tip: int, own: Sequence[int], patch: str, twins: Sequence[frozenset[int]]) -> Iterator[Parts]:
    """The squashes of one branch, one on each line of history: where it comes once more, it is restored."""
    apart = set(own).union(*(twins[one] for one in own))
    # Where all but one of them take each other back, what has the patch of the branch is like that one.
    squashed = len(own) > 1 and bool(patch) and all(past.patches[one].bare != patch for one in own)
    found: list[int] = []
    for number, commit in enumerate(past.commits):
        beside = number not in apart and not past.has(number, tip) and not past.has(tip, number)
        if not (beside and _is_plain(past, number)) or any(past.has(one, number) for one in found):
            continue
        if squashed and past.patches[number].bare == patch:
            found.append(number)
            yield Parts(number, tuple(own), merge=False)
        elif listed := _listed(past, commit.message, own):
            found.append(number)
            yield Parts(number, listed, merge=False, complete=False)


def _listed(past: Past, message: str, own: Sequence[int]) -> tuple[int, ...]:
    """The commits of a branch that a squash lists."""
    titles = {match["title"].strip() for match in _BULLET.finditer(message)}
    return tuple(one for one in own if past.commits[one].subject.strip() in titles) if titles else ()


def _is_plain(past: Past, number: int) -> bool:
    return len(past.commits[number].parents) < 2


def _common(past: Past, tip: int, tips: set[int]) -> int | None:
    """What a tip has in common with the deployed revisions beside it; None where all hold it, or it holds all."""
    beside = [one for one in tips if not past.has(tip, one) and not past.has(one, tip)]
    if not beside:
        return None
    common = 0
    for one in beside:
        common |= past.ancestors[one]
    return common & past.ancestors[tip]


def _newest_on(past: Past, tip: int, common: int) -> str:
    """Where the branch of a tip began: the newest commit of its first-parent history that is common."""
    at = tip
    while True:
        parents = past.commits[at].parents
        if not parents:
            return ""
        if parents[0] not in past.place or common >> past.place[parents[0]] & 1:
            return parents[0]
        at = past.place[parents[0]]


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


def _numbers(bits: int, most: int) -> list[int]:
    """The first members of a set."""
    found: list[int] = []
    while bits and len(found) < most:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found
