"""Failures and requests of a `count`, summed over replicas: cumulative for the canary, in steps for the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tidegate.rollout.canary.values import Measured

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from tidegate.telemetry.series import Series

    Array = NDArray[float64]

LOOKS = 24


class Totals(NamedTuple):
    """`failed` and `requests` of the canary, cumulative at `LOOKS` moments; the baseline before and beside it."""

    failed: Array
    requests: Array
    history: tuple[Array, Array]
    beside: tuple[Array, Array]
    seconds: float


def total_counts(measured: Measured, start: float, end: float) -> Totals | str:
    """The totals, or why there are none. Failures that no series tells while there are requests are none, as long as
    the other side has such a series: it is how counters that nothing has counted yet look."""
    if not any(len(one.times) for one in (*measured.canary, *measured.baseline)):
        return "no failures are told on either side; write `or vector(0)` behind the query if that is as it should be"
    times, requests = _sum(measured.canary_requests, start, end)
    if not requests.sum() > 0:
        return "the canary has no requests since its start"
    if _is_broken(measured.canary, times[requests > 0], start, end):
        return "the canary's failures hold values that are no counts"
    failed, failed_whole = _at(times, *_sum(measured.canary, start, end))
    served, bad = (_sum(side, -np.inf, end) for side in (measured.baseline_requests, measured.baseline))
    (past_times, past), (beside_times, beside) = _halves(*served, start)
    if not beside.sum() > 0 and not past.sum() > 0:
        return "the baseline has no requests"
    before, since = _halves(*bad, start)
    beside_failed, beside_whole = _at(beside_times, *since)
    past_failed, past_whole = _at(past_times, *before)
    if not (failed_whole and beside_whole and past_whole):
        return "failures and requests were counted at different times"
    reached, passed = np.cumsum(np.minimum(failed, requests)), np.cumsum(requests)
    looks = np.searchsorted(passed, passed[-1] * _SHARES_OF_ALL)
    looks = np.minimum(looks, len(passed) - 1)
    return Totals(
        reached[looks],
        passed[looks],
        (np.minimum(past_failed, past), past),
        (np.minimum(beside_failed, beside), beside),
        float(times[-1] - start),
    )


# Private

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
