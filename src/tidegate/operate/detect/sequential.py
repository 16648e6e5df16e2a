"""Evidence against "nothing changed here", valid whenever one looks: an e-process by the series' own past.

Each point's surprise over the one before (an innovation of an autoregression) is ranked among those of the
past; ranks are bet on (Vovk and Wang 2021, kappa p^(kappa - 1)), over several kappa and over every moment at which a
change may have begun, weighted beforehand. Under the null the chance that the evidence ever passes 1/alpha is alpha
(Ville). Where windows of the series' own past pass more often than that, the evidence is tempered by as much.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tidegate.operate.detect.changepoints import noise_of
from tidegate.operate.detect.views import Floats

FEWEST = 30
_KAPPAS = np.array([0.1, 0.25, 0.5, 0.75])
_ONES = np.ones(len(_KAPPAS))
_SHORT_PAST = 1.25
_ORDER = 10
_MARGIN = 1.0
_YOUNG_MARGIN, _POINTS_FOR_ONE = 3.0, 30
_SPARSE = 0.1
_WINDOWS = (8, 48)


class Past(Struct, frozen=True, kw_only=True):
    """What the past of one series teaches: how it follows from itself, its innovations in order, what they overstate.

    `follow`: the weights of the last points, the latest first. `anchor`: how many points fix the level before a
    window, 0 where one level holds throughout. `margin`: the part of a surprise that a level which drifts as it always
    did explains, and which is no evidence. `temper` is 1 where the series' own quiet windows keep to Ville's
    bound, more where they do not. `fair`: what bets on "up" and on "down" return on the past itself.
    `judged`: how many points after it a young past allows to judge.
    """

    follow: Floats
    innovations: Floats
    anchor: int
    temper: float
    margin: float = 0.0
    fair: tuple[Floats, Floats] = (_ONES, _ONES)
    judged: int | None = None


def learn(values: Floats, anchor: int, span: int, weights: Floats) -> Past:
    """From values before the deployment, oldest first, freed of the season, at least FEWEST.

    `anchor` points fix the level before each window; `span` points are watched, begun with `weights` (their sum <= 1).
    A past of fewer than eight windows is young: it has one level throughout, which may drift on as it did, and it
    allows to judge a quarter of its own length.
    """
    starts = _starts(len(values), anchor, span)
    if len(starts) < _WINDOWS[0]:
        return _learn_young(values)
    follow = _yule_walker(values, _ORDER)
    steps = np.concatenate((np.zeros(len(follow)), _innovations(values, follow)))
    levels = np.array([float(np.median(values[start - anchor : start])) for start in starts])
    surprises = sliding_window_view(steps, span)[starts] - (1.0 - follow.sum()) * levels[:, None]
    innovations = np.sort(surprises, axis=None)
    drift = sliding_window_view(values, span)[starts].mean(axis=1) - levels
    margin = float((1.0 - follow.sum()) * _MARGIN * np.quantile(np.abs(drift), 0.9))
    fair = _fair(innovations), _fair(-innovations[::-1])
    past = Past(follow=follow, innovations=innovations, anchor=anchor, temper=1.0, margin=margin, fair=fair)
    highest = np.concatenate([_peaks(past, surprises, weights[:span], up=up) for up in (True, False)])
    temper = max(1.0, float(np.median(highest)) / math.log(2.0), float(np.quantile(highest, 0.9)) / math.log(10.0))
    return replace(past, temper=temper)


def log_evidence(past: Past, before: Floats, after: Floats, weights: Floats, *, up: bool) -> Floats:
    """The natural logarithm of the evidence after each point of `after` that it moved up (or down).

    `before` ends with the point just before the deployment; the level is the median of its last `anchor` points.
    """
    level = float(np.median(before[-past.anchor :])) if past.anchor else 0.0
    surprises = _innovations(np.concatenate((before[-len(past.follow) :], after)), past.follow)
    surprises = surprises - (1.0 - past.follow.sum()) * level
    surprises = (surprises if up else -surprises) - past.margin
    reference = past.innovations if up else -past.innovations[::-1]
    ranks = _ranks(surprises, reference) if past.anchor else _growing_ranks(surprises, reference, past.margin)
    evidence = _log_evidence(ranks[None], weights[: len(after)], past.fair[0 if up else 1])
    return np.asarray(evidence[0] / past.temper, dtype=np.float64)


# Private


def _peaks(past: Past, surprises: Floats, weights: Floats, *, up: bool) -> Floats:
    """The highest evidence that each window of the past itself would have had."""
    reference = past.innovations if up else -past.innovations[::-1]
    ranks = _ranks((surprises if up else -surprises) - past.margin, reference)
    return np.asarray(_log_evidence(ranks, weights, past.fair[0 if up else 1]).max(axis=1), dtype=np.float64)


def _fair(reference: Floats) -> Floats:
    """What each bet returns on the reference itself: 1, or less where many values are alike, as rare errors are."""
    ranks = _ranks(reference, reference)
    return np.array([float(np.mean(kappa * ranks ** (kappa - 1.0))) for kappa in _KAPPAS])


def _innovations(values: Floats, follow: Floats) -> Floats:
    """Of each point but the first few, what the points before did not say."""
    order = len(follow)
    rest = values[order:].copy()
    for lag, weight in enumerate(follow, 1):
        rest -= weight * values[order - lag : len(values) - lag]
    return rest


def _learn_young(values: Floats) -> Past:
    """The level may go on as it went from quarter to quarter, from the middle of the past to the middle of the rest."""
    count = len(values)
    order = min(count // _POINTS_FOR_ONE, _ORDER)
    follow = _yule_walker(values, order) if order > 1 else np.array([min(noise_of(values).phi + count**-0.5, 0.95)])
    quarters = [float(part.mean()) for part in np.array_split(values, 4)]
    margin = _YOUNG_MARGIN * float(max(np.abs(np.diff(quarters)))) * (1.0 - float(follow.sum()))
    innovations = np.sort(_innovations(values, follow))
    return Past(follow=follow, innovations=innovations, anchor=0, temper=_SHORT_PAST, margin=margin, judged=count // 4)


def _yule_walker(values: Floats, order: int) -> Floats:
    """An autoregression of some points; outliers are cut to 4 standard deviations (by MAD, if it is not about 0)."""
    middle = float(np.median(values))
    whole = float(np.std(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    spread = spread if spread > _SPARSE * whole else whole
    if spread == 0.0:
        return np.zeros(order)
    moved = np.clip((values - middle) / spread, -4.0, 4.0)
    moved -= moved.mean()
    count = len(moved)
    lags = np.array([float(moved[lag:] @ moved[: count - lag]) / count for lag in range(order + 1)])
    if lags[0] < 1e-12:
        return np.zeros(order)
    places = np.abs(np.subtract.outer(np.arange(order), np.arange(order)))
    return np.asarray(np.linalg.solve(lags[places] + 1e-9 * lags[0] * np.eye(order), lags[1:]), dtype=np.float64)


def _starts(count: int, anchor: int, span: int) -> NDArray[np.int64]:
    """Where windows of the past begin: side by side, or overlapping by half where they are few."""
    first, last = max(anchor, _ORDER), count - span
    number = min((last - first) * 2 // span + 1, _WINDOWS[1])
    return np.unique(np.linspace(first, last, number).astype(np.int64)) if number > 1 else np.zeros(0, dtype=np.int64)


def _ranks(values: Floats, reference: Floats) -> Floats:
    """The share of the reference that is at least as large, counting the value itself: never 0."""
    count = len(reference)
    return np.asarray((count - np.searchsorted(reference, values, side="left") + 1.0) / (count + 1.0))


def _growing_ranks(values: Floats, reference: Floats, margin: float) -> Floats:
    """The same, where each value joins the reference of the next: exact for however short a past (conformal).

    The values are less the margin, what joins is not.
    """
    earlier = np.tril(values[None, :] + margin >= values[:, None], -1).sum(axis=1)
    count = len(reference)
    larger = count - np.searchsorted(reference, values, side="left") + earlier
    return np.asarray((larger + 1.0) / (count + np.arange(len(values)) + 1.0))


def _log_evidence(ranks: Floats, weights: Floats, fair: Floats) -> Floats:
    """log of mean over kappa of [sum over starts k <= t of w_k prod_{k..t} bets, and the weight not yet begun]."""
    bets = (
        np.log(_KAPPAS / np.maximum(fair, 1e-9))[:, None, None] + (_KAPPAS - 1.0)[:, None, None] * np.log(ranks)[None]
    )
    sums = np.cumsum(bets, axis=2)
    with np.errstate(divide="ignore"):
        begun = np.log(weights) - (sums - bets)
        rest = np.log(np.maximum(1.0 - np.cumsum(weights), 0.0))
    each = np.logaddexp(sums + np.logaddexp.accumulate(begun, axis=2), rest)
    return np.asarray(np.logaddexp.reduce(each, axis=0) - math.log(len(_KAPPAS)), dtype=np.float64)
