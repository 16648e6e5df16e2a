"""What one metric did around a deployment: the evidence point by point, when it moved, and from what to what."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from tidegate.operate.detect.changepoints import measured, noise_of, onset_shares
from tidegate.operate.detect.regression import Budget, Direction, Watched
from tidegate.operate.detect.season import without_season
from tidegate.operate.detect.sequential import FEWEST, learn, log_evidence
from tidegate.operate.detect.views import Floats

_ANCHOR = (20, 240)
_PAST, _AFTER = 100_000, 3_600
_ONSET = 120
_NONE = np.zeros(0)


class Move(Struct, frozen=True, kw_only=True):
    """The evidence after each point, and the raw numbers around the deployment, which are from place `cut` on after it.

    `why` says why there is no evidence; `silent`: seconds without data at the end, where that is unusual;
    `cover`: how many seconds after the deployment are judged, where that is not all.
    """

    why: str = ""
    silent: float = 0.0
    cover: float | None = None
    evidence: Floats
    times: Floats
    values: Floats
    flat: Floats
    cut: int = 0


_NONE = np.zeros(0)


def move_of(one: Watched, started: float, now: float, budget: Budget) -> Move:
    """The evidence of one metric up to `now`, for the direction that has more of it.

    The past is at most 100,000 points, what follows the deployment at most 3,600.
    """
    times, values = measured(one.series)
    end = min(now, started + budget.span)
    keep = times <= end
    times, values = times[keep], values[keep]
    cut = int(np.searchsorted(times, started))
    first, last = max(cut - _PAST, 0), cut + _AFTER
    times, values, cut = times[first:last], values[first:last], cut - first
    why = _why_unknown(times, cut)
    if why:
        return Move(why=why, evidence=_NONE, times=times, values=values, flat=_NONE, cut=cut)
    flat = without_season(times, _scale(one, times, values, cut), cut)
    step = max(float(np.median(np.diff(times[:cut]))), 1e-3)
    span = min(math.ceil(budget.span / step), _AFTER)
    grid = _begun(np.arange(span + 1, dtype=np.float64) * step, budget)
    anchor = min(max(round(3600.0 / step), _ANCHOR[0]), _ANCHOR[1])
    past = learn(flat[:cut], anchor, span, np.diff(grid))
    weights = np.diff(_begun(np.append(0.0, times[cut:] - started + step), budget))
    after = flat[cut:][: past.judged]
    sides = {up: log_evidence(past, flat[:cut], after, weights, up=up) for up in _sides(one.direction)}
    up = max(sides, key=lambda side: float(sides[side].max()))
    silent = float(end - times[-1])
    silent = silent if silent > max(5.0 * step, 60.0) and len(times) - cut < _AFTER else 0.0
    cover = float(times[cut + len(after) - 1] - started) if len(after) < len(times) - cut else None
    return Move(evidence=sides[up], silent=silent, cover=cover, times=times, values=values, flat=flat, cut=cut)


def onset(move: Move) -> tuple[int, tuple[int, int], float]:
    """Where it moved, the places that hold 90 %, and how sure it is that it began before the deployment."""
    first = max(move.cut - _ONSET, 0)
    end = move.cut + int(move.evidence.argmax()) + 1
    shares = onset_shares(move.flat[first:end], noise_of(move.flat[: move.cut]), edge=1)
    sums = np.cumsum(shares)
    low, high = (first + min(int(np.searchsorted(sums, part)), len(sums) - 1) for part in (0.05, 0.95))
    return first + int(shares.argmax()), (low, high), float(shares[: max(move.cut - first - 1, 0)].sum())


def levels(one: Watched, move: Move, place: int) -> tuple[float, float]:
    """What it was before it moved and what it is since: medians, of rates the means, for most points of them are 0."""
    middle = np.mean if one.kind == "rate" else np.median
    start = max(min(place, move.cut) - _ANCHOR[1], 0)
    before = move.values[start : max(min(place, move.cut), start + 1)]
    return float(middle(before)), float(middle(move.values[place:]))


# Private


def _why_unknown(times: Floats, cut: int) -> str:
    if cut < FEWEST:
        return f"only {cut} points before the deployment, fewer than {FEWEST}"
    return "no data since the deployment" if len(times) == cut else ""


def _begun(since: Floats, budget: Budget) -> Floats:
    """The share of the prior that a change has begun this many seconds after the deployment: soonest most likely."""
    minute = 60.0
    soon = 0.9 * np.log1p(np.minimum(since, budget.soon) / minute) / math.log1p(budget.soon / minute)
    late = np.clip((since - budget.soon) / max(budget.span - budget.soon, 1e-9), 0.0, 1.0)
    return np.asarray(soon + 0.1 * late)


def _scale(one: Watched, times: Floats, values: Floats, cut: int) -> Floats:
    """Latencies and counts differ by factors, rates by amounts, of which one request is more where there are few."""
    if one.kind != "rate":
        positive = values[values > 0]
        floor = float(np.median(positive)) * 1e-3 if len(positive) else 1.0
        return np.asarray(np.log(np.maximum(values, floor)))
    if one.requests is None:
        return values
    when, served = measured(one.requests)
    if not len(when):
        return values
    requests = np.maximum(np.interp(times, when, served), 1.0)
    usual = values[:cut].mean()
    # Where an error is rare, most points are 0, and are to stay alike however much traffic there is.
    rare = usual * float(np.median(requests)) < 1.0
    return np.asarray((values if rare else values - usual) * np.sqrt(requests))


def _sides(direction: Direction) -> tuple[bool, ...]:
    return {"up": (True,), "down": (False,), "either": (True, False)}[direction]
