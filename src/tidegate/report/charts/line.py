"""A course over time with the band in which the truth lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tidegate.report.charts.scale import EDGE, WIDTH, Axis, fitted, make_axis, path, short, svg, text, text_width
from tidegate.report.charts.values import LEAST_COURSE, Point

HEIGHT, _TOP, _BOTTOM = 150, 12, 24
MOST_DOTS = 40
_APART = 10.0


class _At(NamedTuple):
    x: float
    y: float
    span: tuple[float, float] | None


def line_chart(points: Sequence[Point], title: str, unit: str = "") -> str:
    """The points from left to right at equal distances; a gap where one is not known.

    Fewer than LEAST_COURSE known ones stand by themselves, each with its whisker. "" where none is known.
    """
    known = [point for point in points if point.known]
    if not known:
        return ""
    ends = [end for point in known if point.span for end in point.span]
    axis = make_axis([*(point.value or 0.0 for point in known), *ends], unit)
    left = max(map(text_width, axis.words)) + 8
    floor = HEIGHT - _BOTTOM
    step = (WIDTH - left - 12) / max(len(points) - 1, 1)
    places = [left + 4 + step * number for number in range(len(points))]
    if len(points) == 1:
        places = [(left + WIDTH) / 2]
    runs = _runs(points, places, axis, floor)
    parts = _grid(axis, left, floor)
    course = len(known) >= LEAST_COURSE
    for run in runs:
        parts += _course(run) if course and len(run) > 1 else [_alone(at) for at in run]
    if course and len(points) <= MOST_DOTS:
        parts += [_dot(at) for run in runs if len(run) > 1 for at in run]
    parts += _labels(points, places)
    return svg(title, _words(points, known), HEIGHT, parts)


# Private


def _runs(points: Sequence[Point], places: Sequence[float], axis: Axis, floor: float) -> list[list[_At]]:
    """What is known without a gap, together."""

    def y(value: float) -> float:
        return _TOP + (1 - axis.share(value)) * (floor - _TOP)

    runs: list[list[_At]] = [[]]
    for point, x in zip(points, places, strict=True):
        if point.value is None or not point.known:
            runs.append([])
            continue
        span = point.span
        runs[-1].append(_At(x, y(point.value), (y(span[0]), y(span[1])) if span else None))
    return [run for run in runs if run]


def _grid(axis: Axis, left: float, floor: float) -> list[str]:
    parts = []
    for tick, words in zip(axis.ticks, axis.words, strict=True):
        y = _TOP + (1 - axis.share(tick)) * (floor - _TOP)
        parts.append(path("rule", f"M{short(left)} {short(y)}H{WIDTH - EDGE}"))
        parts.append(text(left - 6, y + 4, words, "end"))
    return parts


def _course(run: Sequence[_At]) -> list[str]:
    banded = [(at.x, *at.span) for at in run if at.span]
    parts = []
    if len(banded) == len(run):
        over = [f"{short(x)} {short(high)}" for x, _, high in banded]
        under = [f"{short(x)} {short(low)}" for x, low, _ in reversed(banded)]
        parts.append(f'<polygon class="band" points="{" ".join(over + under)}"/>')
    else:
        parts += [_standing(at) for at in run]
    parts.append(path("course", "M" + "L".join(f"{short(at.x)} {short(at.y)}" for at in run)))
    return parts


def _alone(at: _At) -> str:
    return _standing(at) + _dot(at)


def _standing(at: _At) -> str:
    if at.span is None:
        return ""
    ends = "".join(f"M{short(at.x - 3)} {short(y)}h6" for y in at.span)
    return path("whisker", f"{ends}M{short(at.x)} {short(at.span[0])}V{short(at.span[1])}")


def _dot(at: _At) -> str:
    return f'<circle class="dot" cx="{short(at.x)}" cy="{short(at.y)}" r="2.5"/>'


def _labels(points: Sequence[Point], places: Sequence[float]) -> list[str]:
    """From the last backwards, as many as stand apart."""
    parts: list[str] = []
    taken = WIDTH + _APART
    for point, x in zip(reversed(points), reversed(places), strict=True):
        words = fitted(point.label, 110)
        width = text_width(words)
        begin = min(max(x - width / 2, EDGE), WIDTH - EDGE - width)
        if not words or begin + width + _APART > taken:
            continue
        taken = begin
        anchor, at = ("end", WIDTH - EDGE) if begin + width >= WIDTH - EDGE - 0.01 else ("mid", begin + width / 2)
        parts.append(text(at, HEIGHT - 6, words, anchor))
    return parts


def _words(points: Sequence[Point], known: Sequence[Point]) -> str:
    gaps = f", {len(points) - len(known)} not known" if len(known) < len(points) else ""
    ends = (known[0], known[-1]) if len(known) > 1 else known
    return f"{len(points)} points{gaps}; " + "; ".join(f"{point.label}: {point.said or point.value}" for point in ends)
