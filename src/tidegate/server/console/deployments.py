"""Deployments: what runs where, what came with it, what got worse since; and each deployment by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import get_args
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup
from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from tidegate.errors import InputError, InternalError
from tidegate.facts import Lines
from tidegate.operate.detect.regression import Regression
from tidegate.rollout.canary.courses import read_judgement
from tidegate.rollout.canary.values import Judgement, MetricResult
from tidegate.rollout.gate import Obligation
from tidegate.rollout.joined import Joined, Unjoined
from tidegate.server.api.paging import found
from tidegate.server.cache import Cache
from tidegate.server.console.chains import cycles_of
from tidegate.server.console.drawing import draw_canary, draw_regression
from tidegate.server.console.kept import NEVER
from tidegate.server.console.render import utc
from tidegate.server.console.visit import Visit, get, see
from tidegate.server.production.landed import Came, Lookup
from tidegate.server.production.noticed import read_noticed
from tidegate.server.service import Service
from tidegate.store import assessments, canaries, deployments, gates, incidents, outcomes, regressions
from tidegate.store.canaries import Canary
from tidegate.store.deployments import Deployment, Place, Status
from tidegate.store.gates import Gate
from tidegate.store.incidents import Incident
from tidegate.store.outcomes import Outcome

MOST = 50
MOST_RUNNING = 300
MOST_CHANGES = 100
MOST_ASKED, MOST_JUDGED = 20, 5
ONE_DAY = 86400.0
LIST_SECONDS, PAGE_SECONDS = 0.12, 2.0
"""How long git may be asked for one page; what is not read by then is said, and read when one looks again."""
FILTERS = ("environment", "service", "status")
WORST = ("block", "hold", "", "pass")
"""Verdicts, the worst first; one that is not known is worse than one that passes."""


class Written(Struct, frozen=True):
    """Added lines of the changes of a deployment that are known, and of how many of its changes they are."""

    lines: Lines
    known: int
    of: int

    @property
    def share(self) -> float | None:
        """By agents, or by agents and people together; None where no line is known."""
        return (self.lines.ai + self.lines.mixed) / self.lines.added if self.lines.added else None


class Brought(Struct, frozen=True, kw_only=True):
    """What a deployment changed, for one row. `joined` None: it was not read yet."""

    joined: Joined | Unjoined | None
    written: Written
    verdict: str
    verdicts: Mapping[str, int]


class Row(Struct, frozen=True):
    """A deployment in a list, what the gate last said of its revision there, and what it is suspected of."""

    one: Deployment
    brought: Brought | None
    gate: Gate | None
    worse: int
    incidents: tuple[Incident, ...]


class Said(Struct, frozen=True):
    """The parts of a gate's decision that a page shows."""

    outcome: str = ""
    obligations: tuple[Obligation, ...] = ()


class Asked(Struct, frozen=True):
    """A decision of the gate with what it asked for. `decision` None: what is kept of it cannot be read."""

    gate: Gate
    decision: Said | None


class Watched(Struct, frozen=True):
    """A metric of a canary, and its picture; "" where its course was not kept."""

    result: MetricResult
    picture: Markup


class Judged(Struct, frozen=True):
    """A judgement of the canary. `said` None: what is kept of it cannot be read."""

    canary: Canary
    said: Judgement | None
    watched: tuple[Watched, ...]


class Worse(Struct, frozen=True):
    """A regression that is suspected, as the watch told it, with its picture."""

    id: int
    said: Regression
    incident: int | None
    raised: float
    picture: Markup


def routes(service: Service) -> list[Route]:
    return [
        get("/deployments", service, "changes:read", show_all),
        get("/deployments/{deployment}", service, "changes:read", show),
        get("/regressions/{regression}", service, "changes:read", _regression),
    ]


