"""Commits that hold what others brought: merges of a branch, squashes of one, and branches that came nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.rollout.chains.past import Pair, Past, joint_patches

MOST_OF_A_MERGE = 200


class Parts(Struct, frozen=True):
    """A squash or a merge, and the commits that it is made of. A merge has no content of its own; a squash that is not
    `complete` holds more than its parts that are known."""

    whole: int
    parts: tuple[int, ...]
    merge: bool
    complete: bool = True


def find_merges(past: Past, twins: Sequence[frozenset[int]]) -> Iterator[Parts]:
    """Merges of one change: not those that bring two long-lived branches together."""
    for number, commit in enumerate(past.commits):
        first = past.place.get(commit.parents[0], -1) if commit.parents else -1
        if len(commit.parents) < 2 or _SYNC.match(commit.subject):
            continue
        before = past.ancestors[first] if first >= 0 else 0
        brought = numbers_of(past.ancestors[number] & ~before & ~(1 << number), MOST_OF_A_MERGE + 1)
        own = [one for one in brought if len(past.commits[one].parents) < 2]
        copied = any(before >> twin & 1 for one in own for twin in twins[one] if twin != one)
        if own and len(brought) <= MOST_OF_A_MERGE and not copied:
            yield Parts(number, tuple(own), merge=True)


def find_squashes(
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
        own = [n for n in numbers_of(past.ancestors[tip] & ~common, MOST_OF_A_MERGE + 1) if _is_plain(past, n)]
        patch = joint.get(past.commits[tip].oid, "")
        if 0 < len(own) <= MOST_OF_A_MERGE:
            yield from _wholes(past, tip, own, patch, twins)


def find_loose(
    past: Past, deployed: Sequence[str], twins: Sequence[frozenset[int]], parts: Sequence[Parts]
) -> tuple[frozenset[int], ...]:
    """The commits of each branch that ran and came nowhere: not into what was deployed last, and not as a copy or a
    squash of it either."""
    tips = {past.place[oid] for oid in deployed if oid in past.place}
    if not tips:
        return ()
    last = next(past.place[oid] for oid in reversed(deployed) if oid in past.place)
    joined = {number for group in parts for number in (group.whole, *group.parts)}
    found = []
    for tip in sorted(tips):
        common = _common(past, tip, tips)
        if common is None or past.has(tip, last) or any(past.has(tip, one) for one in tips - {tip}):
            continue
        own = numbers_of(past.ancestors[tip] & ~common, MOST_OF_A_MERGE + 1)
        plain = all(_is_plain(past, one) and len(twins[one]) == 1 for one in own)
        if plain and len(own) <= MOST_OF_A_MERGE and joined.isdisjoint(own):
            found.append(frozenset(own))
    return tuple(found)


def numbers_of(bits: int, most: int) -> list[int]:
    """The first members of a set."""
    found: list[int] = []
    while bits and len(found) < most:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found


# Private

_BULLET = re.compile(r"^\* (?P<title>\S.*)$", re.MULTILINE)
_SYNC = re.compile(
    r"^Merge (?:remote-tracking )?(?:branch|tag|pull request #[0-9]+ from) '?(?:\S*?/)?"
    r"(?:main|master|trunk|develop|release|releases|hotfix|stable|v?[0-9]+\.[0-9x.]+)(?:[/_-][^' ]*)?'?(?: |$)",
    re.IGNORECASE,
)


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
