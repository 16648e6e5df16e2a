"""Intervals of 95 % for shares, rates, medians and ratios; none takes the numbers to be normally distributed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tidegate.insight.values import Figure

Z = 1.959963984540054
LEAST = 5
"""Below so many nothing is said: an interval from .1 to .9 is read as .5."""


def share(name: str, hits: int, n: int, *, left_out: int = 0) -> Figure:
    """A share by Clopper and Pearson's exact interval (1934): it holds at least as often as it says, for every n."""
    from scipy.special import betaincinv

    if n < LEAST:
        return too_few(name, "share", n, left_out)
    low = float(betaincinv(hits, n - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 0.975)) if hits < n else 1.0
    return Figure(name=name, unit="share", value=hits / n, low=low, high=high, n=n, left_out=left_out)


def rate(name: str, count: int, days: float) -> Figure:
    """Events a day by Garwood's exact interval of a Poisson count (1936); of no days nothing is said."""
    from scipy.special import gammaincinv

    if days <= 0:
        return Figure(name=name, unit="a day", value=None, low=None, high=None, n=count, says="nothing to count")
    low = float(gammaincinv(count, 0.025)) if count else 0.0
    high = float(gammaincinv(count + 1, 0.975))
    return Figure(name=name, unit="a day", value=count / days, low=low / days, high=high / days, n=count)


def median(name: str, values: Sequence[float], unit: str, *, left_out: int = 0) -> Figure:
    """The median between two order statistics, by the binomial distribution: for whatever shape the values have."""
    if len(values) < LEAST + 1:
        return too_few(name, unit, len(values), left_out)
    ordered = sorted(values)
    n = len(ordered)
    place = _order(n)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return Figure(
        name=name,
        unit=unit,
        value=middle,
        low=ordered[place],
        high=ordered[n - 1 - place],
        n=n,
        left_out=left_out,
    )


def risk_ratio(name: str, strata: Sequence[tuple[int, int, int, int]], *, left_out: int = 0) -> Figure:
    """How many times the risk of the first group the second one's is, within strata (Mantel and Haenszel 1959).

    Each stratum is (failures, n) of the first group and (failures, n) of the second. The interval is Greenland and
    Robins' (1985). Strata in which one group is missing say nothing and are left out.
    """
    top = bottom = spread = 0.0
    n = 0
    for a, m, b, k in strata:
        if not m or not k:
            left_out += m + k
            continue
        whole = m + k
        n += whole
        top += a * k / whole
        bottom += b * m / whole
        spread += (m * k * (a + b) - a * b * whole) / (whole * whole)
    if top == 0 or bottom == 0:
        says = "no stratum has failures in both groups" if n else "no stratum has both groups"
        return Figure(name=name, unit="times", value=None, low=None, high=None, n=n, left_out=left_out, says=says)
    value = top / bottom
    deviation = math.sqrt(spread / (top * bottom))
    return Figure(
        name=name,
        unit="times",
        value=value,
        low=value * math.exp(-Z * deviation),
        high=value * math.exp(Z * deviation),
        n=n,
        left_out=left_out,
    )


def difference(before: Figure, after: Figure) -> Figure | None:
    """How much `after` lies above `before`, by the variance estimates recovered from both intervals (Zou and Donner
    2008); both are of different changes. None where one of them says nothing."""
    if None in (before.value, before.low, before.high, after.value, after.low, after.high):
        return None
    b, b_low, b_high = before.value or 0.0, before.low or 0.0, before.high or 0.0
    a, a_low, a_high = after.value or 0.0, after.low or 0.0, after.high or 0.0
    return Figure(
        name=after.name,
        unit=after.unit,
        value=a - b,
        low=a - b - math.hypot(a - a_low, b_high - b),
        high=a - b + math.hypot(a_high - a, b - b_low),
        n=before.n + after.n,
        left_out=before.left_out + after.left_out,
    )


def too_few(name: str, unit: str, n: int, left_out: int) -> Figure:
    """A figure that says nothing, and why."""
    says = "nothing to count" if n == 0 else f"only {n}: too few to say"
    return Figure(name=name, unit=unit, value=None, low=None, high=None, n=n, left_out=left_out, says=says)


# Private


def _order(n: int) -> int:
    """How far from either end the interval's order statistics are: beyond each lie at most 2.5 %."""
    from scipy.special import bdtr, bdtrik

    place = max(int(bdtrik(0.025, n, 0.5)), 0)
    while bdtr(place, n, 0.5) <= 0.025:
        place += 1
    while place > 0 and bdtr(place - 1, n, 0.5) > 0.025:
        place -= 1
    return max(place - 1, 0)
