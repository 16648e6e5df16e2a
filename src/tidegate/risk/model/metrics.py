"""How good scores are: ranking, calibration, and what a budget of reviews would catch. Imports numpy: load it late.

Everywhere `truth` is 0 or 1 (or a confidence between) and `scores` grow with risk. NaN is the answer where a figure has
no meaning: no rows, or only one class.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tidegate.risk.features.frame import Floats

BINS = 15
Z95 = 1.959963984540054
DRAWS = 400


class Interval(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Bin(NamedTuple):
    """One line of a calibration table: what was said on average, what came true, and how many changes it holds."""

    said: float
    came: float
    changes: int


def auc(scores: Floats, truth: Floats) -> float:
    """The probability that a repaired change scores above one that was not; ties count half.

    With truth between 0 and 1 each row counts as both, by its share.
    """
    positive = float(truth.sum())
    negative = float(len(truth)) - positive
    if positive <= 0.0 or negative <= 0.0:
        return math.nan
    _, group = np.unique(scores, return_inverse=True)
    ups = np.bincount(group, weights=truth)
    downs = np.bincount(group, weights=1.0 - truth)
    below = np.cumsum(downs) - downs
    return float(((below + downs / 2.0) * ups).sum() / (positive * negative))


def brier(probabilities: Floats, truth: Floats) -> float:
    """The mean squared error of probabilities."""
    return float(np.mean((probabilities - truth) ** 2)) if len(truth) else math.nan


def calibration_table(probabilities: Floats, truth: Floats, bins: int = BINS) -> tuple[Bin, ...]:
    """Changes in bins of equal number by what was said of them, the least risky first."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return tuple(Bin(float(probabilities[part].mean()), float(truth[part].mean()), len(part)) for part in parts)


def calibration_error(probabilities: Floats, truth: Floats, bins: int = BINS) -> float:
    """ECE: the mean distance between said and came true over bins of equal number (Naeini et al., AAAI 2015)."""
    table = calibration_table(probabilities, truth, bins)
    total = sum(row.changes for row in table)
    return sum(abs(row.said - row.came) * row.changes for row in table) / total if total else math.nan


def calibration_floor(probabilities: Floats, bins: int = BINS, draws: int = 200, seed: int = 1) -> float:
    """The ECE that perfectly calibrated probabilities would show on so few rows, by chance alone.

    It is the mean over simulated outcomes; a measured error below it says nothing against the model.
    """
    if not len(probabilities):
        return math.nan
    order = np.argsort(probabilities, kind="stable")
    said = probabilities[order]
    luck = np.random.default_rng(seed)
    gaps = (luck.random((draws, len(said))) < said) - said
    sums = np.add.reduceat(gaps, _starts(len(said), bins), axis=1)
    return float(np.abs(sums).sum(axis=1).mean() / len(said))


def precision_area(scores: Floats, truth: Floats) -> float:
    """Area under precision and recall (average precision); tied scores share one threshold."""
    if truth.sum() <= 0:
        return math.nan
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    found = hits[last]
    precision = found / (last + 1)
    return float((np.diff(found, prepend=0.0) * precision).sum() / hits[-1])


def capture(scores: Floats, truth: Floats, share: float) -> Interval:
    """The share of repaired changes among the riskiest `share` of changes, with its Wilson interval.

    Where a tie straddles the cut, its changes count by the part that fits in.
    """
    total = float(truth.sum())
    if total <= 0.0:
        return Interval(math.nan, math.nan, math.nan)
    room = round(share * len(scores))
    cut = np.sort(scores)[::-1][room - 1] if room else math.inf
    above, tied = scores > cut, scores == cut
    left = room - int(above.sum())
    caught = float(truth[above].sum())
    if left > 0:
        caught += float(truth[tied].sum()) * left / int(tied.sum())
    return Interval(caught / total, *wilson(caught, total))


def wilson(hits: float, total: float, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a share, 95 % unless told (Wilson, JASA 1927)."""
    if total <= 0:
        return 0.0, 1.0
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(max(0.0, share * (1 - share)) / total + z * z / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def auc_interval(scores: Floats, truth: Floats, draws: int = DRAWS, seed: int = 1) -> Interval:
    """AUC with its bootstrap percentile interval."""
    value = auc(scores, truth)
    if math.isnan(value):
        return Interval(math.nan, math.nan, math.nan)
    luck = np.random.default_rng(seed)
    found = np.array([auc(scores[rows], truth[rows]) for rows in luck.integers(0, len(truth), (draws, len(truth)))])
    low, high = np.nanquantile(found, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def gain_interval(scores: Floats, others: Floats, truth: Floats, draws: int = DRAWS, seed: int = 1) -> Interval:
    """How much better scores rank than others, as a difference in AUC, with its paired bootstrap interval."""
    luck = np.random.default_rng(seed)
    found = np.array(
        [
            auc(scores[rows], truth[rows]) - auc(others[rows], truth[rows])
            for rows in luck.integers(0, len(truth), (draws, len(truth)))
        ]
    )
    low, high = np.nanquantile(found, [0.025, 0.975])
    return Interval(auc(scores, truth) - auc(others, truth), float(low), float(high))


# Private


def _starts(rows: int, bins: int) -> list[int]:
    parts = [len(part) for part in np.array_split(np.empty(rows), bins) if len(part)]
    return [sum(parts[:number]) for number in range(len(parts))]
