"""The course of each metric as it is kept with a judgement, so that its picture can be drawn again by anybody."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.rollout.canary.values import Judgement, Measured, Metric, MetricResult
from tidegate.telemetry.series import Series

Points = tuple[tuple[float, float | None], ...]


class Course(Struct, frozen=True):
    """The mean over the replicas of each side, or the share that fails: (Unix seconds, value); None is a gap."""

    metric: str
    canary: Points
    baseline: Points


class _Courses(Struct, frozen=True):
    courses: tuple[Course, ...] = ()


def courses_of(measured: Sequence[Measured], judged: Judgement) -> tuple[Course, ...]:
    """What `plot_svg` would draw of each metric; at most 240 points a side."""
    from tidegate.rollout.canary.plot import course

    first = judged.start - (judged.end - judged.start)
    return tuple(
        Course(
            one.metric.name,
            _gaps(course(one, canary=True, first=first, last=judged.end)),
            _gaps(course(one, canary=False, first=first, last=judged.end)),
        )
        for one in measured
    )


def judgement_with_courses(judged: Judgement, measured: Sequence[Measured]) -> bytes:
    """JSON of the judgement with the courses beside it; whoever reads the judgement alone finds it as it was."""
    fields = {**msgspec.structs.asdict(judged), "courses": courses_of(measured, judged)}
    return msgspec.json.encode(fields, order="deterministic")


def read_judgement(document: bytes) -> tuple[Judgement, tuple[Course, ...]]:
    """The judgement and its courses, () where none were kept. InputError where the document is damaged."""
    try:
        judged = msgspec.json.decode(document, type=Judgement)
        return judged, msgspec.json.decode(document, type=_Courses).courses
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("a kept judgement is damaged") from error


def course_svg(kept: Course, result: MetricResult, judged: Judgement) -> str:
    """The picture of a kept course: see `plot_svg`."""
    from tidegate.rollout.canary.plot import plot_svg

    measured = Measured(metric=Metric(name=result.name), canary=_series(kept.canary), baseline=_series(kept.baseline))
    return plot_svg(measured, result, judged.start, judged.end)


# Private


def _gaps(points: Sequence[tuple[float, float]]) -> Points:
    return tuple((at, value if math.isfinite(value) else None) for at, value in points)


def _series(points: Points) -> tuple[Series, ...]:
    import numpy as np

    times = np.array([at for at, _ in points], dtype=np.float64)
    values = np.array([math.nan if value is None else value for _, value in points], dtype=np.float64)
    return (Series(name="", labels={}, times=times, values=values),)
