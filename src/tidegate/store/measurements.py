"""Spans, the graph of services that follows from them, and samples of series: kept once each, and for a while."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, delete, func, select

from tidegate.store.folding import in_chunks, insert_many
from tidegate.store.rows import every, select_as, upsert
from tidegate.store.tables import samples, series, service_edges, spans

SpanKind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]
EdgeKind: TypeAlias = Literal["call", "message", "peer"]
MOST = 10_000
MOST_SERIES = 100_000
"""Series that are kept; whoever puts a number of their own into a label makes one more with every request."""


class Span(Struct, frozen=True):
    """One span. `started` in Unix seconds; `seconds` is how long it took; `parent` is "" of a root."""

    trace: str
    span: str
    parent: str
    environment: str
    service: str
    operation: str
    kind: SpanKind
    peer: str
    started: float
    seconds: float
    failed: bool
    revision: str


class Edge(Struct, frozen=True):
    """A service depends on another, seen from `first` to `last`. peer: known only by the name that the caller uses."""

    environment: str
    caller: str
    callee: str
    kind: EdgeKind
    first: float
    last: float


class Sampled(Struct, frozen=True):
    """A series with some of its samples: (Unix seconds, value), in the order of time."""

    name: str
    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]


def put_spans(connection: Connection, given: Sequence[Span]) -> tuple[Span, ...]:
    """Those that are new: of one that is sent twice, the first counts."""
    rows = [{**structs.asdict(span), "failed": int(span.failed)} for span in given]
    new = set(insert_many(connection, spans, rows, "trace", "span"))
    return tuple(span for span in _firsts(given) if (span.trace, span.span) in new)


def kin(connection: Connection, given: Sequence[Span]) -> tuple[Span, ...]:
    """What is kept of the parents and the children of these spans, themselves included."""
    traces = sorted({span.trace for span in given})
    wanted = {(span.trace, span.parent) for span in given} | {(span.trace, span.span) for span in given}
    found: list[Span] = []
    for some in in_chunks(traces):
        every_one = every(connection, Span, select_as(Span, spans).where(spans.c.trace.in_(some)).limit(MOST * 10))
        found += [one for one in every_one if {(one.trace, one.span), (one.trace, one.parent)} & wanted]
    return tuple(_as_true(one) for one in found)


def spans_of(
    connection: Connection, since: float, until: float, *, service: str | None = None, most: int = MOST
) -> tuple[Span, ...]:
    """Those that started then, the last first."""
    query = select_as(Span, spans).where(spans.c.started >= since, spans.c.started < until)
    if service is not None:
        query = query.where(spans.c.service == service)
    newest = query.order_by(spans.c.started.desc(), spans.c.id.desc()).limit(most)
    return tuple(_as_true(one) for one in every(connection, Span, newest))


def put_edges(connection: Connection, given: Sequence[Edge]) -> None:
    """An edge that is there is there for longer: in whatever order they come, the same is kept."""
    rows = [structs.asdict(edge) for edge in given]
    if not rows:
        return
    statement = upsert(connection, service_edges)
    low, high = (func.min, func.max) if connection.dialect.name == "sqlite" else (func.least, func.greatest)
    longer = {
        "first": low(service_edges.c.first, statement.excluded.first),
        "last": high(service_edges.c.last, statement.excluded.last),
    }
    names = ["environment", "caller", "callee", "kind"]
    connection.execute(statement.on_conflict_do_update(index_elements=names, set_=longer), rows)


def edges(connection: Connection, *, since: float = 0.0, environment: str | None = None) -> tuple[Edge, ...]:
    """The graph as it was seen since then."""
    query = select_as(Edge, service_edges).where(service_edges.c.last >= since)
    if environment is not None:
        query = query.where(service_edges.c.environment == environment)
    return every(connection, Edge, query.order_by("environment", "caller", "callee", "kind"))


class Put(Struct, frozen=True):
    """How many samples were new, and how many have no place: their series would be one more than are kept."""

    new: int
    refused: int


def put_samples(connection: Connection, given: Sequence[Sampled], *, most_series: int = MOST_SERIES) -> Put:
    """Of a series at one time the first sample counts."""
    written = {_digest(one.name, one.labels): one for one in given}
    numbers = _numbers(connection, written, most_series)
    rows, refused = [], 0
    for digest, one in ((_digest(one.name, one.labels), one) for one in given):
        if digest in numbers:
            rows += [{"series": numbers[digest], "at": at, "value": value} for at, value in one.samples]
        else:
            refused += len(one.samples)
    return Put(len(insert_many(connection, samples, rows, "series")), refused)


def read_samples(
    connection: Connection, name: str, since: float, until: float, *, service: str | None = None
) -> tuple[Sampled, ...]:
    """Every series of this name with its samples from `since` to before `until`, by its labels."""
    query = select(series.c.labels, samples.c.at, samples.c.value).join(samples, samples.c.series == series.c.id)
    query = query.where(series.c.name == name, samples.c.at >= since, samples.c.at < until)
    if service is not None:
        query = query.where(series.c.service == service)
    found: dict[str, list[tuple[float, float]]] = {}
    for row in connection.execute(query.order_by(series.c.labels, samples.c.at)):
        found.setdefault(row.labels, []).append((row.at, row.value))
    return tuple(Sampled(name, json.loads(labels), tuple(points)) for labels, points in found.items())


def forget(connection: Connection, *, spans_before: float, samples_before: float) -> None:
    """Lets spans and samples go that are older. Edges stay: they say since when and until when they were seen."""
    connection.execute(delete(spans).where(spans.c.started < spans_before))
    connection.execute(delete(samples).where(samples.c.at < samples_before))
    used = select(samples.c.series).where(samples.c.series == series.c.id)
    connection.execute(delete(series).where(~used.exists()))


# Private


def _firsts(given: Sequence[Span]) -> Collection[Span]:
    found: dict[tuple[str, str], Span] = {}
    for span in given:
        found.setdefault((span.trace, span.span), span)
    return found.values()


def _as_true(span: Span) -> Span:
    return structs.replace(span, failed=bool(span.failed))


def _digest(name: str, labels: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([name, sorted(labels.items())]).encode()).hexdigest()


def _numbers(connection: Connection, written: Mapping[str, Sampled], most: int) -> dict[str, int]:
    """The row of each series by its digest, made where there is none and room for it."""
    known = _known(connection, written)
    missing = sorted(written.keys() - known.keys())
    if not missing:
        return known
    room = max(0, most - connection.execute(select(func.count()).select_from(series)).scalar_one())
    rows: list[dict[str, Any]] = [
        {
            "digest": digest,
            "name": written[digest].name,
            "labels": json.dumps(dict(sorted(written[digest].labels.items()))),
            "service": written[digest].labels.get("service", ""),
        }
        for digest in missing[:room]
    ]
    insert_many(connection, series, rows, "id")
    return _known(connection, written)


def _known(connection: Connection, written: Mapping[str, Sampled]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in in_chunks(sorted(written)):
        query = select(series.c.digest, series.c.id).where(series.c.digest.in_(some))
        found |= {row.digest: row.id for row in connection.execute(query)}
    return found
