"""Our judge: valid whenever it is asked, over all metrics together, and never a promotion for want of evidence.

Each metric gets an e-value against "no worse than tolerated" (`levels.py`, `counts.py`); e-BH (Wang and Ramdas 2022)
takes the metrics together, so that a canary like its baseline is rolled back with probability `error_rate` at most,
however many metrics and looks. A metric is fine only when a change of the size that must be found would have been
found nine times of ten. How many points that takes is computed, not configured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tidegate.rollout.canary.align import Aligned, NoData, align_levels
from tidegate.rollout.canary.counts import (
    MOST_FAILING,
    CountNulls,
    found_share,
    learn_count_nulls,
    needed_requests,
    share_intervals,
    weigh_counts,
)
from tidegate.rollout.canary.levels import (
    LEAST_POINTS,
    Bounds,
    interval,
    learn_null,
    needed_variance,
    weigh_shift,
)
from tidegate.rollout.canary.say import say_count, say_level, say_reasons
from tidegate.rollout.canary.totals import LOOKS, Totals, total_counts
from tidegate.rollout.canary.values import Decision, Judgement, Measured, Metric, MetricResult, State

ERROR_RATE = 0.02
_SUSPICIOUS = 20.0
_OF_THRESHOLD = 50
"""Evidence from which a metric is not fine, though not proved worse: the larger of 20 and a part of the threshold."""
_INTERVAL_ERROR = 0.05


def judge(
    measured: Sequence[Measured], start: float, end: float, error_rate: float = ERROR_RATE, asked: int = 0
) -> Judgement:
    """The verdict at `end` on a canary that began at `start`; what is older is history.

    `error_rate` is the probability that a canary like its baseline is rolled back, all metrics and looks together.
    `asked` is of how many metrics these are a part, where they are one.
    """
    threshold = max(len(measured), asked, 1) / error_rate
    results = _results(measured, start, end, threshold)
    found = _rejected([one.evidence for one in results], threshold)
    final = tuple(_with_state(one, index in found) for index, one in enumerate(results))
    decision = _decide(final)
    return Judgement(
        judge="sequential",
        decision=decision,
        reasons=say_reasons(decision, final, [one.metric for one in measured]),
        metrics=final,
        start=start,
        end=end,
        error_rate=error_rate,
    )


# Private


def _results(measured: Sequence[Measured], start: float, end: float, threshold: float) -> list[MetricResult]:
    results: dict[int, MetricResult] = {}
    levels = [(index, one) for index, one in enumerate(measured) if one.metric.kind != "count"]
    for aligned in align_levels(levels, start, end):
        if isinstance(aligned, NoData):
            results[aligned.place] = _nothing(measured[aligned.place].metric, aligned.says)
        else:
            metrics = [measured[index].metric for index in aligned.indices]
            results.update(zip(aligned.indices, _levels(metrics, aligned, threshold), strict=True))
    totals = []
    counts = [(index, one) for index, one in enumerate(measured) if one.metric.kind == "count"]
    for total in total_counts(counts, start, end):
        if isinstance(total, NoData):
            results[total.place] = _nothing(measured[total.place].metric, total.says)
        else:
            totals.append(total)
    results.update(_counts(measured, totals, threshold) if totals else ())
    return [results[index] for index in range(len(measured))]


def _nothing(metric: Metric, says: str) -> MetricResult:
    return MetricResult(name=metric.name, kind=metric.kind, critical=metric.critical, state="no data", says=says)


def _levels(metrics: Sequence[Metric], aligned: Aligned, threshold: float) -> list[MetricResult]:
    moments = aligned.difference.shape[1]
    if moments < LEAST_POINTS:
        wait = (LEAST_POINTS - moments) * aligned.step
        says = f"{moments} moments of both sides are too few"
        return [
            MetricResult(
                name=one.name,
                kind=one.kind,
                critical=one.critical,
                state="undecided",
                says=says,
                points=moments,
                wait=wait,
            )
            for one in metrics
        ]
    bounds = _bounds(metrics)
    null = learn_null(aligned.history, moments)
    evidence = weigh_shift(aligned.difference, null, aligned.replicas, bounds, aligned.settled)
    low, high = interval(evidence, _INTERVAL_ERROR)
    needed = needed_variance(evidence.freedom, bounds, threshold)
    passing, room = evidence.variance - evidence.lasting, needed - evidence.lasting
    with np.errstate(divide="ignore", invalid="ignore"):
        more = np.where(room > 0, np.maximum(passing / room - 1, 0) * moments, np.inf)
    missing = min(moments, aligned.present) < aligned.expected / 2
    rows = zip(
        metrics,
        evidence.log_e.tolist(),
        evidence.shift.tolist(),
        low.tolist(),
        high.tolist(),
        more.tolist(),
        aligned.baseline.tolist(),
        aligned.linear.tolist(),
        aligned.scale.tolist(),
        strict=True,
    )
    return [
        _level(
            metric,
            (log_e, more_, _is_suspicious(log_e, threshold)),
            _back((base, shift, low_, high_), linear, scale),
            (moments, aligned, missing),
        )
        for metric, log_e, shift, low_, high_, more_, base, linear, scale in rows
    ]


def _back(values: tuple[float, float, float, float], linear: bool, scale: float) -> tuple[float, ...]:
    """Baseline, canary, change and its bounds in the metric's own unit again."""
    base, *shifts = values
    if linear:
        return (base * scale, (base + shifts[0]) * scale, *shifts)
    usual = math.exp(min(base, 700))
    changes = [math.expm1(min(one, 700)) for one in shifts]
    return (usual, min(usual * (1 + changes[0]), 1e308), *changes)


