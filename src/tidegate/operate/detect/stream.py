"""A streaming detector of anomalies: how improbable is this point by the series' own history, seen from five sides.

Each view (views.py) has a tail probability by the 2,000 points before: the share above a high quantile, times an
exponential tail beyond it. The score is the mean over the views of -log10 of it; an alarm is a score over
`THRESHOLD` with no alarm in the `QUIET` points before. Settings come from the development half of the Numenta
Anomaly Benchmark, each group held out in turn (bench/production/detect.py).
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tidegate.errors import InputError
from tidegate.operate.detect.views import VIEWS, Floats, look, reach
from tidegate.telemetry.series import Series

THRESHOLD = 1.25
QUIET = 100
_WORST = 12.0
_HISTORY, _REFRESH, _FRAME = 2000, 100, 1000
_TAIL, _FEWEST = 0.01, 100
_DAY, _LONGEST_SEASON = 86_400.0, 1440
_LARGEST = 1e100
_COLUMN = (len(VIEWS), 1)


class Anomaly(Struct, frozen=True, kw_only=True):
    """One alarm. `score`: the mean over the views of -log10 of how probable the point is by the series' own history.

    `views` has the part of each, most surprising first; `index` counts from the first point ever pushed.
    """

    index: int
    at: float
    value: float
    score: float
    views: tuple[tuple[str, float], ...]


def anomalies(series: Series) -> tuple[Anomaly, ...]:
    """The alarms of a whole series, as a stream of its points would have raised them one by one.

    Raises InputError where times and values are not two arrays of one length.
    """
    return Detector(season(series.times)).push(*_arrays(series.times, series.values))


def anomaly_scores(series: Series) -> Floats:
    """A score from 0 to 1 for each point, as scorers want it: 0 where no alarm is raised, else the alarm's over 12."""
    scores = np.zeros(len(series.values))
    for one in anomalies(series):
        scores[one.index] = one.score / _WORST
    return scores


def season(times: NDArray[np.float64]) -> int:
    """How many points a day has, by the median distance of the times; 0 where it is over 1,440 or cannot be told."""
    steps = np.diff(np.asarray(times[:_HISTORY], dtype=float))
    steps = steps[np.isfinite(steps) & (steps > 0)]
    if not len(steps):
        return 0
    points = _DAY / float(np.median(steps))
    return round(points) if 2.0 <= points <= _LONGEST_SEASON else 0


class Detector:
    """The same as `anomalies`, fed by and by: any cut of a series into pushes gives the same alarms, to the bit.

    It keeps at most `reach(period)` + 1,000 values and 2,000 points of each view, however long it runs.
    """

    def __init__(self, period: int = 0, *, threshold: float = THRESHOLD, quiet: int = QUIET) -> None:
        self._threshold = threshold
        self._quiet = quiet
        self._skipped = 0
        self._period = period
        self._reach = reach(period)
        self._values: Floats = np.zeros(0)
        self._past: Floats = np.zeros((len(VIEWS), 0))
        self._scale = _NOT_YET
        self._seen = 0
        self._last = -quiet - 1

    def push(self, times: Floats, values: Floats) -> tuple[Anomaly, ...]:
        """The alarms of the next points. A value that is not finite was not measured: it raises nothing.

        Raises InputError where times and values are not two arrays of one length.
        """
        times, values = _arrays(times, values)
        if not self._seen:
            blank = _blank(values)
            self._skipped += blank
            times, values = times[blank:], values[blank:]
        found: list[Anomaly] = []
        while len(values):
            room = _FRAME - self._seen % _FRAME
            found += self._advance(times[:room], values[:room])
            times, values = times[room:], values[room:]
        return tuple(found)

    def _advance(self, times: Floats, values: Floats) -> list[Anomaly]:
        """Up to the end of one frame: the views are taken over the frame and what it looks back on."""
        measured = np.isfinite(values)
        self._values = np.concatenate((self._values, _fill(values, measured, self._values)))
        rows = look(self._values, self._period)[:, -len(values) :]
        found: list[Anomaly] = []
        done = 0
        while done < len(values):
            room = _REFRESH - self._seen % _REFRESH
            part = slice(done, done + room)
            found += self._judge(times[part], values[part], measured[part], rows[:, part])
            done += room
        if self._seen % _FRAME == 0:
            self._values = self._values[-self._reach :].copy()
        return found

    def _judge(self, times: Floats, values: Floats, measured: NDArray[np.bool_], rows: Floats) -> list[Anomaly]:
        """Up to the next refreshing of the tails, which comes where the count of points is a multiple of 100."""
        if self._seen % _REFRESH == 0:
            self._scale = _tails(self._past, self._seen - self._period if self._period else 0)
        start, self._seen = self._seen, self._seen + len(values)
        self._past = np.concatenate((self._past, rows), axis=1)[:, -_HISTORY:]
        surprise = _surprise(rows, self._scale)
        scores = surprise.sum(axis=0) / max(self._scale.live, 1)
        found: list[Anomaly] = []
        for place in np.flatnonzero((scores > self._threshold) & measured):
            if start + place - self._last > self._quiet:
                self._last = int(start + place)
                at, value, score = float(times[place]), float(values[place]), float(scores[place])
                found.append(_anomaly(self._last + self._skipped, at, value, score, surprise[:, place]))
        return found


