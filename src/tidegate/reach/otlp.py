"""Spans and metrics in OTLP/JSON, one object or one a line: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding".

Server spans are counted over the time that they span. Of a histogram or sum of requests the counts are taken over the
time that its points tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from tidegate.errors import InputError

Key: TypeAlias = tuple[str, str, str]
"""Service, method and route."""

SERVER = (2, "2", "SPAN_KIND_SERVER", 5, "5", "SPAN_KIND_CONSUMER")
METRICS = ("http.server.request.duration", "http.server.duration", "http.server.requests", "rpc.server.duration")


class Measured(NamedTuple):
    """Requests per second, and which service was seen calling which."""

    rates: Mapping[Key, float]
    calls: frozenset[tuple[str, str]]


def read_otlp(content: bytes, origin: str) -> Measured:
    """What the file measured. A rate needs a time: spans of one moment give calls and no rates.

    Raises InputError for what is no OTLP/JSON.
    """
    spans: list[_Span] = []
    points: dict[tuple[Key, str], list[_Point]] = defaultdict(list)
    seen = False
    for document in _documents(content, origin):
        for service, scope in _scopes(document):
            seen = True
            spans += [_span(service, span) for span in _maps(scope.get("spans"))]
            for metric in _maps(scope.get("metrics")):
                _collect(service, metric, points)
    if not seen:
        raise InputError("neither spans nor metrics", where=origin, mend="export OTLP/JSON, or write a .csv")
    rates = _span_rates(spans)
    rates.update(_point_rates(points))
    return Measured(rates, _span_calls(spans))


# Private

_Json: TypeAlias = Mapping[str, object]


class _Span(NamedTuple):
    service: str
    trace: str
    id: str
    parent: str
    server: bool
    start: int
    end: int
    method: str
    route: str


class _Point(NamedTuple):
    start: int
    time: int
    value: float
    delta: bool


def _documents(content: bytes, origin: str) -> Iterator[_Json]:
    decoder = msgspec.json.Decoder(dict[str, object])
    try:
        try:
            yield decoder.decode(content)
        except msgspec.DecodeError:
            for line in content.split(b"\n"):
                if line.strip():
                    yield decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"not OTLP/JSON: {error}", where=origin, mend="export it as JSON, or write a .csv") from error


def _scopes(document: _Json) -> Iterator[tuple[str, _Json]]:
    """Each scope with the name of its service."""
    for outer, inner in (("resourceSpans", "scopeSpans"), ("resourceMetrics", "scopeMetrics")):
        for resource in _maps(document.get(outer)):
            service = _attributes(_map(resource.get("resource"))).get("service.name", "")
            for scope in _maps(resource.get(inner)):
                yield service, scope


def _span(service: str, span: _Json) -> _Span:
    said = _attributes(span)
    return _Span(
        service,
        str(span.get("traceId", "")),
        str(span.get("spanId", "")),
        str(span.get("parentSpanId", "") or ""),
        span.get("kind") in SERVER,
        _number(span.get("startTimeUnixNano")),
        _number(span.get("endTimeUnixNano")),
        *_what(said, str(span.get("name", ""))),
    )


def _what(said: Mapping[str, str], name: str = "") -> tuple[str, str]:
    """Method and route. A span that says neither may be called so: "GET /users/{id}", "shop.Orders/Place"."""
    method = said.get("http.request.method") or said.get("http.method") or ""
    route = said.get("http.route") or said.get("url.path") or (said.get("http.target") or "").partition("?")[0]
    if not route and said.get("rpc.service"):
        route = f"/{said['rpc.service']}/{said.get('rpc.method', '')}"
    first, _, rest = name.partition(" ")
    if not route and rest.startswith("/"):
        method, route = method or first, rest
    elif not route and "/" in name and " " not in name:
        route = name if name.startswith("/") else f"/{name}"
    return method.upper(), route


def _span_rates(spans: list[_Span]) -> dict[Key, float]:
    served = [span for span in spans if span.server and span.start]
    if not served:
        return {}
    window = (max(max(span.end, span.start) for span in served) - min(span.start for span in served)) / 1e9
    counts: dict[Key, float] = defaultdict(float)
    for span in served:
        counts[span.service, span.method, span.route] += 1
    return {key: count / window for key, count in counts.items()} if window > 0 and len(served) > 1 else {}


def _span_calls(spans: list[_Span]) -> frozenset[tuple[str, str]]:
    by_id = {(span.trace, span.id): span.service for span in spans}
    pairs = {(by_id.get((span.trace, span.parent), ""), span.service) for span in spans if span.parent}
    return frozenset((client, server) for client, server in pairs if client and server and client != server)


def _collect(service: str, metric: _Json, points: dict[tuple[Key, str], list[_Point]]) -> None:
    name = str(metric.get("name", ""))
    if name not in METRICS:
        return
    for kind in ("histogram", "exponentialHistogram", "sum"):
        data = _map(metric.get(kind))
        delta = data.get("aggregationTemporality") in (1, "1", "AGGREGATION_TEMPORALITY_DELTA")
        for point in _maps(data.get("dataPoints")):
            said = _attributes(point)
            count = point.get("count", point.get("asInt", point.get("asDouble", 0)))
            times = (_number(point.get("startTimeUnixNano")), _number(point.get("timeUnixNano")))
            # Points differ in more than the route (status, scheme): each such series grows by itself.
            series = f"{name} {sorted(said.items())}"
            points[(service, *_what(said)), series].append(_Point(*times, _float(count), delta))


def _point_rates(points: Mapping[tuple[Key, str], list[_Point]]) -> dict[Key, float]:
    rates: dict[Key, float] = defaultdict(float)
    known: set[Key] = set()
    for (key, _), series in sorted(points.items()):
        series = sorted(series, key=lambda point: point.time)
        first, last = series[0], series[-1]
        if last.delta:
            count, seconds = sum(point.value for point in series), (last.time - first.start) / 1e9
        elif len(series) > 1 and first.start == last.start:
            count, seconds = last.value - first.value, (last.time - first.time) / 1e9
        else:
            count, seconds = last.value, (last.time - last.start) / 1e9 if last.start else 0.0
        if seconds > 0 and count >= 0:
            rates[key] += count / seconds
            known.add(key)
    return {key: rates[key] for key in known}


def _attributes(value: _Json) -> dict[str, str]:
    found = {}
    for entry in _maps(value.get("attributes")):
        held = _map(entry.get("value"))
        found[str(entry.get("key", ""))] = str(next(iter(held.values()), ""))
    return found


def _map(value: object) -> _Json:
    return value if isinstance(value, dict) else {}


def _maps(value: object) -> list[_Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(value: object) -> int:
    """64-bit numbers are texts in this encoding."""
    text = str(value)
    return int(text) if text.isdigit() and len(text) < 20 else 0


def _float(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0
