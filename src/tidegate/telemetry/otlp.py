"""OTLP/HTTP: spans and metrics as services send them. What cannot be a span or a point is counted, and said.

opentelemetry.io/docs/specs/otlp and the semantic conventions of resources, HTTP, RPC, databases and exceptions. A
revision is `vcs.ref.head.revision`, or `service.version` where that is a commit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.telemetry.otlp_wire import JSON, clean, decode, hexadecimal, real, texts, whole
from tidegate.telemetry.series import Series

SpanKind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]
LATEST = 4_102_444_800
"""Unix seconds of the year 2100: what lies behind it is no time of a measurement."""
MOST_EXCEPTIONS = 8
LONGEST_TRACE = 64 << 10


class SpanException(Struct, frozen=True, kw_only=True):
    """An exception that a span recorded; `trace` is the text of its stack trace, in its language's own form."""

    kind: str
    message: str
    trace: str
    at: float


class Span(Struct, frozen=True, kw_only=True):
    """One span. `started` in Unix seconds; `seconds` is how long it took. Ids are hexadecimal; no parent: a root.

    `peer` is whom a client or producer called, in its own words: a service, a host, a database, a queue.
    """

    trace: str
    span: str
    service: str
    operation: str
    kind: SpanKind
    started: float
    seconds: float
    failed: bool = False
    parent: str = ""
    environment: str = ""
    revision: str = ""
    peer: str = ""
    exceptions: tuple[SpanException, ...] = ()


class Spans(Struct, frozen=True):
    """`rejected` of what was sent are no spans, and `why` says what is wrong with the first of them."""

    spans: tuple[Span, ...]
    rejected: int = 0
    why: str = ""


class Measured(Struct, frozen=True):
    """Series with what each point measured; `rejected` points are none, and `why` says so of the first."""

    series: tuple[Series, ...]
    rejected: int = 0
    why: str = ""


def read_spans(body: bytes, headers: Mapping[str, str]) -> Spans:
    """What a request to `/v1/traces` sends. InputError where it is no OTLP."""
    found: list[Span] = []
    rejected, why = 0, ""
    for group in decode("traces", body, headers).resource_spans:
        source = _Source(texts(group.resource.attributes))
        for scope in group.scope_spans:
            for wire in scope.spans:
                try:
                    found.append(_span(wire, source))
                except InputError as error:
                    rejected, why = rejected + 1, why or str(error)
    return Spans(tuple(found), rejected, why)


def read_metrics(body: bytes, headers: Mapping[str, str]) -> Measured:
    """What a request to `/v1/metrics` sends, named as Prometheus names it: `a_b_count`, `_sum`, `_bucket{le=}`.

    A sum of changes (delta) carries the label `temporality="delta"`; nothing is added up here.
    """
    points = _Table()
    for group in decode("metrics", body, headers).resource_metrics:
        labels = _Source(texts(group.resource.attributes)).labels
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                _metric(metric, labels, points)
    return Measured(points.series(), points.rejected, points.why)


def accepted(headers: Mapping[str, str], rejected: int = 0, why: str = "", *, signal: str = "spans") -> bytes:
    """The answer to a request, in its own encoding. `signal`: spans or points."""
    low = {name.lower(): value for name, value in headers.items()}
    as_json = low.get("content-type", "").partition(";")[0].strip().lower() == JSON
    if not rejected:
        return b"{}" if as_json else b""
    if as_json:
        from msgspec import json

        name = "rejectedSpans" if signal == "spans" else "rejectedDataPoints"
        return json.encode({"partialSuccess": {name: str(rejected), "errorMessage": why[:200]}})
    # Both answers have one shape: field 1 is partial_success, in which 1 is the number and 2 the message.
    said = why[:200].encode()
    inner = b"\x08" + _varint(rejected) + b"\x12" + _varint(len(said)) + said
    return b"\x0a" + _varint(len(inner)) + inner


# Private

_KINDS: tuple[SpanKind, ...] = ("internal", "internal", "server", "client", "producer", "consumer")
_NAMED = {f"SPAN_KIND_{kind.upper()}": kind for kind in _KINDS}
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_WHOLE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ENVIRONMENTS = ("deployment.environment.name", "deployment.environment")
_PEERS = (
    "peer.service",
    "service.peer.name",
    "rpc.service",
    "messaging.destination.name",
    "messaging.system",
    "server.address",
    "net.peer.name",
    "network.peer.address",
    "url.full",
)
_FAILED = (2, "2", "STATUS_CODE_ERROR")
_NO_VALUE = 1
_UNNAMED = "unknown_service"


class _Source:
    """Who sends: what its resource says of it."""

    def __init__(self, resource: Mapping[str, str]) -> None:
        self.service = clean(resource.get("service.name", ""), 200) or _UNNAMED
        self.environment = clean(next((resource[name] for name in _ENVIRONMENTS if resource.get(name)), ""), 200)
        version = resource.get("service.version", "")
        given = resource.get("vcs.ref.head.revision", "")
        whole_commit = version if _WHOLE.fullmatch(version) else ""  # a date is hexadecimal too
        self.revision = given if _COMMIT.fullmatch(given) else whole_commit
        named = {
            "service": self.service,
            "environment": self.environment,
            "revision": self.revision,
            "version": version,
            "instance": resource.get("service.instance.id", ""),
        }
        self.labels = {name: value for name, value in named.items() if value}


