"""The whole way with real parts: `python -m bench.production.end_to_end [RUNS] [GOOD_RUNS]`, about 100 s a run.

A bad deployment into a running shop: is it raised before the alert rule fires, is the commit named, with what wrote its
line, and what to roll back to? And a good one: is it left alone?
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from demo.incident.play import Played, as_line, play

RUNS = 20


def main(arguments: list[str]) -> int:
    runs = int(arguments[0]) if arguments else RUNS
    good = int(arguments[1]) if len(arguments) > 1 else runs
    bad_ones = [_play(seed, bad=True) for seed in range(runs)]
    good_ones = [_play(seed, bad=False) for seed in range(1000, 1000 + good)]
    alerted = [one for one in bad_ones if one.alerted is not None]
    before = [one for one in alerted if one.raised is not None and one.raised < (one.alerted or 0)]
    print(f"alert fired: {len(alerted)} of {runs}; raised before it: {len(before)} (bar: half)")
    for name, count in (
        ("commit named first", sum(one.right for one in bad_ones)),
        ("line with its model", sum(one.model for one in bad_ones)),
        ("roll-back target", sum(one.rolled_back for one in bad_ones)),
        ("told within 30 s of the alert", sum(one.told is not None and one.told < 30 for one in bad_ones)),
    ):
        print(f"{name}: {count} of {runs} (bar: all)")
    flagged = sum(one.raised is not None for one in good_ones)
    print(f"good deployments flagged: {flagged} of {good} (bar: none)")
    return 0


# Private


def _play(seed: int, *, bad: bool) -> Played:
    with tempfile.TemporaryDirectory(prefix="tidegate-story-") as folder:
        played = play(Path(folder) / "story", seed, bad=bad)
    print(as_line(played), flush=True)
    return played


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
