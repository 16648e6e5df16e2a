"""Every rate within its stated interval: `python -m bench.insight.truth [CHANGES] [RUNS]`, by default 50,000 and 60.

Draws changes and deployments of which the truth is known, in ten repositories, four writers and three models, over a
year in which scrutiny falls by a straight line, and counts how often the interval of each figure holds the truth: for
all, by writer, by repository, by week, and between the halves of the year. The bar is 94 %; a figure of which so few
intervals are asked that chance decides is held against the bar by its own interval (Clopper and Pearson's, one-sided).
"""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator

from scipy.special import betaincinv

from bench.insight.drawn import (
    CODE,
    DAYS,
    LEAD,
    RATIO,
    RECOVERY,
    REVIEWERS,
    REWORK,
    alike,
    draw,
    mean_lines,
    reviewed_at,
    true_gini,
)
from tidegate.insight.answer import Insight, look
from tidegate.insight.compare import compare
from tidegate.insight.values import WRITERS, Figure, Series

BAR = 0.94


def main(arguments: list[str]) -> int:
    changes = int(arguments[0]) if arguments else 50_000
    runs = int(arguments[1]) if len(arguments) > 1 else 60
    held: dict[str, list[bool]] = defaultdict(list)
    spent = 0.0
    for seed in range(runs):
        shipped, ran = draw(random.Random(seed), changes)
        begun = time.process_time()
        found = look(shipped, ran, 0.0, DAYS * 86400, by=("writer", "repository"), every="week")
        spent += time.process_time() - begun
        for name, figure, truth in _asked(found, changes):
            held[name].append(_holds(figure, truth))
        held["repairs of ai against human"].append(
            _holds(compare(alike(random.Random(seed + 10_000), changes // 10)), RATIO)
        )
    good = True
    for name, each in held.items():
        most = float(betaincinv(sum(each) + 1, max(len(each) - sum(each), 1), 0.95))
        good = good and most >= BAR
        print(f"{name:44s} {sum(each) / len(each):6.1%} of {len(each):5d} intervals{'' if most >= BAR else '  MISSED'}")
    print(f"bar {BAR:.0%}; CPU for {changes:,} changes, two tables, weeks and comparisons: {spent / runs:.2f} s")
    return 0 if good else 1


# Private


def _asked(found: Insight, changes: int) -> Iterator[tuple[str, Figure, float]]:
    """Every figure of which the truth is known."""
    tables = [table for table in (*found.tables, found.scrutiny, found.upkeep, found.debt) if table is not None]
    for table in tables:
        for row in (table.whole, *table.rows):
            for figure in row.figures:
                truth = _truth(figure.name, row.group, changes)
                if truth is not None:
                    yield figure.name, figure, truth
    if found.load is not None:
        yield "review load: Gini", found.load.gini, true_gini()
        yield "review load: the busiest", found.load.top, max(REVIEWERS.values())
    for series in found.series:
        if series.group == "all":
            yield from _over_time(series, changes)


def _over_time(series: Series, changes: int) -> Iterator[tuple[str, Figure, float]]:
    for point, start in zip(series.points, series.starts, strict=True):
        truth = _truth_between(series.name, max(start / 86400, 0.0), min(start / 86400 + 7, DAYS), changes)
        if truth is not None and point.value is not None:
            yield f"{series.name}, by week", point, truth
    early = _truth_between(series.name, 0.0, DAYS / 2, changes)
    late = _truth_between(series.name, DAYS / 2, DAYS, changes)
    if series.change is not None and early is not None and late is not None:
        yield f"{series.name}, half against half", series.change.difference, late - early


def _truth_between(name: str, first: float, last: float, changes: int) -> float | None:
    if name in ("lines reviewed", "landed without a review", "review per 100 lines"):
        middle = (reviewed_at(first) + reviewed_at(last)) / 2
        return {"lines reviewed": middle, "landed without a review": 1 - middle}.get(name, 90.0 * middle)
    return _truth(name, "all", changes) if name != "lead time" else None


def _truth(name: str, group: str, changes: int) -> float | None:
    each = [group] if group in WRITERS else list(WRITERS)
    if name == "lead time":
        return LEAD[group] * 3600 if group in WRITERS else None
    if name == "deployment frequency":
        share = 1.0 if group == "all" else 0.25 if group in WRITERS else 0.0
        return changes / 5 / DAYS * share or None
    if name == "lines merged":
        return changes / DAYS * mean_lines()
    if name in CODE:
        return sum(CODE[name][one] for one in each) / len(each)
    middle = reviewed_at(DAYS / 2)
    scrutiny = {"lines reviewed": middle, "landed without a review": 1 - middle, "review per 100 lines": 90 * middle}
    return {"rework rate": REWORK, "failed deployment recovery time": RECOVERY * 60, **scrutiny}.get(name)


def _holds(figure: Figure, truth: float) -> bool:
    return figure.low is not None and figure.high is not None and figure.low <= truth <= figure.high


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
