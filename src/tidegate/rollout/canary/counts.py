"""Evidence that more requests fail on the canary, valid after each request: a beta-binomial e-process.

What fails at the baseline is a distribution (Beta, from its history and from the same minutes), and so is what a bad
release does: most likely a share between `detect` and four times that. The ratio of both likelihoods of the canary's
requests is the e-value (a mixture of Wald's sequential tests; Robbins 1970). Failures that come in bunches in the
history count for less, by as much as they vary more than chance (quasi-likelihood).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]

MOST_FAILING = 0.45
"""A baseline of which more fails has no room for a regression."""
_FOCUS = 0.85
_COST = 1.0
_BUNCH_BLOCKS = 20
_MANY = 3.1
"""Standard errors from which the same minutes are told from the history, and bunches from chance."""


class CountNulls(NamedTuple):
    """What fails at the baseline of each metric: Beta distributions, and how much more than chance their counts vary.

    One value a metric.
    """

    failing: Array
    passing: Array
    bunching: Array

    @property
    def share(self) -> Array:
        return np.asarray(self.failing / (self.failing + self.passing))


def learn_count_nulls(history: tuple[Array, Array], beside: tuple[Array, Array], tolerance: Array) -> CountNulls:
    """The nulls of failures and requests in each step (metrics by steps), before the canary and beside it.

    History counts as long as the same minutes agree with it; where more fails beside the canary than before it, a
    common cause, only those minutes count. `tolerance` raises the share, relative to itself.
    """
    past_failed, past = history[0].sum(axis=1), history[1].sum(axis=1)
    failed, requests = beside[0].sum(axis=1), beside[1].sum(axis=1)
    known = past > 0
    usual = (past_failed + 0.5) / (past + 1)
    spread = np.sqrt(requests * usual * (1 + requests / np.where(known, past, 1.0)))
    agrees = known & (failed - requests * usual <= _MANY * spread + 1)
    failed, requests = failed + np.where(agrees, past_failed, 0.0), requests + np.where(agrees, past, 0.0)
    share = np.minimum((failed + 0.5) / (requests + 1) * (1 + tolerance), 0.999)
    return CountNulls(share * (requests + 1), (1 - share) * (requests + 1), _bunching(*history))


def weigh_counts(failed: Array, requests: Array, nulls: CountNulls, detect: Array) -> Array:
    """The logarithm of the e-value for each metric and look: `failed` of `requests`, both cumulative."""
    # Looks at the same requests are the rule where there are few steps: they are weighed once.
    fresh = np.ones(failed.shape, dtype=bool)
    fresh[:, 1:] = (failed[:, 1:] != failed[:, :-1]) | (requests[:, 1:] != requests[:, :-1])
    metric, seen = np.nonzero(fresh)[0], (failed[fresh], (requests - failed)[fresh])
    detects, release = np.unique(detect, return_inverse=True)
    bad = _likelihood(seen, release[metric], *_release(detects))
    usual = _likelihood(seen, metric, *_baseline(nulls.failing[:, None], nulls.passing[:, None]))
    raw = ((bad - usual) / nulls.bunching[metric])[fresh.ravel().cumsum() - 1].reshape(failed.shape)
    above = failed * (nulls.failing + nulls.passing)[:, None] > requests * nulls.failing[:, None]
    return np.asarray(np.where(above, raw, np.minimum(raw, 0)))


def needed_requests(nulls: CountNulls, detect: Array, threshold: float) -> Array:
    """About how many requests of the canary show a share of `detect` nine times of ten."""
    share, found = nulls.share, found_share(nulls, detect)
    gain = found * np.log(found / share) + (1 - found) * np.log((1 - found) / (1 - share))
    swing = np.sqrt(found * (1 - found)) * np.abs(np.log(found * (1 - share) / (share * (1 - found))))
    wanted = (math.log(threshold) + _COST) * nulls.bunching
    root = (1.2816 * swing + np.sqrt((1.2816 * swing) ** 2 + 4 * gain * wanted)) / (2 * gain)
    return np.asarray(np.ceil(np.minimum(root * root, 1e12)))


def found_share(nulls: CountNulls, detect: Array) -> Array:
    """The share that must be found: `detect`, or twice what fails at the baseline where that is more."""
    return np.maximum(detect, np.minimum(0.95, nulls.share * 2))


def share_intervals(failed: Array, requests: Array, error: float) -> tuple[Array, Array]:
    """The shares that each canary's requests do not rule out at any look (uniform mixture), with 1 - `error`."""
    low, high = np.empty(len(failed)), np.empty(len(failed))
    for first in range(0, len(failed), _BLOCK):
        some = slice(first, first + _BLOCK)
        low[some], high[some] = _intervals(failed[some], requests[some], error)
    return low, high


# Private

