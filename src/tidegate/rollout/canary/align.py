"""Canary and baseline brought to the same moments, in logarithms: what the judge of levels compares."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tidegate.rollout.canary.levels import LEAST_POINTS
from tidegate.rollout.canary.values import Measured

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from tidegate.telemetry.series import Series

    Array = NDArray[float64]

LEAST_HISTORY = 240
_DAY = 86_400.0
_MOST = 1e150
"""Of a value that has no logarithm: its square must remain a number."""
_MOST_MOMENTS = 100_000


class Aligned(NamedTuple):
    """Metrics of one shape. `difference` (metrics by moments) is canary less baseline; `history` (metrics by replicas
    by moments) the baseline before; both in logarithms, or in units of `scale` where `linear`. `settled` is the
    variance of what the canary differed by before its start, where it was there. `expected` is how many moments the
    time has, `present` how many the rarest replica of the canary has values in."""

    indices: list[int]
    difference: Array
    history: Array
    baseline: Array
    linear: NDArray[np.bool_]
    scale: Array
    settled: Array | None
    replicas: int
    step: float
    expected: int
    present: int


class NoData(NamedTuple):
    """A metric that cannot be compared, and why. `place` is its index."""

    place: int
    says: str


def align_levels(measured: Sequence[tuple[int, Measured]], start: float, end: float) -> Iterator[Aligned | NoData]:
    """The metrics in batches of one shape. Gaps stay gaps: a moment that one side lacks is left out."""
    groups: dict[tuple[object, ...], list[tuple[int, Measured]]] = {}
    for index, one in measured:
        shape = (one.metric.kind, *(tuple(len(series.times) for series in side) for side in (one.canary, one.baseline)))
        groups.setdefault(shape, []).append((index, one))
    for group in groups.values():
        rest = group
        together = _together(group, start, end)
        if together is not None:
            batch, rest = together
            yield batch
        for index, one in rest:
            yield _alone(index, one, start, end)


# Private


def _together(
    group: list[tuple[int, Measured]], start: float, end: float
) -> tuple[Aligned, list[tuple[int, Measured]]] | None:
    """All metrics of the group whose moments are the same and without gaps, and the rest; None where that is none."""
    first = group[0][1]
    k, b = len(first.canary), len(first.baseline)
    if not k or not b or len({len(one.times) for one in (*first.canary, *first.baseline)} - {0}) > 2:
        return None
    if len({len(one.times) for one in first.canary}) > 1 or len({len(one.times) for one in first.baseline}) > 1:
        return None
    times, other = first.canary[0].times, first.baseline[0].times
    inside, beside = (times >= start) & (times <= end), (other >= start) & (other <= end)
    moments = int(inside.sum())
    if moments < LEAST_POINTS or (times < start).any() or not np.array_equal(times[inside], other[beside]):
        return None
    stacked = [np.array([one.times for _, each in group for one in each.canary])]
    stacked.append(np.array([one.times for _, each in group for one in each.baseline]))
    same = (stacked[0] == times).all(axis=1).reshape(-1, k).all(axis=1)
    same &= (stacked[1] == other).all(axis=1).reshape(-1, b).all(axis=1)
    canary = np.array([[one.values for one in each.canary] for _, each in group])[:, :, inside]
    baseline = np.array([[one.values for one in each.baseline] for _, each in group])[:, :, other <= end]
    same &= np.isfinite(canary).all(axis=(1, 2)) & np.isfinite(baseline).all(axis=(1, 2))
    step = float(np.median(np.diff(times[inside])))
    if not same.any() or not _is_regular(other[other <= end], step):
        return None
    past = min(int((other < start).sum()), max(LEAST_HISTORY, 8 * moments))
    if not same.all():
        canary, baseline = canary[same], baseline[same]
    baseline = baseline[:, :, baseline.shape[2] - moments - past :]
    linear, scale = _to_logarithms(canary, baseline)
    middle = baseline[:, :, past:].mean(axis=1)
    batch = Aligned(
        [index for (index, _), kept in zip(group, same, strict=True) if kept],
        canary.mean(axis=1) - middle,
        baseline[:, :, :past],
        middle.mean(axis=1),
        linear,
        scale,
        None,
        k,
        step,
        max(moments, round((end - start) / step)),
        moments,
    )
    return batch, [one for one, kept in zip(group, same, strict=True) if not kept]


def _is_regular(times: Array, step: float) -> bool:
    return bool(len(times) < 2 or (np.abs(np.diff(times) - step) < step / 2).all())


def _to_logarithms(canary: Array, baseline: Array) -> tuple[NDArray[np.bool_], Array]:
    """In place. What is not above 0 throughout has no logarithm; it is compared in units of the baseline's size."""
    with np.errstate(invalid="ignore"):
        low = np.fmin(np.nanmin(canary, axis=(1, 2)), np.nanmin(baseline, axis=(1, 2)))
    linear = ~(low > 0)
    scale = np.ones(len(low))
    if linear.any():
        for side in (canary, baseline):
            side[linear] = np.clip(side[linear], -_MOST, _MOST)
        size = np.nanmean(np.abs(baseline[linear]), axis=(1, 2))
        other = np.nanmean(np.abs(canary[linear]), axis=(1, 2))
        scale[linear] = np.where(size > 1 / _MOST, size, np.where(other > 1 / _MOST, other, 1.0))
        canary[linear] /= scale[linear][:, None, None]
        baseline[linear] /= scale[linear][:, None, None]
    canary[~linear] = np.log(canary[~linear])
    baseline[~linear] = np.log(baseline[~linear])
    return linear, scale


