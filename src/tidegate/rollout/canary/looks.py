"""What a first look at many metrics tells, taken of all with as many values at once: most need no search after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tidegate.rollout.canary.mann_whitney import cannot_differ, cannot_differ_rows

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray

MOST_VALUES = 1 << 20
"""Of one side that are looked at together: memory is bounded, however many metrics there are."""


class Pair(NamedTuple):
    """The values of a metric on both sides; NaN is a gap."""

    experiment: NDArray[float64]
    control: NDArray[float64]


class Look(NamedTuple):
    """Whether the values are the same numbers, whether each side is one number, whether all are finite, the means (NaN
    of none), and whether it is certain that the bounds of the shift do not leave 0 behind them (`cannot_differ`)."""

    identical: bool = False
    same_experiment: bool = False
    same_control: bool = False
    finite: bool = True
    experiment: float = float("nan")
    control: float = float("nan")
    not_high: bool = False
    not_low: bool = False


def look_at(pairs: Sequence[Pair], confidence: float) -> list[Look]:
    """A look at each pair; the values have no gaps any more."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for place, pair in enumerate(pairs):
        by_size.setdefault((len(pair.experiment), len(pair.control)), []).append(place)
    found = [Look()] * len(pairs)
    for (ours, theirs), places in by_size.items():
        at_once = max(1, MOST_VALUES // (ours + theirs + 1))
        for first in range(0, len(places), at_once):
            some = places[first : first + at_once]
            experiment, control = (np.array([pairs[place][side] for place in some]) for side in (0, 1))
            for place, look in zip(some, _looks(experiment, control, confidence), strict=True):
                found[place] = look
    return found


# Private


def _looks(experiment: NDArray[float64], control: NDArray[float64], confidence: float) -> Iterator[Look]:
    with np.errstate(invalid="ignore", over="ignore"):  # infinite values are classified as an error
        means = [_means(side).tolist() for side in (experiment, control)]
    if not experiment.shape[1] or not control.shape[1]:
        return map(_of_one_side, *means)
    ordered, other = np.sort(experiment), np.sort(control)
    size = len(ordered)
    identical = (ordered == other).all(axis=1) if ordered.shape == other.shape else np.zeros(size, dtype=bool)
    finite = np.isfinite(ordered[:, (0, -1)]).all(axis=1) & np.isfinite(other[:, (0, -1)]).all(axis=1)
    not_high, not_low = _certain(ordered, other, finite & ~identical, confidence)
    flags = [side.tolist() for side in (identical, _same(ordered), _same(other), finite, not_high, not_low)]
    return (Look(*row) for row in zip(*flags[:4], *means, *flags[4:], strict=True))


def _of_one_side(experiment: float, control: float) -> Look:
    return Look(experiment=experiment, control=control)


def _same(ordered: NDArray[float64]) -> NDArray[bool_]:
    return np.asarray(ordered[:, 0] == ordered[:, -1])


def _means(values: NDArray[float64]) -> NDArray[float64]:
    """In two passes, in order, as StatUtils.mean of Commons Math."""
    count = values.shape[1]
    if not count:
        return np.full(len(values), np.nan)
    mean = values.cumsum(axis=1)[:, -1:] / count
    return np.asarray(mean[:, 0] + (values - mean).cumsum(axis=1)[:, -1] / count)


def _certain(
    ordered: NDArray[float64], other: NDArray[float64], asked: NDArray[bool_], confidence: float
) -> tuple[NDArray[bool_], NDArray[bool_]]:
    """`cannot_differ` of the rows that are asked for."""
    not_high, not_low = np.zeros(len(ordered), dtype=bool), np.zeros(len(ordered), dtype=bool)
    rows = np.flatnonzero(asked)
    if min(ordered.shape[1], other.shape[1]) < 2 or not len(rows):
        return not_high, not_low
    high, low, tied = cannot_differ_rows(ordered[rows], other[rows], confidence)
    not_high[rows], not_low[rows] = high, low
    for row in rows[tied]:
        not_high[row], not_low[row] = cannot_differ(ordered[row], other[row], confidence)
    return not_high, not_low
