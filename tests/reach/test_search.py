"""The search for the strongest paths, beside the plainest one: Dijkstra's, with a heap, a node at a time."""

from __future__ import annotations

import heapq
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidegate.reach.costs import BRANCHES, WIDTHS, cost_table, width_of
from tidegate.reach.graph import SymbolGraph, freeze, pack_graph, unpack_graph
from tidegate.reach.linking.assemble import Graph
from tidegate.reach.rules import NUMBER, RULES
from tidegate.reach.search import UNIT, Extra, Found, search

Edge = tuple[int, int, int, int, int]
"""Source, target, rule, branch, alternatives."""

NODES = 9
_edges = st.tuples(
    st.integers(0, NODES - 1),
    st.integers(0, NODES - 1),
    st.integers(0, len(RULES) - 1),
    st.integers(0, BRANCHES - 1),
    st.sampled_from([1, 2, 5, 30]),
)
_more = st.tuples(
    st.integers(0, NODES + 2),
    st.integers(0, NODES + 2),
    st.integers(0, len(RULES) - 1),
    st.integers(0, BRANCHES - 1),
    st.sampled_from([1, 2, 5, 30]),
)


def graph_of(edges: list[Edge], nodes: int = NODES) -> SymbolGraph:
    columns = [list(column) for column in zip(*edges, strict=True)] or [[]] * 5
    sources, targets, rules, branches, widths = columns
    made = Graph(
        [f"a.py:f{n}" for n in range(nodes)],
        ["function"] * nodes,
        [1] * nodes,
        [-1] * nodes,
        sources,
        targets,
        rules,
        list(range(100, 100 + len(edges))),
        widths,
        branches,
        {},
        frozenset(),
        {},
    )
    return freeze(made, [0] * nodes, [])


def extra_of(edges: list[Edge]) -> list[tuple[int, Extra]]:
    return [(t, Extra(s, rule, branch, width_of(width), 7)) for s, t, rule, branch, width in edges]


def plainly(
    edges: list[Edge], starts: dict[int, float], limit: float, nodes: int, taken: list[bool] | None
) -> list[int | None]:
    """The cost of every node in parts of UNIT, None beyond the limit."""
    into: dict[int, list[tuple[int, int]]] = {}
    for source, target, rule, branch, width in edges:
        if taken is None or taken[rule]:
            place = (rule * BRANCHES + branch) * WIDTHS + width_of(width)
            into.setdefault(target, []).append((source, round(cost_table()[place] * UNIT)))
    cost: list[int | None] = [None] * nodes
    heap = [(round(at * UNIT), node) for node, at in starts.items()]
    heapq.heapify(heap)
    while heap:
        at, node = heapq.heappop(heap)
        known = cost[node]
        if known is not None:
            continue
        cost[node] = at
        for source, more in into.get(node, ()):
            if at + more <= int(limit * UNIT):
                heapq.heappush(heap, (at + more, source))
    return cost


def costs(found: Found) -> list[int | None]:
    return [round(float(c) * UNIT) if np.isfinite(c) else None for c in found.cost]


@given(
    st.lists(_edges, max_size=40),
    st.lists(_more, max_size=12),
    st.dictionaries(st.integers(0, NODES - 1), st.floats(0, 3), min_size=1, max_size=3),
    st.floats(0.5, 12),
    st.one_of(st.none(), st.lists(st.booleans(), min_size=len(RULES), max_size=len(RULES))),
)
@example([], [], {0: 0.0}, 5.0, None)
@example([(1, 1, 0, 0, 1)], [(1, 1, 0, 0, 1), (NODES + 2, 1, 0, 0, 1)], {1: 9.0}, 1.0, None)
def test_it_finds_what_the_plainest_search_finds(
    edges: list[Edge], more: list[Edge], starts: dict[int, float], limit: float, taken: list[bool] | None
) -> None:
    graph, extra, count = graph_of(edges), extra_of(more), NODES + 3
    found = search(graph, starts, limit, extra, count, taken)
    assert costs(found) == plainly([*edges, *more], starts, limit, count, taken)
    ordered = sorted(edges, key=lambda edge: edge[1])
    for node in range(count):
        edge, after = int(found.edge[node]), int(found.toward[node])
        if edge == -1:
            assert after == -1
            assert node in starts or not np.isfinite(found.cost[node])
            continue
        source, target, rule, branch, width = ordered[edge] if edge >= 0 else more[-2 - edge]
        assert (source, target) == (node, after)
        assert taken is None or taken[rule]
        step = round(cost_table()[(rule * BRANCHES + branch) * WIDTHS + width_of(width)] * UNIT)
        assert costs(found)[node] == (costs(found)[after] or 0) + step
    again = search(graph, dict(reversed(list(starts.items()))), limit, extra, count, taken)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