def _level(
    metric: Metric, weighed: tuple[float, float, bool], shown: tuple[float, ...], of: tuple[int, Aligned, bool]
) -> MetricResult:
    (log_e, more, suspicious), (moments, aligned, missing) = weighed, of
    baseline, canary, change, low, high = shown
    wait = more * aligned.step if more < math.inf else None
    settled = more <= 0 and not missing and not suspicious
    return MetricResult(
        name=metric.name,
        kind=metric.kind,
        critical=metric.critical,
        state="fine" if settled else "undecided",
        says=say_level(metric, suspicious, wait, _present(aligned, moments) if missing else ""),
        points=moments,
        canary=canary,
        baseline=baseline,
        change=change,
        low=low,
        high=high,
        evidence=round(log_e / math.log(10), 6),
        wait=wait if more > 0 else 0.0,
    )


def _present(aligned: Aligned, moments: int) -> str:
    present = min(moments, aligned.present)
    replica = "a replica of the canary" if aligned.replicas > 1 or not aligned.present else "the canary"
    return f"{replica} has values in only {present} of {aligned.expected} moments"


def _bounds(metrics: Sequence[Metric]) -> Bounds:
    """Tolerances in logarithms. A decrease by a tenth is not the increase by a tenth undone."""
    known: dict[tuple[object, ...], tuple[float, float, float]] = {}
    rows = []
    for one in metrics:
        key = (one.direction, one.tolerance, one.detect)
        if key not in known:
            known[key] = _bound(one)
        rows.append(known[key])
    up_, down_, least_ = np.array(rows).T
    return Bounds(up_, down_, least_)


def _bound(one: Metric) -> tuple[float, float, float]:
    up, down = math.log1p(one.tolerance), -math.log1p(-min(one.tolerance, 0.99))
    worse_up, worse_down = math.log1p(one.detect) - up, -math.log1p(-min(one.detect, 0.99)) - down
    rising, falling = one.direction != "decrease", one.direction != "increase"
    least = min(worse_up if rising else math.inf, worse_down if falling else math.inf)
    return (up if rising else math.inf, down if falling else math.inf, least)


def _counts(
    measured: Sequence[Measured], totals: Sequence[Totals], threshold: float
) -> Iterator[tuple[int, MetricResult]]:
    metrics = [[measured[index].metric for index in one.indices] for one in totals]
    every = [
        learn_count_nulls(one.history, one.beside, np.array([metric.tolerance for metric in some]))
        for some, one in zip(metrics, totals, strict=True)
    ]
    nulls = CountNulls(*(np.concatenate(parts) for parts in zip(*every, strict=True)))
    failed = np.concatenate([one.failed for one in totals])
    requests = np.concatenate([one.requests for one in totals])
    detect = np.array([metric.detect for some in metrics for metric in some])
    bad, all_ = failed[:, -1], requests[:, -1]
    needed = np.maximum(needed_requests(nulls, detect, threshold) - all_, 0)
    more = np.where(nulls.share < MOST_FAILING, np.ceil(needed), np.nan)
    seconds = np.repeat([one.seconds for one in totals], [len(one.indices) for one in totals])
    columns = (
        weigh_counts(failed, requests, nulls, detect).max(axis=1),
        bad,
        all_,
        nulls.share,
        found_share(nulls, detect),
        more,
        seconds,
        *share_intervals(bad, all_, _INTERVAL_ERROR),
    )
    indices = [index for one in totals for index in one.indices]
    for index, *row in zip(indices, *(column.tolist() for column in columns), strict=True):
        yield index, _count(measured[index].metric, row, threshold)


def _count(metric: Metric, row: Sequence[float], threshold: float) -> MetricResult:
    log_e, failed, requests, share, wanted, missing, seconds, low, high = row
    suspicious = _is_suspicious(log_e, threshold)
    more = None if math.isnan(missing) else int(missing)
    baseline = share / (1 + metric.tolerance)
    return MetricResult(
        name=metric.name,
        kind="count",
        critical=metric.critical,
        state="fine" if more == 0 and not suspicious else "undecided",
        says=say_count(wanted, suspicious, more, (failed, requests)),
        points=LOOKS,
        canary=failed / requests,
        baseline=baseline,
        change=failed / requests / baseline - 1,
        low=low,
        high=high,
        evidence=round(log_e / math.log(10), 6),
        wait=more / (requests / seconds) if seconds > 0 and more is not None else None,
        requests=more,
    )


def _is_suspicious(log_e: float, threshold: float) -> bool:
    return log_e >= math.log(max(_SUSPICIOUS, threshold / _OF_THRESHOLD))


def _rejected(evidence: Sequence[float | None], threshold: float) -> frozenset[int]:
    """e-BH: the k largest e-values, for the largest k with all of them at least metrics / (k * error rate)."""
    order = sorted((i for i, one in enumerate(evidence) if one is not None), key=lambda i: -(evidence[i] or 0.0))
    most = 0
    for k, index in enumerate(order, 1):
        if (evidence[index] or 0.0) >= math.log10(threshold / k):
            most = k
    return frozenset(order[:most])


def _with_state(result: MetricResult, regressed: bool) -> MetricResult:
    if not regressed:
        return result
    import msgspec

    return msgspec.structs.replace(result, state="regressed", says="worse than tolerated", wait=0.0, requests=None)


def _decide(results: Sequence[MetricResult]) -> Decision:
    states: set[tuple[State, bool]] = {(one.state, one.critical) for one in results}
    if ("regressed", True) in states:
        return "roll back"
    critical = {state for state, is_critical in states if is_critical}
    return "promote" if critical == {"fine"} and ("regressed", False) not in states else "hold"
