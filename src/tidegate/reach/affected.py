"""From what changed to what can feel it: symbols, tests and entry points, each with a probability and a path."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.reach.answer import ChangedSymbol, EntryPoint, Hop, ReachedSymbol, ReachedTest, SymbolId
from tidegate.reach.costs import BRANCHES, CUT, WIDTHS, cost_limit, cost_table, head_start, of_cost
from tidegate.reach.entries.places import is_test as is_test_path
from tidegate.reach.quiet import is_vendored
from tidegate.reach.rules import RULES
from tidegate.reach.search import Found, search
from tidegate.reach.trees import HeadTree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tidegate.reach.recorded import Recorded

_RUNS = tuple(rule.runs for rule in RULES)
_LOADED = ("import", "module")
_FELT = tuple(rule.name not in _LOADED for rule in RULES)
FELT_CUT = 0.1
"""What is less likely to feel a change than this is not named to people. Tests have a threshold of their own (CUT)."""

_NOT_ASKED, _IS_NOT, _IS, _BY_NAME = range(4)

_RUST_TESTS = ("tests.", "test.")
"""Rust has tests in modules of the file that they test."""

USUAL_RADIUS = 0.1
"""The radius of a symbol where there are no tests to measure it by."""


class Affected(Struct, frozen=True):
    """What can feel the change: `found` has the strongest paths over the nodes of `tree`, `entries` the contexts.

    `running` has those along which code runs, with the head start of each of `starts`: tests are judged by them.
    """

    tree: HeadTree
    starts: Mapping[int, float]
    found: Found
    running: Found
    entries: int


def nodes_of(tree: HeadTree, changed: Iterable[ChangedSymbol]) -> dict[int, SymbolId]:
    """The nodes that stand for what changed. A whole file is all of its symbols; a silent change has none."""
    nodes: dict[int, SymbolId] = {}
    for one in changed:
        if one.silent:
            continue
        for symbol in (one.symbol, one.was) if one.was is not None else (one.symbol,):
            node = tree.find(f"{symbol.path}:{symbol.name}")
            if node is not None:
                nodes.setdefault(node, symbol)
            if one.what == "file" or (not symbol.name and one.what == "asked"):
                for other, name in _inside(tree, symbol.path):
                    nodes.setdefault(other, SymbolId(symbol.path, name))
            elif one.what == "asked" or one.kind in ("class", "interface"):
                for other, name in _inside(tree, symbol.path):
                    if name.startswith(f"{symbol.name}.") and one.what in ("asked", "deleted", "added", "bases"):
                        nodes.setdefault(other, SymbolId(symbol.path, name))
    return nodes


def _inside(tree: HeadTree, path: str) -> list[tuple[int, str]]:
    """The symbols of a file: in the graph they stand together, after their module."""
    beginning = f"{path}:"
    found: list[tuple[int, str]] = []
    start = tree.graph.find(beginning)
    if start is not None:
        names = tree.graph.names
        while start < len(names) and (name := names[start]).startswith(beginning):
            found.append((start, name[len(beginning) :]))
            start += 1
    found += [(number, tree.name(number)[len(beginning) :]) for number in tree.files.get(path, ())]
    return [(number, name) for number, name in found if tree.kind(number)]


def find_affected(tree: HeadTree, nodes: Iterable[int]) -> Affected:
    """The strongest paths to these nodes: of every kind, and of those along which code runs."""
    count = len(tree.graph.arrays.entries)
    starts: dict[int, float] = {}
    entries = 0
    for node in nodes:
        bits = entries_of(tree, node)
        entries |= bits
        starts[node] = head_start(bits.bit_count() / count if count else USUAL_RADIUS)
    running = search(tree.graph, starts, cost_limit(CUT), tree.extra, len(tree), _RUNS)
    level = dict.fromkeys(starts, 0.0)
    felt = search(tree.graph, level, cost_limit(FELT_CUT), tree.extra, len(tree), _FELT, _Aside(tree, starts))
    return Affected(tree, starts, _with_loaders(tree, felt, starts), running, entries)


class _Aside:
    """Whether a node stands in a test, or in code of others that lies in the repository while what changed does not.

    What calls a test, by whatever name, does not feel what the test calls; and a library calls no user by its name.
    """

    def __init__(self, tree: HeadTree, starts: Iterable[int]) -> None:
        import numpy as np

        self._tree = tree
        self._files = tree.graph.names.files
        # By the first node of each file; the last is for what stands in none.
        self._known = np.full(len(tree.graph) + 1, _NOT_ASKED, np.int8)
        self._known[-1] = _IS_NOT
        self._own = not any(is_vendored(tree.name(node).partition(":")[0]) for node in starts)

    def __call__(self, nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
        import numpy as np

        found = np.empty(len(nodes), np.int8)
        kept = nodes < len(self._files)
        files = self._files[nodes[kept]]
        # Not np.unique: it loads all of numpy.ma.
        for file in set(files[self._known[files] == _NOT_ASKED].tolist()):
            self._known[file] = self._of_path(self._tree.name(file).partition(":")[0])
        found[kept] = self._known[files]
        for at in np.flatnonzero(~kept).tolist():
            path, colon, _ = self._tree.name(int(nodes[at])).partition(":")
            found[at] = self._of_path(path if colon else "")
        for at in np.flatnonzero(found == _BY_NAME).tolist():
            name = self._tree.name(int(nodes[at])).partition(":")[2]
            found[at] = _IS if name.startswith(_RUST_TESTS) else _IS_NOT
        ends: NDArray[np.bool_] = found == _IS
        return ends

    def _of_path(self, path: str) -> int:
        if path and (is_test_path(path) or (self._own and is_vendored(path))):
            return _IS
        return _BY_NAME if path.endswith(".rs") else _IS_NOT


def _with_loaders(tree: HeadTree, felt: Found, starts: Mapping[int, float]) -> Found:
    """Adds those that import a module that can feel the change, and what stands in a module that changed itself.

    They end a path: who imports an importer, or stands beside what is run when a module is loaded, hears of it no more.
    """
    import numpy as np

    table, limit = cost_table(), cost_limit(FELT_CUT)
    cost, toward, taken = felt.cost.copy(), felt.toward.copy(), felt.edge.copy()
    for node in np.flatnonzero(np.isfinite(felt.cost)).tolist():
        if tree.kind(node) != "module":
            continue
        for source, edge, step in _loads(tree, node, node in starts):
            offer = float(felt.cost[node]) + table[step]
            if offer < cost[source] and offer <= limit and source not in starts:
                cost[source], toward[source], taken[source] = offer, node, edge
    return Found(cost, toward, taken)


def _loads(tree: HeadTree, node: int, itself: bool) -> list[tuple[int, int, int]]:
    """The edges of loading into a module: where each comes from, its number, its place in the table of costs."""
    found = []
    if node < len(tree.graph):
        for edge in range(int(tree.graph.first[node]), int(tree.graph.first[node + 1])):
            rule = int(tree.graph.rules[edge])
            if RULES[rule].name in _LOADED[: 1 + itself]:
                found.append((int(tree.graph.sources[edge]), edge, _step(rule, tree.graph.branches[edge], 0)))
    for number in tree.extra_into.get(node, ()):
        extra = tree.extra[number][1]
        if RULES[extra.rule].name in _LOADED[: 1 + itself]:
            found.append((extra.source, -2 - number, _step(extra.rule, extra.branch, extra.width)))
    return found


def _step(rule: int, branch: int, width: int) -> int:
    return (rule * BRANCHES + int(branch)) * WIDTHS + width


def entries_of(tree: HeadTree, node: int) -> int:
    """The contexts that can execute a node; of a node that the base did not have, those of what leads to it."""
    if node < len(tree.graph):
        return tree.graph.entries_of(node)
    return tree.fresh_entries.get(node, 0)


def reached_symbols(affected: Affected, tests: Iterable[int]) -> tuple[ReachedSymbol, ...]:
    """Every symbol that can feel the change, without what changed and without tests; the most likely first."""
    import numpy as np

    tree, found = affected.tree, affected.found
    left_out = {*tests, *affected.starts}
    reached = []
    paths = _Paths(affected)
    nodes = np.flatnonzero(np.isfinite(found.cost))
    for node in nodes[~_Aside(tree, affected.starts)(nodes)].tolist():
        kind = tree.kind(node)
        if node in left_out or not kind or kind == "test":
            continue
        toward, distance, origin = paths.of(node)
        rule, line = paths.rule_and_line(node)
        reached.append(
            ReachedSymbol(
                symbol_of(tree.name(node)),
                kind,
                tree.line(node),
                round(of_cost(float(found.cost[node])), 4),
                distance,
                symbol_of(tree.name(origin)),
                symbol_of(tree.name(toward)),
                rule,
                "static",
                line,
            )
        )
    return tuple(sorted(reached, key=lambda one: (-one.probability, one.distance, one.symbol)))


class _Paths:
    """The beginnings of the strongest paths: each is found once, from those that lie nearer to what changed."""

    def __init__(self, affected: Affected) -> None:
        self._affected = affected
        self._toward = affected.found.toward.tolist()
        self._edges = affected.found.edge.tolist()
        self._known: dict[int, tuple[int, int, int]] = {}

    def of(self, node: int) -> tuple[int, int, int]:
        """The next symbol on the path, the number of hops, and the symbol that it ends at."""
        waiting = []
        while self._toward[node] >= 0 and node not in self._known:
            waiting.append(node)
            node = self._toward[node]
        known = self._known.get(node, (node, 0, node))
        for one in reversed(waiting):
            after = self._toward[one]
            if self._affected.tree.kind(after):
                known = (after, known[1] + 1, known[2])
            self._known[one] = known
        return known

    def rule_and_line(self, node: int) -> tuple[str, int]:
        """How the first symbol of the path uses the next one, and where."""
        tree, rule, line = self._affected.tree, "", 0
        while self._toward[node] >= 0:
            own_rule, own_line = _edge(tree, self._edges[node])
            rule, line = rule or own_rule, line or own_line
            node = self._toward[node]
            if tree.kind(node):
                break
        return rule, line


def path_from(affected: Affected, node: int, found: Found) -> tuple[Hop, ...]:
    """The strongest path from a node to what changed. Slots and names between two symbols are folded into one hop.

    The probabilities of the hops, multiplied, are that of the node.
    """
    tree = affected.tree
    hops: list[Hop] = []
    source, rule, line = node, "", 0
    at = node
    while found.toward[at] >= 0:
        edge, after = int(found.edge[at]), int(found.toward[at])
        own_rule, own_line = _edge(tree, edge)
        if not rule or RULES[_NUMBER[rule]].name in ("name", "outside-name", "method"):
            rule = rule or own_rule
        line = line or own_line
        at = after
        if tree.kind(at):
            likely = of_cost(float(found.cost[source]))
            if found.toward[at] >= 0:
                likely /= of_cost(float(found.cost[at]))
            ends = symbol_of(tree.name(source)), symbol_of(tree.name(at))
            hops.append(Hop(*ends, rule, round(min(likely, 1.0), 4), "static", line))
            source, rule, line = at, "", 0
    return tuple(hops)


_NUMBER = {rule.name: number for number, rule in enumerate(RULES)}


def _edge(tree: HeadTree, edge: int) -> tuple[str, int]:
    if edge >= 0:
        return RULES[int(tree.graph.rules[edge])].name, int(tree.graph.at[edge])
    extra = tree.extra[-2 - edge][1]
    return RULES[extra.rule].name, extra.line


def reached_tests(affected: Affected, tests: Mapping[int, int], recorded: Recorded | None) -> tuple[ReachedTest, ...]:
    """The tests that can execute what changed, the most likely first. What was seen to run is certain."""

    tree, costs = affected.tree, affected.running.cost.tolist()
    in_contexts, in_these = _contexts(affected)
    likely: dict[float, float] = {}
    rows: list[tuple[float, str, str]] = []
    for node in tests:
        cost = costs[node]
        if cost == math.inf:
            continue
        path, _, name = tree.name(node).partition(":")
        if node in in_contexts and node not in in_these and node not in affected.starts and path not in tree.linked:
            continue
        if cost not in likely:
            likely[cost] = round(of_cost(cost), 4)
        rows.append((-likely[cost], path, name))
    if recorded is None:
        rows.sort()
    tests_of_change = [ReachedTest(SymbolId(path, name), -less, "static") for less, path, name in rows]
    if recorded is None:
        return tuple(tests_of_change)
    found = recorded.sharpen({test.symbol: test for test in tests_of_change})
    return tuple(sorted(found.values(), key=lambda test: (-test.probability, test.symbol.path, test.symbol.name)))


def _contexts(affected: Affected) -> tuple[set[int], set[int]]:
    """The nodes that the contexts begin at, and those of the contexts that can execute what changed."""
    entries = affected.tree.graph.arrays.entries
    bits = affected.entries.to_bytes(len(entries) // 8 + 1, "little")
    these = (nodes for number, nodes in enumerate(entries) if bits[number >> 3] >> (number & 7) & 1)
    return set(chain.from_iterable(entries)), set(chain.from_iterable(these))


def reached_points(affected: Affected, points: Sequence[EntryPoint]) -> tuple[EntryPoint, ...]:
    """The entry points whose handler can feel the change, the most likely first."""
    import msgspec
    import numpy as np

    tree = affected.tree
    found = []
    for point in points:
        node = tree.find(f"{point.handler.path}:{point.handler.name}")
        if node is None or not np.isfinite(affected.found.cost[node]):
            continue
        likely = 1.0 if node in affected.starts else of_cost(float(affected.found.cost[node]))
        found.append(msgspec.structs.replace(point, probability=round(likely * point.probability, 4)))
    return tuple(sorted(found, key=lambda point: (-point.probability, point.kind, point.name, point.handler)))


def callers_of(tree: HeadTree, node: int) -> list[int]:
    """The nodes whose running can execute this one in one step."""
    found = []
    if node < len(tree.graph):
        begin, end = int(tree.graph.first[node]), int(tree.graph.first[node + 1])
        rules, sources = tree.graph.rules[begin:end].tolist(), tree.graph.sources[begin:end].tolist()
        found = [source for source, rule in zip(sources, rules, strict=True) if _RUNS[rule]]
    more = (tree.extra[number][1] for number in tree.extra_into.get(node, ()))
    return found + [edge.source for edge in more if _RUNS[edge.rule]]


def symbol_of(name: str) -> SymbolId:
    """The symbol of a node's text."""
    path, _, symbol = name.partition(":")
    return SymbolId(path, symbol)


def tests_of(tree: HeadTree) -> dict[int, int]:
    """Every test of the tree by its node, with the node of its class."""
    return {**dict(tree.graph.arrays.tests), **tree.delta.tests}