_STEPS = 41
_SHARES = np.concatenate(([0.0], np.geomspace(1e-6, 0.5, 400), 1 - np.geomspace(0.5, 1e-6, 400)[1:], [1.0]))
_LOG_SHARES = np.stack((np.log(_SHARES[1:-1]), np.log1p(-_SHARES[1:-1])))
_BLOCK = 256
"""Rows that are weighed together: as many as stay in a processor's cache."""


def _release(detect: Array) -> tuple[Array, Array]:
    """Shares that a bad release may have, and how likely each is: log-uniform over the focus, and over all of it."""
    low, high = detect[:, None], np.minimum(4 * detect, 0.9)[:, None]
    near = low * (high / low) ** np.linspace(0, 1, 13)
    far = np.broadcast_to(np.geomspace(5e-4, 0.95, 20), (len(detect), 20))
    weights = np.concatenate((np.full(13, _FOCUS / 13), np.full(20, (1 - _FOCUS) / 20)))
    return np.concatenate((near, far), axis=1), np.broadcast_to(np.log(weights), (len(detect), 33))


def _baseline(failing: Array, passing: Array) -> tuple[Array, Array]:
    """The Beta distribution on a grid of its logarithm, wide enough for what counts in its upper tail."""
    share = failing / (failing + passing)
    wide = 6 / np.sqrt(failing) + 1e-3
    points = np.minimum(share * np.exp(np.linspace(-1.5, 1, _STEPS) * wide), 1 - 1e-9)
    log = failing * np.log(points) + (passing - 1) * np.log1p(-points)
    log = log - log.max(axis=1, keepdims=True)
    return points, log - np.log(np.exp(log).sum(axis=1, keepdims=True))


def _likelihood(seen: tuple[Array, Array], of: NDArray[np.intp], points: Array, log_weights: Array) -> Array:
    """The logarithm of the mixture of each row: failures and passes `seen`, with the points `of` a metric."""
    log_points, log_others = np.log(points), np.log1p(-points)
    failed, passed = (one[:, None] for one in seen)
    found = np.empty(len(of))
    for first in range(0, len(of), _BLOCK):
        rows = slice(first, first + _BLOCK)
        log, other = log_points[of[rows]], log_others[of[rows]]
        log *= failed[rows]
        other *= passed[rows]
        log += other
        log += log_weights[of[rows]]
        top = log.max(axis=1)
        log -= top[:, None]
        found[rows] = top + np.log(np.exp(log, out=log).sum(axis=1))
    return found


def _bunching(failed: Array, requests: Array) -> Array:
    """Pearson's dispersion over blocks of the history; 1 unless it is clearly above what chance gives."""
    total, steps = requests.sum(axis=1), failed.shape[1]
    asked = (total > 0) & (failed.sum(axis=1) > 0)
    found = np.ones(len(failed))
    if steps < _BUNCH_BLOCKS or not asked.any():
        return found
    failed, requests, total = failed[asked], requests[asked], total[asked]
    edges = np.linspace(0, steps, _BUNCH_BLOCKS + 1).astype(int)[:-1]
    blocks, sizes = (np.add.reduceat(side, edges, axis=1) for side in (failed, requests))
    share = np.minimum(failed.sum(axis=1) / total, 0.999)[:, None]
    expected = sizes * share
    kept = expected > 0
    freedom = np.maximum(kept.sum(axis=1) - 1, 1)
    off = np.where(kept, (blocks - expected) ** 2, 0.0) / np.where(kept, expected * (1 - share), 1.0)
    ratio = off.sum(axis=1) / freedom
    rare = 1 / np.maximum(expected.sum(axis=1) / np.maximum(kept.sum(axis=1), 1), 1e-9)
    clear = (kept.sum(axis=1) > 1) & (ratio > 1 + _MANY * np.sqrt((2 + rare) / freedom))
    found[asked] = np.where(clear, ratio, 1.0)
    return found


def _intervals(failed: Array, requests: Array, error: float) -> tuple[Array, Array]:
    counts = zip(failed.tolist(), requests.tolist(), strict=True)
    mixture = [math.lgamma(bad + 1) + math.lgamma(all_ - bad + 1) - math.lgamma(all_ + 2) for bad, all_ in counts]
    least = np.array(mixture) + math.log(error)
    kept = np.empty((len(failed), len(_SHARES)), dtype=bool)
    np.greater(np.stack((failed, requests - failed), axis=1) @ _LOG_SHARES, least[:, None], out=kept[:, 1:-1])
    # A share of 0 explains no failure at all, and one of 1 no pass.
    kept[:, 0], kept[:, -1] = (failed == 0) & (least < 0), (requests == failed) & (least < 0)
    low, high = kept.argmax(axis=1), len(_SHARES) - 1 - kept[:, ::-1].argmax(axis=1)
    some, share = kept.any(axis=1), failed / requests
    return np.where(some, _SHARES[low], share), np.where(some, _SHARES[high], share)
