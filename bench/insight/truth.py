"""Every rate within its stated interval: `python -m bench.insight.truth [CHANGES] [RUNS]`, by default 50,000 and 40.

Draws changes and deployments of which the truth is known, in ten repositories, four writers and three models, and
counts how often the interval of each figure holds it. A figure of 95 % that holds in fewer than 90 % of the runs lies.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections import defaultdict

from tidegate.insight.answer import look
from tidegate.insight.compare import compare
from tidegate.insight.values import WRITERS, Figure, Ran, Shipped, Writer

DAYS = 365.0
REPAIRED = {"ai": 0.12, "human": 0.08, "mixed": 0.1, "unknown": 0.09}
FAILED = {"ai": 0.09, "human": 0.05, "mixed": 0.07, "unknown": 0.06}
LEAD = {"ai": 20.0, "human": 44.0, "mixed": 30.0, "unknown": 36.0}  # median hours
RECOVERY, REWORK, RATIO = 55.0, 0.04, 1.7
MODELS = ("claude-opus-4-6", "gpt-5.2", "gemini-3-pro")


def main(arguments: list[str]) -> int:
    changes = int(arguments[0]) if arguments else 50_000
    runs = int(arguments[1]) if len(arguments) > 1 else 40
    held: dict[str, int] = defaultdict(int)
    asked: dict[str, int] = defaultdict(int)
    spent = 0.0
    for seed in range(runs):
        shipped, ran = _draw(random.Random(seed), changes)
        begun = time.process_time()
        found = look(shipped, ran, 0.0, DAYS * 86400, by=("writer", "model", "repository"))
        spent += time.process_time() - begun
        rows = [(found.tables[0].whole, ""), *((row, row.group) for row in found.tables[0].rows)]
        for row, writer in rows:
            for figure in row.figures:
                truth = _truth(figure.name, writer, changes)
                if truth is not None:
                    asked[figure.name] += 1
                    held[figure.name] += _holds(figure, truth)
        adjusted = compare(_alike(random.Random(seed + 10_000), changes // 10))
        asked["ai against human"] += 1
        held["ai against human"] += _holds(adjusted, RATIO)
    for name, count in asked.items():
        print(f"{name:34s} {held[name] / count:6.1%} of {count} intervals hold the truth (bar: 90 %)")
    print(f"CPU for {changes:,} changes, three tables and the comparisons: {spent / runs:.2f} s")
    return 0 if all(held[name] >= 0.9 * count for name, count in asked.items()) else 1


# Private


def _draw(chance: random.Random, changes: int) -> tuple[list[Shipped], list[Ran]]:
    shipped, ran = [], []
    for number in range(changes):
        writer: Writer = chance.choice(WRITERS)
        landed = chance.uniform(0, DAYS * 86400)
        lead = math.exp(math.log(LEAD[writer]) + chance.gauss(0, 1.2)) * 3600
        fate = "fixed" if chance.random() < REPAIRED[writer] else "clean"
        model = chance.choice(MODELS) if writer == "ai" else ""
        shipped.append(
            Shipped(
                commit=str(number),
                landed=landed,
                writer=writer,
                size=int(chance.lognormvariate(4, 1.3)),
                fate="pending" if landed > 0.9 * DAYS * 86400 else fate,  # type: ignore[arg-type]
                repository=f"r{number % 10}",
                model=model,
                began=landed,
                deployed=landed + lead if chance.random() < 0.9 else None,
            )
        )
        if number % 5 == 0:
            failed = chance.random() < FAILED[writer]
            ran.append(
                Ran(
                    at=chance.uniform(0, DAYS * 86400),
                    writer=writer,
                    failed=failed,
                    recovered=math.exp(math.log(RECOVERY) + chance.gauss(0, 1)) * 60 if failed else None,
                    rework=chance.random() < REWORK,
                )
            )
    return shipped, ran


def _truth(name: str, writer: str, changes: int) -> float | None:
    each = [writer] if writer else list(WRITERS)
    mean = {table: sum(values[one] for one in each) / len(each) for table, values in (("r", REPAIRED), ("f", FAILED))}
    return {
        "changes repaired": mean["r"],
        "change failure rate": mean["f"],
        "rework rate": REWORK,
        "failed deployment recovery time": RECOVERY * 60,
        "lead time": LEAD[writer] * 3600 if writer else None,
        "deployment frequency": changes / 5 / DAYS * (0.25 if writer else 1.0) if writer else None,
    }.get(name)


def _alike(chance: random.Random, changes: int) -> list[Shipped]:
    """Changes whose risk grows with their size in steps that the fifths hold, and agents' sizes are larger."""
    found = []
    for number in range(changes):
        ai = chance.random() < 0.5
        step = min(int(abs(chance.gauss(2 if ai else 1, 1.2))), 4)
        base = 0.03 * (1 + step)
        fails = chance.random() < base * (RATIO if ai else 1.0)
        found.append(
            Shipped(
                commit=str(number),
                landed=0.0,
                writer="ai" if ai else "human",
                size=10 ** (step + 1),
                fate="fixed" if fails else "clean",
                repository=f"r{number % 3}",
            )
        )
    return found


def _holds(figure: Figure, truth: float) -> bool:
    return figure.low is not None and figure.high is not None and figure.low <= truth <= figure.high


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
