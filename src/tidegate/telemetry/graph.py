"""What spans say together: which service calls which, and how often, how long and how well each operation runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.telemetry.otlp import Span

EdgeKind: TypeAlias = Literal["call", "message", "peer"]


class Edge(Struct, frozen=True, kw_only=True, order=True):
    """`caller` depends on `callee`; `calls` spans show it, of which `failed` did. Times are Unix seconds.

    call: a span of the callee has one of the caller's as its parent. message: by way of a queue. peer: the callee is
    known only by the name that the caller uses for it.
    """

    environment: str
    caller: str
    callee: str
    kind: EdgeKind
    calls: int
    failed: int
    first: float
    last: float


class OperationStatistics(Struct, frozen=True, kw_only=True, order=True):
    """One operation of one service as its spans show it. `p50`, `p95` and `p99` in seconds, the nearest rank."""

    environment: str
    service: str
    operation: str
    kind: str
    count: int
    failed: int
    seconds: float
    p50: float
    p95: float
    p99: float
    first: float
    last: float


def edges_of(spans: Iterable[Span], *, every_peer: bool = False) -> tuple[Edge, ...]:
    """The graph of services that these spans show. A span that stands twice counts once.

    A peer that answered with a span of its own is known by its service, and is no peer too unless `every_peer`: whoever
    sees spans in parts asks for these, so that the parts show the same in whatever order they come.
    """
    known = {(span.trace, span.span): span for span in spans}
    shown: dict[tuple[str, str, str, EdgeKind], list[Span]] = {}
    answered: set[tuple[str, str]] = set()
    for span in known.values():
        parent = known.get((span.trace, span.parent)) if span.parent else None
        if parent is not None and parent.service != span.service:
            answered.add((parent.trace, parent.span))
            kind: EdgeKind = (
                "message" if "consumer" in (span.kind, parent.kind) or parent.kind == "producer" else "call"
            )
            shown.setdefault((span.environment, parent.service, span.service, kind), []).append(span)
    for key, span in known.items():
        if span.peer and span.peer != span.service and (every_peer or key not in answered):
            shown.setdefault((span.environment, span.service, span.peer, "peer"), []).append(span)
    return tuple(
        Edge(
            environment=environment,
            caller=caller,
            callee=callee,
            kind=kind,
            calls=len(found),
            failed=sum(span.failed for span in found),
            first=min(span.started for span in found),
            last=max(span.started for span in found),
        )
        for (environment, caller, callee, kind), found in sorted(shown.items())
    )


def statistics_of(spans: Iterable[Span]) -> tuple[OperationStatistics, ...]:
    """Of each operation. A span that stands twice counts once."""
    known = {(span.trace, span.span): span for span in spans}
    by: dict[tuple[str, str, str, str], list[Span]] = {}
    for span in known.values():
        by.setdefault((span.environment, span.service, span.operation, span.kind), []).append(span)
    return tuple(_statistics(key, found) for key, found in sorted(by.items()))


# Private


def _statistics(key: tuple[str, str, str, str], spans: Sequence[Span]) -> OperationStatistics:
    took = sorted(span.seconds for span in spans)
    environment, service, operation, kind = key
    return OperationStatistics(
        environment=environment,
        service=service,
        operation=operation,
        kind=kind,
        count=len(spans),
        failed=sum(span.failed for span in spans),
        seconds=sum(took),
        p50=_rank(took, 50),
        p95=_rank(took, 95),
        p99=_rank(took, 99),
        first=min(span.started for span in spans),
        last=max(span.started for span in spans),
    )


def _rank(ordered: Sequence[float], percent: int) -> float:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
