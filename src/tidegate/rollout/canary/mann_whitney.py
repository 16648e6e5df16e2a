"""The Mann-Whitney test as Kayenta has it: a shift (Hodges-Lehmann) and its confidence interval by Brent's root search.

After MannWhitney.scala and BrentSolver.java of spinnaker/kayenta a69573b (Apache-2.0), themselves after R's
`wilcox.test`: correction for ties and for continuity, roots to 1e-4. The same numbers come out, so the same verdicts.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray

_STEPS = 1001
_TOLERANCE = 1e-4
_EPSILON = 2.220446049250313e-16
_LEAST = 5e-324


class Shift(NamedTuple):
    """How far the experiment lies from the control, and between which bounds."""

    low: float
    high: float
    estimate: float


class AllTiedError(ValueError):
    """No interval exists: at some shift, every observation is the same number."""


def shift(experiment: NDArray[float64], control: NDArray[float64], confidence: float) -> Shift:
    """The shift of experiment against control. Both hold numbers only and at least one. Raises AllTiedError."""
    ordered, other = np.sort(experiment), np.sort(control)
    lowest, highest = float(ordered[0] - other[-1]), float(ordered[-1] - other[0])
    statistic = _statistic(ordered, other)
    at_lowest, at_highest = statistic(lowest), statistic(highest)

    def root(quantile: float) -> float:
        low, high = at_lowest - quantile, at_highest - quantile
        if low <= 0:
            return lowest
        if high >= 0:
            return highest
        return _brent(lowest, highest, low, high, lambda mu: statistic(mu) - quantile)

    quantile = NormalDist().inv_cdf((1.0 - confidence) / 2)
    return Shift(root(-quantile), root(quantile), _brent(lowest, highest, at_lowest, at_highest, statistic))


def cannot_differ(experiment: NDArray[float64], control: NDArray[float64], confidence: float) -> tuple[bool, bool]:
    """Whether it is certain, without a search, that `low` is not above 0, and that `high` is not below 0.

    One look a little to the side of 0 tells, as far as no ties bend the statistic: it falls as the shift grows, and
    the search ends within 1e-4 of where it crosses.
    """
    ordered, other = np.sort(experiment), np.sort(control)
    if (
        len(ordered) < 2
        or len(other) < 2
        or not ((ordered[1:] > ordered[:-1]).all() and (other[1:] > other[:-1]).all())
    ):
        return False, False
    quantile, statistic = -NormalDist().inv_cdf((1.0 - confidence) / 2), _statistic(ordered, other)
    aside = 1.1 * _TOLERANCE
    return (
        bool(ordered[0] - other[-1] < -aside) and statistic(-aside) < quantile,
        bool(ordered[-1] - other[0] > aside) and statistic(aside) > -quantile,
    )


def cannot_differ_rows(
    ordered: NDArray[float64], other: NDArray[float64], confidence: float
) -> tuple[NDArray[bool_], NDArray[bool_], NDArray[bool_]]:
    """The same of many at once, each a sorted row of at least two; the third says where ties want a look of its own."""
    m, n = ordered.shape[1], other.shape[1]
    aside = 1.1 * _TOLERANCE
    both = np.concatenate((ordered + aside, ordered - aside), axis=1)
    counts = np.array([row.searchsorted(values) for row, values in zip(other, both, strict=True)])
    met = np.take_along_axis(other, np.minimum(counts, n - 1), axis=1) == both
    within = (both[:, 1:] == both[:, :-1])[:, np.arange(2 * m - 1) != m - 1]
    tied = met.any(axis=1) | within.any(axis=1)
    tied |= (ordered[:, 1:] == ordered[:, :-1]).any(axis=1) | (other[:, 1:] == other[:, :-1]).any(axis=1)
    spread = np.sqrt(m * n / 12 * (m + n + 1))
    above = np.stack((counts[:, :m].sum(axis=1), counts[:, m:].sum(axis=1))) - m * n / 2
    lower, upper = (above - 0.5 * np.sign(above)) / spread
    quantile = -NormalDist().inv_cdf((1.0 - confidence) / 2)
    not_high = (ordered[:, 0] - other[:, -1] < -aside) & (lower < quantile) & ~tied
    not_low = (ordered[:, -1] - other[:, 0] > aside) & (upper > -quantile) & ~tied
    return not_high, not_low, tied


# Private


def _statistic(ordered: NDArray[float64], other: NDArray[float64]) -> Callable[[float], float]:
    """The normal statistic of the experiment shifted back by mu.

    The ranks of the experiment need no sorting again: shifting keeps its order, so they are counts in the control.
    """
    m, n = len(ordered), len(other)
    scale, total = m * n / 12, (float(m + n)) * (m + n - 1)
    seen: dict[float, float] = {}
    tied = bool((other[1:] == other[:-1]).any())

    def value(mu: float) -> float:
        if mu in seen:
            return seen[mu]
        shifted = ordered - mu
        left = other.searchsorted(shifted, "left")
        below, ties = 2 * int(left.sum()), 0.0
        across = bool((other.take(left, mode="clip") == shifted).any())
        if across:
            below = int(left.sum()) + int(other.searchsorted(shifted, "right").sum())
        if across or tied or (shifted[1:] == shifted[:-1]).any():
            ties = _ties(shifted, other)
        above = 0.5 * below - m * n / 2
        spread = scale * ((m + n + 1) - ties / total)
        if spread <= 0:
            raise AllTiedError
        correction = 0.5 if above > 0 else -0.5 if above < 0 else 0.0
        seen[mu] = result = float((above - correction) / np.sqrt(spread))
        return result

    return value


def _ties(shifted: NDArray[float64], other: NDArray[float64]) -> float:
    """The sum of t^3 - t over the groups of t equal observations."""
    counts = np.unique(np.concatenate((shifted, other)), return_counts=True)[1].astype(float)
    return float((counts**3 - counts).sum())


def _brent(a: float, b: float, fa: float, fb: float, function: Callable[[float], float]) -> float:
    """Line by line as in BrentSolver.java: another search would end on another number inside the same 1e-4."""
    if abs(fa) <= _LEAST:
        return a
    if abs(fb) <= _LEAST:
        return b
    c, fc = a, fa
    for _ in range(_STEPS):
        before = b - a
        if abs(fc) < abs(fb):
            a, b, c = b, c, b
            fa, fb, fc = fb, fc, fb
        least = 2 * _EPSILON * abs(b) + _TOLERANCE / 2
        step = (c - b) / 2
        if abs(step) <= least or abs(fb) <= _LEAST:
            return b
        if abs(before) >= least and abs(fa) > abs(fb):
            step = _interpolate((a, b, c), (fa, fb, fc), (before, least, step))
        if abs(step) < least:
            step = least if step > 0 else -least
        a, fa = b, fb
        b += step
        fb = function(b)
        if (fb > 0 and fc > 0) or (fb < 0 and fc < 0):
            c, fc = a, fa
    return b


def _interpolate(
    at: tuple[float, float, float], values: tuple[float, float, float], steps: tuple[float, float, float]
) -> float:
    (a, b, c), (fa, fb, fc), (before, least, step) = at, values, steps
    across = c - b
    if a == c:
        t1 = fb / fa
        p, q = across * t1, 1.0 - t1
    else:
        q, t1, t2 = fa / fc, fb / fc, fb / fa
        p = t2 * (across * q * (q - t1) - (b - a) * (t1 - 1.0))
        q = (q - 1.0) * (t1 - 1.0) * (t2 - 1.0)
    if p > 0.0:
        q = -q
    else:
        p = -p
    if p < (0.75 * across * q - abs(least * q) / 2) and p < abs(before * q / 2):
        return p / q
    return step
