"""Intervals of 95 % for many groups at once: shares, ratios of sums and sums a day, whose unit is the change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from tidegate.insight.intervals import LEAST, too_few
from tidegate.insight.values import Figure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]
    Codes: TypeAlias = NDArray[np.int64]

_NONE_SEEN = 3.6888794541139363
"""Garwood's upper end where nothing was counted: -ln(.025)."""


def shares(name: str, hits: Array, groups: Codes, left_out: Codes) -> list[Figure]:
    """By Clopper and Pearson's exact interval, for each group that `left_out` has a number of."""
    import numpy as np
    from scipy.special import betaincinv

    count = len(left_out)
    n = np.bincount(groups, minlength=count)
    k = np.bincount(groups, weights=hits, minlength=count)
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), np.maximum(n - k, 0) + 1, 0.025), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 0.975), 1.0)
    return [
        Figure(
            name=name,
            unit="share",
            value=float(k[g] / n[g]),
            low=float(low[g]),
            high=float(high[g]),
            n=int(n[g]),
            left_out=int(left_out[g]),
        )
        if n[g] >= LEAST
        else too_few(name, "share", int(n[g]), int(left_out[g]))
        for g in range(count)
    ]


def ratios(name: str, unit: str, pairs: tuple[Array, Array], groups: Codes, left_out: Codes) -> list[Figure]:
    """The sum of the first over the sum of the second, by group; a share where the unit says so.

    The variance is that of the linearised ratio (Cochran, Sampling Techniques, 1977, chapter 6), on the scale of the
    logarithm, of a share on that of its odds, with Student's distribution at as many degrees of freedom as the changes
    that carry the variance count for: one that outweighs all others makes the interval wide.
    """
    import numpy as np

    x, y = pairs
    count = len(left_out)
    n = np.bincount(groups, minlength=count)
    above, below = (np.bincount(groups, weights=each, minlength=count) for each in (x, y))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = above / below
        off = x - value[groups] * y
        squares, fourths = (np.bincount(groups, weights=off**power, minlength=count) for power in (2, 4))
        deviation = np.sqrt(squares * n / np.maximum(n - 1, 1)) / below
        carrying = np.where(fourths > 0, squares**2 / fourths, 1.0)
        heavy = np.bincount(groups, weights=y**2, minlength=count)
        alike = np.where(heavy > 0, below**2 / heavy, 0.0)
    return [
        _ratio(
            Figure(
                name=name, unit=unit, value=float(value[g]), low=None, high=None, n=int(n[g]), left_out=int(left_out[g])
            ),
            float(deviation[g]),
            max(float(carrying[g]) - 1, 1.0),
            (float(below[g]), float(alike[g])),
        )
        if n[g] >= LEAST and below[g] > 0
        else too_few(name, unit, int(n[g]) if below[g] > 0 else 0, int(left_out[g]))
        for g in range(count)
    ]


def mean(name: str, values: Sequence[float], unit: str, *, left_out: int = 0) -> Figure:
    """The mean of what is not below 0, as a ratio of sums of one group."""
    import numpy as np

    amounts = np.array(values, dtype=np.float64)
    groups = np.zeros(len(amounts), dtype=np.int64)
    return ratios(name, unit, (amounts, np.ones(len(amounts))), groups, np.array([left_out]))[0]


def sums_a_day(name: str, unit: str, amounts: Array, groups: Codes, days: Array) -> list[Figure]:
    """What changes bring together in a day, where they come as a Poisson process and each brings its own amount."""
    import numpy as np

    count = len(days)
    n = np.bincount(groups, minlength=count)
    whole, squares, fourths = (np.bincount(groups, weights=amounts**power, minlength=count) for power in (1, 2, 4))
    found = []
    for g in range(count):
        if n[g] < LEAST or days[g] <= 0 or whole[g] <= 0:
            found.append(too_few(name, unit, int(n[g]), 0))
            continue
        wide = math.exp(_student(max(float(squares[g] ** 2 / fourths[g]) - 1, 1.0)) * math.sqrt(squares[g]) / whole[g])
        value = float(whole[g] / days[g])
        found.append(Figure(name=name, unit=unit, value=value, low=value / wide, high=value * wide, n=int(n[g])))
    return found


# Private


def _ratio(figure: Figure, deviation: float, degrees: float, weight: tuple[float, float]) -> Figure:
    from msgspec.structs import replace
    from scipy.special import betaincinv

    value, (below, alike) = figure.value or 0.0, weight
    share = figure.unit == "share"
    if value <= 0:
        high = float(betaincinv(1, max(alike, 1.0), 0.975)) if share else _NONE_SEEN / below
        return replace(figure, value=0.0, low=0.0, high=high)
    if share and value >= 1:
        return replace(figure, value=1.0, low=float(betaincinv(max(alike, 1.0), 1, 0.025)), high=1.0)
    reach = _student(degrees) * deviation
    if share:
        odds, wide = value / (1 - value), math.exp(min(reach / (value * (1 - value)), 50.0))
        return replace(figure, low=odds / wide / (1 + odds / wide), high=odds * wide / (1 + odds * wide))
    wide = math.exp(min(reach / value, 50.0))
    return replace(figure, low=value / wide, high=value * wide)


def _student(degrees: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.975))
