"""The strongest paths backwards from what changed: which symbols can feel it, and how likely each is.

Dijkstra's search, many nodes at a time: those whose costs are within `STRIDE` of the lowest are settled together, and
again where one of them made another cheaper. (Meyer and Sanders, Delta-stepping: a parallelizable shortest path
algorithm, Journal of Algorithms 49, 2003.) Costs are integers, so that sums are exact and equal paths are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tidegate.reach.costs import BRANCHES, WIDTHS, cost_table
from tidegate.reach.graph import SymbolGraph

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNIT = 10_000
"""Costs are counted in parts of this: the fitted ones have three decimals."""

STRIDE = 100
"""Wider, and hubs are settled more often; narrower, and there are more rounds."""

WIDE_STRIDE = 1600
"""The same where all of that leads to few edges: a round that does little costs as much as settling them twice."""

_FEW_EDGES = 1 << 12

_CHUNK = 1 << 16
_MOST = 1 << 29
_NEVER = 1 << 30
_EDGE_BITS = 32

Ends: TypeAlias = "Callable[[NDArray[np.int64]], NDArray[np.bool_]]"
"""Which of these nodes end a path."""


class Extra(NamedTuple):
    """An edge that the kept graph does not have: `source` uses the node that it is filed under."""

    source: int
    rule: int
    branch: int
    width: int
    line: int


class Found(NamedTuple):
    """The cost of the strongest path of each node (infinite: none), the next node on it, and the edge taken.

    `edge` is the number of the edge in the graph, or -2 - n for the extra edge n, -1 where the path ends.
    """

    cost: NDArray[np.float32]
    toward: NDArray[np.int32]
    edge: NDArray[np.int32]


def search(
    graph: SymbolGraph,
    starts: Mapping[int, float],
    limit: float,
    extra: Sequence[tuple[int, Extra]] = (),
    count: int = 0,
    taken: Sequence[bool] | None = None,
    is_end: Ends | None = None,
) -> Found:
    """The strongest path from every node to a start, up to the cost `limit`; starts come with what they cost.

    `extra` are edges by their target, `count` is the number of nodes with those that only extra edges name. `taken`
    says by rule which edges are walked; all of them by default. Nothing is walked from what `is_end` says, unless it is
    a start. Of equal paths the one by the lower edge is taken, the graph's own before the extra ones. Costs are
    rounded to 1 / UNIT.
    """
    import numpy as np

    nodes = max(count, len(graph))
    known = _Edges(graph.first, graph.sources, graph.steps, 1)
    more = [_extra_edges(extra, nodes, len(graph.sources) + 1)] if extra else []
    within = min(int(limit * UNIT), _MOST)
    # A node's cost and, in the lower half, the edge that gave it: one comparison for both.
    best = np.full(nodes, (within + 1) << _EDGE_BITS, np.int64)
    for node, at in starts.items():
        best[node] = round(at * UNIT) << _EDGE_BITS
    _settle(best, sorted(starts), [known, *more], _costs(taken), is_end)
    reached = best >> _EDGE_BITS <= within
    reached[sorted(starts)] = True
    return _found(best, reached, graph, extra)


# Private


class _Edges(NamedTuple):
    """Edges in the order of their targets; `number` is that of the first one, counted from 1."""

    first: NDArray[np.int32]
    sources: NDArray[np.int32]
    steps: NDArray[np.uint16]
    number: int


def _extra_edges(extra: Sequence[tuple[int, Extra]], nodes: int, number: int) -> _Edges:
    """The extra edges; those of one target stand in the order in which they were given."""
    import numpy as np

    targets = np.array([target for target, _ in extra], np.int32)
    order = np.argsort(targets, kind="stable")
    first = np.zeros(nodes + 1, np.int32)
    np.cumsum(np.bincount(targets, minlength=nodes), out=first[1:])
    sources = np.array([one.source for _, one in extra], np.int32)[order]
    steps = np.array([(one.rule * BRANCHES + one.branch) * WIDTHS + one.width for _, one in extra], np.uint16)[order]
    return _Edges(first, sources, steps, number)


def _costs(taken: Sequence[bool] | None) -> NDArray[np.int64]:
    """The cost of every kind of edge, in the upper half."""
    import numpy as np

    costs: NDArray[np.int64] = np.rint(np.array(cost_table()) * UNIT).astype(np.int64)
    if taken is not None:
        costs[np.repeat(~np.array(taken, bool), BRANCHES * WIDTHS)] = _NEVER
    return np.left_shift(costs, _EDGE_BITS)


def _settle(
    best: NDArray[np.int64],
    starts: Sequence[int],
    edges: Sequence[_Edges],
    costs: NDArray[np.int64],
    is_end: Ends | None,
) -> None:
    import numpy as np

    waiting = np.zeros(len(best), bool)
    waiting[starts] = True
    begun = np.zeros(len(best), bool)
    begun[starts] = True
    while True:
        nodes = np.flatnonzero(waiting)
        if not nodes.size:
            return
        offers = (best[nodes] >> _EDGE_BITS) << _EDGE_BITS
        near = _near(nodes, offers, edges[0].first)
        nodes, offers = nodes[near], offers[near]
        waiting[nodes] = False
        if is_end is not None:
            going = begun[nodes] | ~is_end(nodes)
            nodes, offers = nodes[going], offers[going]
        for some in edges:
            _relax(best, waiting, some, (nodes, offers), costs)


def _near(nodes: NDArray[np.int64], offers: NDArray[np.int64], first: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which of the waiting nodes are settled together."""
    lowest = offers.min()
    wide: NDArray[np.bool_] = offers < lowest + (WIDE_STRIDE << _EDGE_BITS)
    inside = nodes[wide & (nodes < len(first) - 1)]
    if int((first[inside + 1] - first[inside]).sum()) <= _FEW_EDGES:
        return wide
    narrow: NDArray[np.bool_] = offers < lowest + (STRIDE << _EDGE_BITS)
    return narrow


