"""Which entries (tests, routes) can execute which symbols: rapid type analysis for all entries at once.

An entry reaches a virtual edge's target only where an instance of the target's class, or of one that inherits from it,
can exist in that entry's run. Sets of entries are integers used as bit sets. (Bacon and Sweeney, OOPSLA 1996.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from tidegate.reach.linking.assemble import Graph
from tidegate.reach.rules import RULES


def reach_of_entries(graph: Graph, entries: Sequence[int]) -> tuple[list[int], Mapping[int, int]]:
    """For each node the bit set of entries that can execute it, and for each class those in whose run it can live."""
    runs = [rule.runs for rule in RULES]
    virtual = [rule.virtual for rule in RULES]
    makes = [rule.makes for rule in RULES]
    out: list[list[tuple[int, int]]] = [[] for _ in graph.nodes]
    waiting: dict[int, list[tuple[int, int]]] = {}
    for source, target, rule in zip(graph.sources, graph.targets, graph.rules, strict=True):
        if runs[rule]:
            out[source].append((target, rule))
            if virtual[rule] and graph.owner[target] >= 0:
                waiting.setdefault(graph.owner[target], []).append((source, target))
    reach = [0] * len(graph.nodes)
    live: dict[int, int] = {}
    pending = [0] * len(graph.nodes)
    queue: deque[int] = deque()

    def give(node: int, bits: int) -> None:
        new = bits & ~reach[node]
        if new:
            reach[node] |= new
            if not pending[node]:
                queue.append(node)
            pending[node] |= new

    def enliven(cls: int, bits: int) -> None:
        for above in graph.above.get(cls, (cls,)):
            new = bits & ~live.get(above, 0)
            if new:
                live[above] = live.get(above, 0) | new
                for source, target in waiting.get(above, ()):
                    give(target, reach[source] & new)

    for number, entry in enumerate(entries):
        give(entry, 1 << number)
    while queue:
        node = queue.popleft()
        bits, pending[node] = pending[node], 0
        for target, rule in out[node]:
            if virtual[rule] and graph.owner[target] >= 0:
                give(target, bits & live.get(graph.owner[target], 0))
                continue
            give(target, bits)
            if makes[rule]:
                enliven(target, bits)
    return reach, live
