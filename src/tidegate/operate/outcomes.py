"""What became of every commit that was deployed: clean, rolled back, repaired, or the cause of an incident.

Nobody is blamed as a whole: an incident's weight is shared out as its trace does, a roll-back's among what it took
away. What nothing is said of yet is left out: that is not the same as clean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.rollout.cycles import Cycle, redeploys_of
from tidegate.rollout.joined import Joined, Landed
from tidegate.rollout.values import Deployment

Result: TypeAlias = Literal["clean", "reverted", "fixed", "incident", "rolled-back"]

BAKE_SECONDS = 7 * 86400.0
"""A change that nothing was seen of for so long in production is clean."""
REPAIR_SECONDS = 14 * 86400.0
"""A repair counts against the change where it is deployed so soon after it; what comes later is told by the history."""
LEAST_WEIGHT = 0.05
"""What is less sure than this is no outcome but noise."""
TOGETHER_SECONDS = 3600.0
SURE: Mapping[str, float] = {"reverts": 1.0, "fixes": 0.9, "ticket": 0.6, "lines": 0.5}
"""How sure a tie of two commits makes it that the one repairs the other. What only restores is no repair."""


class Shipped(Struct, frozen=True, kw_only=True):
    """A deployment, and what it brought and took away."""

    deployment: Deployment
    joined: Joined


class Incident(Struct, frozen=True, kw_only=True):
    """An incident as far as it is known. `causes`: how likely each commit caused it, 1 where a person confirmed it.

    `settled`: it is over, or a person said what it was. `traced`: somebody could tell what it was, or was not.
    `ended_by` is the deployment that ended it, "" where none did. Times are Unix seconds.
    """

    id: str
    started: float
    causes: Mapping[str, float]
    settled: bool
    traced: bool
    ended_by: str = ""


class Became(Struct, frozen=True, kw_only=True):
    """What became of a commit, as one incident, deployment or commit says it: `by`, "" of a clean one.

    `weight`: how sure it is that this commit is meant, 0 to 1. Times are Unix seconds; `deployed`: first there.
    """

    commit: str
    result: Result
    by: str
    weight: float
    deployed: float
    known: float
    redeploys: int = 0


class Past(Struct, frozen=True, kw_only=True):
    """What happened in one environment to the commits of one repository.

    `unread` are deployments of which nobody could tell what they brought or took away.
    """

    shipped: Sequence[Shipped] = ()
    unread: Sequence[Deployment] = ()
    incidents: Sequence[Incident] = ()
    cycles: Sequence[Cycle] = ()


def judge(past: Past, now: float, bake: float = BAKE_SECONDS) -> tuple[Became, ...]:
    """What is known now, by commit. `bake`: seconds in production until a change of which nothing was seen is clean."""
    book = _Book(past, now, bake)
    bad = [*book.incidents(), *book.roll_backs()]
    bad += book.repairs({(one.commit, one.by) for one in bad})
    said = {one.commit for one in bad}
    good = [one for one in book.clean() if one.commit not in said]
    return tuple(sorted((*bad, *good), key=lambda one: (one.known, one.commit, one.by)))


def commits_of(landed: Landed) -> tuple[str, ...]:
    """The commits that carry the content: of a merge those that it brings."""
    return landed.brings or (landed.commit,)


# Private


class _Taken(Struct, frozen=True):
    """A roll-back: what was taken away, by which deployment and when."""

    by: Deployment
    at: float
    landed: tuple[Landed, ...]


class _Book:
    def __init__(self, past: Past, now: float, bake: float) -> None:
        self._past = past
        self._now = now
        self._bake = bake
        self._redeploys = redeploys_of(past.cycles)
        self._came: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._gone: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._shipped = sorted(past.shipped, key=_order)
        self._taken = tuple(self._take())
        told: list[Shipped | Deployment] = [*self._shipped, *past.unread]
        for one in sorted(told, key=_order):
            if isinstance(one, Shipped):
                self._note(one)
            else:
                self._note_unknown(one)

    def incidents(self) -> list[Became]:
        """What caused each incident that is settled."""
        return [
            self._became(commit, "incident", f"incident-{one.id}", weight, one.started)
            for one in self._past.incidents
            if one.settled
            for commit, weight in sorted(one.causes.items())
            if weight >= LEAST_WEIGHT
        ]

    def roll_backs(self) -> list[Became]:
        """What was taken away for a reason that no incident tells: each change may be it, but for those that came back
        and held."""
        found: list[Became] = []
        for taken in self._taken:
            if self._is_explained(taken):
                continue
            meant = [one for one in taken.landed if not self._holds_again(one, taken)]
            weights: dict[str, float] = defaultdict(float)
            for landed in meant:
                commits = commits_of(landed)
                for commit in commits:
                    weights[commit] += 1.0 / len(meant) / len(commits)
            found += [
                self._became(commit, "rolled-back", f"deployment-{taken.by.id}", weight, taken.at)
                for commit, weight in weights.items()
                if weight >= LEAST_WEIGHT
            ]
        return found

    def repairs(self, said: set[tuple[str, str]]) -> list[Became]:
        """What was reverted or fixed by a commit that was deployed soon after. `said`: commit and what says it."""
        ended = {
            commit: f"incident-{one.id}"
            for one in self._past.incidents
            for each in self._shipped
            if one.ended_by and each.deployment.id == one.ended_by
            for commit in _all_of(each.joined.comes)
        }
        found: dict[tuple[str, str], Became] = {}
        for tie in (tie for cycle in self._past.cycles for tie in cycle.ties):
            weight = SURE.get(tie.kind, 0.0)
            known, first = self._first(tie.commit), self._first(tie.of)
            if not weight or known is None or first is None or not 0 <= known - first <= REPAIR_SECONDS:
                continue
            if (tie.of, ended.get(tie.commit, "")) in said:  # the incident that it ended says the same
                continue
            result: Result = "reverted" if tie.kind == "reverts" else "fixed"
            if (tie.of, tie.commit) not in found or found[tie.of, tie.commit].weight < weight:
                found[tie.of, tie.commit] = self._became(tie.of, result, tie.commit, weight, known)
        return list(found.values())

    def clean(self) -> list[Became]:
        """What was in production for long enough, is there, and is suspected of nothing."""
        suspected = {
            commit for one in self._past.incidents for commit, weight in one.causes.items() if weight >= LEAST_WEIGHT
        }
        found = []
        for commit, services in self._came.items():
            since = [self._since(commit, service, times) for service, times in services.items()]
            baked = max(since) + self._bake
            if commit not in suspected and baked <= self._now:
                found.append(self._became(commit, "clean", "", 1.0, baked))
        return found

    # Private

    def _since(self, commit: str, service: str, times: Sequence[float]) -> float:
        """Since when it runs there without a break; never, where it was taken away and did not come back."""
        gone = max(self._gone.get((commit, service), ()), default=float("-inf"))
        return min((at for at in times if at > gone), default=float("inf"))

    def _take(self) -> Iterable[_Taken]:
        """The roll-backs. Services that go back together do so for one reason, so that it is counted once."""
        lately: dict[tuple[str, ...], float] = {}
        for one in self._shipped:
            deployment, at = one.deployment, _end(one.deployment)
            back = one.joined.direction == "backward" or deployment.action == "roll_back"
            landed = one.joined.comes if deployment.status == "rolled_back" else one.joined.goes if back else ()
            if deployment.status not in ("succeeded", "rolled_back") or not landed:
                continue
            same = tuple(sorted(each.commit for each in landed))
            if at - lately.get(same, float("-inf")) > TOGETHER_SECONDS:
                yield _Taken(deployment, at, landed)
            lately[same] = at

    def _note(self, one: Shipped) -> None:
        """When each commit came to a service, and when it went: with a roll-back, or with a move to another branch."""
        service, status, at = one.deployment.service, one.deployment.status, _end(one.deployment)
        if status not in ("succeeded", "rolled_back"):
            return
        if one.deployment.action == "remove":
            self._note_unknown(one.deployment)
            return
        came = at if status == "succeeded" else min(one.deployment.started, at)
        for commit in _all_of(one.joined.comes):
            self._came[commit][service].append(came)
        for commit in _all_of(one.joined.goes if status == "succeeded" else one.joined.comes):
            self._gone[commit, service].append(at)

    def _note_unknown(self, deployment: Deployment) -> None:
        """From now on nobody knows that anything which came there before still runs there."""
        if deployment.status in ("succeeded", "rolled_back"):
            for commit, services in self._came.items():
                if deployment.service in services:
                    self._gone[commit, deployment.service].append(_end(deployment))

    def _first(self, commit: str) -> float | None:
        return min((at for times in self._came.get(commit, {}).values() for at in times), default=None)

    def _is_explained(self, taken: _Taken) -> bool:
        """Whether an incident tells why: its trace, or a person, says which of these it was, or that it was none."""
        away = _all_of(taken.landed)
        first = min((at for commit in away if (at := self._first(commit)) is not None), default=taken.by.started)
        for one in self._past.incidents:
            if not one.traced or not (first <= one.started <= taken.at or one.ended_by == taken.by.id):
                continue
            caused = any(one.causes.get(commit, 0.0) >= LEAST_WEIGHT for commit in away)
            if caused or one.ended_by == taken.by.id:
                return True
        return False

    def _holds_again(self, landed: Landed, taken: _Taken) -> bool:
        """Whether it came back unchanged after it was taken away, and stayed."""
        service = taken.by.service
        since = self._since(landed.commit, service, self._came.get(landed.commit, {}).get(service, ()))
        return taken.at < since <= self._now - self._bake

    def _became(self, commit: str, result: Result, by: str, weight: float, known: float) -> Became:
        first = self._first(commit)
        return Became(
            commit=commit,
            result=result,
            by=by,
            weight=min(round(weight, 3), 1.0),
            deployed=known if first is None else min(first, known),
            known=known,
            redeploys=self._redeploys.get(commit, 0),
        )


def _all_of(landed: Iterable[Landed]) -> set[str]:
    return {commit for one in landed for commit in (one.commit, *one.brings)}


def _order(told: Shipped | Deployment) -> tuple[float, str]:
    one = told.deployment if isinstance(told, Shipped) else told
    return _end(one), one.id


def _end(deployment: Deployment) -> float:
    return deployment.finished if deployment.finished is not None else deployment.started
