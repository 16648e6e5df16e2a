"""Caught against held for every threshold of a number, and the threshold that would have been chosen in time.

A threshold is fitted on the first 60 % of the changes, by time, and judged on the rest, which it has never seen. It is
compared with chance, and with the plainest rule there is: hold as many changes, those with the most added lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from tidegate.policy.backtest.figures import Row, Tally, figures_of
from tidegate.policy.backtest.measures import SIZE
from tidegate.policy.backtest.statistics import UNKNOWN_RATIO, auc, paired_difference
from tidegate.policy.backtest.values import Curve, Figures, Point, Ratio, Suggestion

FIRST_PART = 0.6
MOST_HELD = 0.2
"""A suggestion never holds more than one change in five of the first part: beyond, people learn to wave through."""

FEWEST_REPAIRED = 10
"""In either part; below, no threshold is suggested as useful."""

MOST_POINTS = 80


def curve_of(
    measure: str,
    values: Sequence[float | None],
    rows: Sequence[Row],
    sizes: Sequence[float | None],
    used: Mapping[str, float],
) -> Curve:
    """The curve of one measure. `rows` are in the order of time, `values` and `sizes` (added lines) theirs."""
    known = [place for place, value in enumerate(values) if value is not None]
    pairs = [(values[place] or 0.0, rows[place]) for place in known]
    repaired = [value for value, row in pairs if row.repaired]
    harmless = [value for value, row in pairs if not row.repaired]
    big = [(sizes[place] or 0.0) for place in known]
    return Curve(
        measure=measure,
        changes=len(pairs),
        auc=auc(repaired, harmless),
        points=_points([(value, row.repaired) for value, row in pairs]),
        suggestion=_suggest(measure, pairs, big),
        used=used,
    )


# Private


def _steps(pairs: Sequence[tuple[float, bool]]) -> list[tuple[float, Tally]]:
    """Each value that occurs, the largest first, with the tally of holding what is above it."""
    steps: list[tuple[float, Tally]] = []
    total, repaired = len(pairs), sum(r for _, r in pairs)
    held = caught = 0
    for value, group in groupby(sorted(pairs, key=lambda pair: -pair[0]), key=lambda pair: pair[0]):
        steps.append((value, Tally(total, repaired, held, caught)))
        fates = [r for _, r in group]
        held += len(fates)
        caught += sum(fates)
    return steps


def _points(pairs: Sequence[tuple[float, bool]]) -> tuple[Point, ...]:
    """The curve, thinned to where the share that is held moves."""
    points: list[Point] = []
    steps = _steps(pairs)
    for number, (value, tally) in enumerate(steps):
        held = tally.held / tally.total
        if not points or held - points[-1].held >= 1 / MOST_POINTS or number == len(steps) - 1:
            harmless = tally.total - tally.repaired
            caught = tally.caught / tally.repaired if tally.repaired else 0.0
            delayed = (tally.held - tally.caught) / harmless if harmless else 0.0
            points.append(Point(value, held, caught, delayed))
    return tuple(points)


def _suggest(measure: str, pairs: Sequence[tuple[float, Row]], sizes: Sequence[float]) -> Suggestion | None:
    cut = round(len(pairs) * FIRST_PART)
    first, later = pairs[:cut], pairs[cut:]
    threshold = _fit([(value, row.repaired) for value, row in first])
    if threshold is None or not later:
        return None
    fitted, judged = (_figures(part, threshold) for part in (first, later))
    chosen = [value > threshold for value, _ in later]
    biggest = _biggest(sizes[cut:], sum(chosen), later)
    fates = [row.repaired for _, row in later]
    only = sum(c and not b and r for c, b, r in zip(chosen, biggest, fates, strict=True))
    other = sum(b and not c and r for c, b, r in zip(chosen, biggest, fates, strict=True))
    against = UNKNOWN_RATIO if measure == SIZE else paired_difference(only, other, sum(fates))
    enough = min(sum(row.repaired for _, row in first), sum(fates)) >= FEWEST_REPAIRED
    return _said(threshold, (fitted, judged), against, enough=enough)


def _fit(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """The threshold with the largest difference of caught and delayed shares that holds at most one in five."""
    best: tuple[float, float] | None = None
    for value, tally in _steps(pairs):
        if not tally.held or tally.held > MOST_HELD * tally.total or tally.repaired in (0, tally.total):
            continue
        gain = tally.caught / tally.repaired - (tally.held - tally.caught) / (tally.total - tally.repaired)
        if best is None or gain > best[0]:
            best = (gain, value)
    return None if best is None else best[1]


def _figures(pairs: Sequence[tuple[float, Row]], threshold: float) -> Figures:
    return figures_of((row, row.hours if value > threshold else None) for value, row in pairs)


def _biggest(sizes: Sequence[float], count: int, pairs: Sequence[tuple[float, Row]]) -> list[bool]:
    """Which changes one would hold, as many, that only looked at added lines."""
    order = sorted(range(len(sizes)), key=lambda place: (-sizes[place], pairs[place][1].oid))
    held = set(order[:count])
    return [place in held for place in range(len(sizes))]


def _said(threshold: float, parts: tuple[Figures, Figures], against: Ratio, *, enough: bool) -> Suggestion:
    fitted, judged = parts
    if not enough:
        return Suggestion(threshold, *parts, against, "too few", "too few repaired changes to tell it from chance")
    lift = judged.lift
    if not lift.known or lift.low <= 1:
        return Suggestion(threshold, *parts, against, "no better than chance", "on later changes no better than chance")
    if against.known and against.low <= 0:
        words = "better than chance, and no better than holding as many of the largest changes"
        return Suggestion(threshold, *parts, against, "no better than size", words)
    words = "better than chance" + (", and than holding as many of the largest changes" if against.known else "")
    return Suggestion(threshold, fitted, judged, against, "useful", words)
