"""What spans show: services at work, their revisions, their routes, and whom they call."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.environment.statements import Exists, NotKnown, Runs, Serves, Statement, Told, Uses
from tidegate.operate.environment.values import Said, SourceRead
from tidegate.reach.routes import shape_of
from tidegate.report.layout import grouped
from tidegate.telemetry.graph import Edge, edges_of, statistics_of
from tidegate.telemetry.otlp import Span, Spans, read_spans

MOST_ROUTES = 200
"""A service with more names of operations than this puts ids into them: these are no routes."""


class Seen(Struct, frozen=True):
    """Spans, and where they come from. `edges` where the graph is known from more spans than these."""

    where: str
    spans: tuple[Span, ...]
    edges: tuple[Edge, ...] | None = None
    rejected: int = 0
    why: str = ""


def read_file(content: bytes, where: str) -> Seen:
    """OTLP as a collector writes it: protobuf, JSON, or a JSON document a line. InputError where it is none."""
    first = content.lstrip()[:1]
    if first not in (b"{", b"["):
        return _seen([read_spans(content, {"content-type": "application/x-protobuf"})], where)
    return _seen([read_spans(one, {"content-type": "application/json"}) for one in _documents(content, where)], where)


def statements_of(seen: Seen, environment: str) -> Iterator[Statement]:
    """Of the spans of this environment, and of those that name none; "" takes all."""
    mine = [span for span in seen.spans if not environment or span.environment in ("", environment)]
    others = sorted({span.environment for span in seen.spans} - {span.environment for span in mine})
    by_service: dict[str, list[Span]] = {}
    for span in mine:
        by_service.setdefault(span.service, []).append(span)
    for service, spans in sorted(by_service.items()):
        yield from _service(service, spans, seen.where)
    routes = list(_routes(mine, seen.where))
    yield from routes
    edges = edges_of(mine) if seen.edges is None else seen.edges
    calls = [one for one in edges if not environment or one.environment in ("", environment)]
    uses = list(_calls(calls, seen.where))
    yield from uses
    if seen.rejected:
        yield NotKnown(says=f"{seen.rejected} spans could not be read ({seen.why})")
    if others:
        yield NotKnown(says=f"spans of {', '.join(others)} were left out")
    named = sorted({span.environment for span in mine if span.environment})
    if not environment and len(named) > 1:
        yield NotKnown(says=f"the spans are of several environments ({', '.join(named)}), shown as one")
    served = len({(one.service, one.method, shape_of(one.path)) for one in routes if isinstance(one, Serves)})
    called = len({(one.service, one.target) for one in uses if isinstance(one, Uses)})
    words = f"{grouped(len(by_service), 'service')}, {grouped(served, 'route')}, {grouped(called, 'call')}"
    yield Told(read=SourceRead(source="spans", where=seen.where, says=words))


# Private

_HTTP = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT) (/\S*)")
_RPC = re.compile(r"/?((?:\w+\.)*[A-Z]\w*)/(\w+)")


def _documents(content: bytes, where: str) -> Iterator[bytes]:
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except RecursionError as error:
        raise InputError("this is no OTLP: it is nested too deep", where=where, mend="export it anew") from error
    except msgspec.DecodeError:
        lines = [line for line in content.split(b"\n") if line.strip()]
        if len(lines) < 2:
            raise InputError("this is no OTLP", where=where, mend="export OTLP as JSON or protobuf") from None
        yield from lines
    else:
        yield content


def _seen(read: Sequence[Spans], where: str) -> Seen:
    spans = tuple(span for one in read for span in one.spans)
    rejected = sum(one.rejected for one in read)
    why = next((one.why for one in read if one.why), "")
    if not spans:
        raise InputError("there is no span in it", where=where, mend="export traces, not metrics")
    return Seen(where, spans, None, rejected, why)


def _service(service: str, spans: Sequence[Span], where: str) -> Iterator[Statement]:
    first, last = min(span.started for span in spans), max(span.started for span in spans)
    yield Exists(service=service, kind="service", said=Said(source="spans", where=where, seen=first))
    yield Exists(service=service, kind="service", said=Said(source="spans", where=where, seen=last))
    latest: dict[str, float] = {}
    for span in spans:
        if span.revision:
            latest[span.revision] = max(span.started, latest.get(span.revision, 0.0))
    for revision, at in sorted(latest.items(), key=lambda item: (-item[1], item[0]))[:1]:
        yield Runs(service=service, revision=revision, said=Said(source="spans", where=where, seen=at))


def _routes(spans: Iterable[Span], where: str) -> Iterator[Serves | NotKnown]:
    by_service: dict[str, list[Serves]] = {}
    for one in statistics_of(span for span in spans if span.kind in ("server", "consumer")):
        named = _route(one.operation) if one.kind == "server" else None
        if named is not None:
            said = Said(source="spans", where=where, seen=one.last)
            method, path = named
            by_service.setdefault(one.service, []).append(
                Serves(service=one.service, method=method, path=path, said=said, calls=one.count, failed=one.failed)
            )
    for service, routes in sorted(by_service.items()):
        if len({(one.method, shape_of(one.path)) for one in routes}) > MOST_ROUTES:
            yield NotKnown(says=f"{service} has {len(routes)} names of operations: ids stand in them, so no routes")
            continue
        yield from routes


def _route(operation: str) -> tuple[str, str] | None:
    http = _HTTP.fullmatch(operation)
    if http:
        return http[1], http[2].partition("?")[0]
    rpc = _RPC.fullmatch(operation)
    return ("", f"/{rpc[1]}/{rpc[2]}") if rpc else None


def _calls(edges: Iterable[Edge], where: str) -> Iterator[Statement]:
    bare: set[str] = set()
    for edge in edges:
        if edge.kind == "peer" and _is_address(edge.callee):
            bare.add(edge.callee)
            continue
        said = Said(source="spans", where=where, seen=edge.last)
        yield Uses(
            service=edge.caller,
            target=edge.callee,
            said=said,
            peer=edge.kind == "peer",
            calls=edge.calls,
            failed=edge.failed,
            first=edge.first,
            last=edge.last,
        )
    if bare:
        yield NotKnown(
            says=f"{len(bare)} callees are known by an address only, and left out: {', '.join(sorted(bare)[:3])}"
        )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]").partition("%")[0] if text.count(":") > 1 else text.partition(":")[0])
    except ValueError:
        return text.partition(":")[0] in ("localhost", "host.docker.internal")
    return True
