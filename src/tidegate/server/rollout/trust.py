"""Whose word counts at a gate for what ran somewhere. What anybody may tell says nothing there unless it is asked for.

A deployment counts that its sender signed, or that a gate of this service let go there before it began. What others
tell still counts against: it may have taken the place of what ran.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.rollout.document import Rollout, Unreadable
from tidegate.rollout.values import Deployment
from tidegate.server.production.setup import Trust, Word, read_production
from tidegate.server.production.watching import deployment_of
from tidegate.server.service import Service
from tidegate.store import deployments as kept
from tidegate.store import gates
from tidegate.store.clock import moment_of
from tidegate.store.gates import Gate

RESTS_SECONDS = 86_400.0
"""A pass that is older than that when the deployment begins is not what it rests on."""
SLACK_SECONDS = 5.0


class Running(Struct, frozen=True):
    """The revision that runs there by whoever counts, and as it was told by anybody; "" where that is not known.

    `hearsay`: nobody who counts says what runs there, and somebody else does, or said that it ended.
    """

    believed: str
    told: str
    hearsay: bool


def words_that_count(service: Service, document: Rollout | Unreadable, environment: str) -> frozenset[Word]:
    """Those that count for this environment. Where its tier, or the file, cannot be read: the fewest."""
    found = document.environments.get(environment) if isinstance(document, Rollout) else None
    trust = Trust()
    if service.config.production is not None and found is not None:
        try:
            trust = read_production(service.config.production).trust
        except InputError:
            return trust.of("critical")
    return trust.of(found.tier if found is not None else "critical")


def weigh(connection: Connection, here: Sequence[kept.Deployment], count: Collection[Word]) -> tuple[Deployment, ...]:
    """The deployments of one service in one environment, each with whether it is believed that it ran."""
    if "told" in count or not here:
        return tuple(map(deployment_of, here))
    passes: dict[str, list[Gate]] = {}
    if "gated" in count:
        for one in gates.passed_there(connection, here[0].environment, here[0].service):
            passes.setdefault(one.revision, []).append(one)
    return tuple(
        replace(
            deployment_of(one),
            believed=("signed" in count and one.signed == 1)
            or any(_let_go(passed, one) for passed in passes.get(one.revision, ())),
        )
        for one in here
    )


def running(here: Sequence[Deployment]) -> Running:
    """What took all of the traffic there last. A step to a part of it replaced nothing."""
    done = [one for one in here if one.status == "succeeded" and (one.share is None or one.share >= 1)]
    told = max(done, key=_place, default=None)
    believed = max((one for one in done if one.believed), key=_place, default=None)
    runs = _revision(believed)
    return Running(runs, _revision(told), not runs and told is not believed)


def rests_on(passed: Gate, started: float) -> bool:
    """Whether a deployment that began then (Unix seconds) rests on this pass: answered before, and not long before."""
    first, last = (moment_of(text).timestamp() for text in (passed.asked_at, passed.again_at))
    return first <= started + SLACK_SECONDS and last >= started - RESTS_SECONDS


# Private


def _let_go(passed: Gate, one: kept.Deployment) -> bool:
    """Whether it rests on this pass, which was of at least this part of the traffic."""
    whole = 1.0
    share = whole if one.share is None else one.share
    return rests_on(passed, one.started) and (whole if passed.share is None else passed.share) >= share


def _place(one: Deployment) -> tuple[float, int]:
    return one.finished or one.started, int(one.id)


def _revision(one: Deployment | None) -> str:
    return one.revision if one is not None and one.action != "remove" else ""
