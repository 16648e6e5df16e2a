"""OTLP as it comes over HTTP: protobuf or JSON, packed or not, as objects whose attributes have one name in both.

opentelemetry.io/docs/specs/otlp: binary protobuf is `application/x-protobuf`; JSON writes ids in hexadecimal, whole
numbers of 64 bits as text or numbers, enumerations as numbers.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from tidegate.errors import InputError

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MOST_BYTES = 32 << 20
"""Of a body when it is unpacked."""
LONGEST = 1_000
MOST_ATTRIBUTES = 128

Signal: TypeAlias = Literal["traces", "metrics"]


class AnyValue(Struct, rename="camel"):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: msgspec.Raw = msgspec.Raw()
    bytes_value: str | None = None


class KeyValue(Struct):
    key: str = ""
    value: AnyValue | None = None


class Resource(Struct, frozen=True):
    attributes: list[KeyValue] = []


class SpanEvent(Struct, rename="camel"):
    name: str = ""
    time_unix_nano: int | str = 0
    attributes: list[KeyValue] = []


class SpanStatus(Struct, frozen=True):
    code: int | str = 0


class WireSpan(Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[KeyValue] = []
    events: list[SpanEvent] = []
    status: SpanStatus = SpanStatus()


class ScopeSpans(Struct):
    spans: list[WireSpan] = []


class ResourceSpans(Struct, rename="camel"):
    resource: Resource = Resource()
    scope_spans: list[ScopeSpans] = []


class Traces(Struct, rename="camel"):
    resource_spans: list[ResourceSpans] = []


class Quantile(Struct):
    quantile: float | str = 0.0
    value: float | str = 0.0


class Point(Struct, rename="camel"):
    """A point of any kind of metric: each kind fills its own fields."""

    attributes: list[KeyValue] = []
    time_unix_nano: int | str = 0
    flags: int = 0
    as_double: float | str | None = None
    as_int: int | str | None = None
    count: int | str = 0
    sum: float | str | None = None
    bucket_counts: list[int | str] = []
    explicit_bounds: list[float | str] = []
    quantile_values: list[Quantile] = []


class Points(Struct, rename="camel"):
    data_points: list[Point] = []
    aggregation_temporality: int | str = 0


class Metric(Struct, rename="camel"):
    name: str = ""
    unit: str = ""
    gauge: Points | None = None
    sum: Points | None = None
    histogram: Points | None = None
    exponential_histogram: Points | None = None
    summary: Points | None = None


class ScopeMetrics(Struct):
    metrics: list[Metric] = []


class ResourceMetrics(Struct, rename="camel"):
    resource: Resource = Resource()
    scope_metrics: list[ScopeMetrics] = []


class Metrics(Struct, rename="camel"):
    resource_metrics: list[ResourceMetrics] = []


def decode(signal: Signal, body: bytes, headers: Mapping[str, str]) -> Any:
    """The request of this signal. InputError where it is no OTLP, or larger than MOST_BYTES when it is unpacked."""
    low = {name.lower(): value for name, value in headers.items()}
    kind = low.get("content-type", "").partition(";")[0].strip().lower()
    plain = unpack(body, low.get("content-encoding", ""))
    if kind == JSON:
        return _json(signal, plain)
    if kind == PROTOBUF:
        return _protobuf(signal, plain)
    raise InputError(
        f"{kind or 'no content type'} is no encoding of OTLP", where="content-type", mend=f"send {PROTOBUF} or {JSON}"
    )


def unpack(body: bytes, encoding: str, *, most: int = MOST_BYTES) -> bytes:
    """The body without its packing (gzip, deflate), refused before it grows past `most`."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        if len(body) > most:
            raise InputError(f"the body has more than {most >> 20} MB", where="body")
        return body
    if encoding not in ("gzip", "deflate"):
        raise InputError(f"{encoding[:40]} is no packing that is read here", where="content-encoding", mend="use gzip")
    unpacker = zlib.decompressobj(wbits=47)  # gzip and zlib alike
    try:
        plain = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise InputError("the body is not packed as it says", where="content-encoding") from error
    if len(plain) > most:
        raise InputError(f"the body has more than {most >> 20} MB when it is unpacked", where="body")
    if not unpacker.eof or unpacker.unused_data:
        raise InputError("the packed body is not whole", where="content-encoding")
    return plain