@given(st.lists(_edges, max_size=25), st.lists(_edges, max_size=10))
def test_extra_edges_are_like_those_of_the_graph(edges: list[Edge], more: list[Edge]) -> None:
    apart = search(graph_of(edges), {0: 0.5}, 9.0, extra_of(more), NODES)
    together = search(graph_of([*edges, *more]), {0: 0.5}, 9.0)
    assert costs(apart) == costs(together)


def test_of_equal_paths_the_lower_edge_is_taken() -> None:
    call = NUMBER["call"]
    edges = [(1, 0, call, 0, 1), (2, 0, call, 0, 1), (3, 2, call, 0, 1), (3, 1, call, 0, 1), (3, 1, call, 0, 1)]
    found = search(graph_of(edges), {0: 0.0}, 9.0, extra_of([(3, 1, call, 0, 1)]), NODES)
    assert (int(found.toward[3]), int(found.edge[3])) == (1, 2)
    found = search(graph_of(edges[:2]), {0: 0.0}, 9.0, extra_of([(3, 2, call, 0, 1), (3, 1, call, 0, 1)]), NODES)
    assert (int(found.toward[3]), int(found.edge[3])) == (1, -3), "extra edges stand in the order of their targets"


def test_a_hub_of_many_users_and_a_long_chain() -> None:
    call = NUMBER["call"]
    nodes = 70_000
    hub = [(n, 0, call, 0, 1) for n in range(1, nodes)]
    found = search(graph_of(hub, nodes), {0: 0.0}, 9.0)
    assert len(set(costs(found))) == 2
    cheap = NUMBER["method"]
    chain = [(n + 1, n, cheap, 0, 1) for n in range(300)]
    found = search(graph_of(chain, 301), {0: 0.0}, 0.5)
    reached = [c for c in costs(found) if c is not None]
    step = round(cost_table()[cheap * BRANCHES * WIDTHS] * UNIT)
    assert len(reached) == 1 + int(0.5 * UNIT) // step
    assert all(after - before == step for before, after in pairwise(reached))


def test_a_graph_is_kept_whole_or_not_at_all() -> None:
    graph = graph_of([(0, 1, 2, 3, 5), (4, 1, 0, 0, 1), (1, 0, 5, 1, 30)])
    data = pack_graph(graph)
    again = unpack_graph(data)
    assert again is not None
    assert pack_graph(again) == data
    assert again.rules.tolist() == [5, 2, 0]
    assert costs(search(again, {1: 0.0}, 9.0)) == costs(search(graph, {1: 0.0}, 9.0))
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        assert unpack_graph(data[:cut]) is None
    assert unpack_graph(b"\xc1" + data[1:]) is None


@pytest.mark.parametrize("field", ["sources", "steps", "at", "kinds", "lines", "owners", "first", "set_of"])
def test_arrays_that_do_not_fit_together_are_no_graph(field: str) -> None:
    import msgspec

    graph = graph_of([(0, 1, 2, 3, 5), (4, 1, 0, 0, 1)])
    broken = msgspec.structs.replace(graph.arrays, **{field: getattr(graph.arrays, field) + bytes(4)})
    assert unpack_graph(msgspec.msgpack.encode(broken)) is None
