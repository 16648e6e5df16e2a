"""Which entries (tests, routes) can execute which symbols: rapid type analysis for all entries at once.

An entry reaches a virtual edge's target only where an instance of a class that answers with it can exist in that
entry's run: of the target's class, or of one that inherits from it and does not override it. Sets of entries are
integers used as bit sets, and nodes are visited in reverse post-order, so that most are visited once. (Bacon and
Sweeney, Fast static analysis of C++ virtual function calls, OOPSLA 1996.)
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from msgspec import Struct

from tidegate.reach.linking.assemble import Graph
from tidegate.reach.rules import RULES


class _Out(Struct, gc=False):
    """A node's edges by what taking them needs and does. A virtual one needs one class of a set: the set's number."""

    plain: list[int]
    making: list[int]
    virtual: list[tuple[int, int]]


def reach_of_entries(  # noqa: C901 the innermost loop of an answer: a call for each step costs more than the step
    graph: Graph, entries: Sequence[Sequence[int]]
) -> list[int]:
    """For each node the set of entries that can execute it; bit n is the entry n, which starts at all its nodes."""
    receivers = _Receivers(graph)
    out = _outgoing(graph, receivers)
    order = _reverse_postorder(out, [node for nodes in entries for node in nodes])
    reach = [0] * len(graph.nodes)
    pending = [0] * len(graph.nodes)
    live = [0] * receivers.count
    waiting: dict[int, list[tuple[int, int]]] = {}
    for source, edges in enumerate(out):
        if edges is not None:
            for target, able_set in edges.virtual:
                waiting.setdefault(able_set, []).append((source, target))
    sets_of = receivers.sets_of
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
            for one in sets_of.get(graph.owner[node], ()):
                live[one] |= 1 << number
                fresh[one] = fresh.get(one, 0) | 1 << number
    while heap or fresh:
        if not heap:
            # Classes that became live are told to the virtual edges that wait for them all at once: once per round.
            for one, new in fresh.items():
                for source, inner in waiting.get(one, ()):
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
        # Whether there is something new: `bits & ~known` would make two numbers of thousands of bits each.
        for target in edges.plain:
            known = reach[target]
            if bits | known != known:
                give(target, bits)
        for target, one in edges.virtual:
            able, known = bits & live[one], reach[target]
            if able | known != known:
                give(target, able)
        for target in edges.making:
            known = reach[target]
            if bits | known != known:
                give(target, bits)
            for one in sets_of.get(target, ()):
                new = bits & ~live[one]
                if new:
                    live[one] |= new
                    fresh[one] = fresh.get(one, 0) | new
    return reach


class _Receivers:
    """The sets of classes that answer with a method, by number: `sets_of` a class are those that it is in."""

    def __init__(self, graph: Graph) -> None:
        self.count = 0
        self.sets_of: dict[int, list[int]] = {}
        self._graph = graph
        self._members: dict[tuple[int, str], int] = {}
        self._below: dict[int, list[int]] = {}
        self._whole: dict[int, int] = {}
        self._exact: dict[tuple[int, ...], int] = {}
        self._known: dict[int, int] = {}
        self._bearers: dict[str, list[int]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        for node, owner in enumerate(graph.owner):
            if owner >= 0:
                name = _simple(graph.nodes[node])
                if (owner, name) not in self._members:
                    self._bearers.setdefault(name, []).append(owner)
                self._members[owner, name] = node
        for cls, order in graph.above.items():
            for above in order:
                self._below.setdefault(above, []).append(cls)

    def of(self, source: int, target: int) -> int:
        """The set of which one class must be live for the edge. `super` leads to methods that are overridden."""
        if "#^" in self._graph.nodes[source]:
            return self._all_below(self._graph.owner[target])
        known = self._known.get(target)
        if known is None:
            known = self._known[target] = self._find(target)
        return known

    def _find(self, target: int) -> int:
        owner, name = self._graph.owner[target], _simple(self._graph.nodes[target])
        below, count = self._below.get(owner, ()), self._count(name)
        if all(count[cls] == 1 for cls in below):
            return self._all_below(owner)
        exact = tuple(cls for cls in below if count[cls] == 1 or self._answer(cls, name) == target)
        if exact not in self._exact:
            self._exact[exact] = self._new(exact)
        return self._exact[exact]

    def _count(self, name: str) -> dict[int, int]:
        """How many classes, itself among them, could give a class its member of this name."""
        found = self._counts.get(name)
        if found is None:
            found = self._counts[name] = {}
            for bearer in self._bearers.get(name, ()):
                for cls in self._below.get(bearer, ()):
                    found[cls] = found.get(cls, 0) + 1
        return found

    def _all_below(self, owner: int) -> int:
        if owner not in self._whole:
            self._whole[owner] = self._new(self._below.get(owner, ()))
        return self._whole[owner]

    def _new(self, classes: Iterable[int]) -> int:
        for cls in classes:
            self.sets_of.setdefault(cls, []).append(self.count)
        self.count += 1
        return self.count - 1

    def _answer(self, cls: int, name: str) -> int:
        found = (self._members.get((above, name)) for above in self._graph.above[cls])
        return next((member for member in found if member is not None), -1)


def _simple(name: str) -> str:
    return name[name.rfind(".") + 1 :]


def _outgoing(graph: Graph, receivers: _Receivers) -> list[_Out | None]:
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
            edges.virtual.append((target, receivers.of(source, target)))
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
