"""Asks a Prometheus server for one value or for a range: prometheus.io/docs, "HTTP API".

The answer comes from another machine: it has a time to arrive in, a size, and is no more than numbers and labels.
"""

from __future__ import annotations

import http.client
import math
import time
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.telemetry.series import Series

LARGEST_BYTES = 64 << 20
MOST_POINTS = 11_000
"""What Prometheus itself allows for one series of a range."""
MOST_SERIES = 10_000


class Span(NamedTuple):
    """From `start` to `end`, both included, in Unix seconds, one point each `step` seconds."""

    start: float
    end: float
    step: float


def query_range(url: str, query: str, span: Span, timeout: float = 10.0) -> tuple[Series, ...]:
    """The series that a range query gives, in the order of their labels. A moment without a value has no point.

    `url` is where the server answers, `/api/v1/query_range` is added. Raises InputError when the span makes no sense,
    or when the server cannot be reached, takes longer than `timeout` seconds in all, answers with more than 64 MB,
    knows only a part of the answer or refuses the query.
    """
    _check(span)
    asked = {"query": query, "start": _number(span.start), "end": _number(span.end), "step": _number(span.step)}
    return _series(_ask(url, "query_range", asked, timeout), url, query, "matrix")


def query_instant(url: str, query: str, at: float | None = None, timeout: float = 10.0) -> tuple[Series, ...]:
    """The series that an instant query gives, one point each, at `at` or at the server's now. Errors as above."""
    asked = {"query": query} if at is None else {"query": query, "time": _number(at)}
    return _series(_ask(url, "query", asked, timeout), url, query, "vector")


def read_status(url: str, path: str, timeout: float = 10.0) -> bytes:
    """The JSON that the server answers of itself: `path` is `targets?state=active` or `rules`. Errors as above."""
    connection, folder = _connect(url, timeout)
    return _answered(connection, url, ("GET", f"{folder}/api/v1/{path}", None), time.monotonic() + timeout)


# Private


class _Result(Struct, frozen=True):
    metric: dict[str, str]
    values: list[tuple[float, str]] | None = None
    value: tuple[float, str] | None = None
    histograms: object = None
    histogram: object = None


class _Data(Struct, frozen=True):
    resultType: str = ""  # noqa: N815 (its name in the protocol)
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Answer(Struct, frozen=True):
    status: str
    data: _Data = _Data()
    error: str = ""


def _check(span: Span) -> None:
    if not all(map(math.isfinite, span)):
        raise InputError("a range wants three finite numbers", where=str(tuple(span)), mend="give start, end and step")
    if span.step <= 0 or span.end < span.start:
        raise InputError(
            f"no range: from {span.start:.0f} to {span.end:.0f} by {span.step:g} s",
            mend="end after the start, by a step above 0",
        )
    points = (span.end - span.start) / span.step + 1
    if points > MOST_POINTS:
        raise InputError(
            f"{points:.0f} points for each series, Prometheus gives {MOST_POINTS:,} at most",
            mend="ask for a shorter time or a longer step",
        )


def _number(value: float) -> str:
    return f"{value:.3f}"


def _series(answer: _Answer, url: str, query: str, kind: str) -> tuple[Series, ...]:
    from numpy import array, float64

    if answer.data.resultType != kind:
        raise InputError(
            f"the query gives a {answer.data.resultType or 'nothing'}, not a {kind}",
            where=query,
            mend="write a query that gives series of numbers, vector(...) around a number",
        )
    try:
        results = msgspec.json.decode(answer.data.result, type=list[_Result])
        if len(results) > MOST_SERIES:
            raise InputError(f"{len(results)} series", where=query, mend="sum by fewer labels")
        if any(one.histograms is not None or one.histogram is not None for one in results):
            raise InputError("the query gives histograms", where=query, mend="write histogram_quantile(0.95, ...)")
        found = []
        for one in results:
            points = one.values if one.values is not None else [one.value] if one.value is not None else []
            times = array([point[0] for point in points], dtype=float64)
            values = array([float(point[1]) for point in points], dtype=float64)
            if (times[1:] <= times[:-1]).any():
                raise InputError("the times of the answer do not ascend", where=url, mend="check what answers there")
            found.append(Series(name=one.metric.get("__name__", ""), labels=one.metric, times=times, values=values))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InputError("this is no answer of Prometheus", where=url, mend="check what answers there") from error
    return tuple(sorted(found, key=lambda series: sorted(series.labels.items())))


def _ask(url: str, path: str, asked: dict[str, str], timeout: float) -> _Answer:
    # Thanos and others answer with what they could reach, unless told that a part is no answer.
    form = urlencode({**asked, "timeout": f"{timeout:g}s", "partial_response": "false"})
    content = _post(url, path, form, timeout)
    try:
        answer = msgspec.json.decode(content, type=_Answer)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputError(
            "this is no answer of Prometheus", where=url, mend=f"name the address that serves /api/v1/{path}"
        ) from error
    if answer.status != "success":
        raise InputError(f"Prometheus refuses the query: {answer.error}", where=asked["query"], mend="correct it")
    return answer


def _post(url: str, path: str, form: str, timeout: float) -> bytes:
    connection, folder = _connect(url, timeout)
    return _answered(connection, url, ("POST", f"{folder}/api/v1/{path}", form), time.monotonic() + timeout)


def _answered(
    connection: http.client.HTTPConnection, url: str, asked: tuple[str, str, str | None], deadline: float
) -> bytes:
    headers = {"Accept": "application/json"}
    if asked[2] is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(*asked, headers)
        answer = connection.getresponse()
        content = _read(answer, url, deadline)
    except TimeoutError as error:
        raise InputError("no answer in time", where=url, mend="write a cheaper query, or allow more time") from error
    except (OSError, http.client.HTTPException) as error:
        raise InputError(
            f"Prometheus does not answer ({error or type(error).__name__})", where=url, mend="check the address"
        ) from error
    finally:
        connection.close()
    if answer.status not in (200, 400, 422, 503):  # the last three come with the reason
        raise InputError(f"the server answers {answer.status} {answer.reason}", where=url, mend="check the address")
    return content


def _connect(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        if parts.scheme in ("http", "https") and parts.hostname:
            return kind(parts.hostname, parts.port, timeout=timeout), parts.path.rstrip("/")
    except ValueError as error:  # a port that is none, an address that is no address
        raise InputError("not an address of a server", where=url, mend="write http://HOST:9090") from error
    raise InputError("not an address of a server", where=url, mend="write http://HOST:9090")


def _read(answer: http.client.HTTPResponse, url: str, deadline: float) -> bytes:
    """The body, within the time in all: a server that sends a byte now and then would keep us for ever."""
    blocks: list[bytes] = []
    size = 0
    while block := answer.read1(1 << 16):
        blocks.append(block)
        size += len(block)
        if size > LARGEST_BYTES:
            raise InputError(f"larger than {LARGEST_BYTES >> 20} MB", where=url, mend="sum by fewer labels")
        if time.monotonic() > deadline:
            raise InputError("no whole answer in time", where=url, mend="write a cheaper query")
    return b"".join(blocks)
