"""OTLP as services send it: protobuf and JSON say the same, and what is neither is refused or counted."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from tidegate.errors import InputError
from tidegate.telemetry import otlp_wire
from tidegate.telemetry.graph import edges_of, statistics_of
from tidegate.telemetry.otlp import Measured, Span, Spans, accepted, read_metrics, read_spans

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"content-type": "application/json; charset=utf-8"}
START = 1_795_000_000
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TRACE = bytes(range(16))


def attribute(key: str, value: Any) -> KeyValue:
    match value:
        case bool():
            return KeyValue(key=key, value=AnyValue(bool_value=value))
        case int():
            return KeyValue(key=key, value=AnyValue(int_value=value))
        case float():
            return KeyValue(key=key, value=AnyValue(double_value=value))
        case list():
            items = [AnyValue(string_value=each) for each in value]
            return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=items)))
    return KeyValue(key=key, value=AnyValue(string_value=value))


def resource(service: str, **more: Any) -> Resource:
    named = {"service.name": service, "deployment.environment.name": "production", "service.version": COMMIT, **more}
    return Resource(attributes=[attribute(key, value) for key, value in named.items() if value != ""])


def wire(
    number: int,
    parent: int = 0,
    *,
    kind: int = 2,
    ended: float = 0.25,
    failed: bool = False,
    about: Mapping[str, str] = {},
) -> WireSpan:
    return WireSpan(
        trace_id=TRACE,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=f"GET /{number}",
        kind=kind,  # type: ignore[arg-type]
        start_time_unix_nano=START * 10**9,
        end_time_unix_nano=START * 10**9 + int(ended * 1e9),
        status=Status(code=2 if failed else 0),  # type: ignore[arg-type]
        attributes=[attribute(key, value) for key, value in about.items()],
    )


def traces(*groups: tuple[Resource, list[WireSpan]]) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=who, scope_spans=[ScopeSpans(spans=spans)]) for who, spans in groups]
    )


def as_json(message: Any) -> bytes:
    """As OTLP wants it: ids in hexadecimal where protobuf's own JSON has base64, and enumerations as numbers."""
    import base64

    def ids(value: Any) -> Any:
        if isinstance(value, list):
            return [ids(each) for each in value]
        if isinstance(value, dict):
            return {
                key: base64.b64decode(each).hex() if key in ("traceId", "spanId", "parentSpanId") else ids(each)
                for key, each in value.items()
            }
        return value

    return json.dumps(ids(MessageToDict(message, use_integers_for_enums=True))).encode()


def both(message: Any) -> list[tuple[bytes, dict[str, str]]]:
    return [(message.SerializeToString(), PROTOBUF), (as_json(message), JSON)]


def shop() -> ExportTraceServiceRequest:
    """web calls pay, which asks its database and a bank that sends no spans, and puts a message to mail."""
    broken = wire(3, 2, failed=True)
    broken.events.add(
        name="exception",
        time_unix_nano=START * 10**9 + 1,
        attributes=[
            attribute("exception.type", "KeyError"),
            attribute("exception.message", "'id'"),
            attribute("exception.stacktrace", 'Traceback (most recent call last):\n  File "a.py", line 3, in f\n'),
        ],
    )
    broken.events.add(name="log", time_unix_nano=START * 10**9)
    return traces(
        (resource("web"), [wire(1), wire(2, 1, kind=3, about={"server.address": "pay.internal"})]),
        (
            resource("pay"),
            [
                broken,
                wire(4, 3, kind=3, about={"db.system.name": "postgresql", "db.namespace": "shop"}),
                wire(5, 3, kind=3, about={"url.full": "https://user:secret@bank.test/pay?x=1"}),
                wire(6, 3, kind=4, about={"messaging.destination.name": "mails"}),
            ],
        ),
        (resource("mail", **{"service.version": "2.4.1"}), [wire(7, 6, kind=5)]),
    )


def test_protobuf_and_json_say_the_same() -> None:
    first, second = (read_spans(body, headers) for body, headers in both(shop()))
    assert first == second
    assert (len(first.spans), first.rejected) == (7, 0)
    found = {span.span[-1]: span for span in first.spans}
    assert found["1"] == Span(
        trace=TRACE.hex(),
        span="0000000000000001",
        service="web",
        operation="GET /1",
        kind="server",
        started=START,
        seconds=0.25,
        environment="production",
        revision=COMMIT,
    )
    assert (found["3"].failed, found["3"].parent, found["3"].peer) == (True, "0000000000000002", "")
    (said,) = found["3"].exceptions
    assert (said.kind, said.message, said.trace[:9]) == ("KeyError", "'id'", "Traceback")
    assert (found["4"].peer, found["5"].peer, found["6"].peer) == ("postgresql/shop", "bank.test", "mails")
    assert found["7"].revision == ""  # a version that is no commit


