"""Evidence that a level (latency, throughput, memory) is worse on the canary, valid whenever it is asked.

The logarithms of canary and baseline are subtracted moment by moment, so that what moves both (load, the hour of the
day) is gone. What is left is taken for an autoregressive series around a shift. The null is learned: how strongly
one moment follows the last, how noisy, and how far replicas of one revision lie apart, from the baseline's own
replicas and history. The evidence is an e-value: the likelihood of the shift seen under shifts that matter, over the
largest likelihood under shifts that are tolerated; with a threshold of 1/alpha it errs at most alpha of the time
however often one looks (Ville; Howard et al. 2021, Ramdas et al. 2023), as far as the model holds. The scale is
estimated, hence Student's t for the normal; windows of the history as long as the canary's correct it where memory is
longer than the model's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]

LEAST_POINTS = 5
MOST_LOOKS = 10
USUAL_OFFSET = 0.03
"""How far replicas of one revision lie apart for good, in logarithms, where nothing says more."""
_OFFSET_WEIGHT, _ALONE_WEIGHT = 6.0, 16.0
_SCALE_WEIGHT, _EXCESS_WEIGHT = 8.0, 6.0
_MOST_MEMORY = 0.97
_SPIKE = 4.0
_NOISIER = 1.5
_COST = 1.5
"""What not knowing the size of the shift costs, in logarithms of evidence."""


class Null(NamedTuple):
    """For each metric: the memory (lag-1), the innovations' variance of one replica and its degrees of freedom, the
    variance of a replica's lasting offset, and by how much windows vary more than the model says."""

    memory: Array
    innovation: Array
    freedom: Array
    offset: Array
    excess: Array
    replicas: int


class Evidence(NamedTuple):
    """For each metric: the logarithm of the largest e-value of all looks, the shift (canary over baseline, in
    logarithms), its variance with degrees of freedom, and the variance that no more time takes away."""

    log_e: Array
    shift: Array
    variance: Array
    freedom: Array
    lasting: Array


class Bounds(NamedTuple):
    """What is tolerated and what must be found, in logarithms, upwards and downwards; infinite where not asked."""

    up: Array
    down: Array
    least: Array


def learn_null(history: Array, window: int) -> Null:
    """The null of `history`: metrics by replicas by moments, in logarithms, NaN in gaps. `window`: the canary's length.

    The metrics are of one kind: how far replicas lie apart in most of them is expected of each. With one series only,
    its own course speaks for the noise, and the two sides are taken to differ as replicas usually do.
    """
    metrics, replicas, moments = history.shape
    if moments < 2 * LEAST_POINTS:
        nothing = np.full(metrics, math.nan)
        return Null(nothing, nothing, np.zeros(metrics), np.full(metrics, USUAL_OFFSET**2), np.ones(metrics), replicas)
    own = max(replicas - 1, 1)
    stretch = replicas / own
    left = history - np.mean(history, axis=1, keepdims=True) if replicas > 1 else _without_trend(history)
    middle = np.mean(left, axis=2, keepdims=True)
    left = left - middle
    power = np.einsum("ijk,ijk->i", left, left)
    lagged = np.einsum("ijk,ijk->i", left[..., 1:], left[..., :-1])
    memory = _careful(np.divide(lagged, power, out=np.zeros_like(power), where=power > 0), moments, own)
    fresh = left[..., 1:] - memory[:, None, None] * left[..., :-1]
    innovation = np.einsum("ijk,ijk->i", fresh, fresh) / (replicas * (moments - 1)) * stretch
    whole = innovation / _weight(memory, moments)
    apart = np.maximum((middle[..., 0] ** 2).sum(axis=1) / own - whole, 0) if replicas > 1 else np.zeros(metrics)
    usual = max(USUAL_OFFSET**2, float(np.median(apart)))
    offset = (_OFFSET_WEIGHT * usual + (replicas - 1) * apart) / (_OFFSET_WEIGHT + replicas - 1)
    excess = _excess(left, window, innovation / _weight(memory, window), stretch)
    return Null(memory, innovation, np.full(metrics, float(own * moments)), offset, excess, replicas)


