"""The load and search of a kept graph of 1.5 million edges, beside a plain breadth-first search of the same arrays.

    python -m bench.reach_query

The graph is made up: 94,000 symbols, of which few are used by very many, as in real ones. It is written to a store and
read from there as a question does. Figures are CPU milliseconds, the best and the median of several rounds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

NODES = 94_000
EDGES = 1_500_000
ROUNDS = 15
BAR_MS = 50.0


def main() -> int:
    import numpy as np

    from tidegate.reach.costs import CUT, cost_limit, head_start
    from tidegate.reach.graph import SymbolGraph, pack_graph, unpack_graph
    from tidegate.reach.rules import RULES
    from tidegate.reach.search import search
    from tidegate.reach.store import open_store

    runs = [rule.runs for rule in RULES]
    limit = cost_limit(CUT)

    def load() -> SymbolGraph:
        data = store.get_bytes("graph", "bench")
        assert data is not None
        found = unpack_graph(data)
        assert found is not None
        return found

    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "a" / "b") as store:
        assert store.put_bytes("graph", "bench", pack_graph(_made_up()))
        graph = load()
        counts = np.diff(graph.first)
        hub, usual = int(counts.argmax()), int(np.flatnonzero(counts == 4)[100])
        print(f"{len(graph)} nodes, {len(graph.sources)} edges; the hub has {int(counts.max())} users")
        loading = _timed("load", load)
        worst = 0.0
        for name, node, cost_cut in (
            ("hub", hub, limit),
            ("usual", usual, limit),
            ("hub, everything", hub, 1e9),
        ):
            starts = {node: head_start(0.1)}
            found = search(graph, starts, cost_cut, (), 0, runs)
            reached = int(np.isfinite(found.cost).sum())
            asked = _timed(f"search {name}: {reached} reached", partial(search, graph, starts, cost_cut, (), 0, runs))
            plain = _timed(f"plain BFS {name}", partial(_plain, graph, node))
            worst = max(worst, loading + asked)
            print(f"    load and search {loading + asked:.1f} ms, plain search alone {plain:.1f} ms")
        print(f"worst: {worst:.1f} ms (bar {BAR_MS:.0f})")
    return int(worst > BAR_MS)


# Private


def _made_up() -> Any:
    """A graph whose users are spread as in real ones: half of the edges lead to a hundredth of the nodes."""
    import numpy as np

    from tidegate.reach.graph import freeze
    from tidegate.reach.linking.assemble import Graph
    from tidegate.reach.rules import RULES

    random = np.random.default_rng(20_260_101)
    weights = 1.0 / np.arange(1, NODES + 1) ** 0.9
    targets = random.permutation(NODES)[random.choice(NODES, EDGES, p=weights / weights.sum())]
    sources = random.integers(0, NODES, EDGES)
    branches = random.choice(6, EDGES, p=[0.5, 0.1, 0.1, 0.2, 0.05, 0.05])
    graph = Graph(
        [f"package/folder{n % 300}/module{n % 3000}.py:Class{n % 7}.method_{n}" for n in range(NODES)],
        ["method"] * NODES,
        [1] * NODES,
        [-1] * NODES,
        sources.tolist(),
        targets.tolist(),
        random.integers(0, len(RULES), EDGES).tolist(),
        random.integers(1, 3000, EDGES).tolist(),
        random.choice([1, 2, 5, 20], EDGES, p=[0.7, 0.1, 0.1, 0.1]).tolist(),
        branches.tolist(),
        {},
        frozenset(),
        {},
    )
    sets = [1 << int(n) for n in random.integers(0, 2000, 200)]
    return freeze(graph, [sets[n % 200] for n in range(NODES)], [])


def _plain(graph: Any, start: int) -> int:
    """How many nodes lead to the start, by the shortest numpy that answers that."""
    import numpy as np

    seen = np.zeros(len(graph), bool)
    seen[start] = True
    frontier = np.array([start])
    while frontier.size:
        begin, counts = graph.first[frontier], graph.first[frontier + 1] - graph.first[frontier]
        offsets = np.repeat(begin - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
        sources = graph.sources[offsets + np.arange(counts.sum())]
        fresh = np.zeros(len(graph), bool)
        fresh[sources] = True
        fresh &= ~seen
        seen |= fresh
        frontier = np.flatnonzero(fresh)
    return int(seen.sum())


def _timed(what: str, run: Callable[[], object]) -> float:
    """Runs it several times; prints and answers the median in milliseconds of CPU."""
    taken = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        run()
        taken.append((time.process_time() - begin) * 1000)
    print(f"{what:<44} best {min(taken):7.1f} ms   median {statistics.median(taken):7.1f} ms")
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