def test_the_graph_and_the_statistics_of_spans() -> None:
    spans = read_spans(shop().SerializeToString(), PROTOBUF).spans
    edges = edges_of([*spans, *spans])
    assert [(edge.caller, edge.callee, edge.kind, edge.calls, edge.failed) for edge in edges] == [
        ("pay", "bank.test", "peer", 1, 0),
        ("pay", "mail", "message", 1, 0),
        ("pay", "postgresql/shop", "peer", 1, 0),
        ("web", "pay", "call", 1, 1),
    ]
    assert edges_of(reversed(spans)) == edges
    many = [wire(number, ended=number / 100) for number in range(1, 101)]
    (row,) = statistics_of(read_spans(traces((resource("web"), many)).SerializeToString(), PROTOBUF).spans)[:1]
    assert row.count == 1
    for one in many:
        one.name = "GET /"
    (row,) = statistics_of(read_spans(traces((resource("web"), many)).SerializeToString(), PROTOBUF).spans)
    assert (row.count, row.p50, row.p95, row.p99) == (100, 0.5, 0.95, 0.99)


def test_what_is_no_span_is_counted_and_the_rest_is_read() -> None:
    bad = wire(9)
    bad.span_id = b"short"
    late = wire(8)
    late.start_time_unix_nano = 2**64 - 1
    for body, headers in both(traces((resource("web"), [bad, wire(1), late]))):
        found = read_spans(body, headers)
        assert ([span.span[-1] for span in found.spans], found.rejected) == (["1"], 2)
        assert "without its ids" in found.why
    answer = ExportTraceServiceResponse.FromString(accepted(PROTOBUF, found.rejected, found.why))
    assert answer.partial_success.rejected_spans == 2
    assert "without its ids" in answer.partial_success.error_message
    told = json.loads(accepted(JSON, 300, "why", signal="points"))
    assert told == {"partialSuccess": {"rejectedDataPoints": "300", "errorMessage": "why"}}
    counted = ExportMetricsServiceResponse.FromString(accepted(PROTOBUF, 300, "x" * 199, signal="points"))
    assert counted.partial_success.rejected_data_points == 300
    assert (accepted(JSON), accepted(PROTOBUF)) == (b"{}", b"")


def metrics(*given: Metric) -> ExportMetricsServiceRequest:
    who = resource("pay", **{"service.instance.id": "pay-1"})
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=who, scope_metrics=[ScopeMetrics(metrics=list(given))])]
    )


def points(measured: Measured) -> dict[str, list[tuple[float, float]]]:
    own = ("service", "environment", "revision", "version", "instance")
    return {
        one.name + "".join(f" {key}={value}" for key, value in sorted(one.labels.items()) if key not in own): list(
            zip(one.times.tolist(), one.values.tolist(), strict=True)
        )
        for one in measured.series
    }


def at(second: int) -> int:
    return (START + second) * 10**9


def test_every_kind_of_metric_in_both_encodings() -> None:
    given = metrics(
        Metric(
            name="http.server.active",
            gauge=Gauge(
                data_points=[
                    NumberDataPoint(time_unix_nano=at(2), as_int=7, attributes=[attribute("http.route", "/pay")]),
                    NumberDataPoint(time_unix_nano=at(1), as_int=5, attributes=[attribute("http.route", "/pay")]),
                    NumberDataPoint(time_unix_nano=at(3), flags=1, attributes=[attribute("http.route", "/pay")]),
                    NumberDataPoint(time_unix_nano=at(4), as_double=float("nan")),
                ]
            ),
        ),
        Metric(
            name="jobs",
            sum=Sum(
                aggregation_temporality=1,  # type: ignore[arg-type]
                data_points=[
                    NumberDataPoint(
                        time_unix_nano=at(1), as_double=2.5, attributes=[attribute("ok", True), attribute("l", ["a"])]
                    )
                ],
            ),
        ),
        Metric(
            name="latency",
            histogram=Histogram(
                aggregation_temporality=2,  # type: ignore[arg-type]
                data_points=[
                    HistogramDataPoint(
                        time_unix_nano=at(1), count=6, sum=1.5, bucket_counts=[1, 2, 3], explicit_bounds=[0.1, 0.5]
                    )
                ],
            ),
        ),
        Metric(
            name="size",
            exponential_histogram=ExponentialHistogram(
                data_points=[ExponentialHistogramDataPoint(time_unix_nano=at(1), count=3)]
            ),
        ),
        Metric(
            name="wait",
            summary=Summary(
                data_points=[
                    SummaryDataPoint(
                        time_unix_nano=at(1),
                        count=2,
                        sum=3,
                        quantile_values=[SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=1.25)],
                    )
                ]
            ),
        ),
    )
    expected = {
        "http_server_active http_route=/pay": [(START + 1, 5.0), (START + 2, 7.0)],
        'jobs l=["a"] ok=true temporality=delta': [(START + 1, 2.5)],
        "latency_bucket le=+Inf": [(START + 1, 6.0)],
        "latency_bucket le=0.1": [(START + 1, 1.0)],
        "latency_bucket le=0.5": [(START + 1, 3.0)],
        "latency_count": [(START + 1, 6.0)],
        "latency_sum": [(START + 1, 1.5)],
        "size_count": [(START + 1, 3.0)],
        "wait quantile=0.5": [(START + 1, 1.25)],
        "wait_count": [(START + 1, 2.0)],
        "wait_sum": [(START + 1, 3.0)],
    }
    for body, headers in both(given):
        measured = read_metrics(body, headers)
        assert points(measured) == expected
        assert measured.rejected == 0
        assert all(np.all(np.diff(one.times) > 0) for one in measured.series)
        assert {(one.labels["service"], one.labels["instance"]) for one in measured.series} == {("pay", "pay-1")}


