"""The whole way with real parts: `python -m bench.production.end_to_end [RUNS] [QUIET_SECONDS]`, some 150 s a run.

One shop runs all the time; bad and good deployments come in turn, the bad ones are rolled back. Is a bad one raised
before the alert rule fires, is its commit named with what wrote the line, and what to roll back to? Is a good one left
alone? The alert rule is a usual one (five minutes, for two) scaled from a scrape each 15 s to one each second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import msgspec
from demo.incident.play import BAD, Played, play_bad, play_good
from demo.incident.story import Story

RUNS, QUIET_SECONDS = 20, 240.0


def main(arguments: list[str]) -> int:
    runs = int(arguments[0]) if arguments else RUNS
    quiet = float(arguments[1]) if len(arguments) > 1 else QUIET_SECONDS
    bad: list[Played] = []
    good: list[Played] = []
    with tempfile.TemporaryDirectory(prefix="tidegate-story-") as folder, Story(Path(folder) / "story", 1) as story:
        time.sleep(quiet)
        for run in range(runs):
            for played, kept in ((play_good(story), good), (play_bad(story, BAD[run % len(BAD)]), bad)):
                kept.append(played)
                print(msgspec.json.encode(played).decode(), flush=True)
    _report(bad, good)
    return 0


# Private


def _report(bad: list[Played], good: list[Played]) -> None:
    alerted = [one for one in bad if one.alerted is not None]
    before = [one for one in alerted if one.raised is not None and one.raised < (one.alerted or 0)]
    print(f"alert fired: {len(alerted)} of {len(bad)}; raised before it: {len(before)} (bar: half)")
    for name, count in (
        ("commit named first", sum(one.right for one in alerted)),
        ("its lines with the model that wrote them", sum(one.model for one in alerted)),
        ("roll-back target", sum(one.back for one in alerted)),
        ("told within 30 s of the alert", sum(one.told is not None and one.told < 30 for one in alerted)),
        ("over, as a roll-back", sum(one.over for one in alerted)),
    ):
        print(f"{name}: {count} of {len(alerted)} (bar: all)")
    print(f"good deployments flagged: {sum(one.raised is not None for one in good)} of {len(good)} (bar: none)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
