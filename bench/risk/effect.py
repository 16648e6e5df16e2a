"""The effect of agents: do 95 % intervals hold the truth in 93 to 97 % of simulated histories, whatever the truth is?

Histories are simulated on real changes: sizes, places, times and who declared an agent are those of the AI-era
repositories (ai_era/), only what became of each change is drawn: from a regression fitted to that repository, with an
odds ratio planted on the agents' changes. Smaller histories are its oldest part. "several tools" splits the agents'
changes among three tools with different planted odds, at random. Beside: the plain regression without shrinkage, and
the interval of the usual empirical Bayes, which is narrower and wrong where the truth is not what was expected.

Then the real thing: the estimate of every repository, and pooled. Published: 1.22 [1.07, 1.39] over 12 repositories.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tidegate.risk.effect import ADJUSTED, PUBLISHED_MEAN, PUBLISHED_VARIANCE, agent_effects, plain_estimates
from tidegate.risk.features.frame import Floats, Frame, Targets
from tidegate.risk.odds import pool
from tidegate.risk.values import Mark

DAY = 86400
ODDS = (0.6, 1.0, 1.5)
SIZES = (400, 1500, 6000)
LOWEST, HIGHEST = 0.93, 0.97


class History(NamedTuple):
    """One repository: its changes, what became of them, which declare an agent, and when it was read."""

    name: str
    frame: Frame
    targets: Targets
    agent: NDArray[np.bool_]
    now: int


class Tally(NamedTuple):
    """How often an interval held the planted truth, its mean width and that of the plain one (log odds)."""

    told: int
    held: int
    below: int
    above: int
    plain_held: int
    bayes_held: int
    width: float
    plain_width: float


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=2000)
    arguments = parser.parse_args()
    folder = Path(os.environ.get("TIDEGATE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
    histories = [read_history(path) for path in sorted((folder / "risk" / "ai_era").glob("*.csv.gz"))]
    start = time.process_time()
    failed = simulate(histories, arguments.runs)
    print(f"simulated in {time.process_time() - start:.0f} s CPU")
    pooled(histories)
    return 1 if failed else 0


def read_history(path: Path) -> History:
    """Changes of the product by people and agents: bots and changes of tests alone are left out. `testr` is the share
    of tests among what was added or deleted, `hastest` says that there are any."""
    with gzip.open(path, "rt", encoding="utf-8") as text:
        rows = [row for row in csv.DictReader(text) if row["bot"] == "0" and float(row["testr"] or 0) < 1.0]
    rows.sort(key=lambda row: int(row["ct"]))
    values = np.asarray([[float(row[name] or "nan") for name in ADJUSTED] for row in rows])
    at = np.asarray([int(row["ct"]) for row in rows], dtype=np.int64)
    known = np.asarray([int(float(row["known"])) if row["known"] else -1 for row in rows], dtype=np.int64)
    repaired = np.asarray([float(row["bug"]) for row in rows])
    frame = Frame(ADJUSTED, 1, tuple(row["hash"] for row in rows), at, values)
    now = max(int(at.max()), int(known.max()))
    return History(path.name.removesuffix(".csv.gz"), frame, Targets(repaired, known), agents(rows), now)


def agents(rows: list[dict[str, str]]) -> NDArray[np.bool_]:
    return np.asarray([row["ai"] == "1" for row in rows])


def simulate(histories: list[History], runs: int) -> bool:
    failed = False
    bases = list(_bases(histories))
    shares = ", ".join(f"{h.name} {len(h.frame.ids)} x {h.agent.mean():.0%}" for h in bases)
    print(f"histories: {shares}")
    for odds in ODDS:
        tally = _tally([_one_tool(bases, odds, run) for run in range(runs)])
        failed |= _show(f"one tool, odds {odds}", tally, runs)
    several = [_several_tools(bases, run) for run in range(runs)]
    for number, odds in enumerate(ODDS):
        answers = [answer for run in several for answer in run if answer.tool == number]
        failed |= _show(f"several tools, odds {odds}", _tally([[a] for a in answers]), runs)
    return failed


def pooled(histories: list[History]) -> None:
    print("\nreal histories, changes of at least 60 days (as published)")
    estimates, errors = [], []
    for history in histories:
        cut = int(history.frame.at.max()) - 60 * DAY
        rows = np.nonzero(history.frame.at <= cut)[0]
        groups = [Mark("agent") if history.agent[row] else None for row in rows]
        found = plain_estimates(history.frame, history.targets, rows, groups) if len(rows) else []
        if not found:
            print(f"  {history.name:<36} too few changes ({int(history.agent[rows].sum())} declared of {len(rows)})")
            continue
        one = found[0]
        low, high = (math.exp(one.log_odds + side * 1.96 * one.error) for side in (-1, 1))
        shrunk = _effects(history, {history.frame.ids[row]: Mark("agent") for row in rows if history.agent[row]}, cut)
        print(f"  {history.name:<36} {math.exp(one.log_odds):.2f} [{low:.2f}, {high:.2f}]  {one.changes} of {len(rows)}"
              f"   shrunken {shrunk}")  # fmt: skip
        estimates.append(one.log_odds)
        errors.append(one.error)
    mean = pool(estimates, errors)
    shown = [f"{math.exp(value):.2f}" for value in (mean.mean, mean.low, mean.high)]
    print(f"  pooled {shown[0]} [{shown[1]}, {shown[2]}], tau2 {mean.tau2:.3f}, {len(estimates)} repositories"
          "   published 1.22 [1.07, 1.39], tau2 .024, 12 repositories")  # fmt: skip


# Private


class _Answer(NamedTuple):
    tool: int
    truth: float
    low: float
    high: float
    plain: float
    error: float


class _Base(NamedTuple):
    """A history to simulate on: `odds` are the log odds of repair of each change without an agent."""

    name: str
    frame: Frame
    agent: NDArray[np.bool_]
    odds: Floats


def _bases(histories: list[History]) -> Iterator[_Base]:
    for history in histories:
        for size in (*SIZES, len(history.agent)):
            part = history.frame.rows(0, size)
            agent = history.agent[:size]
            enough = len(part.ids) >= min(size, 400) and 40 <= agent.sum() <= len(agent) - 40
            if size in (len(history.agent), *(s for s in SIZES if s < len(history.agent))) and enough:
                yield _Base(history.name, part, agent, _usual_odds(part, history.targets.repaired[:size]))


def _usual_odds(frame: Frame, repaired: Floats) -> Floats:
    """A plain regression of our own, so that the simulation does not stand on the code that it tests: on logarithms and
    their squares, which the estimator does not know."""
    logs = np.log1p(np.abs(np.nan_to_num(frame.values)))
    scaled = (logs - logs.mean(axis=0)) / np.maximum(logs.std(axis=0), 1e-9)
    when = (frame.at - frame.at.mean()) / max(float(frame.at.std()), 1.0)
    design = np.column_stack([np.ones(len(when)), scaled, 0.3 * scaled[:, 3:6] ** 2, when, when**2])
    weights = np.zeros(design.shape[1])
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = (design.T * (chance * (1 - chance))) @ design + 2.0 * np.eye(design.shape[1])
        weights += np.linalg.solve(slope, design.T @ (repaired - chance) - 2.0 * weights)
    return np.asarray(np.clip(design @ weights, -6, 4))


def _one_tool(bases: list[_Base], odds: float, run: int) -> list[_Answer]:
    base = bases[run % len(bases)]
    random = np.random.default_rng([run, round(odds * 1000)])
    return _answers(base, np.where(base.agent, 0, -1), (odds,), random)


def _several_tools(bases: list[_Base], run: int) -> list[_Answer]:
    base = bases[run % len(bases)]
    random = np.random.default_rng([run, 7])
    tools = random.choice(3, size=len(base.agent), p=random.permutation([0.6, 0.25, 0.15]))
    return _answers(base, np.where(base.agent, tools, -1), ODDS, random)


def _answers(
    base: _Base, tools: NDArray[np.int64], odds: tuple[float, ...], random: np.random.Generator
) -> list[_Answer]:
    planted = np.asarray([*(math.log(one) for one in odds), 0.0])
    chance = 1.0 / (1.0 + np.exp(-(base.odds + planted[tools])))
    drawn = (random.random(len(chance)) < chance).astype(np.float64)
    targets = Targets(drawn, np.where(drawn > 0, base.frame.at, -1))
    names = [None if tool < 0 else Mark(f"t{tool}") for tool in tools]
    marks = {oid: mark for oid, mark in zip(base.frame.ids, names, strict=True) if mark is not None}
    now = int(base.frame.at.max()) + 400 * DAY
    plain = {e.mark.tool: e for e in plain_estimates(base.frame, targets, np.arange(len(tools)), names)}
    found = []
    for effect in agent_effects(base.frame, targets, marks, now):
        tool, without = int(effect.tool[1:]), plain[effect.tool]
        low, high = math.log(effect.low), math.log(effect.high)
        found.append(_Answer(tool, float(planted[tool]), low, high, without.log_odds, without.error))
    return found


def _tally(runs: list[list[_Answer]]) -> Tally:
    found = [answer for run in runs for answer in run]
    held = sum(a.low <= a.truth <= a.high for a in found)
    plain = sum(abs(a.plain - a.truth) <= 1.96 * a.error for a in found)
    return Tally(
        len(found),
        held,
        sum(a.high < a.truth for a in found),
        sum(a.low > a.truth for a in found),
        plain,
        sum(_bayes_holds(a) for a in found),
        float(np.mean([a.high - a.low for a in found])),
        float(np.mean([2 * 1.96 * a.error for a in found])),
    )


def _bayes_holds(answer: _Answer) -> bool:
    weight = PUBLISHED_VARIANCE / (PUBLISHED_VARIANCE + answer.error**2)
    mean = PUBLISHED_MEAN + weight * (answer.plain - PUBLISHED_MEAN)
    return bool(abs(mean - answer.truth) <= 1.96 * answer.error * math.sqrt(weight))


def _show(what: str, tally: Tally, runs: int) -> bool:
    told = max(tally.told, 1)
    share = tally.held / told
    good = LOWEST <= share <= HIGHEST and tally.told >= runs / 2
    parts = [
        f"{what:<26} {tally.told} of {runs} told",
        f"holds {share:.1%} (too low {tally.below / told:.1%}, too high {tally.above / told:.1%})",
        f"bar 93 to 97 %{'' if good else ' FAILED'}",
        f"width {tally.width:.2f}",
        f"plain {tally.plain_held / told:.1%} width {tally.plain_width:.2f}",
        f"usual empirical Bayes {tally.bayes_held / told:.1%}",
    ]
    print("   ".join(parts))
    return not good


def _effects(history: History, marks: Mapping[str, Mark], cut: int) -> str:
    found = agent_effects(history.frame, history.targets, marks, cut + 180 * DAY)
    return ", ".join(f"{e.odds_ratio:.2f} [{e.low:.2f}, {e.high:.2f}]" for e in found) or "none"


if __name__ == "__main__":
    sys.exit(main())