def test_whoever_sends_cannot_speak_for_another_service() -> None:
    point = NumberDataPoint(time_unix_nano=at(1), as_int=1, attributes=[attribute("service", "bank")])
    (one,) = read_metrics(
        metrics(Metric(name="a", gauge=Gauge(data_points=[point]))).SerializeToString(), PROTOBUF
    ).series
    assert one.labels["service"] == "pay"


def test_points_that_are_none_are_counted() -> None:
    odd = Histogram(data_points=[HistogramDataPoint(time_unix_nano=at(1), bucket_counts=[1], explicit_bounds=[1, 2])])
    far = Gauge(data_points=[NumberDataPoint(time_unix_nano=2**64 - 1, as_int=1)])
    for body, headers in both(metrics(Metric(name="a", histogram=odd), Metric(name="b", gauge=far), Metric(name="c"))):
        measured = read_metrics(body, headers)
        assert (measured.rejected, measured.why) == (3, "a: OTLP: buckets that do not fit their bounds")


@pytest.mark.parametrize(
    ("version", "revision", "found"),
    [("2.4.1", "", ""), ("20260102", "", ""), (COMMIT, "", COMMIT), ("1", COMMIT[:9], COMMIT[:9]), ("1", "main", "")],
)
def test_a_revision_is_a_commit_or_nothing(version: str, revision: str, found: str) -> None:
    who = resource("web", **{"service.version": version, "vcs.ref.head.revision": revision})
    (span,) = read_spans(traces((who, [wire(1)])).SerializeToString(), PROTOBUF).spans
    assert span.revision == found


@pytest.mark.parametrize("packing", ["gzip", "deflate", "identity", ""])
def test_packed_bodies(packing: str) -> None:
    body = shop().SerializeToString()
    packers: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    packed = packers.get(packing, bytes)(body)
    assert len(read_spans(packed, {**PROTOBUF, "content-encoding": packing}).spans) == 7


@pytest.mark.parametrize(
    ("body", "headers", "says"),
    [
        (b"\xff\xff", PROTOBUF, "no OTLP/protobuf"),
        (b"{", JSON, "no OTLP/JSON"),
        (b"[]", JSON, "no OTLP/JSON"),
        (b"\xff", JSON, "no OTLP/JSON"),
        (b'{"resourceSpans":' + b"[" * 200_000, JSON, "no OTLP/JSON"),
        (b"{}", {}, "no content type"),
        (b"{}", {"content-type": "text/plain"}, "no encoding of OTLP"),
        (b"{}", {**JSON, "content-encoding": "br"}, "no packing"),
        (b"{}", {**JSON, "content-encoding": "gzip"}, "not packed as it says"),
        (gzip.compress(b"{}", mtime=0)[:-4], {**JSON, "content-encoding": "gzip"}, "not whole"),
        (gzip.compress(b" " * (otlp_wire.MOST_BYTES + 1), 9), {**JSON, "content-encoding": "gzip"}, "more than 32 MB"),
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":1}]}]}]}', JSON, "no OTLP/JSON"),
    ],
)
def test_what_is_no_otlp_is_one_clear_error(body: bytes, headers: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_spans(body, headers)


@pytest.mark.parametrize("number", [2**64, 10**400, "1" * 21, "x", "1e3"])
def test_numbers_past_64_bits_are_no_points(number: int | str) -> None:
    points_ = [{"timeUnixNano": 5, "asInt": number}, {"timeUnixNano": "5", "asInt": "-7"}]
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "a", "sum": {"dataPoints": points_}}]}]}]}
    measured = read_metrics(json.dumps(document).encode(), JSON)
    assert (measured.rejected, [one.values.tolist() for one in measured.series]) == (1, [[-7.0]])


def test_empty_requests_say_nothing() -> None:
    assert read_spans(b"", PROTOBUF) == Spans(())
    assert read_spans(b"{}", JSON) == Spans(())
    assert read_metrics(b'{"resourceMetrics":[{}]}', JSON).series == ()


@given(body=st.binary(max_size=300), kind=st.sampled_from([PROTOBUF, JSON]))
def test_any_bytes_are_read_or_refused(body: bytes, kind: dict[str, str]) -> None:
    for read in (read_spans, read_metrics):
        with contextlib.suppress(InputError):
            read(body, kind)


@given(flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8))
def test_a_damaged_request_is_read_or_refused(flips: list[tuple[int, int]]) -> None:
    for body, headers in both(shop()):
        damaged = bytearray(body)
        for place, value in flips:
            damaged[place % len(damaged)] = value
        try:
            found = read_spans(bytes(damaged), headers)
        except InputError:
            continue
        assert all("\0" not in span.operation + span.peer + span.service for span in found.spans)
