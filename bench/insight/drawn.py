"""Changes and deployments whose truth is known, for bench/insight/truth.py and the tests."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from functools import cache

from tidegate.insight.values import WRITERS, Ran, Shipped, Writer

DAYS = 365.0
LEAD = {"ai": 20.0, "human": 44.0, "mixed": 30.0, "unknown": 36.0}  # median hours
RECOVERY, REWORK, RATIO = 55.0, 0.04, 1.7
MODELS = ("claude-opus-4-6", "gpt-5.2", "gemini-3-pro")
REVIEWERS = {"r1": 0.4, "r2": 0.25, "r3": 0.15, "r4": 0.1, "r5": 0.06, "r6": 0.04}


def _each(ai: float, human: float, mixed: float, unknown: float) -> Mapping[str, float]:
    return {"ai": ai, "human": human, "mixed": mixed, "unknown": unknown}


CODE: Mapping[str, Mapping[str, float]] = {
    "changes repaired": _each(0.12, 0.08, 0.10, 0.09),
    "change failure rate": _each(0.09, 0.05, 0.07, 0.06),
    "changes debugged in production": _each(0.03, 0.01, 0.02, 0.02),
    "merged by the author": _each(0.30, 0.20, 0.25, 0.25),
    "test lines of all lines": _each(0.15, 0.30, 0.25, 0.20),
    "complexity added": _each(4.0, 2.0, 3.0, 3.0),
    "duplicated lines": _each(0.08, 0.02, 0.05, 0.05),
    "notes to do added": _each(3.0, 1.0, 2.0, 2.0),
}
"""By name of the figure and writer; the mean of the four is that of all, as their changes are as many and as large."""


def reviewed_at(day: float) -> float:
    """The probability that a change of that day was reviewed."""
    return 0.7 - 0.3 * day / DAYS


@cache
def mean_lines() -> float:
    """Of a change: what is drawn is rounded down, and at least one."""
    draw = (math.erfc((math.log(k) - 4) / 1.1 / math.sqrt(2)) / 2 for k in range(2, 200_000))
    return 1 + math.fsum(draw)


def true_gini() -> float:
    shares = sorted(REVIEWERS.values())
    return sum((2 * rank - len(shares) - 1) / len(shares) * share for rank, share in enumerate(shares, 1))


def draw(chance: random.Random, changes: int) -> tuple[list[Shipped], list[Ran]]:
    """Every fifth change is deployed by itself."""
    shipped, ran = [], []
    for number in range(changes):
        writer: Writer = chance.choice(WRITERS)
        shipped.append(_change(chance, number, writer))
        if number % 5 == 0:
            failed = chance.random() < CODE["change failure rate"][writer]
            ran.append(
                Ran(
                    at=chance.uniform(0, DAYS * 86400),
                    writer=writer,
                    failed=failed,
                    repository=f"r{number // 5 % 10}",
                    recovered=math.exp(math.log(RECOVERY) + chance.gauss(0, 1)) * 60 if failed else None,
                    rework=chance.random() < REWORK,
                )
            )
    return shipped, ran


def alike(chance: random.Random, changes: int) -> list[Shipped]:
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


# Private


def _change(chance: random.Random, number: int, writer: Writer) -> Shipped:
    """What is counted of lines grows with the lines of the change, each by its own luck around the truth."""
    landed = chance.uniform(0, DAYS * 86400)
    size = max(int(chance.lognormvariate(4, 1.1)), 1)
    code = {name: values[writer] for name, values in CODE.items()}
    reviewed = chance.random() < reviewed_at(landed / 86400)
    fate = "fixed" if chance.random() < code["changes repaired"] else "clean"
    author = f"a{number % 40}"
    return Shipped(
        commit=str(number),
        landed=landed,
        writer=writer,
        size=size,
        fate="pending" if landed > 0.9 * DAYS * 86400 else fate,  # type: ignore[arg-type]
        repository=f"r{number % 10}",
        author=author,
        model=chance.choice(MODELS) if writer == "ai" else "",
        began=landed,
        deployed=landed + math.exp(math.log(LEAD[writer]) + chance.gauss(0, 1.2)) * 3600
        if chance.random() < 0.9
        else None,
        lines={writer: size},
        effort=size,
        test_lines=_about(chance, size * code["test lines of all lines"]),
        complexity=_about(chance, size * code["complexity added"] / 100),
        cloned=_about(chance, size * code["duplicated lines"]),
        todos=_about(chance, size * code["notes to do added"] / 1000),
        reviewers=(chance.choices(list(REVIEWERS), list(REVIEWERS.values()))[0],) if reviewed else (),
        reviewed=size if reviewed else 0,
        seconds=size * 0.9 * chance.uniform(0, 2) if reviewed else 0.0,
        merged_by=author if chance.random() < code["merged by the author"] else "somebody",
        debugged=chance.random() < code["changes debugged in production"],
    )


def _about(chance: random.Random, mean: float) -> int:
    """Twice the mean or nothing, rounded so that the mean is kept; what the lines cap must stay below them."""
    value = 2 * mean if chance.random() < 0.5 else 0.0
    return int(value) + (chance.random() < value - int(value))
