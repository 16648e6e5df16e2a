"""Which entries (tests, routes) can execute which symbols: rapid type analysis for all entries at once.

An entry reaches a virtual edge's target only where an instance of the target's class, or of one that inherits from it,
can exist in that entry's run. Sets of entries are integers used as bit sets, and nodes are visited in reverse
post-order, so that most are visited once. (Bacon and Sweeney, Fast static analysis of C++ virtual function calls,
OOPSLA 1996.)
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from msgspec import Struct

from tidegate.reach.linking.assemble import Graph
from tidegate.reach.rules import RULES


class _Out(Struct, gc=False):
    """A node's edges by what taking them needs and does."""

    plain: list[int]
    making: list[int]
    virtual: list[tuple[int, int]]


def reach_of_entries(  # noqa: C901 the innermost loop of an answer: a call for each step costs more than the step
    graph: Graph, entries: Sequence[Sequence[int]]
) -> list[int]:
    """For each node the set of entries that can execute it; bit n is the entry n, which starts at all its nodes."""
    out = _outgoing(graph)
    order = _reverse_postorder(out, [node for nodes in entries for node in nodes])
    reach = [0] * len(graph.nodes)
    pending = [0] * len(graph.nodes)
    live = [0] * len(graph.nodes)
    waiting: dict[int, list[tuple[int, int]]] = {}
    for source, edges in enumerate(out):
        if edges is not None:
            for target, owner in edges.virtual:
                waiting.setdefault(owner, []).append((source, target))
    heap: list[tuple[int, int]] = []

    def give(node: int, bits: int) -> None:
        new = bits & ~reach[node]
        if new:
            reach[node] |= new
            if not pending[node]:
                heapq.heappush(heap, (order[node], node))
            pending[node] |= new

    fresh: dict[int, int] = {}
    for number, nodes in enumerate(entries):
        for node in nodes:
            give(node, 1 << number)
            # What is entered at a method has an instance of its class.
            for above in graph.above.get(graph.owner[node], ()):
                live[above] |= 1 << number
                fresh[above] = fresh.get(above, 0) | 1 << number
    while heap or fresh:
        if not heap:
            # Classes that became live are told to the virtual edges that wait for them all at once: once per round.
            for cls, new in fresh.items():
                for source, inner in waiting.get(cls, ()):
                    able = reach[source] & new
                    if able & ~reach[inner]:
                        give(inner, able)
            fresh = {}
            continue
        node = heapq.heappop(heap)[1]
        bits, pending[node] = pending[node], 0
        edges = out[node]
        if edges is None:
            continue
        for target in edges.plain:
            if bits & ~reach[target]:
                give(target, bits)
        for target, owner in edges.virtual:
            able = bits & live[owner]
            if able & ~reach[target]:
                give(target, able)
        for target in edges.making:
            if bits & ~reach[target]:
                give(target, bits)
            for above in graph.above.get(target, ()):
                new = bits & ~live[above]
                if new:
                    live[above] |= new
                    fresh[above] = fresh.get(above, 0) | new
    return reach


def _outgoing(graph: Graph) -> list[_Out | None]:
    runs = [rule.runs for rule in RULES]
    virtual = [rule.virtual for rule in RULES]
    makes = [rule.makes for rule in RULES]
    out: list[_Out | None] = [None] * len(graph.nodes)
    owner = graph.owner
    for source, target, rule in zip(graph.sources, graph.targets, graph.rules, strict=True):
        if not runs[rule]:
            continue
        edges = out[source]
        if edges is None:
            edges = out[source] = _Out([], [], [])
        if virtual[rule] and owner[target] >= 0:
            edges.virtual.append((target, owner[target]))
        elif makes[rule]:
            edges.making.append(target)
        else:
            edges.plain.append(target)
    return out


def _reverse_postorder(out: Sequence[_Out | None], starts: Sequence[int]) -> list[int]:
    """A number for each node, so that a node mostly comes before what it leads to."""
    order = [len(out)] * len(out)
    seen = bytearray(len(out))
    after: list[int] = []
    for start in starts:
        if seen[start]:
            continue
        seen[start] = 1
        stack = [(start, iter(_targets(out[start])))]
        while stack:
            node, targets = stack[-1]
            for target in targets:
                if not seen[target]:
                    seen[target] = 1
                    stack.append((target, iter(_targets(out[target]))))
                    break
            else:
                after.append(node)
                stack.pop()
    for number, node in enumerate(reversed(after)):
        order[node] = number
    return order


def _targets(edges: _Out | None) -> list[int]:
    return [] if edges is None else [*edges.making, *edges.plain, *[target for target, _ in edges.virtual]]
