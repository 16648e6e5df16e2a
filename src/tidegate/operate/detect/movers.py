"""Which signal moved first: the order in which many series changed, with how sure that order is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.detect.changepoints import LEAST, ChangePoint, change_points, measured, noise_of, onset_shares
from tidegate.operate.detect.views import Floats
from tidegate.telemetry.series import Series

MOST_SERIES = 2000
_GRID = 2048
_WEAK = 1


class Mover(Struct, frozen=True, kw_only=True):
    """One series that moved. `at`: the middle of when, `earliest` to `latest` the range with 90 %, Unix seconds.

    `first`: the probability that it moved and no other series before it. All movers' make less than 1 where a series
    that may have moved, but is not listed, could be first. `strength`: the statistic of its change over the bar.
    """

    name: str
    labels: Mapping[str, str]
    at: float
    earliest: float
    latest: float
    first: float
    before: float
    after: float
    strength: float


def first_movers(series: Sequence[Series], *, start: float, end: float) -> tuple[Mover, ...]:
    """The series whose level changed from `start` to `end`, most probably first first; what did not move is left out.

    Of a series that changed more than once the strongest change counts. A change lies between two points: a series
    that is measured each minute says no more than that. Raises InputError over 2,000 series, or if `start` is not
    before `end`.
    """
    if not start < end:
        raise InputError("the window is empty", where="first movers", mend="give a start before the end")
    if len(series) > MOST_SERIES:
        raise InputError(f"{len(series)} series", where="first movers", mend=f"give at most {MOST_SERIES}")
    moments = [one for one in (_moment(part, start, end) for part in series) if one is not None]
    chances = _chances(moments)
    pairs = zip(moments, chances, strict=True)
    movers = [_mover(one, one.change, float(chance)) for one, chance in pairs if one.change is not None]
    return tuple(sorted(movers, key=lambda one: (-one.first, one.at, one.name, sorted(one.labels.items()))))


# Private


class _Moment(Struct, frozen=True):
    """When one series changed, if it did: the sums of the probability up to each of its times, and that it did."""

    series: Series
    change: ChangePoint | None
    times: Floats
    sums: Floats
    moved: float


def _moment(series: Series, start: float, end: float) -> _Moment | None:
    """None where there are too few points to say anything."""
    times, values = measured(series)
    keep = (times >= start) & (times <= end)
    times, values = times[keep], values[keep]
    if len(values) < 2 * LEAST:
        return None
    part = Series(name=series.name, labels=series.labels, times=times, values=values)
    changes = change_points(part)
    if not changes:
        weak = change_points(part, penalty=_WEAK)
        if not weak:
            return None
        strongest, edges = _strongest(weak, len(values))
        return _Moment(
            series, None, times[edges], _sums(values, edges), _odds(strongest.strength * _WEAK / 3.0, len(values))
        )
    strongest, edges = _strongest(changes, len(values))
    return _Moment(series, strongest, times[edges], _sums(values, edges), _odds(strongest.strength, len(values)))


def _strongest(changes: Sequence[ChangePoint], count: int) -> tuple[ChangePoint, slice]:
    """And the points between its neighbours."""
    place = max(range(len(changes)), key=lambda k: changes[k].strength)
    edges = [0, *(change.index for change in changes), count]
    return changes[place], slice(edges[place], edges[place + 2])


def _sums(values: Floats, part: slice) -> Floats:
    return np.cumsum(onset_shares(values[part], noise_of(values)))


def _odds(strength: float, count: int) -> float:
    """How probable a change of this strength is one: even at the bar of 3 log n, by half the statistic beyond it."""
    return 1.0 / (1.0 + math.exp(min(1.5 * math.log(count) * (1.0 - strength), 700.0)))


def _chances(moments: Sequence[_Moment]) -> Floats:
    """P(i first) = sum over moments of P(i then) times the chance that every other comes later or never."""
    if not moments:
        return np.zeros(0)
    grid = np.unique(np.concatenate([one.times for one in moments]))
    if len(grid) > _GRID:
        grid = np.unique(np.quantile(grid, np.linspace(0.0, 1.0, _GRID)))
    by_then = np.array([one.moved * np.interp(grid, one.times, one.sums, left=0.0, right=1.0) for one in moments])
    by_then = np.concatenate((np.zeros((len(moments), 1)), by_then), axis=1)
    later = np.log(np.maximum(1.0 - (by_then[:, 1:] + by_then[:, :-1]) / 2.0, 1e-300))
    return np.asarray((np.diff(by_then, axis=1) * np.exp(later.sum(axis=0) - later)).sum(axis=1))


def _mover(moment: _Moment, change: ChangePoint, first: float) -> Mover:
    low, middle, high = (float(np.interp(part, moment.sums, moment.times)) for part in (0.05, 0.5, 0.95))
    return Mover(
        name=moment.series.name,
        labels=moment.series.labels,
        at=middle,
        earliest=low,
        latest=high,
        first=first,
        before=change.before,
        after=change.after,
        strength=change.strength,
    )