def show_all(visit: Visit) -> Response:
    """What runs now in one environment, and what was deployed before, by the filters of the address."""
    given = {name: visit.query.get(name, "").strip()[:200] for name in FILTERS}
    before = _seconds(visit.query.get("before", ""))
    with visit.service.database.read() as connection, ExitStack() as stack:
        places = deployments.places(connection)
        counted = [place for place in places if place.environment]
        environment = given["environment"] or usual_environment(counted)
        runs = deployments.running(connection, environment) if environment and before is None else ()
        runs = tuple(one for one in runs if given["service"] in ("", one.service))
        past = deployments.page(
            connection,
            environment=environment or None,
            service=given["service"] or None,
            status=next((each for each in get_args(Status) if each == given["status"]), None),
            before=before,
            most=MOST,
        )
        lookup = Lookup(visit.service, connection, stack, LIST_SECONDS)
        newest = sorted(runs, key=lambda one: -one.started)[:MOST_RUNNING]
        brought = {one.id: brought_by(visit.service.cache, connection, lookup, one) for one in newest}
        running = _rows(connection, runs[:MOST_RUNNING], brought)
        history = _rows(connection, past, {})
    kept = {**{name: text for name, text in given.items() if text}, "environment": environment}
    more = urlencode({**kept, "before": repr(past[-1].started)}) if len(past) == MOST else ""
    return visit.page(
        "deployments.html",
        "Deployments",
        environment=environment,
        environments=tuple(place.environment for place in counted),
        services=next((place.services for place in counted if place.environment == environment), ()),
        statuses=get_args(Status),
        given=given,
        filtered=bool(given["service"] or given["status"]),
        running=running,
        unread=sum(row.brought is not None and row.brought.joined is None for row in running),
        history=history,
        more=f"/deployments?{more}" if more else "",
        earlier=before is not None,
    )


def show(visit: Visit) -> Response:
    """The page of one deployment."""
    with visit.service.database.read() as connection, ExitStack() as stack:
        one = found(deployments.get(connection, visit.number("deployment")), "deployment")
        lookup = Lookup(visit.service, connection, stack, PAGE_SECONDS)
        joined = lookup.joined(one)
        comes = lookup.came(one, joined.comes[:MOST_CHANGES]) if isinstance(joined, Joined) else ()
        goes = lookup.came(one, joined.goes[:MOST_CHANGES]) if isinstance(joined, Joined) else ()
        lines = {came.landed.commit: _lines(visit.service.cache, connection, came) for came in (*comes, *goes)}
        became = {each.landed.commit: _became(connection, lookup, one, each) for each in comes}
        noticed = regressions.of_deployments(connection, [one.id])
        about = incidents.of_deployments(connection, [one.id])
        chain = _chain(connection, one)
        gate = _gate(connection, one)
        asked = _asked(connection, gate) if gate is not None else None
        judged = tuple(_judged(connection, each) for each in _canaries(connection, one))
        previous = lookup.previous(one)
        cycles = cycles_of(visit.service, lookup, one, chain)
    return visit.page(
        "deployment.html",
        f"Deployment {one.id} · {one.service}",
        one=one,
        previous=previous,
        joined=joined,
        unjoined=joined if isinstance(joined, Unjoined) else None,
        comes=comes,
        goes=goes,
        left=max(0, len(joined.comes) - len(comes)) if isinstance(joined, Joined) else 0,
        lines=lines,
        became=became,
        written=_written(lines, comes, len(joined.comes) if isinstance(joined, Joined) else 0),
        verdicts=Counter(came.assessment.verdict if came.assessment else "" for came in comes),
        worse=tuple(_worse(one, each) for each in noticed),
        suspected=tuple(each for each in about if each.deployment == one.id),
        ended=tuple(each for each in about if each.resolved_by == one.id),
        chain=chain,
        cycles=cycles,
        asked=asked,
        judged=judged,
    )


def brought_by(cache: Cache, connection: Connection, lookup: Lookup, one: Deployment) -> Brought:
    """What a deployment brought, and what is known of who wrote it and what was decided about it."""
    joined = lookup.joined(one)
    if not isinstance(joined, Joined):
        return Brought(joined=joined, written=Written(Lines(), 0, 0), verdict="", verdicts={})
    came = lookup.came(one, joined.comes)
    lines = {each.landed.commit: _lines(cache, connection, each) for each in came}
    verdicts = Counter(each.assessment.verdict if each.assessment else "" for each in came)
    worst = next((word for word in WORST if verdicts[word]), "")
    return Brought(joined=joined, written=_written(lines, came, len(came)), verdict=worst, verdicts=verdicts)


def usual_environment(places: Sequence[Place]) -> str:
    """The environment that is shown unless another is asked for: production where something is called so."""
    names = [place.environment for place in places]
    likely = [name for name in names if name.lower() in ("production", "prod", "live")]
    by_size = sorted(places, key=lambda place: (-len(place.services), place.environment))
    return likely[0] if likely else by_size[0].environment if by_size else ""


