"""All that the tables and Prometheus know of an incident, in one value each for the trace and the investigation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.operate.culprit import Worse
from tidegate.operate.detect.regression import Regression
from tidegate.operate.investigate.values import Past, Signal
from tidegate.operate.symptoms.values import Span
from tidegate.operate.values import Alert, ErrorReport, Frame
from tidegate.rollout.joined import running_before
from tidegate.rollout.values import Deployment
from tidegate.server.production.setup import Production
from tidegate.server.production.watching import deployment_of
from tidegate.store import alerts, deployments, incidents, measurements, regressions
from tidegate.store.incidents import Incident
from tidegate.telemetry import prometheus
from tidegate.telemetry.series import Series

BEFORE_SECONDS = 86400.0
"""How long before an incident a deployment may have been its cause."""
SPANS_SECONDS = 300.0
MOST_SPANS = 2000
MOST_PAST = 100
SERIES_BEFORE, SERIES_AFTER = 1800.0, 600.0


class Gathered(Struct, frozen=True, kw_only=True):
    """`deployments` are those before the incident and during it, each with what ran before it."""

    incident: Incident
    alerts: tuple[Alert, ...]
    errors: tuple[ErrorReport, ...]
    deployments: tuple[Deployment, ...]
    spans: tuple[Span, ...]
    calls: tuple[tuple[str, str], ...]
    signals: tuple[Signal, ...]
    worse: tuple[Worse, ...]
    past: tuple[Past, ...]
    digest: str

    def before(self) -> tuple[Deployment, ...]:
        """What may have caused it: what began before it did, or within a minute, and brought something."""
        latest = self.incident.started + 60.0
        return tuple(
            one
            for one in self.deployments
            if one.started <= latest and one.status in ("started", "succeeded", "failed")
        )

    @property
    def alert(self) -> Alert:
        """The first; where there is none, what the incident itself says."""
        return self.alerts[0] if self.alerts else _as_alert(self.incident)


def gather(connection: Connection, incident: Incident, now: float) -> Gathered:
    """What the tables know of it."""
    mine, errors = alerts.of_incident(connection, incident.id)
    until = min(incident.ended or now, incident.started + BEFORE_SECONDS)
    told = deployments.between(connection, incident.started - BEFORE_SECONDS, until)
    here = [deployment_of(one) for one in told if one.environment == incident.environment]
    brought = tuple(replace(one, previous=one.previous or _before(connection, one, here)) for one in here)
    edges = measurements.edges(connection, environment=incident.environment)
    shown = {incident.service, *(one.service for one in mine), *(one.service for one in errors)}
    noticed = regressions.of_incident(connection, incident.id)
    signals = tuple(_signal(one) for one in noticed)
    seen = (
        (incident.state, incident.resolution, incident.resolved_by),
        [(one.id, one.ended) for one in mine],
        [(one.id, one.count, one.frames) for one in errors],
        [(one.id, one.status) for one in brought],
        [(one.service, one.metric) for one in signals],
    )
    return Gathered(
        incident=incident,
        alerts=tuple(_alert(one) for one in mine),
        errors=tuple(_error(one) for one in errors),
        deployments=brought,
        spans=_spans(connection, incident, shown, now),
        calls=tuple(sorted({(one.caller, one.callee) for one in edges})),
        signals=signals,
        worse=tuple(Worse(str(one.deployment), one.service, one.metric, one.moved) for one in noticed),
        past=_past(connection, incident),
        digest=hashlib.sha256(repr(seen).encode("utf-8", "surrogatepass")).hexdigest(),
    )


def read_series(setup: Production | None, incident: Incident, now: float) -> tuple[tuple[Series, ...], tuple[str, ...]]:
    """The watched metrics of all services around the start, and what could not be read of them, in words."""
    if setup is None:
        return (), ("no Prometheus is set up: TIDEGATE_PRODUCTION_FILE",)
    end = min(incident.started + SERIES_AFTER, now)
    span = prometheus.Span(incident.started - SERIES_BEFORE, end, setup.step)
    found: list[Series] = []
    unknowns: list[str] = []
    for metric in setup.metric:
        for name, query in ((metric.name, metric.query), (f"{metric.name} requests", metric.requests)):
            if not query:
                continue
            try:
                answered = prometheus.query_range(setup.prometheus, setup.fill(query), span)
            except InputError as error:
                unknowns.append(f"{name} could not be read: {error.what}")
                continue
            found += [replace(one, name=name) for one in answered if one.labels.get("service")]
    return tuple(found), tuple(dict.fromkeys(unknowns))


# Private


def _before(connection: Connection, one: Deployment, here: Sequence[Deployment]) -> str:
    """What ran there before: within the day that was read, or earlier."""
    known = running_before(one, here)
    if known is not None:
        return known.revision
    earlier = deployments.ran_before(connection, one.environment, one.service, one.started)
    return earlier.revision if earlier is not None else ""


def _spans(connection: Connection, incident: Incident, services: set[str], now: float) -> tuple[Span, ...]:
    since, until = incident.started - SPANS_SECONDS, min(incident.started + SPANS_SECONDS, now)
    found: list[measurements.Span] = []
    for service in sorted(services - {""}):
        found += measurements.spans_of(connection, since, until, service=service, most=MOST_SPANS)
    unique = {(one.trace, one.span): one for one in found}
    return tuple(
        Span(
            id=one.span,
            service=one.service,
            operation=one.operation,
            started=one.started,
            seconds=one.seconds,
            failed=bool(one.failed),
            parent=one.parent,
            trace=one.trace,
            source=f"span {one.span}",
        )
        for one in unique.values()
    )


def _signal(kept: regressions.Regression) -> Signal:
    said = msgspec.json.decode(kept.document, type=Regression)
    spread = max((said.latest or kept.moved) - kept.moved, kept.moved - (said.earliest or kept.moved), 0.0)
    return Signal(
        service=kept.service,
        metric=kept.metric,
        onset=kept.moved,
        before=said.before or 0.0,
        after=said.after or 0.0,
        source=f"regression {kept.id}",
        spread=spread,
        sure=kept.sure,
    )


def _alert(kept: alerts.Alert) -> Alert:
    return Alert(
        key=kept.key,
        sender=kept.sender,
        name=kept.name,
        started=kept.started,
        ended=kept.ended,
        service=kept.service,
        environment=kept.environment,
        severity=kept.severity,
        summary=kept.summary,
        labels=_labels(kept.labels),
        revision=kept.revision,
        url=kept.url,
    )


def _labels(text: str) -> Mapping[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _error(kept: alerts.Error) -> ErrorReport:
    return ErrorReport(
        key=kept.key,
        sender=kept.sender,
        kind=kept.kind,
        message=kept.message,
        first=kept.first,
        frames=msgspec.json.decode(kept.frames, type=tuple[Frame, ...]),
        last=kept.last,
        count=kept.count,
        service=kept.service,
        environment=kept.environment,
        revision=kept.revision,
        url=kept.url,
    )


def _as_alert(incident: Incident) -> Alert:
    return Alert(
        key=incident.key,
        sender="tidegate",
        name=incident.title,
        started=incident.started,
        service=incident.service,
        environment=incident.environment,
        severity=incident.severity,
    )


def _past(connection: Connection, incident: Incident) -> tuple[Past, ...]:
    found = []
    for one in incidents.page(connection, state="resolved", before=incident.id, most=MOST_PAST):
        mine, errors = alerts.of_incident(connection, one.id)
        words = [*(f"{each.name} {each.summary}" for each in mine[:5]), *(f"{e.kind} {e.message}" for e in errors[:5])]
        found.append(
            Past(
                id=str(one.id),
                title=one.title,
                service=one.service,
                started=one.started,
                words="\n".join(words)[:4000],
                cause=one.cause,
                resolution=one.resolution,
            )
        )
    return tuple(found)
