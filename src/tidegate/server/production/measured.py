"""Takes in spans and metrics as OpenTelemetry sends them: kept for a while, with the graph and the errors they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs
from sqlalchemy import Connection

from tidegate.operate.intake.otlp import errors_of
from tidegate.server.production.intake import AHEAD_SECONDS, keep_said
from tidegate.server.production.retention import forget_now_and_then
from tidegate.server.service import Service
from tidegate.store import measurements
from tidegate.store.clock import moment_of
from tidegate.store.measurements import MOST_SERIES, Sampled
from tidegate.telemetry.graph import edges_of
from tidegate.telemetry.otlp import Span, read_metrics, read_spans


class Measured(Struct, frozen=True):
    """How many were new; how many were none, or had no place, and why the first of them."""

    new: int
    rejected: int = 0
    why: str = ""


def take_spans(service: Service, body: bytes, headers: Mapping[str, str]) -> Measured:
    """InputError where it is no OTLP."""
    read = read_spans(body, headers)
    latest = moment_of(service.now()).timestamp() + AHEAD_SECONDS
    good = [span for span in read.spans if span.started <= latest]
    ahead = len(read.spans) - len(good)
    why = read.why or ("a span of more than a day from now" if ahead else "")
    new = service.database.change(lambda connection: keep_spans(connection, good, service.now()))
    return Measured(new, read.rejected + ahead, why)


def keep_spans(connection: Connection, spans: Sequence[Span], now: str) -> int:
    """How many are new. Their errors and the edges that they show with their kin are kept with them."""
    by_name = {(span.trace, span.span): span for span in spans}
    kept = measurements.put_spans(connection, [_row(span) for span in by_name.values()])
    new = [by_name[row.trace, row.span] for row in kept]
    if not new:
        return 0
    shown = edges_of([_span(row) for row in measurements.kin(connection, kept)], every_peer=True)
    edges = [
        measurements.Edge(edge.environment, edge.caller, edge.callee, edge.kind, edge.first, edge.last)
        for edge in shown
    ]
    measurements.put_edges(connection, edges)
    keep_said(connection, None, errors_of(new), now)
    return len(new)


def take_metrics(service: Service, body: bytes, headers: Mapping[str, str]) -> Measured:
    """InputError where it is no OTLP."""
    read = read_metrics(body, headers)
    now = service.now()
    latest = moment_of(now).timestamp() + AHEAD_SECONDS
    sampled, ahead = [], 0
    for one in read.series:
        points = tuple(zip(one.times.tolist(), one.values.tolist(), strict=True))
        good = tuple(point for point in points if point[0] <= latest)
        ahead += len(points) - len(good)
        sampled.append(Sampled(one.name, one.labels, good))

    def work(connection: Connection) -> measurements.Put:
        put = measurements.put_samples(connection, sampled)
        forget_now_and_then(connection, now)
        return put

    put = service.database.change(work)
    why = read.why or ("a point of more than a day from now" if ahead else "")
    why = why or (f"more than {MOST_SERIES} series: drop a label" if put.refused else "")
    return Measured(put.new, read.rejected + ahead + put.refused, why)


# Private


def _row(span: Span) -> measurements.Span:
    return measurements.Span(**{name: getattr(span, name) for name in measurements.Span.__struct_fields__})


def _span(row: measurements.Span) -> Span:
    return Span(**structs.asdict(row))
