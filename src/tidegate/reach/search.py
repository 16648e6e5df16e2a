"""The strongest paths backwards from what changed: which symbols can feel it, and how likely each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tidegate.reach.costs import BRANCHES, WIDTHS, cost_table
from tidegate.reach.graph import SymbolGraph

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
) -> Found:
    """The strongest path from every node to a start, up to the cost `limit`; starts come with what they cost.

    `extra` are edges by their target, `count` is the number of nodes with those that only extra edges name. `taken`
    says by rule which edges are walked; all of them by default. Of equal paths the one by the lower edge is taken.
    """
    import numpy as np

    nodes = max(count, len(graph))
    cost = np.full(nodes, np.inf, np.float32)
    toward = np.full(nodes, -1, np.int32)
    edge = np.full(nodes, -1, np.int32)
    table = np.array(cost_table(), np.float32)
    if taken is not None:
        blocked = np.repeat(~np.array(taken, bool), BRANCHES * WIDTHS)
        table = np.where(blocked, np.float32(np.inf), table)
    filed: dict[int, list[tuple[int, Extra]]] = {}
    for number, (target, one) in enumerate(extra):
        filed.setdefault(target, []).append((number, one))
    for node, at in starts.items():
        cost[node] = at
    frontier = np.array(sorted(starts), np.int32)
    while frontier.size:
        sources, edges, offers, goals = _edges_into(graph, frontier, cost, table)
        if filed:
            sources, edges, offers, goals = _with_extra(
                (sources, edges, offers, goals), [n for n in frontier.tolist() if n in filed], filed, cost, table
            )
        better = (offers < cost[sources]) & (offers <= limit)
        sources, edges, offers, goals = sources[better], edges[better], offers[better], goals[better]
        if not sources.size:
            break
        best = np.lexsort((edges, offers, sources))
        sources, edges, offers, goals = sources[best], edges[best], offers[best], goals[best]
        first = np.ones(len(sources), bool)
        first[1:] = sources[1:] != sources[:-1]
        frontier = sources[first]
        cost[frontier], toward[frontier], edge[frontier] = offers[first], goals[first], edges[first]
    return Found(cost, toward, edge)


def _edges_into(
    graph: SymbolGraph, frontier: NDArray[np.int32], cost: NDArray[np.float32], table: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]:
    """Every edge that ends in the frontier: where it comes from, its number, what the path would cost, where it goes."""
    import numpy as np

    known = frontier[frontier < len(graph)]
    begin = graph.first[known]
    counts = graph.first[known + 1] - begin
    total = int(counts.sum())
    edges = np.repeat(begin - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(total)
    edges = edges.astype(np.int32)
    goals = np.repeat(known, counts)
    steps = (graph.rules[edges].astype(np.int32) * BRANCHES + graph.branches[edges]) * WIDTHS + graph.widths[edges]
    return graph.sources[edges], edges, cost[goals] + table[steps], goals


_Edges = tuple["NDArray[np.int32]", "NDArray[np.int32]", "NDArray[np.float32]", "NDArray[np.int32]"]


def _with_extra(
    known: _Edges,
    frontier: Sequence[int],
    filed: Mapping[int, Sequence[tuple[int, Extra]]],
    cost: NDArray[np.float32],
    table: NDArray[np.float32],
) -> _Edges:
    import numpy as np

    found = [(one, number, node) for node in frontier for number, one in filed[node]]
    if not found:
        return known
    steps = [(one.rule * BRANCHES + one.branch) * WIDTHS + one.width for one, _, _ in found]
    offers = np.array([cost[node] for _, _, node in found], np.float32) + table[steps]
    return (
        np.concatenate((known[0], np.array([one.source for one, _, _ in found], np.int32))),
        np.concatenate((known[1], np.array([-2 - number for _, number, _ in found], np.int32))),
        np.concatenate((known[2], offers)),
        np.concatenate((known[3], np.array([node for _, _, node in found], np.int32))),
    )