def weigh_shift(difference: Array, null: Null, replicas: int, bounds: Bounds, settled: Array | None = None) -> Evidence:
    """The evidence of `difference`: canary less baseline, metrics by moments, without gaps.

    `replicas` is how many the canary has. `settled` is the variance of what was subtracted because the canary had it
    before its start; its lasting offset is then known, and only how that drifts is left.
    """
    moments = difference.shape[1]
    difference = np.clip(difference, -_FARTHEST, _FARTHEST)
    share = 1 / replicas + 1 / null.replicas
    memory = null.memory
    if null.replicas == 1 or np.isnan(memory).any():  # a lone series remembers what moves both sides, too
        memory = np.fmin(memory, _own_memory(difference))
    looks = np.unique(np.linspace(LEAST_POINTS, moments, MOST_LOOKS).round().astype(int))
    prior = np.where(null.freedom > 0, np.minimum(null.freedom, _SCALE_WEIGHT), 0)[:, None]
    expected = np.where(null.freedom > 0, null.innovation, 0)[:, None] * share
    fresh = difference[:, 1:] - memory[:, None] * difference[:, :-1]
    fresh = _without_spikes(fresh, np.maximum(np.sqrt(expected), _usual_size(fresh)))
    sums = np.cumsum(fresh, axis=1)[:, looks - 2]
    squares = np.cumsum(fresh * fresh, axis=1)[:, looks - 2]
    weight = _weight(memory[:, None], looks[None, :])
    kept = 1 - memory[:, None]
    shift = ((1 - memory[:, None] ** 2) * difference[:, :1] + kept * sums) / weight
    own_freedom = (looks - 2).astype(float)[None, :]
    residual = np.maximum(squares - sums * sums / (looks - 1), 0)
    own = residual / own_freedom
    prior = np.where(own > _NOISIER * expected, 0.0, prior)  # fewer requests, more noise: the baseline's tells nothing
    scale = np.maximum((prior * expected + residual) / (prior + own_freedom), own)
    passing = scale * null.excess[:, None] / weight
    if settled is None:
        lasting = null.offset * share
        lasting_freedom = _ALONE_WEIGHT if null.replicas == 1 else _OFFSET_WEIGHT + null.replicas - 1
    else:
        lasting, lasting_freedom = (USUAL_OFFSET / 2) ** 2 * share + settled, _OFFSET_WEIGHT
    variance = passing + lasting[:, None]
    freedom = variance**2 / (passing**2 / (prior + own_freedom) + lasting[:, None] ** 2 / lasting_freedom)
    log_e = _log_e(shift, variance, freedom, bounds).max(axis=1)
    return Evidence(log_e, shift[:, -1], variance[:, -1], freedom[:, -1], lasting)


def interval(evidence: Evidence, error: float) -> tuple[Array, Array]:
    """Bounds of the shift that hold at every look together with probability 1 - `error` (normal mixture, scale .3)."""
    variance, prior = evidence.variance, 0.09
    most = 2 * (variance + prior) / prior * np.log(np.sqrt((variance + prior) / variance) / error)
    radius = np.sqrt(variance * evidence.freedom * np.expm1(np.minimum(most / (evidence.freedom + 1), 50.0)))
    return evidence.shift - radius, evidence.shift + radius


def needed_variance(freedom: Array, bounds: Bounds, threshold: float) -> Array:
    """The variance of the shift at which a change of the least that must be found is found nine times of ten."""
    reach = np.sqrt(freedom * np.expm1(2 * (math.log(threshold) + _COST) / (freedom + 1))) + 1.2816
    return np.asarray((bounds.least / reach) ** 2)


# Private

_FARTHEST = 20.0
_AWAY = np.concatenate((np.geomspace(0.05, 1.6, 16), (3.0, 5.0, 8.0, 13.0, _FARTHEST)))
_BELIEF = np.maximum(np.exp(-((np.log(_AWAY / 0.35)) ** 2) / (2 * 0.9**2)), 0.005)
_LOG_BELIEF = np.log(_BELIEF / _BELIEF.sum())
"""How far beyond what is tolerated a regression lies, in logarithms: most likely by a third. Student's tails are heavy:
where nothing lies near a huge change, it would look no likelier than no change at all."""


def _log_e(shift: Array, variance: Array, freedom: Array, bounds: Bounds) -> Array:
    up, down = np.isfinite(bounds.up), np.isfinite(bounds.down)
    sides = []
    for sign, bound, asked in ((1.0, bounds.up, up), (-1.0, bounds.down, down)):
        if asked.any():
            tolerated = np.where(asked, bound, 0.0)[:, None]
            other = np.where(np.isfinite(bounds.down if sign > 0 else bounds.up), 1.0, np.inf)
            one = _one_side(sign * shift - tolerated, variance, freedom, tolerated, other)
            sides.append(np.where(asked[:, None], one, -np.inf))
    if len(sides) == 1:
        return sides[0]
    return np.asarray(np.logaddexp(*sides) - np.log(up.astype(float) + down)[:, None])


