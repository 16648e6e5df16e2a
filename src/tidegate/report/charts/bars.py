"""Groups beside each other: a bar from zero for each, and a whisker for where the truth lies."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.report.charts.scale import (
    EDGE,
    WIDTH,
    Axis,
    behind,
    headed,
    make_axis,
    short,
    svg,
    text,
    text_width,
    whisker,
)
from tidegate.report.charts.values import Point

STEP, _FOOT = 36, 20
MOST = 20


def bar_chart(points: Sequence[Point], title: str, unit: str = "") -> str:
    """A row for each group, at most MOST; one that is not known says why. "" where none is known."""
    shown = points[:MOST]
    known = [point for point in shown if point.known]
    if not known:
        return ""
    ends = [end for point in known if point.span for end in point.span]
    axis = make_axis([*(point.value or 0.0 for point in known), *ends], unit)

    def x(value: float) -> float:
        return EDGE + axis.share(value) * (WIDTH - 2 * EDGE)

    parts = _axis(axis, len(shown))
    for number, point in enumerate(shown):
        y = number * STEP
        parts += headed(point.label, point.said, y + 12)
        if point.value is None or not point.known:
            continue
        begin, end = sorted((x(0.0), x(point.value)))
        parts.append(f'<rect class="bar" x="{short(begin)}" y="{y + 18}" width="{short(end - begin)}" height="10"/>')
        if point.span:
            parts.append(whisker(y + 23, x(point.span[0]), x(point.span[1])))
    more = f"; {len(points) - MOST} more are in the table" if len(points) > MOST else ""
    words = "; ".join(f"{point.label}: {point.said or point.value}" for point in shown)
    return svg(title, words + more, len(shown) * STEP + _FOOT, parts)


# Private


def _axis(axis: Axis, rows: int) -> list[str]:
    """Lines behind the bars, and what they stand for below; words that would touch are left out."""
    parts: list[str] = []
    taken = -10.0
    for place, (tick, words) in enumerate(zip(axis.ticks, axis.words, strict=True)):
        x = EDGE + axis.share(tick) * (WIDTH - 2 * EDGE)
        parts.append(behind(x, rows, STEP))
        width = text_width(words)
        last = place == len(axis.ticks) - 1
        begin = EDGE if place == 0 else x - width if last else x - width / 2
        if begin >= taken + 8:
            taken = begin + width
            at, anchor = (EDGE, "") if place == 0 else (x, "end") if last else (x, "mid")
            parts.append(text(at, rows * STEP + 16, words, anchor))
    return parts
