"""What the pages of deployments say of one: what it brought, who wrote that, its gate, its canaries, what got worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from markupsafe import Markup
from msgspec import Struct
from sqlalchemy import Connection

from tidegate.errors import InputError, InternalError
from tidegate.facts import Lines
from tidegate.operate.detect.regression import Regression
from tidegate.rollout.canary.courses import read_judgement
from tidegate.rollout.canary.values import Judgement, MetricResult
from tidegate.rollout.gate import Obligation
from tidegate.rollout.joined import Joined, Unjoined
from tidegate.server.cache import Cache
from tidegate.server.console.drawing import draw_canary, draw_regression
from tidegate.server.console.kept import NEVER
from tidegate.server.console.render import utc
from tidegate.server.production.landed import Came, Lookup
from tidegate.server.production.noticed import read_noticed
from tidegate.store import assessments, canaries, deployments, gates, incidents, outcomes, regressions
from tidegate.store.canaries import Canary
from tidegate.store.deployments import Deployment
from tidegate.store.gates import Gate
from tidegate.store.incidents import Incident
from tidegate.store.outcomes import Outcome

MOST_ASKED, MOST_JUDGED = 20, 5
ONE_DAY = 86400.0
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


def brought_by(cache: Cache, connection: Connection, lookup: Lookup, one: Deployment) -> Brought:
    """What a deployment brought, and what is known of who wrote it and what was decided about it."""
    joined = lookup.joined(one)
    if not isinstance(joined, Joined):
        return Brought(joined=joined, written=Written(Lines(), 0, 0), verdict="", verdicts={})
    came = lookup.came(one, joined.comes)
    lines = {each.landed.commit: lines_of(cache, connection, each) for each in came}
    verdicts = Counter(each.assessment.verdict if each.assessment else "" for each in came)
    worst = next((word for word in WORST if verdicts[word]), "")
    return Brought(joined=joined, written=written_of(lines, came, len(came)), verdict=worst, verdicts=verdicts)


def rows_of(connection: Connection, listed: Sequence[Deployment], brought: Mapping[int, Brought]) -> tuple[Row, ...]:
    ids = [one.id for one in listed]
    worse = Counter(each.deployment for each in regressions.of_deployments(connection, ids))
    about = [each for each in incidents.of_deployments(connection, ids) if each.deployment is not None]
    return tuple(
        Row(
            one,
            brought.get(one.id),
            gate_of(connection, one),
            worse[one.id],
            tuple(each for each in about if each.deployment == one.id),
        )
        for one in listed
    )


def lines_of(cache: Cache, connection: Connection, came: Came) -> Lines | None:
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


def written_of(lines: Mapping[str, Lines | None], came: Sequence[Came], of: int) -> Written:
    known = [each for one in came if (each := lines[one.landed.commit]) is not None]
    fields = ("added", "ai", "human", "mixed", "unknown")
    return Written(Lines(**{name: sum(getattr(each, name) for each in known) for name in fields}), len(known), of)


def became_of(connection: Connection, lookup: Lookup, one: Deployment, came: Came) -> tuple[Outcome, ...]:
    """What is known to have become of a change in this environment."""
    repository = lookup.repository(one.repository)
    if repository is None:
        return ()
    return outcomes.page(
        connection, repository=repository.id, environment=one.environment, revision=came.landed.commit, most=5
    )


def worse_of(one: Deployment, kept: regressions.Regression) -> Worse:
    """One regression with its picture."""
    noticed = read_noticed(kept.document)
    picture = draw_regression(noticed, one.started, kept.raised)
    return Worse(kept.id, noticed.said, kept.incident, kept.raised, picture)


def gate_of(connection: Connection, one: Deployment) -> Gate | None:
    """The last that was asked of this revision there before it began, or while it went on."""
    if not one.revision:
        return None
    until = utc(one.finished if one.finished is not None else one.started + ONE_DAY)
    asked = gates.page(
        connection, environment=one.environment, service=one.service, revision=one.revision, most=MOST_ASKED
    )
    return next((each for each in asked if each.asked_at <= until), None)


def asked_of(connection: Connection, gate: Gate) -> Asked:
    """The sum over the changes that are known."""
    try:
        kept = msgspec.json.decode(gates.document(connection, gate.id), type=Said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InternalError):
        return Asked(gate, None)
    return Asked(gate, kept)


def canaries_of(connection: Connection, one: Deployment) -> tuple[Canary, ...]:
    """Those of this revision there, the last first."""
    if not one.revision:
        return ()
    return canaries.page(
        connection, environment=one.environment, service=one.service, revision=one.revision, most=MOST_JUDGED
    )


def judged_of(connection: Connection, canary: Canary) -> Judged:
    """The rows of a list."""
    try:
        document = canaries.document(connection, canary.id)
        said, courses = read_judgement(document)
    except (InputError, InternalError):
        return Judged(canary, None, ())
    return Judged(canary, said, tuple(Watched(one, draw_canary(one, courses, said)) for one in said.metrics))


def chain_of(connection: Connection, one: Deployment) -> tuple[Deployment, ...]:
    """What was deployed there around it, in order: two before, and up to six after."""
    near = deployments.around(connection, one, before=2, after=6)
    return tuple(sorted(near, key=lambda each: (each.started, each.id)))


# Private


class _Provenance(Struct, frozen=True):
    lines: Lines = Lines()


class _Facts(Struct, frozen=True):
    provenance: _Provenance = _Provenance()


class _Document(Struct, frozen=True):
    facts: _Facts = _Facts()