# Private


class _Tails(Struct, frozen=True):
    """For each view: the high quantile of its history, the mean excess over it, and -log10 of the share above it."""

    above: Floats
    excess: Floats
    share: Floats
    live: int


_NOT_YET = _Tails(np.full(_COLUMN, np.inf), np.ones(_COLUMN), np.zeros(_COLUMN), 0)


def _tails(past: Floats, seasoned: int) -> _Tails:
    """`seasoned`: how many points the season view has had."""
    above, excess, share = np.full(_COLUMN, np.inf), np.ones(_COLUMN), np.zeros(_COLUMN)
    live = 0
    for row, history in enumerate(past):
        if VIEWS[row] == "season":
            history = history[max(len(history) - max(seasoned, 0), 0) :]
        count = len(history)
        if count < _FEWEST:
            continue
        live += 1
        top = max(int(count * _TAIL), 5)
        highest = np.partition(history, count - top - 1)[-top - 1 :]
        above[row] = highest.min()
        excess[row] = max((highest.mean() - above[row, 0]) * (top + 1) / top, 1e-9 * (abs(above[row, 0]) + 1.0))
        share[row] = np.log10(count / top)
    return _Tails(above, excess, share, live)


def _surprise(rows: Floats, scale: _Tails) -> Floats:
    beyond = scale.share + (rows - scale.above) / (scale.excess * np.log(10.0))
    return np.where(rows > scale.above, np.minimum(beyond, _WORST), 0.0)


def _anomaly(index: int, at: float, value: float, score: float, surprise: Floats) -> Anomaly:
    parts = sorted(((name, round(float(part), 6)) for name, part in zip(VIEWS, surprise, strict=True)), key=_by_part)
    return Anomaly(index=index, at=at, value=value, score=score, views=tuple(parts))


def _by_part(part: tuple[str, float]) -> tuple[float, str]:
    return (-part[1], part[0])


def _fill(values: Floats, measured: NDArray[np.bool_], before: Floats) -> Floats:
    """What was not measured stays as it was last; what is larger than any measure has meaning is cut."""
    first = before[-1] if len(before) else values[0]
    last = np.maximum.accumulate(np.where(measured, np.arange(1, len(values) + 1), 0))
    return np.clip(np.concatenate(([first], values))[last], -_LARGEST, _LARGEST)


def _blank(values: Floats) -> int:
    """How many values come before the first that was measured."""
    measured = np.flatnonzero(np.isfinite(values))
    return int(measured[0]) if len(measured) else len(values)


def _arrays(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    try:
        left, right = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("a series is not made of numbers", mend="give two arrays of numbers") from error
    if left.ndim != 1 or left.shape != right.shape:
        what = f"a series has {left.shape} times and {right.shape} values"
        raise InputError(what, mend="give one time for each value")
    return left, right