def _relax(
    best: NDArray[np.int64],
    waiting: NDArray[np.bool_],
    edges: _Edges,
    settled: tuple[NDArray[np.int64], NDArray[np.int64]],
    costs: NDArray[np.int64],
) -> None:
    """Offers the cost of the settled nodes along all edges into them, some at a time: what fits the cache is faster."""
    import numpy as np

    nodes, offers = settled
    if len(edges.first) <= len(best):
        inside = nodes < len(edges.first) - 1
        nodes, offers = nodes[inside], offers[inside]
    begin = edges.first[nodes]
    counts = edges.first[nodes + 1] - begin
    ends = np.cumsum(counts, dtype=np.int64)
    if not ends.size or not ends[-1]:
        return
    at, done = 0, 0
    while at < len(nodes):
        to = max(int(np.searchsorted(ends, done + _CHUNK, "right")), at + 1)
        own, size = counts[at:to], int(ends[to - 1]) - done
        numbers = np.repeat((begin[at:to] - (ends[at:to] - own - done)).astype(np.int32), own)
        numbers += np.arange(size, dtype=np.int32)
        keys = costs[edges.steps[numbers]]
        keys += np.repeat(offers[at:to], own)
        keys += numbers
        keys += edges.number
        sources = edges.sources[numbers]
        better = np.flatnonzero(keys < best[sources])
        if better.size:
            sources, keys = sources[better], keys[better]
            before = best[sources] >> _EDGE_BITS
            np.minimum.at(best, sources, keys)
            waiting[sources[best[sources] >> _EDGE_BITS < before]] = True
        at, done = to, int(ends[to - 1])


def _found(
    best: NDArray[np.int64], reached: NDArray[np.bool_], graph: SymbolGraph, extra: Sequence[tuple[int, Extra]]
) -> Found:
    import numpy as np

    cost = np.where(reached, ((best >> _EDGE_BITS) / UNIT).astype(np.float32), np.float32(np.inf))
    edge = np.where(reached, (best & ((1 << _EDGE_BITS) - 1)) - 1, -1).astype(np.int32)
    toward = np.full(len(best), -1, np.int32)
    own = np.flatnonzero((edge >= 0) & (edge < len(graph.sources)))
    targets = np.repeat(np.arange(len(graph), dtype=np.int32), np.diff(graph.first))
    toward[own] = targets[edge[own]]
    if extra:
        given = np.argsort(np.array([target for target, _ in extra], np.int32), kind="stable")
        for node in np.flatnonzero(edge >= len(graph.sources)).tolist():
            number = int(given[edge[node] - len(graph.sources)])
            edge[node], toward[node] = -2 - number, extra[number][0]
    return Found(cost, toward, edge)
