"""A canary's course beside its baseline, as SVG for pages and as a line of characters for the terminal.

The SVG brings its own colours for light and dark and no scripts; its title and description say in words what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tidegate.report.escape import markup
from tidegate.rollout.canary.say import change, number
from tidegate.rollout.canary.values import Measured, MetricResult

if TYPE_CHECKING:
    from tidegate.telemetry.series import Series

WIDTH, HEIGHT = 480, 120
MOST_POINTS = 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 8, 20
_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "_.:-=+*#"

PLOT_STYLE = """
.canary-plot{display:block;width:100%;max-width:40rem;height:auto}
.canary-plot{--soft:#62676d;--rule:#d4d8dc;--one:#b3400e;--two:#1f5fa8}
.canary-plot text{font:11px system-ui,"Segoe UI","DejaVu Sans",sans-serif;fill:var(--soft)}
.canary-plot .end{text-anchor:end}.canary-plot .rule{stroke:var(--rule);stroke-width:1;fill:none}
.canary-plot .start{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}
.canary-plot .one{stroke:var(--one);stroke-width:2;fill:none}
.canary-plot .two{stroke:var(--two);stroke-width:1.5;stroke-dasharray:5 3;fill:none}
.canary-plot text.one{fill:var(--one);stroke:none}.canary-plot text.two{fill:var(--two);stroke:none}
@media (prefers-color-scheme:dark){.canary-plot{--soft:#a2a8ae;--rule:#3c4147;--one:#f39a6b;--two:#84b6f0}}
"""


def plot_svg(measured: Measured, result: MetricResult, start: float, end: float) -> str:
    """The mean of the canary's replicas (solid) and of the baseline's (dashed), with the start marked.

    The history shown is as long as the canary's time. A gap in the data is a gap in the line. Put `PLOT_STYLE` once
    on the page.
    """
    first = start - (end - start)
    lines = [
        course(measured, canary=True, first=first, last=end),
        course(measured, canary=False, first=first, last=end),
    ]
    values = [value for line in lines for _, value in line if math.isfinite(value)]
    if not values or end <= start:
        return _svg(result, f'<text x="{_LEFT}" y="{HEIGHT / 2:g}">no values to draw</text>')
    low, high = min(values), max(values)
    low = 0.0 if 0 < low < 0.5 * high else low
    if high == low:
        high = low + (abs(low) or 1.0)

    def x(moment: float) -> float:
        return _LEFT + (moment - first) / (end - first) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (1 - _part(value, low, high)) * (HEIGHT - _TOP - _BOTTOM)

    floor = HEIGHT - _BOTTOM
    parts = [
        f'<path class="rule" d="M{_LEFT} {_TOP}V{floor}H{WIDTH - _RIGHT}"/>',
        f'<text class="end" x="{_LEFT - 4}" y="{_TOP + 8}">{markup(number(high))}</text>',
        f'<text class="end" x="{_LEFT - 4}" y="{floor}">{markup(number(low))}</text>',
        f'<path class="start" d="M{_n(x(start))} {_TOP}V{floor}"/>',
        f'<text x="{_n(x(start))}" y="{HEIGHT - 6}">start</text>',
        f'<text class="two" x="{_LEFT}" y="{HEIGHT - 6}">- - baseline</text>',
        f'<text class="one end" x="{WIDTH - _RIGHT}" y="{HEIGHT - 6}">— canary</text>',
    ]
    for name, line in (("two", lines[1]), ("one", lines[0])):
        parts.append(f'<path class="{name}" d="{_path([(x(t), y(v)) for t, v in line])}"/>')
    return _svg(result, "".join(parts))


def sparkline(measured: Measured, start: float, end: float, width: int, *, unicode: bool = True) -> tuple[str, str]:
    """Canary and baseline since the start, as bars on one scale from 0, at most `width`; a blank is a gap."""
    bars = _BARS if unicode else _PLAIN_BARS
    courses = [course(measured, canary=side, first=start, last=end) for side in (True, False)]
    columns = max(1, min(width, max(len(course) for course in courses)))
    rows = [_in_columns(course, start, end, columns) for course in courses]
    values = [value for row in rows for value in row if math.isfinite(value)]
    if not values:
        return "", ""
    low, high = min(*values, 0.0), max(values)
    drawn = ["".join(bars[int(_part(v, low, high) * 7.999)] if math.isfinite(v) else " " for v in row) for row in rows]
    return drawn[0], drawn[1]


def course(measured: Measured, *, canary: bool, first: float, last: float) -> list[tuple[float, float]]:
    """The mean over the series of a side at each moment; of a count, the share that fails. NaN in gaps."""
    side, requests = (
        (measured.canary, measured.canary_requests) if canary else (measured.baseline, measured.baseline_requests)
    )
    sums = _combined(side, first, last)
    if measured.metric.kind != "count":
        return _thin(sorted((at, total / count if count else math.nan) for at, (total, count) in sums.items()))
    sizes = _combined(requests, first, last)
    shares = ((at, sums.get(at, (0.0, 0))[0] / size if size > 0 else math.nan) for at, (size, _) in sizes.items())
    points = sorted(shares)
    return _thin(points)


# Private


def _part(value: float, low: float, high: float) -> float:
    """Where between both it lies, 0 to 1; NaN where it is none. Of halves, so that no difference is infinite."""
    room = high / 2 - low / 2
    return min(max((value / 2 - low / 2) / room if room else 0.0, 0.0), 1.0) if math.isfinite(value) else math.nan


def _combined(side: Sequence[Series], first: float, last: float) -> dict[float, tuple[float, int]]:
    found: dict[float, tuple[float, int]] = {}
    for series in side:
        inside = (series.times >= first) & (series.times <= last)
        for moment, value in zip(series.times[inside].tolist(), series.values[inside].tolist(), strict=True):
            total, count = found.get(moment, (0.0, 0))
            found[moment] = (total + value, count + 1) if math.isfinite(value) else (total, count)
    return found


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MOST_POINTS`, the extreme of each stretch, so that no peak is lost."""
    if len(points) <= MOST_POINTS:
        return points
    size = math.ceil(len(points) / MOST_POINTS)
    return [
        max(points[i : i + size], key=lambda point: abs(point[1]) if math.isfinite(point[1]) else -1.0)
        for i in range(0, len(points), size)
    ]


def _in_columns(points: Sequence[tuple[float, float]], first: float, last: float, width: int) -> list[float]:
    columns: list[list[float]] = [[] for _ in range(width)]
    for moment, value in points:
        if math.isfinite(value):
            columns[min(width - 1, int((moment - first) / max(last - first, 1e-9) * width))].append(value)
    return [sum(column) / len(column) if column else math.nan for column in columns]


def _path(points: Sequence[tuple[float, float]]) -> str:
    parts, pen = [], False
    for x, y in points:
        if math.isfinite(y):
            parts.append(f"{'L' if pen else 'M'}{_n(x)} {_n(y)}")
        pen = math.isfinite(y)
    return "".join(parts) or "M0 0"


def _svg(result: MetricResult, body: str) -> str:
    told = f"{result.state}: {result.says}"
    if result.canary is not None and result.baseline is not None:
        told = f"Canary {number(result.canary)}, baseline {number(result.baseline)}"
        told += f", {change(result.change)}. " if result.change is not None else ". "
        told += f"{result.state}: {result.says}"
    return (
        f'<svg class="canary-plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{markup(result.name)}</title><desc>{markup(told)}</desc>{body}</svg>"
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
