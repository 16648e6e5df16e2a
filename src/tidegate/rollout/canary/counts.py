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


class CountNull(NamedTuple):
    """What fails at the baseline: a Beta distribution, and how much more than chance its counts vary."""

    failing: float
    passing: float
    bunching: float

    @property
    def share(self) -> float:
        return self.failing / (self.failing + self.passing)


def learn_count_null(history: tuple[Array, Array], beside: tuple[Array, Array], tolerance: float) -> CountNull:
    """The null of failures and requests in each step, before the canary and beside it.

    History counts as long as the same minutes agree with it; where more fails beside the canary than before it, a
    common cause, only those minutes count. `tolerance` raises the share, relative to itself.
    """
    past_failed, past = float(history[0].sum()), float(history[1].sum())
    failed, requests = float(beside[0].sum()), float(beside[1].sum())
    if past:
        usual = (past_failed + 0.5) / (past + 1)
        if failed - requests * usual <= _MANY * math.sqrt(requests * usual * (1 + requests / past)) + 1:
            failed, requests = failed + past_failed, requests + past
    share = min((failed + 0.5) / (requests + 1) * (1 + tolerance), 0.999)
    return CountNull(share * (requests + 1), (1 - share) * (requests + 1), _bunching(*history))


def weigh_counts(failed: Array, requests: Array, nulls: list[CountNull], detect: Array) -> Array:
    """The logarithm of the e-value for each metric and look: `failed` of `requests`, both cumulative."""
    failing = np.array([null.failing for null in nulls])[:, None]
    passing = np.array([null.passing for null in nulls])[:, None]
    tempered = np.array([null.bunching for null in nulls])[:, None]
    bad = _likelihood(failed, requests, *_release(detect))
    usual = _likelihood(failed, requests, *_baseline(failing, passing))
    raw = (bad - usual) / tempered
    above = failed * (failing + passing) > requests * failing
    return np.asarray(np.where(above, raw, np.minimum(raw, 0)))


def needed_requests(null: CountNull, detect: float, threshold: float) -> int:
    """About how many requests of the canary show a share of `detect` nine times of ten."""
    share, found = null.share, found_share(null, detect)
    gain = found * math.log(found / share) + (1 - found) * math.log((1 - found) / (1 - share))
    swing = math.sqrt(found * (1 - found)) * abs(math.log(found * (1 - share) / (share * (1 - found))))
    wanted = (math.log(threshold) + _COST) * null.bunching
    root = (1.2816 * swing + math.sqrt((1.2816 * swing) ** 2 + 4 * gain * wanted)) / (2 * gain)
    return math.ceil(min(root * root, 1e12))


def found_share(null: CountNull, detect: float) -> float:
    """The share that must be found: `detect`, or twice what fails at the baseline where that is more."""
    return max(detect, min(0.95, null.share * 2))


def share_interval(failed: float, requests: float, error: float) -> tuple[float, float]:
    """The shares that the canary's requests do not rule out at any look (uniform mixture), with 1 - `error`."""
    log = _times(failed, _LOG_SHARES) + _times(requests - failed, _LOG_OTHERS)
    mixture = math.lgamma(failed + 1) + math.lgamma(requests - failed + 1) - math.lgamma(requests + 2)
    kept = _SHARES[mixture - log < -math.log(error)]
    return (float(kept[0]), float(kept[-1])) if len(kept) else (failed / requests, failed / requests)


# Private

_STEPS = 41
_SHARES = np.concatenate(([0.0], np.geomspace(1e-6, 0.5, 400), 1 - np.geomspace(0.5, 1e-6, 400)[1:], [1.0]))
with np.errstate(divide="ignore"):
    _LOG_SHARES, _LOG_OTHERS = np.log(_SHARES), np.log1p(-_SHARES)


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


def _likelihood(failed: Array, requests: Array, points: Array, log_weights: Array) -> Array:
    log = (
        failed[..., None] * np.log(points)[:, None, :]
        + (requests - failed)[..., None] * np.log1p(-points)[:, None, :]
        + log_weights[:, None, :]
    )
    top = log.max(axis=-1)
    return np.asarray(top + np.log(np.exp(log - top[..., None]).sum(axis=-1)))


def _bunching(failed: Array, requests: Array) -> float:
    """Pearson's dispersion over blocks of the history; 1 unless it is clearly above what chance gives."""
    total = float(requests.sum())
    if total <= 0 or failed.sum() <= 0 or len(failed) < _BUNCH_BLOCKS:
        return 1.0
    edges = np.linspace(0, len(failed), _BUNCH_BLOCKS + 1).astype(int)[:-1]
    blocks, sizes = np.add.reduceat(failed, edges), np.add.reduceat(requests, edges)
    share = min(float(failed.sum()) / total, 0.999)
    expected = sizes * share
    kept = expected > 0
    freedom = int(kept.sum()) - 1
    if freedom < 1:
        return 1.0
    ratio = float((((blocks - expected)[kept] ** 2) / (expected[kept] * (1 - share))).sum()) / freedom
    rare = 1 / max(float(expected[kept].mean()), 1e-9)
    return ratio if ratio > 1 + _MANY * math.sqrt((2 + rare) / freedom) else 1.0


def _times(count: float, log: Array) -> Array:
    return log * count if count else np.zeros_like(log)
