"""Five ways to look at one series; each is a number per point that is large where the series does something new.

Every view is causal, and looks back `reach(period)` points at most, so a frame of that many points is enough to go on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

VIEWS = ("level", "jump", "shift", "variance", "season")
_SHORT, _HOUR, _LONG = 12, 48, 1000
_BASE, _SPREAD = 288, 24
_DAYS, _SMOOTH, _RESIDUAL = 3, 3, 6


def reach(period: int) -> int:
    """How many points back a view looks; `period` is the length of a season in points, 0 where there is none."""
    return max(_LONG + _HOUR + 1, _BASE + _SHORT, _DAYS * period + _SMOOTH + _RESIDUAL)


def look(values: Floats, period: int) -> Floats:
    """The views of each point, one row a view; `values` are finite. The row `season` is 0 until a day has passed.

    level: the mean of 48 points against the 1,000 before, in standard deviations; jump: the step from the last point;
    shift: the mean of 12 points against the 288 before; variance: the spread around the short mean over 24 points;
    season: the distance from the median of the same moment of the last three seasons.
    """
    moved = values - values[0]
    short = _mean(moved, _SHORT)
    rows = np.zeros((len(VIEWS), len(values)))
    rows[0] = np.abs(_standard(_mean(moved, _HOUR)))
    rows[1] = np.abs(moved - _lag(moved, 1))
    rows[2] = np.abs(short - _lag(_mean(moved, _BASE), _SHORT))
    rows[3] = np.sqrt(np.maximum(_mean((moved - short) ** 2, _SPREAD), 0.0))
    if 0 < period < len(values):
        rows[4, period:] = _season(moved, period)[period:]
    return rows


# Private


def _season(values: Floats, period: int) -> Floats:
    smooth = _mean(values, _SMOOTH)
    a, b, c = (_lag(smooth, period * day) for day in range(1, _DAYS + 1))
    median = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return np.abs(_mean(smooth - median, _RESIDUAL))


def _standard(values: Floats) -> Floats:
    past = _lag(values, 1)
    mean = _mean(past, _LONG)
    variance = np.maximum(_mean(past * past, _LONG) - mean * mean, 0.0)
    return (values - mean) / np.sqrt(variance + 1e-12 * (1.0 + np.abs(mean)) ** 2)


def _mean(values: Floats, width: int) -> Floats:
    """Of the last `width` values, or of as many as there are."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    count = len(values)
    if count <= width:
        return sums[1:] / np.arange(1, count + 1)
    head = sums[1 : width + 1] / np.arange(1, width + 1)
    return np.concatenate((head, (sums[width + 1 :] - sums[1 : count - width + 1]) / width))


def _lag(values: Floats, by: int) -> Floats:
    by = min(by, len(values))
    return np.concatenate((np.full(by, values[0]), values[: len(values) - by]))