# Private


class _Provenance(Struct, frozen=True):
    lines: Lines = Lines()


class _Facts(Struct, frozen=True):
    provenance: _Provenance = _Provenance()


class _Document(Struct, frozen=True):
    facts: _Facts = _Facts()


def _rows(connection: Connection, listed: Sequence[Deployment], brought: Mapping[int, Brought]) -> tuple[Row, ...]:
    ids = [one.id for one in listed]
    worse = Counter(each.deployment for each in regressions.of_deployments(connection, ids))
    about = [each for each in incidents.of_deployments(connection, ids) if each.deployment is not None]
    return tuple(
        Row(
            one,
            brought.get(one.id),
            _gate(connection, one),
            worse[one.id],
            tuple(each for each in about if each.deployment == one.id),
        )
        for one in listed
    )


def _lines(cache: Cache, connection: Connection, came: Came) -> Lines | None:
    """Who wrote its added lines; None where it was never assessed, or what is kept cannot be read."""
    if came.assessment is None:
        return None
    number = came.assessment.id

    def read() -> Lines | None:
        try:
            kept = assessments.document(connection, number) or b""
            return msgspec.json.decode(kept, type=_Document).facts.provenance.lines
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    return cache.get(("lines", number), read, lambda made: 400 if made is not None else NEVER)


def _written(lines: Mapping[str, Lines | None], came: Sequence[Came], of: int) -> Written:
    known = [each for one in came if (each := lines[one.landed.commit]) is not None]
    fields = ("added", "ai", "human", "mixed", "unknown")
    return Written(Lines(**{name: sum(getattr(each, name) for each in known) for name in fields}), len(known), of)


def _became(connection: Connection, lookup: Lookup, one: Deployment, came: Came) -> tuple[Outcome, ...]:
    """What is known to have become of a change in this environment."""
    repository = lookup.repository(one.repository)
    if repository is None:
        return ()
    return outcomes.page(
        connection, repository=repository.id, environment=one.environment, revision=came.landed.commit, most=5
    )


def _worse(one: Deployment, kept: regressions.Regression) -> Worse:
    noticed = read_noticed(kept.document)
    picture = draw_regression(noticed, one.started, kept.raised)
    return Worse(kept.id, noticed.said, kept.incident, kept.raised, picture)


def _gate(connection: Connection, one: Deployment) -> Gate | None:
    """The last that was asked of this revision there before it began, or while it went on."""
    if not one.revision:
        return None
    until = utc(one.finished if one.finished is not None else one.started + ONE_DAY)
    asked = gates.page(
        connection, environment=one.environment, service=one.service, revision=one.revision, most=MOST_ASKED
    )
    return next((each for each in asked if each.asked_at <= until), None)


def _asked(connection: Connection, gate: Gate) -> Asked:
    try:
        kept = msgspec.json.decode(gates.document(connection, gate.id), type=Said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InternalError):
        return Asked(gate, None)
    return Asked(gate, kept)


def _canaries(connection: Connection, one: Deployment) -> tuple[Canary, ...]:
    """Those of this revision there, the last first."""
    if not one.revision:
        return ()
    return canaries.page(
        connection, environment=one.environment, service=one.service, revision=one.revision, most=MOST_JUDGED
    )


def _judged(connection: Connection, canary: Canary) -> Judged:
    try:
        document = canaries.document(connection, canary.id)
        said, courses = read_judgement(document)
    except (InputError, InternalError):
        return Judged(canary, None, ())
    return Judged(canary, said, tuple(Watched(one, draw_canary(one, courses, said)) for one in said.metrics))


def _chain(connection: Connection, one: Deployment) -> tuple[Deployment, ...]:
    """What was deployed there around it, in order: two before, and up to six after."""
    near = deployments.around(connection, one, before=2, after=6)
    return tuple(sorted(near, key=lambda each: (each.started, each.id)))


def _regression(visit: Visit) -> Response:
    number = visit.number("regression")
    with visit.service.database.read() as connection:
        kept = found(regressions.get(connection, number), "regression")
    return see(f"/deployments/{kept.deployment}#regression-{number}")


def _seconds(text: str) -> float | None:
    plain = text.replace(".", "", 1)
    return float(text) if text.isascii() and plain.isdigit() and len(text) < 25 else None
