"""Intervals of the figures of a backtest, all for 95 %."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from tidegate.policy.backtest.values import Ratio, Share

Z = 1.959963984540054
UNKNOWN_RATIO = Ratio(0.0, 0.0, 0.0, known=False)


def share(count: int, total: int) -> Share:
    """The share with Wilson's score interval (Wilson 1927, JASA 22)."""
    if not total:
        return Share(0, 0, 0.0, 0.0)
    p, z2 = count / total, Z * Z
    middle = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = Z * math.sqrt(p * (1 - p) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == total else min(1.0, middle + half)
    return Share(count, total, low, high)


def lift(caught: int, held: int, repaired: int, total: int) -> Ratio:
    """The share of repaired changes among the held ones against that among all.

    The interval is that of the delta method for its logarithm, with half a change added to every cell of the table so
    that a zero has one too (Haldane 1955). Unknown where nothing was held or nothing was repaired.
    """
    if not held or not repaired:
        return UNKNOWN_RATIO
    value = (caught / held) / (repaired / total)
    both, only_held, only_repaired = caught + 0.5, held - caught + 0.5, repaired - caught + 0.5
    every = total + 2.0
    h, r = both + only_held, both + only_repaired
    smooth = both * every / (h * r)
    variance = max(0.0, 1 / both - 1 / h - 1 / r + (2 * smooth - 1) / every)
    if held == total:
        return Ratio(value, 1.0, 1.0)
    spread = math.exp(Z * math.sqrt(variance))
    return Ratio(value, min(value, smooth / spread), max(value, smooth * spread))


def auc(repaired: Sequence[float], harmless: Sequence[float]) -> Ratio:
    """The probability that a repaired change has more than a harmless one; ties count half.

    The interval is that of DeLong et al. 1988 (Biometrics 44). Unknown where either group is empty.
    """
    if not repaired or not harmless:
        return UNKNOWN_RATIO
    low, high = sorted(harmless), sorted(repaired)
    above = [(bisect_left(low, x) + bisect_right(low, x)) / (2 * len(low)) for x in repaired]
    below = [1 - (bisect_left(high, x) + bisect_right(high, x)) / (2 * len(high)) for x in harmless]
    value = sum(above) / len(above)
    half = Z * math.sqrt(_variance(above, value) / len(above) + _variance(below, value) / len(below))
    return Ratio(value, max(0.0, value - half), min(1.0, value + half))


def paired_difference(first_only: int, second_only: int, total: int) -> Ratio:
    """The difference of two shares over the same `total` changes, from those that only one of the two counts.

    Newcombe's simple adjusted interval: Wald with half a change added to either side (Agresti and Min 2005).
    """
    if not total:
        return UNKNOWN_RATIO
    value = (first_only - second_only) / total
    b, c, n = first_only + 0.5, second_only + 0.5, total + 2.0
    half = Z * math.sqrt(b + c - (b - c) ** 2 / n) / n
    middle = (b - c) / n
    return Ratio(value, max(-1.0, min(value, middle - half)), min(1.0, max(value, middle + half)))


# Private


def _variance(values: Sequence[float], mean: float) -> float:
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1) if len(values) > 1 else 0.0