def _one_side(beyond: Array, variance: Array, freedom: Array, tolerated: Array, other: Array) -> Array:
    """`beyond` is the shift less what is tolerated. Under the null the shift may be as low as it likes, or, where both
    ways are asked, as low as is tolerated the other way."""
    beyond = np.minimum(beyond, _FARTHEST)
    power = (freedom + 1) / 2
    unit = 1 / (freedom * variance)
    away = beyond[..., None] - _AWAY
    marginal = _LOG_BELIEF - power[..., None] * np.log1p(away * away * unit[..., None])
    top = marginal.max(axis=-1)
    likely = top + np.log(np.exp(marginal - top[..., None]).sum(axis=-1))
    lowest = np.where(np.isfinite(other)[:, None], -2 * tolerated, -np.inf)
    outside = np.maximum(beyond, 0) + np.maximum(lowest - beyond, 0)
    return np.asarray(likely + power * np.log1p(outside * outside * unit))


def _weight(memory: Array, moments: int | NDArray[np.intp]) -> Array:
    """What `moments` values tell of their mean, in units of one over the innovations' variance."""
    return np.asarray((1 - memory**2) + (moments - 1) * (1 - memory) ** 2)


def _careful(memory: Array, moments: int, replicas: int) -> Array:
    """The estimate without its bias (Marriott and Pope 1954), and half a standard error more: memory makes noise look
    like change."""
    straight = memory + (1 + 3 * memory) / moments
    error = np.sqrt(np.maximum(1 - memory**2, 0.05) / (moments * replicas))
    return np.asarray(np.clip(straight + error / 2, 0, _MOST_MEMORY))


def _without_spikes(fresh: Array, size: Array) -> Array:
    """Innovations no farther than `_SPIKE` sizes from the median of their neighbours: one bad scrape is no regression,
    and what lasts, however large, is left as it is."""
    before = np.concatenate((fresh[:, 1:2], fresh[:, :-1]), axis=1)
    after = np.concatenate((fresh[:, 1:], fresh[:, -2:-1]), axis=1)
    middle = np.maximum(np.minimum(before, after), np.minimum(np.maximum(before, after), fresh))
    return np.asarray(np.clip(fresh, middle - _SPIKE * size, middle + _SPIKE * size))


def _usual_size(fresh: Array) -> Array:
    away = np.abs(fresh - np.median(fresh, axis=1, keepdims=True))
    return np.asarray(1.4826 * np.median(away, axis=1, keepdims=True))


def _own_memory(difference: Array) -> Array:
    moments = difference.shape[1]
    left = difference - difference.mean(axis=1, keepdims=True)
    power = (left * left).sum(axis=1)
    lagged = (left[:, 1:] * left[:, :-1]).sum(axis=1)
    return _careful(np.divide(lagged, power, out=np.zeros_like(power), where=power > 0), moments, 1)


def _without_trend(history: Array) -> Array:
    moments = history.shape[2]
    time = np.arange(moments) - (moments - 1) / 2
    slope = (history @ time) / (time @ time)
    return np.asarray(history - slope[..., None] * time)


def _excess(left: Array, window: int, expected: Array, stretch: float) -> Array:
    """How much more the means of windows vary than the model says, never below 1, shrunk to 1 for few windows."""
    metrics, replicas, moments = left.shape
    count = moments // window if window else 0
    if count < 3 or replicas == 1:
        return np.ones(metrics)
    means = left[..., moments - count * window :].reshape(metrics, replicas, count, window).mean(axis=3)
    means = means - means.mean(axis=2, keepdims=True)
    seen = (means**2).sum(axis=(1, 2)) * stretch / (replicas * (count - 1))
    ratio = np.divide(seen, expected, out=np.ones_like(seen), where=expected > 1e-12)
    freedom = max(replicas - 1, 1) * (count - 1)
    return np.asarray(np.maximum(1, (_EXCESS_WEIGHT + freedom * ratio) / (_EXCESS_WEIGHT + freedom)))
