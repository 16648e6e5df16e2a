"""Where no path leads from any test to what changed: the tests that at least load it. Never a confident zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tidegate.reach.affected import symbol_of
from tidegate.reach.answer import ReachedTest
from tidegate.reach.costs import CUT, of_cost
from tidegate.reach.rules import RULES
from tidegate.reach.search import search
from tidegate.reach.trees import HeadTree

_RUNS = tuple(rule.runs for rule in RULES)
_LOADS = tuple(rule.name in ("import", "load", "text") for rule in RULES)
_FAR = 1e6


def tests_that_load(tree: HeadTree, nodes: Iterable[int], tests: Mapping[int, int]) -> tuple[ReachedTest, ...]:
    """The tests with any path at all to the nodes, be its context impossible; else those of files that load theirs.

    Their probability is what is left below the threshold of a path: they were not found to execute the change.
    """
    import numpy as np

    starts = dict.fromkeys(nodes, 0.0)
    any_path = search(tree.graph, starts, _FAR, tree.extra, len(tree), _RUNS)
    found = [(node, float(any_path.cost[node])) for node in tests if np.isfinite(any_path.cost[node])]
    if not found:
        modules = {n: 0.0 for node in starts if (n := tree.find(f"{symbol_of(tree.name(node)).path}:")) is not None}
        loading = search(tree.graph, modules, _FAR, tree.extra, len(tree), _LOADS)
        of_file = {node: tree.find(f"{symbol_of(tree.name(node)).path}:") for node in tests}
        found = [(n, _FAR) for n, file in of_file.items() if file is not None and np.isfinite(loading.cost[file])]
    made = [
        ReachedTest(symbol_of(tree.name(n)), round(min(max(of_cost(cost), CUT / 2), CUT), 4), "static")
        for n, cost in found
    ]
    return tuple(sorted(made, key=lambda test: (-test.probability, test.symbol)))