def _span(wire: Any, source: _Source) -> Span:
    trace, span = hexadecimal(wire.trace_id, 16), hexadecimal(wire.span_id, 8)
    if not trace or not span:
        raise InputError("a span without its ids", where=source.service)
    started = _seconds(wire.start_time_unix_nano)
    took = whole(wire.end_time_unix_nano) - whole(wire.start_time_unix_nano)
    kind = _kind(wire.kind)
    attributes = texts(wire.attributes)
    return Span(
        trace=trace,
        span=span,
        parent=hexadecimal(wire.parent_span_id, 8),
        service=source.service,
        environment=source.environment,
        revision=source.revision,
        operation=clean(wire.name, 200),
        kind=kind,
        peer=_peer(attributes) if kind in ("client", "producer") else "",
        started=started,
        seconds=max(0, took) / 1e9 if _seconds(wire.end_time_unix_nano) else 0.0,
        failed=wire.status.code in _FAILED,
        exceptions=tuple(_exceptions(wire.events)),
    )


def _kind(given: int | str) -> SpanKind:
    if isinstance(given, str):
        return _NAMED.get(given, "internal")
    return _KINDS[given] if 0 <= given < len(_KINDS) else "internal"


def _seconds(nanos: int | str) -> float:
    seconds = whole(nanos) / 1e9
    if not 0 <= seconds <= LATEST:
        raise InputError("a time that is none", where="OTLP")
    return seconds


def _peer(attributes: Mapping[str, str]) -> str:
    database = attributes.get("db.system.name") or attributes.get("db.system")
    if database:
        name = attributes.get("db.namespace") or attributes.get("db.name") or ""
        return clean(f"{database}/{name}" if name else database, 200)
    found = next((attributes[name] for name in _PEERS if attributes.get(name)), "")
    if "://" in found:
        found = found.partition("://")[2].partition("/")[0].rpartition("@")[2].partition("?")[0]
    return clean(found, 200)


def _exceptions(events: Any) -> Iterator[SpanException]:
    count = 0
    for event in events:
        if event.name != "exception" or count == MOST_EXCEPTIONS:
            continue
        count += 1
        said = {each.key: each.value.string_value or "" for each in event.attributes if each.value is not None}
        yield SpanException(
            kind=clean(said.get("exception.type", ""), 200),
            message=clean(said.get("exception.message", "")),
            trace=clean(said.get("exception.stacktrace", ""), LONGEST_TRACE),
            at=_seconds(event.time_unix_nano),
        )


class _Table:
    """Points by the series that they belong to."""

    def __init__(self) -> None:
        self._points: dict[tuple[str, tuple[tuple[str, str], ...]], dict[float, float]] = {}
        self.rejected = 0
        self.why = ""

    def put(self, name: str, labels: Mapping[str, str], at: float, value: float) -> None:
        if math.isfinite(value):
            self._points.setdefault((name, tuple(sorted(labels.items()))), {})[at] = value

    def reject(self, why: str) -> None:
        self.rejected += 1
        self.why = self.why or why

    def series(self) -> tuple[Series, ...]:
        from numpy import array, float64

        return tuple(
            Series(
                name=name,
                labels=dict(labels),
                times=array(sorted(points), dtype=float64),
                values=array([points[at] for at in sorted(points)], dtype=float64),
            )
            for (name, labels), points in sorted(self._points.items())
        )


def _metric(metric: Any, resource: Mapping[str, str], table: _Table) -> None:
    name = _word(metric.name)
    for field in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        points = _part(metric, field)
        if points is None:
            continue
        delta = field != "gauge" and getattr(points, "aggregation_temporality", 0) in (
            1,
            "AGGREGATION_TEMPORALITY_DELTA",
        )
        for point in points.data_points:
            own = {_word(key): value for key, value in texts(point.attributes).items()}
            labels = {**own, **resource, **({"temporality": "delta"} if delta else {})}
            try:
                _point(field, name, labels, point, table)
            except InputError as error:
                table.reject(f"{metric.name[:100]}: {error}")
        return
    table.reject(f"{metric.name[:100]}: a metric of no kind")


def _part(metric: Any, field: str) -> Any:
    if isinstance(metric, Struct):
        return getattr(metric, field)
    return getattr(metric, field) if metric.HasField(field) else None


def _point(field: str, name: str, labels: Mapping[str, str], point: Any, table: _Table) -> None:
    at = _seconds(point.time_unix_nano)
    if point.flags & _NO_VALUE:
        return
    if field in ("gauge", "sum"):
        table.put(name, labels, at, _number(point))
        return
    count = whole(point.count)
    table.put(f"{name}_count", labels, at, float(count))
    if field == "summary" or isinstance(point, Struct) or point.HasField("sum"):
        table.put(f"{name}_sum", labels, at, real(point.sum))
    if field == "summary":
        for each in point.quantile_values:
            table.put(name, {**labels, "quantile": repr(real(each.quantile))}, at, real(each.value))
    if field == "histogram":
        _buckets(name, labels, point, at, table)


def _buckets(name: str, labels: Mapping[str, str], point: Any, at: float, table: _Table) -> None:
    bounds = [real(bound) for bound in point.explicit_bounds]
    counts = [whole(count) for count in point.bucket_counts]
    if not counts:
        return
    if len(counts) != len(bounds) + 1 or len(counts) > 1_000:
        raise InputError("buckets that do not fit their bounds", where="OTLP")
    below = 0
    for bound, count in zip([*bounds, math.inf], counts, strict=True):
        below += count
        le = "+Inf" if bound == math.inf else repr(bound)
        table.put(f"{name}_bucket", {**labels, "le": le}, at, float(below))


def _number(point: Any) -> float:
    if isinstance(point, Struct):
        whole_one = point.as_int  # type: ignore[attr-defined]
        return float(whole(whole_one)) if whole_one is not None else real(point.as_double)  # type: ignore[attr-defined]
    return float(point.as_int) if point.WhichOneof("value") == "as_int" else float(point.as_double)


def _word(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_:]", "_", clean(name, 200))


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
