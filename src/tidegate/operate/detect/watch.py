"""After a deployment: did a service within its reach get worse, and since when, within a stated budget of false alarms.

Every metric has its own evidence (sequential.py), valid at any time; the bar is corrected for the metrics of a service.
Most of the budget is for a change that begins soon after the deployment. What is over the bar and yet not raised
says why: it began before, it is too small to matter, there was hardly traffic, or services out of reach moved as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from tidegate.errors import InputError
from tidegate.operate.detect.changepoints import measured
from tidegate.operate.detect.moves import Move, levels, move_of, onset
from tidegate.operate.detect.regression import Budget, Kind, Regression, Status, Watched
from tidegate.operate.values import Evidence
from tidegate.rollout.values import Deployment


def watch(
    deployment: Deployment, watched: Sequence[Watched], *, now: float, budget: Budget | None = None
) -> tuple[Regression, ...]:
    """One answer for each metric within reach: suspected first, then held, unknown, quiet; the surest first.

    Only points up to `now` are read. Raises InputError for a series whose times and values differ in length, or a
    budget that is not positive.
    """
    budget = budget or Budget()
    _check(budget)
    metrics: dict[tuple[str, bool], int] = {}
    for one in watched:
        key = (one.service, one.distance is None)
        metrics[key] = metrics.get(key, 0) + (2 if one.direction == "either" else 1)
    alpha = budget.alarms_per_week / budget.watches_per_week
    moves = [move_of(one, deployment.started, now, budget) for one in watched]
    bars = [math.log(metrics[one.service, one.distance is None] / alpha) for one in watched]
    others = _others(watched, moves, bars)
    answers = [
        _answer(one, move, bar, (deployment, others.get(one.metric, (0, 0)), budget))
        for one, move, bar in zip(watched, moves, bars, strict=True)
        if one.distance is not None
    ]
    return tuple(sorted(answers, key=lambda one: (_ORDER[one.status], -one.sure, one.service, one.metric)))


# Private

_ORDER: Mapping[Status, int] = {"suspected": 0, "held": 1, "unknown": 2, "quiet": 3}
_TOLERANCE: Mapping[Kind, float] = {"rate": 0.001, "latency": 0.05, "count": 0.05}
_PRIOR = 0.1
_SURELY_BEFORE = 0.9


def _others(watched: Sequence[Watched], moves: Sequence[Move], bars: Sequence[float]) -> dict[str, tuple[int, int]]:
    """For each metric: how many services out of reach moved as well, of how many that could be judged."""
    counts: dict[str, tuple[int, int]] = {}
    for one, move, bar in zip(watched, moves, bars, strict=True):
        if one.distance is None and not move.why:
            moved, judged = counts.get(one.metric, (0, 0))
            counts[one.metric] = (moved + bool(move.evidence.max() >= min(bar, math.log(100.0))), judged + 1)
    return counts


def _answer(one: Watched, move: Move, bar: float, around: tuple[Deployment, tuple[int, int], Budget]) -> Regression:
    deployment, others, budget = around
    none = Regression(
        status="unknown", deployment=deployment.id, service=one.service, metric=one.metric, sure=0.0, held=move.why
    )
    if move.why:
        return none
    peak = float(move.evidence.max())
    prior = _PRIOR * 0.5 ** (one.distance or 0)
    sure = 1.0 / (1.0 + math.exp(-min(peak, 700.0)) * (1.0 - prior) / prior)
    if peak < bar:
        if move.silent:
            return replace(none, sure=sure, held=f"no data for the last {move.silent:.0f} s")
        held = f"evidence of {math.exp(peak):.3g}, where {math.exp(bar):.3g} is needed"
        if move.cover is not None:
            held += f"; so short a past allows to judge the first {move.cover:.0f} s and no more"
            return replace(none, sure=sure, held=held)
        return replace(none, status="quiet", sure=sure, held=held)
    place, (low, high), early = onset(move)
    before, after = levels(one, move, place)
    held = _held(one, move, (before, after, place, early), (others, budget))
    says = f"{one.metric} of {one.service} went from {before:.4g} to {after:.4g}"
    return replace(
        none,
        status="held" if held else "suspected",
        sure=sure,
        held=held,
        before=before,
        after=after,
        moved=float(move.times[place]),
        earliest=float(move.times[low]),
        latest=float(move.times[high]),
        raised_at=float(move.times[move.cut + int(np.argmax(move.evidence >= bar))]),
        evidence=(Evidence(kind="regression", weight=round(peak, 6), says=says, source=one.series.name),),
    )


def _held(
    one: Watched, move: Move, moved: tuple[float, float, int, float], around: tuple[tuple[int, int], Budget]
) -> str:
    before, after, place, early = moved
    (others, judged), budget = around
    tolerance = _TOLERANCE[one.kind] if one.tolerance is None else one.tolerance
    size = abs(after - before) if one.kind == "rate" else abs(after - before) / max(abs(before), 1e-12)
    if early > _SURELY_BEFORE:
        return f"it moved {move.times[move.cut] - move.times[place]:.0f} s before the deployment"
    if size < tolerance:
        least = f"{tolerance:g}" if one.kind == "rate" else f"{tolerance:.0%}"
        return f"it moved from {before:.4g} to {after:.4g}, less than the {least} that matter"
    if others >= 2 and 2 * others >= judged:
        return f"{others} of {judged} services out of its reach moved as well"
    if one.requests is not None:
        times, counts = measured(one.requests)
        served = float(counts[(times >= move.times[place]) & (times <= move.times[-1])].sum())
        if served < budget.requests:
            return f"only {served:g} requests since it moved, fewer than {budget.requests:g}"
    return ""


def _check(budget: Budget) -> None:
    for name in ("alarms_per_week", "watches_per_week", "soon", "span"):
        if not 0.0 < getattr(budget, name) < 1e9:
            raise InputError(f"{name} is {getattr(budget, name)}", where="watch budget", mend="give a positive number")
    if budget.alarms_per_week >= budget.watches_per_week or budget.soon > budget.span:
        raise InputError(
            "the budget does not fit", where="watch budget", mend="fewer alarms than watches, soon <= span"
        )
