"""Failures and requests of a `count`, summed over replicas: cumulative for the canary, in steps for the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tidegate.rollout.canary.align import NoData
from tidegate.rollout.canary.values import Measured

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from tidegate.telemetry.series import Series

    Array = NDArray[float64]

LOOKS = 24


class Totals(NamedTuple):
    """Metrics of one shape. `failed` and `requests` of the canary (metrics by looks) are cumulative at `LOOKS` moments;
    the baseline is told before and beside it (metrics by steps)."""

    indices: list[int]
    failed: Array
    requests: Array
    history: tuple[Array, Array]
    beside: tuple[Array, Array]
    seconds: float


def total_counts(measured: Sequence[tuple[int, Measured]], start: float, end: float) -> Iterator[Totals | NoData]:
    """The totals in batches of one shape, or why there are none."""
    groups: dict[tuple[tuple[int, ...], ...], list[tuple[int, Measured]]] = {}
    for index, one in measured:
        shape = tuple(tuple([len(series.times) for series in side]) for side in _sides(one))
        groups.setdefault(shape, []).append((index, one))
    for group in groups.values():
        rest = group
        together = _together(group, start, end) if len(group) > 1 else None
        if together is not None:
            batch, rest = together
            yield batch
        for index, one in rest:
            yield _alone(index, one, start, end)


# Private


def _sides(one: Measured) -> tuple[tuple[Series, ...], ...]:
    return (one.canary, one.canary_requests, one.baseline, one.baseline_requests)


def _together(
    group: list[tuple[int, Measured]], start: float, end: float
) -> tuple[Totals, list[tuple[int, Measured]]] | None:
    """All metrics of the group that count everything at the same moments, and the rest; None where that is none."""
    first = group[0][1]
    if not all(_sides(first)):
        return None
    ours, theirs = first.canary[0].times, first.baseline[0].times
    cut, inside = int(theirs.searchsorted(start)), (ours >= start) & (ours <= end)
    if not inside.any() or not all((np.diff(times) > 0).all() for times in (ours, theirs)):
        return None
    good, sums = np.ones(len(group), dtype=bool), []
    for place, times in enumerate((ours, ours, theirs, theirs)):
        sides = [_sides(one)[place] for _, one in group]
        if any(len(series.times) != len(times) for series in sides[0]):
            return None
        shape = (len(group), len(sides[0]), len(times))
        moments = np.concatenate([series.times for side in sides for series in side]).reshape(shape)
        values = np.concatenate([series.values for side in sides for series in side]).reshape(shape)
        # What is no number fails the comparison.
        good &= ((moments == times) & (values >= 0) & (values < np.inf)).all(axis=(1, 2))
        sums.append(values.sum(axis=1) if shape[1] > 1 else values[:, 0])
    failed, requests = (side[:, inside] for side in sums[:2])
    bad, served = (side[:, theirs <= end] for side in sums[2:])
    good &= (requests.sum(axis=1) > 0) & (served.sum(axis=1) > 0)
    if not good.any():
        return None
    rest = [] if good.all() else [one for one, kept in zip(group, good, strict=True) if not kept]
    batch = _totals(
        [index for (index, _), kept in zip(group, good, strict=True) if kept],
        (failed[good], requests[good]),
        (bad[good, :cut], served[good, :cut]),
        (bad[good, cut:], served[good, cut:]),
        float(ours[inside][-1] - start),
    )
    return batch, rest


def _totals(
    indices: list[int],
    canary: tuple[Array, Array],
    past: tuple[Array, Array],
    beside: tuple[Array, Array],
    seconds: float,
) -> Totals:
    reached, passed = np.cumsum(np.minimum(*canary), axis=1), np.cumsum(canary[1], axis=1)
    shares = passed[:, -1:] * _SHARES_OF_ALL
    looks = np.array([one.searchsorted(asked) for one, asked in zip(passed, shares, strict=True)])
    looks = np.minimum(looks, passed.shape[1] - 1)
    return Totals(
        indices,
        np.take_along_axis(reached, looks, axis=1),
        np.take_along_axis(passed, looks, axis=1),
        (np.minimum(*past), past[1]),
        (np.minimum(*beside), beside[1]),
        seconds,
    )


def _alone(index: int, measured: Measured, start: float, end: float) -> Totals | NoData:
    """Failures that no series tells while there are requests are none, as long as the other side has such a series: it
    is how counters that nothing has counted yet look."""
    if not any(len(one.times) for one in (*measured.canary, *measured.baseline)):
        return NoData(
            index,
            "no failures are told on either side; write `or vector(0)` behind the query if that is as it should be",
        )
    times, requests = _sum(measured.canary_requests, start, end)
    if not requests.sum() > 0:
        return NoData(index, "the canary has no requests since its start")
    if _is_broken(measured.canary, times[requests > 0], start, end):
        return NoData(index, "the canary's failures hold values that are no counts")
    failed, failed_whole = _at(times, *_sum(measured.canary, start, end))
    served, bad = (_sum(side, -np.inf, end) for side in (measured.baseline_requests, measured.baseline))
    (past_times, past), (beside_times, beside) = _halves(*served, start)
    if not beside.sum() > 0 and not past.sum() > 0:
        return NoData(index, "the baseline has no requests")
    before, since = _halves(*bad, start)
    beside_failed, beside_whole = _at(beside_times, *since)
    past_failed, past_whole = _at(past_times, *before)
    if not (failed_whole and beside_whole and past_whole):
        return NoData(index, "failures and requests were counted at different times")
    return _totals(
        [index],
        (failed[None], requests[None]),
        (past_failed[None], past[None]),
        (beside_failed[None], beside[None]),
        float(times[-1] - start),
    )


_SHARES_OF_ALL = np.geomspace(1 / 500, 1, LOOKS) * (1 - 1e-12)


def _sum(side: Sequence[Series], first: float, last: float) -> tuple[Array, Array]:
    """All series of a side in one, over the moments that any of them has. What is no count (NaN, negative) is left
    out."""
    if not side:
        return np.empty(0), np.empty(0)
    times = np.concatenate([one.times for one in side])
    values = np.concatenate([one.values for one in side])
    kept = (times >= first) & (times <= last) & np.isfinite(values) & (values >= 0)
    times, values = times[kept], values[kept]
    if (times[1:] > times[:-1]).all():
        return times, values
    moments, places = np.unique(times, return_inverse=True)
    return moments, np.asarray(np.bincount(places, weights=values, minlength=len(moments)), dtype=np.float64)


def _is_broken(side: Sequence[Series], measured: Array, start: float, end: float) -> bool:
    """Whether failures are no numbers at a moment that has requests: unknown, which is not none."""
    for one in side:
        wrong = (one.times >= start) & (one.times <= end) & ~(np.isfinite(one.values) & (one.values >= 0))
        if wrong.any() and np.isin(one.times[wrong], measured).any():
            return True
    return False


def _halves(times: Array, values: Array, start: float) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """What was before the start, and what is since."""
    cut = int(times.searchsorted(start))
    return (times[:cut], values[:cut]), (times[cut:], values[cut:])


def _at(times: Array, moments: Array, values: Array) -> tuple[Array, bool]:
    """The values at `times`, 0 where there is none, and whether that is all of them: nothing counts between them."""
    if len(times) == len(moments) and (times == moments).all():
        return values, True
    found = np.zeros(len(times))
    if len(times) and len(moments):
        places = np.minimum(np.searchsorted(times, moments), len(times) - 1)
        hit = times[places] == moments
        found[places[hit]] = values[hit]
    return found, bool(np.count_nonzero(found) == np.count_nonzero(values))