def _alone(index: int, one: Measured, start: float, end: float) -> Aligned | NoData:
    canary, baseline = _finite(one.canary, end), _finite(one.baseline, end)
    if not any((times >= start).any() for times, _ in canary):
        return NoData(index, "the canary has no values since its start")
    if not any((times >= start).any() for times, _ in baseline):
        return NoData(index, "the baseline has no values beside the canary's")
    step = max((_step(times) for times, _ in (*canary, *baseline)), default=0.0)
    first = min(float(times[0]) for times, _ in (*canary, *baseline))
    if not step or (end - first) / step > _MOST_MOMENTS:
        return NoData(index, "its values come too rarely to be compared" if not step else "its times span too much")
    # The grid begins at the start, so that no bucket holds values from before and after it.
    origin = start - math.ceil((start - first) / step) * step if first < start else start
    past, size = max(0, round((start - origin) / step)), math.floor((end - origin) / step) + 1
    ours = np.array([_bucket(*each, origin, step, size) for each in canary])[None]
    theirs = np.array([_bucket(*each, origin, step, size) for each in baseline])[None]
    linear, scale = _to_logarithms(ours, theirs)
    ours, theirs = ours[0], theirs[0]
    middle, beside = _mean(ours), _mean(theirs)
    whole = middle - beside
    difference = whole[past:][np.isfinite(whole[past:])]
    if not len(difference):
        return NoData(index, "canary and baseline have no values at the same time")
    before, settled = _before(whole[:past], step, len(whole) - past)
    keep = max(LEAST_HISTORY, 8 * len(difference))
    return Aligned(
        [index],
        (difference - before)[None],
        _complete(theirs[:, :past])[None, :, -keep:],
        np.array([np.nanmean(beside[past:])]),
        linear,
        scale,
        None if settled is None else np.array([settled]),
        len(canary),
        step,
        max(1, round((end - start) / step)),
        int(np.isfinite(ours[:, past:]).sum(axis=1).min()) if len(canary) == len(one.canary) else 0,
    )


def _finite(side: Sequence[Series], end: float) -> list[tuple[Array, Array]]:
    found = []
    for series in side:
        kept = np.isfinite(series.values) & np.isfinite(series.times) & (series.times <= end)
        if kept.any():
            found.append((series.times[kept], series.values[kept]))
    return found


def _step(times: Array) -> float:
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    return float(np.median(gaps)) if len(gaps) else 0.0


def _bucket(times: Array, values: Array, origin: float, step: float, size: int) -> Array:
    place = np.floor((times - origin) / step + 1e-6).astype(int)
    inside = (place >= 0) & (place < size)
    counts = np.bincount(place[inside], minlength=size)
    sums = np.bincount(place[inside], weights=values[inside], minlength=size)
    return np.asarray(np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0))


def _mean(side: Array) -> Array:
    present = np.isfinite(side)
    counts = present.sum(axis=0)
    sums = np.where(present, side, 0).sum(axis=0)
    return np.asarray(np.divide(sums, counts, out=np.full(side.shape[1], np.nan), where=counts > 0))


def _complete(history: Array) -> Array:
    """The replicas that were there most of the time, at the moments that all of them have."""
    present = np.isfinite(history)
    share = present.mean(axis=1) if history.shape[1] else np.zeros(len(history))
    kept = share >= 0.5 * share.max() if len(share) and share.max() > 0 else np.zeros(len(share), dtype=bool)
    if not kept.any():
        return history[:1, :0]
    history = history[kept]
    return np.asarray(history[:, np.isfinite(history).all(axis=0)])


def _before(difference: Array, step: float, window: int) -> tuple[float, float | None]:
    """By how much the canary differed before its start, and the variance of that; at the same hours of the days before,
    where there are at least two days, and of late otherwise."""
    present = difference[np.isfinite(difference)]
    if len(present) < 4 * LEAST_POINTS:
        return 0.0, None
    per_day = round(_DAY / step)
    days = [difference[len(difference) - k * per_day :][:window] for k in range(1, len(difference) // per_day + 1)]
    means = [float(np.nanmean(day)) for day in days if np.isfinite(day).sum() * 2 >= window]
    if len(means) >= 2:
        return float(np.mean(means)), float(np.var(means, ddof=1)) * (1 + 1 / len(means))
    blocks = np.array_split(present[-max(4 * window, 4 * LEAST_POINTS) :], 4)
    parts = [float(block.mean()) for block in blocks]
    return float(np.mean(parts)), float(np.var(parts, ddof=1)) / len(parts)
