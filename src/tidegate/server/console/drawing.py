"""Pictures that the server draws: SVG without scripts or styles of its own; the page's style gives it its colours.

Beside each picture stands the same in words or as a table.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from tidegate.rollout.canary.courses import Course, course_svg
from tidegate.rollout.canary.values import Judgement, MetricResult
from tidegate.server.console.render import quantity, utc
from tidegate.server.production.noticed import Noticed

WIDTH, HEIGHT = 480, 110
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 10, 10, 22
_FRAME = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img"><title>{}</title><desc>{}</desc>{}</svg>')
_TEXT = Markup('<text class="{}" x="{}" y="{}">{}</text>')
_PATH = Markup('<path class="{}" d="{}"/>')


def draw_regression(noticed: Noticed, deployed: float, raised: float) -> Markup:
    """The metric around the deployment: its course where it was kept, its level before and after where that is known.

    "" where there is nothing to draw.
    """
    said = noticed.said
    moved = said.moved if said.moved is not None else raised
    end = max([raised, moved + 60, *(at for at, _ in noticed.points)])
    start = deployed - max(4 * (end - deployed), 300.0)
    inside = tuple((at, value) for at, value in noticed.points if at >= start)
    points = inside or _levels(said.before, said.after, start, moved, end)
    if not points or end <= start:
        return Markup("")
    values = [value for _, value in points]
    low, high = min(values), max(values)
    low = 0.0 if 0 < low < 0.5 * high else low
    room = (high - low) or abs(high) or 1.0
    floor = HEIGHT - _BOTTOM

    def x(at: float) -> float:
        return _LEFT + (min(max(at, start), end) - start) / (end - start) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (1 - (value - low) / room) * (floor - _TOP)

    parts = [
        _PATH.format("rule", f"M{_LEFT} {_TOP}V{floor}H{WIDTH - _RIGHT}"),
        _TEXT.format("end", _LEFT - 5, _TOP + 8, quantity(high)),
        _TEXT.format("end", _LEFT - 5, floor, quantity(low)),
        *_line("deployed", x(deployed), floor),
        *_line("raised", x(raised), floor),
        _PATH.format("course", _path([(x(at), y(value)) for at, value in points])),
    ]
    told = f"{quantity(said.before or 0.0)} before, {quantity(said.after or 0.0)} after"
    title = f"{said.metric} of {said.service}"
    words = f"{told}; deployed at {utc(deployed)[11:19]}, raised at {utc(raised)[11:19]} UTC"
    return _FRAME.format(WIDTH, HEIGHT, title, words, Markup("").join(parts))


def draw_canary(result: MetricResult, courses: Sequence[Course], judged: Judgement) -> Markup:
    """The canary beside its baseline; "" where their course was not kept. Escaped where it is drawn."""
    mine = next((one for one in courses if one.metric == result.name), None)
    return Markup(course_svg(mine, result, judged)) if mine is not None else Markup("")  # noqa: S704


# Private


def _levels(
    before: float | None, after: float | None, start: float, moved: float, end: float
) -> tuple[tuple[float, float], ...]:
    if before is None or after is None:
        return ()
    return ((start, before), (moved, before), (moved, after), (end, after))


def _line(name: str, x: float, floor: float) -> tuple[Markup, Markup]:
    side = "end" if x > WIDTH * 0.75 else "begin"
    return _PATH.format(f"mark {name}", f"M{x:.1f} {_TOP}V{floor}"), _TEXT.format(
        side, f"{x:.1f}", HEIGHT - 6 if name == "deployed" else _TOP, name
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if place else 'M'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
