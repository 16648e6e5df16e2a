"""Redeploy cycles on generated histories whose truth is known: how many are told exactly, chain by chain.

    python -m bench.production.cycles [HISTORIES [FIRST_SEED]]

There is no baseline: no tool counts them. tests/rollout/histories.py makes the histories.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.rollout.histories import History, found_in

from tidegate.change.git import open_repository
from tidegate.rollout.cycles import find_cycles


def main(histories: int = 200, first: int = 0) -> int:
    """Prints the figures; 1 where a history was not told exactly."""
    wrong: list[int] = []
    plants: Counter[str] = Counter()
    chains = deployments = repaired = 0
    began = spent = 0.0
    for seed in range(first, first + histories):
        with tempfile.TemporaryDirectory(prefix="cycles-") as folder:
            history = History(Path(folder) / "history", seed)
            began = time.process_time()
            with open_repository(history.path) as repository:
                cycles = find_cycles(repository, history.deployments)
            spent += time.process_time() - began
            truths = history.truths()
        found = found_in(cycles)
        if found != truths:
            wrong.append(seed)
        plants.update(history.plants)
        chains += len(truths)
        repaired += sum(truth.redeploys > 0 for truth in truths)
        deployments += len(history.deployments)
    print(f"histories told exactly   {histories - len(wrong)} of {histories}   (bar: all; baseline: none exists)")
    print(f"in them                  {chains} chains, {repaired} of them redeployed, {deployments} deployments")
    print(f"CPU, git left out        {spent / histories * 1000:.0f} ms a history")
    print("planted                  " + ", ".join(f"{name} {count}" for name, count in sorted(plants.items())))
    if wrong:
        print(f"wrong                    seeds {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