def texts(attributes: Iterable[Any]) -> dict[str, str]:
    """The attributes as text, by their names; lists and maps as JSON. Of two with one name the first counts."""
    found: dict[str, str] = {}
    for attribute in attributes:
        if len(found) == MOST_ATTRIBUTES:
            break
        if attribute.key and attribute.key not in found:
            text = _text(attribute.value)
            if text is not None:
                found[clean(attribute.key)] = text
    return found


def clean(text: str, most: int = LONGEST) -> str:
    """What can be kept: no NUL, and not longer than `most`."""
    return text[:most].replace("\0", "\ufffd")


def hexadecimal(given: bytes | str, size: int) -> str:
    """An id of so many bytes, in small letters; "" where it is none, or the zeros that stand for none."""
    if isinstance(given, str):
        try:
            given = bytes.fromhex(given)
        except ValueError:
            return ""
    return given.hex() if len(given) == size and any(given) else ""


def whole(given: int | str) -> int:
    """A number of 64 bits. InputError where it is none."""
    if isinstance(given, str) and re.fullmatch(r"-?[0-9]{1,20}", given):
        given = int(given)
    if isinstance(given, int) and -(1 << 63) <= given < 1 << 64:
        return given
    raise InputError("a number that is none of 64 bits", where="OTLP/JSON")


def real(given: float | str | None) -> float:
    """A number; NaN where there is none. JSON writes those that are not finite as text."""
    if given is None:
        return float("nan")
    if isinstance(given, str):
        try:
            return float(given) if len(given) <= 40 else float("nan")
        except ValueError:
            return float("nan")
    return float(given)


# Private

_DECODERS: Mapping[str, msgspec.json.Decoder[Any]] = {
    "traces": msgspec.json.Decoder(Traces),
    "metrics": msgspec.json.Decoder(Metrics),
}


def _json(signal: Signal, body: bytes) -> Any:
    try:
        return _DECODERS[signal].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"no OTLP/JSON of {signal}: {str(error)[:200]}", where="body") from error


def _protobuf(signal: Signal, body: bytes) -> Any:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    kind: Any = ExportTraceServiceRequest if signal == "traces" else ExportMetricsServiceRequest
    try:
        return kind.FromString(body)
    except (DecodeError, RecursionError) as error:
        raise InputError(f"no OTLP/protobuf of {signal}", where="body") from error


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, AnyValue):
        return _text_of_json(value)
    which = value.WhichOneof("value")
    match which:
        case "string_value":
            return clean(value.string_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return repr(value.double_value)
        case "bytes_value":
            return str(value.bytes_value[: LONGEST // 2].hex())
        case "array_value":
            items = [_text(each) for each in list(value.array_value.values)[:MOST_ATTRIBUTES]]
            return clean(json.dumps([each for each in items if each is not None], ensure_ascii=False))
    return None


def _text_of_json(value: AnyValue) -> str | None:
    if value.string_value is not None:
        return clean(value.string_value)
    if value.bool_value is not None:
        return "true" if value.bool_value else "false"
    for number in (value.int_value, value.double_value):
        if number is not None:
            return clean(str(number))
    if len(memoryview(value.array_value)):
        try:
            items = [_text_of_json(each) for each in _ARRAY.decode(value.array_value).values[:MOST_ATTRIBUTES]]
        except (msgspec.DecodeError, RecursionError):
            return None
        return clean(json.dumps([each for each in items if each is not None], ensure_ascii=False))
    return None if value.bytes_value is None else clean(value.bytes_value)


class _Array(Struct):
    values: list[AnyValue] = []


_ARRAY = msgspec.json.Decoder(_Array)
