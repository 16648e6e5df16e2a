"""Asks a Prometheus server one question at a time: prometheus.io/docs, "HTTP API", "Instant queries".

The answer comes from another machine: it has a time to arrive in and a size, and is no more than numbers and labels.
"""

from __future__ import annotations

import http.client
import math
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from tidegate.errors import InputError

LARGEST_BYTES = 32 << 20


class Sample(NamedTuple):
    """One series of an answer: its labels and its value."""

    labels: Mapping[str, str]
    value: float


def ask(url: str, query: str, timeout: float) -> tuple[Sample, ...]:
    """The series that an instant query gives; values that are no number are left out.

    `url` is where the server answers, `/api/v1/query` is added. Raises InputError when it cannot be reached, takes
    longer than `timeout` seconds, answers with more than 32 MB or refuses the query.
    """
    content = _get(url, query, timeout)
    try:
        answer = msgspec.json.decode(content, type=_Answer)
    except msgspec.MsgspecError as error:
        raise InputError(
            "this is no answer of Prometheus", where=url, mend="name the address that serves /api/v1/query"
        ) from error
    if answer.status != "success":
        raise InputError(f"Prometheus refuses the query: {answer.error}", where=query, mend="correct the query")
    if answer.data.resultType != "vector":
        raise InputError(
            f"the query gives a {answer.data.resultType}, not a vector", where=query, mend="write an instant query"
        )
    try:
        series = msgspec.convert(answer.data.result, tuple[_Series, ...])
        found = tuple(Sample(one.metric, float(one.value[1])) for one in series)
    except (msgspec.ValidationError, ValueError) as error:
        raise InputError("this is no answer of Prometheus", where=url, mend="check what answers there") from error
    return tuple(sample for sample in found if math.isfinite(sample.value))


# Private


class _Series(Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str]


class _Data(Struct, frozen=True):
    resultType: str = ""  # noqa: N815 (its name in the protocol)
    result: tuple[object, ...] = ()


class _Answer(Struct, frozen=True):
    status: str
    data: _Data = _Data()
    error: str = ""


def _get(url: str, query: str, timeout: float) -> bytes:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("not an address of a server", where=url, mend="write http://HOST:9090")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = f"{parts.path.rstrip('/')}/api/v1/query"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        connection = kind(parts.hostname, parts.port, timeout=timeout)
    except ValueError as error:  # a port that is none
        raise InputError("not an address of a server", where=url, mend="write http://HOST:9090") from error
    try:
        connection.request("POST", target, urlencode({"query": query, "timeout": f"{timeout:g}s"}), headers)
        answer = connection.getresponse()
        content = _read(answer, url, timeout)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(
            f"Prometheus does not answer ({error or type(error).__name__})", where=url, mend="check the address"
        ) from error
    finally:
        connection.close()
    if answer.status not in (200, 400, 422):  # the last two come with the reason
        raise InputError(f"the server answers {answer.status} {answer.reason}", where=url, mend="check the address")
    return content


def _read(answer: http.client.HTTPResponse, url: str, timeout: float) -> bytes:
    """The body, within the time in all: a server that sends a byte now and then would keep us for ever."""
    deadline = time.monotonic() + timeout
    blocks: list[bytes] = []
    size = 0
    while block := answer.read1(1 << 16):
        blocks.append(block)
        size += len(block)
        if size > LARGEST_BYTES:
            raise InputError(f"larger than {LARGEST_BYTES >> 20} MB", where=url, mend="sum by fewer labels")
        if time.monotonic() > deadline:
            raise InputError(f"no whole answer in {timeout:g} s", where=url, mend="write a cheaper query")
    return b"".join(blocks)
