"""How often routes and services are called, as somebody measured it: Prometheus, an OTLP/JSON file, or a small CSV.

What nobody measured is unknown, never zero.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.reach.otlp import read_otlp
from tidegate.reach.routes import match_score, shape_of

if TYPE_CHECKING:
    from tidegate.reach.prometheus import Sample

LARGEST_BYTES = 64 << 20
TIMEOUT_SECONDS = 10.0


class Rate(Struct, frozen=True):
    """Requests per second of a service ("" unknown), a method and a route ("" for all of them)."""

    service: str
    method: str
    route: str
    per_second: float


class Traffic(Struct, frozen=True):
    """What was measured, from where. `calls` are pairs of services that were seen: client and server."""

    source: str = ""
    rates: tuple[Rate, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()

    def of_service(self, name: str) -> float | None:
        """Requests per second of a service, None where nobody measured."""
        own = [rate.per_second for rate in self.rates if _plain(rate.service) == _plain(name)]
        return sum(own) if own else None

    def of_routes(self, routes: Sequence[tuple[str, str]]) -> list[float | None]:
        """Requests per second of each of all routes (method, path template), None where nobody measured.

        A measured path goes to the one route that takes it best, with its own method or without any. Services are not
        told apart: two of them with one route get one sum.
        """
        shapes = [(method.upper(), shape_of(path)) for method, path in routes]
        totals: dict[int, float] = defaultdict(float)
        for rate in self.rates:
            place = _best(rate, shapes) if rate.route else None
            for index, shape in enumerate(shapes) if place is not None else ():
                if shape == shapes[place or 0]:
                    totals[index] += rate.per_second
        return [totals.get(index) for index in range(len(shapes))]


def read_traffic(source: str, query: str = "", timeout: float = TIMEOUT_SECONDS) -> Traffic:
    """The traffic that `source` knows: the http(s) address of a Prometheus server, or a .json, .jsonl or .csv file.

    Without `query` the usual counters are asked for: http_requests_total, the HTTP server metrics of OpenTelemetry,
    Istio and ingress-nginx, over five minutes, and the service graph of Tempo and the OpenTelemetry collector. A query
    of one's own gives requests per second. A CSV has a header with some of service, method, route, and per_second.
    Raises InputError for what cannot be reached or read.
    """
    if source.startswith(("http://", "https://")):
        return _from_prometheus(source, query, timeout)
    content = _read_file(Path(source))
    if source.endswith(".csv"):
        return Traffic(source, _from_csv(content, source))
    measured = read_otlp(content, source)
    rates = tuple(Rate(*key, value) for key, value in sorted(measured.rates.items()))
    return Traffic(source, rates, tuple(sorted(measured.calls)))


# Private

_METRICS = (
    "http_requests_total",
    "http_server_requests_seconds_count",
    "http_server_request_duration_seconds_count",
    "http_server_duration_milliseconds_count",
    "http_request_duration_seconds_count",
    'istio_requests_total{reporter!="source"}',
    "nginx_ingress_controller_requests",
)
_GRAPH = "traces_service_graph_request_total"
_SERVICE = (
    "service_name",
    "destination_service_name",
    "destination_workload",
    "exported_service",
    "service",
    "app",
    "job",
)
_METHOD = ("http_request_method", "http_method", "request_method", "method", "verb")
_ROUTE = ("http_route", "route", "handler", "endpoint", "uri", "http_target", "path", "url_path", "url")


def _from_prometheus(url: str, query: str, timeout: float) -> Traffic:
    from tidegate.reach.prometheus import ask  # its HTTP client takes 20 ms to load

    if query:
        samples = list(ask(url, query, timeout))
        return Traffic(url, _rates(samples), _calls(samples))
    labels = ", ".join((*_SERVICE, *_METHOD, *_ROUTE))
    rates: list[Rate] = []
    for metric in _METRICS:
        # An application counts its requests in one of these; the first that says something of a service is taken.
        found = _rates(ask(url, f"sum by ({labels}) (rate({metric}[5m]))", timeout))
        known = {rate.service for rate in rates}
        rates += [rate for rate in found if rate.service not in known]
    graph = ask(url, f"sum by (client, server) (rate({_GRAPH}[5m]))", timeout)
    return Traffic(url, tuple(rates), _calls(graph))


def _rates(samples: Iterable[Sample]) -> tuple[Rate, ...]:
    totals: dict[tuple[str, str, str], float] = defaultdict(float)
    for sample in samples:
        service = _label(sample, _SERVICE).rpartition("/")[2]
        totals[service, _label(sample, _METHOD).upper(), _label(sample, _ROUTE)] += sample.value
    return tuple(Rate(*key, value) for key, value in sorted(totals.items()) if any(key))


def _label(sample: Sample, names: Sequence[str]) -> str:
    """The first of these labels that says something."""
    return next((value for name in names if (value := sample.labels.get(name, ""))), "")


def _calls(samples: Iterable[Sample]) -> tuple[tuple[str, str], ...]:
    pairs = {(sample.labels.get("client", ""), sample.labels.get("server", "")) for sample in samples}
    return tuple(sorted((client, server) for client, server in pairs if client and server))


def _from_csv(content: bytes, origin: str) -> tuple[Rate, ...]:
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"not a CSV file: {error}", where=origin, mend="save it as UTF-8 with commas") from error
    found = []
    for number, row in enumerate(rows, 2):
        try:
            value = float(row.get("per_second") or "")
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise InputError(
                "per_second is no number", where=f"{origin}:{number}", mend="write requests per second, such as 1.5"
            )
        method, route = (row.get("method") or "").upper(), row.get("route") or ""
        found.append(Rate(row.get("service") or "", method, route, value))
    return tuple(found)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path), mend="check the path") from error
    if len(content) > LARGEST_BYTES:
        raise InputError(f"larger than {LARGEST_BYTES >> 20} MB", where=str(path), mend="give a shorter time")
    return content


def _best(rate: Rate, shapes: Sequence[tuple[str, tuple[str, ...]]]) -> int | None:
    asked = shape_of(rate.route)
    best, place = 0, None
    for index, (method, shape) in enumerate(shapes):
        if rate.method and method and method not in (rate.method, "ANY", "*"):
            continue
        score = match_score(shape, asked)
        if score > best:
            best, place = score, index
    return place


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
