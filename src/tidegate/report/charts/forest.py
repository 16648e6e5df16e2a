"""Ratios on a logarithmic axis around 1: where a whisker crosses the line at 1, nobody can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tidegate.report.charts.scale import EDGE, WIDTH, behind, headed, path, short, svg, text
from tidegate.report.charts.values import Point

STEP, _FOOT = 36, 38
MOST = 20
_FARTHEST = 5
"""Doublings that the axis reaches at most to either side; a whisker that goes farther ends in an arrow."""
_WORDS = {-5: "1/32", -4: "1/16", -3: "1/8", -2: "1/4", -1: "1/2", 0: "1", 1: "2", 2: "4", 3: "8", 4: "16", 5: "32"}


def forest_chart(points: Sequence[Point], title: str, less: str, more: str) -> str:
    """A row for each ratio, at most MOST; `less` and `more` say what lies left and right of 1.

    A ratio that is not known, or not above 0, says so in place of its whisker. "" where none is known.
    """
    shown = points[:MOST]
    known = [point for point in shown if _ratio(point.value)]
    if not known:
        return ""
    ends = [end for point in known for end in (*(point.span or ()), point.value or 1.0)]
    reach = max((abs(math.log2(end)) for end in ends if end > 0), default=1.0)
    most = min(max(math.ceil(reach - 1e-9), 1), _FARTHEST)

    def x(value: float) -> float:
        doublings = math.log2(value) if value > 0 else -_FARTHEST - 1.0
        return WIDTH / 2 + min(max(doublings / most, -1.0), 1.0) * (WIDTH / 2 - 14)

    parts = _axis(most, len(shown), less, more)
    for number, point in enumerate(shown):
        y = number * STEP
        parts += headed(point.label, point.said, y + 12)
        if point.value is None or not _ratio(point.value):
            continue
        if point.span:
            parts += _interval(y + 23, point.span, most, x)
        parts.append(f'<circle class="dot" cx="{short(x(point.value))}" cy="{y + 23}" r="3.5"/>')
    words = "; ".join(f"{point.label}: {point.said or point.value}" for point in shown)
    return svg(title, words, len(shown) * STEP + _FOOT, parts)


# Private


def _ratio(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value > 0


def _axis(most: int, rows: int, less: str, more: str) -> list[str]:
    parts = []
    floor = rows * STEP + 2
    for doubling in range(-most, most + 1):
        x = WIDTH / 2 + doubling / most * (WIDTH / 2 - 14)
        parts.append(behind(x, rows, STEP, "rule one" if doubling == 0 else "rule"))
        if most < _FARTHEST or doubling % 2 or doubling == 0:
            parts.append(text(x, floor + 14, _WORDS[doubling], "mid"))
    return [*parts, text(EDGE, floor + 30, f"← {less}"), text(WIDTH - EDGE, floor + 30, f"{more} →", "end")]


def _interval(y: float, span: tuple[float, float], most: int, x: Callable[[float], float]) -> list[str]:
    """With an arrow at an end that the axis does not reach."""
    low, high = x(span[0]), x(span[1])
    farthest = 2.0**most
    left = f"M{short(low + 4)} {short(y - 3)}l-4 3l4 3" if span[0] < 1 / farthest else f"M{short(low)} {short(y - 3)}v6"
    right = f"M{short(high - 4)} {short(y - 3)}l4 3l-4 3" if span[1] > farthest else f"M{short(high)} {short(y - 3)}v6"
    return [path("whisker", f"{left}M{short(low)} {short(y)}H{short(high)}{right}")]
