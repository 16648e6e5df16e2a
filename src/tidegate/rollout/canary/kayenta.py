"""Kayenta's judge (NetflixACAJudge-v1.0) to the letter, so that a canary configuration of Spinnaker moves as it is.

After spinnaker/kayenta a69573b (Apache-2.0): NetflixACAJudge, MannWhitneyClassifier, WeightedSumScorer. Its classes and
scores come out as there; only the decision is ours: what fails for want of data is held, not rolled back.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct

from tidegate.rollout.canary.kayenta_config import Analysis, KayentaConfig, KayentaMetric
from tidegate.rollout.canary.looks import Look, Pair, look_at
from tidegate.rollout.canary.mann_whitney import AllTiedError, shift
from tidegate.rollout.canary.values import Decision, GroupScore, Judgement, MetricResult, State

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

TOLERANCE = 0.25
CONFIDENCE = 0.98
NO_DATA_PERCENT = 50

Label = Literal["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"]


class Classification(Struct, frozen=True):
    """`deviation` is the ratio of the means, NaN where one is 0; the bounds are those of the shift, where computed."""

    label: Label
    reason: str = ""
    deviation: float = 1.0
    critical: bool = False
    low: float | None = None
    high: float | None = None
    estimate: float | None = None


def judge_kayenta(config: KayentaConfig, pairs: Mapping[str, Pair], start: float, end: float) -> Judgement:
    """The judgement over the metrics of the configuration; one without a pair has no data."""
    nothing = np.empty(0)
    results, scored = [], []
    all_cleaned = [
        Pair(*(clean(values, metric.analysis) for values in pairs.get(metric.name, Pair(nothing, nothing))))
        for metric in config.metrics
    ]
    for metric, cleaned, look in zip(config.metrics, all_cleaned, look_at(all_cleaned, CONFIDENCE), strict=True):
        found = classify(metric.name, cleaned, metric.analysis, look=look)
        results.append(_result(metric, cleaned, found, look))
        if not metric.analysis.muted:
            scored.append((metric, found, not len(cleaned.experiment) or not len(cleaned.control)))
    groups, score, why = score_groups(config.weights, [(m.groups, found) for m, found, _ in scored])
    label = "Pass" if score >= config.passing else "Marginal" if score >= config.marginal else "Fail"
    decision, reasons = _decide(label, config, score, why, scored)
    return Judgement(
        judge="kayenta",
        decision=decision,
        reasons=reasons,
        metrics=tuple(results),
        start=start,
        end=end,
        score=score,
        classification=label,
        group_scores=groups,
    )


def clean(values: NDArray[float64], analysis: Analysis) -> NDArray[float64]:
    """Gaps removed or made 0, and outliers removed where that is asked: beyond the fences and beyond 1 % and 99 %."""
    if not analysis.removes_outliers and not math.isnan(values.dot(values)):  # the quickest look for a gap
        return values
    gaps = np.isnan(values)
    kept = np.where(gaps, 0.0, values) if analysis.replaces_gaps else values[~gaps]
    if not analysis.removes_outliers or not len(kept):
        return kept
    p01, p25, p75, p99 = np.percentile(kept, (1, 25, 75, 99))
    reach = analysis.outlier_factor * (p75 - p25)
    return np.asarray(kept[(kept >= min(p01, p25 - reach)) & (kept <= max(p99, p75 + reach))])


def classify(
    name: str,
    pair: Pair,
    analysis: Analysis,
    tolerance: float = TOLERANCE,
    confidence: float = CONFIDENCE,
    look: Look | None = None,
) -> Classification:
    """MannWhitneyClassifier.classify, on values without gaps. `look`: of this pair, with the same confidence."""
    experiment, control = pair
    if not len(experiment) or not len(control):
        return _without_data(name, analysis)
    look = look or look_at([pair], confidence)[0]
    if look.identical:
        return Classification("Pass", "The Canary and Baseline data are identical")
    if look.same_experiment and look.same_control:
        if experiment[0] == control[0]:
            return Classification("Pass")
        experiment, control = _with_noise(experiment, 1), _with_noise(control, 2)
        look = look_at([Pair(experiment, control)], confidence)[0]
    if not look.finite:
        return Classification("Error", "Metric Classification Failed")
    deviation = look.experiment / look.control if look.experiment and look.control else float("nan")
    effect = _cles(experiment, control) if analysis.by_cles else deviation
    unknown = effect != effect  # NaN: the effect is not asked
    may_rise = analysis.direction != "decrease" and (unknown or effect >= analysis.allowed_increase)
    may_fall = analysis.direction != "increase" and (unknown or effect <= analysis.allowed_decrease)
    if (look.not_high or not may_rise) and (look.not_low or not may_fall) and min(len(experiment), len(control)) > 1:
        return Classification("Pass", "", deviation)
    try:
        found = shift(experiment, control, confidence)
    except AllTiedError:
        return Classification("Error", "Metric Classification Failed")
    bound = tolerance * abs(found.estimate)
    label: Label = "Pass"
    critical = False
    if may_rise and found.low > bound:
        label, critical = "High", analysis.critical and (unknown or effect >= analysis.critical_increase)
    elif may_fall and found.high < -bound:
        label, critical = "Low", analysis.critical and (unknown or effect <= analysis.critical_decrease)
    reason = f"The metric {name} was classified as {label} (Critical)" if critical else ""
    if label != "Pass" and not critical:
        reason = f"{name} was classified as {label}"
    return Classification(label, reason, deviation, critical, found.low, found.high, found.estimate)


def classify_by_mean(pair: Pair, analysis: Analysis) -> Classification:
    """MeanInequalityClassifier: which mean is the greater, no more. Kayenta has it to compare with."""
    experiment, control = pair
    if not len(experiment) or not len(control):
        return _without_data("", analysis)
    look = look_at([pair], CONFIDENCE)[0]
    ours, theirs = look.experiment, look.control
    ratio = ours / theirs if theirs else float("nan")
    if analysis.direction != "decrease" and ours > theirs:
        return Classification(
            "High", "The Canary mean was greater than the Baseline mean", ratio, critical=analysis.critical
        )
    if analysis.direction != "increase" and ours < theirs:
        return Classification(
            "Low", "The Canary mean was less than the Baseline mean", ratio, critical=analysis.critical
        )
    return Classification("Pass")


def score_groups(
    weights: Mapping[str, float], results: Sequence[tuple[Sequence[str], Classification]]
) -> tuple[tuple[GroupScore, ...], float, str]:
    """WeightedSumScorer: the score of each group, of all, and why it is 0 where a rule of its own made it that."""
    labels: dict[str, Counter[str]] = {}
    for groups, found in results:
        for group in groups:
            labels.setdefault(group, Counter())[found.label] += 1
    totals = {name: sum(counts[one] for one in _COUNTED) for name, counts in labels.items()}
    scores = {name: counts["Pass"] / totals[name] * 100 if totals[name] else 0.0 for name, counts in labels.items()}
    shown = tuple(GroupScore(name, score) for name, score in scores.items())
    failed = next((found for _, found in results if found.critical and found.label != "Pass"), None)
    if failed:
        return shown, 0.0, f"Canary Failed: {failed.reason}"
    if results and sum(found.label == "Nodata" for _, found in results) / len(results) * 100 >= NO_DATA_PERCENT:
        return shown, 0.0, f"Canary Failed: {NO_DATA_PERCENT}% or more metrics returned NODATA"
    unweighted = sum(name not in weights for name in scores)
    share = (100 - sum(weights.values())) / unweighted if unweighted else 0.0
    total = 0.0
    for name, score in scores.items():
        total += (score if totals[name] else 100.0) * (weights.get(name, share) / 100)
    return shown, float(Decimal(repr(total)).quantize(Decimal("0.01"), ROUND_HALF_UP)), ""


# Private

_Scored = tuple[KayentaMetric, Classification, bool]
"""A metric, what was found, and whether a side of it was empty."""
_COUNTED = ("Pass", "High", "Low", "NodataFailMetric")
_STATES: Mapping[Label, State] = {
    "Pass": "fine",
    "High": "regressed",
    "Low": "regressed",
    "Nodata": "no data",
    "NodataFailMetric": "no data",
    "Error": "undecided",
}


def _without_data(name: str, analysis: Analysis) -> Classification:
    if analysis.replaces_gaps:
        return Classification("Pass")
    reason = f"Missing data for {name}"
    if analysis.must_have_data and not analysis.critical:
        return Classification("NodataFailMetric", reason)
    return Classification("Nodata", reason, critical=analysis.critical)


def _with_noise(values: NDArray[float64], seed: int) -> NDArray[float64]:
    """Constants get a little noise, as there; the same each time, as not there."""
    return np.asarray(values + np.random.default_rng(seed).standard_normal(len(values)) * (values[0] * 1e-5))


def _cles(experiment: NDArray[float64], control: NDArray[float64]) -> float:
    """How likely a value of the experiment is above one of the control (Vargha and Delaney 2000)."""
    other = np.sort(control)
    below = other.searchsorted(experiment, "left").sum() + other.searchsorted(experiment, "right").sum()
    return float(below / (2 * len(experiment) * len(control)))


def _result(metric: KayentaMetric, pair: Pair, found: Classification, look: Look) -> MetricResult:
    whole = bool(len(pair.experiment) and len(pair.control))
    change = found.deviation - 1 if whole else float("nan")
    return MetricResult(
        name=metric.name,
        kind="rate",
        critical=metric.analysis.critical,
        state=_STATES[found.label] if whole else "no data",
        says=_say(metric, found),
        points=min(len(pair.experiment), len(pair.control)),
        canary=look.experiment if len(pair.experiment) else None,
        baseline=look.control if len(pair.control) else None,
        change=change if math.isfinite(change) else None,
        classification=found.label,
        groups=metric.groups,
    )


def _say(metric: KayentaMetric, found: Classification) -> str:
    text = found.reason or "no difference that counts"
    if found.low is not None and found.high is not None and found.estimate is not None:
        text += f"; shift {found.estimate:.4g}, {CONFIDENCE:.0%} interval {found.low:.4g} to {found.high:.4g}"
    return text + ("; muted, not scored" if metric.analysis.muted else "")


def _decide(
    label: str,
    config: KayentaConfig,
    score: float,
    why: str,
    scored: Sequence[tuple[KayentaMetric, Classification, bool]],
) -> tuple[Decision, tuple[str, ...]]:
    """Kayenta's class as our decision. What it passes over, an error or a critical metric without data, is held."""
    reasons = [f"{label}: score {score:g}, {config.passing:g} passes, {config.marginal:g} is marginal"]
    reasons += [why] if why else []
    bad = [found.reason for _, found, _ in scored if found.label in ("High", "Low")]
    reasons += [reason for reason in bad if reason not in why]
    if label == "Fail":
        if not bad:
            reasons.append("nothing was found worse, so it is held and not rolled back")
        return ("roll back" if bad else "hold"), tuple(reasons)
    errors = [metric.name for metric, found, _ in scored if found.label == "Error"]
    empty = [metric.name for metric, _, empty in scored if empty and metric.analysis.critical]
    unknown = bool(errors or empty or all(empty for _, _, empty in scored))
    if errors:
        reasons.append(f"could not be classified, so it is not promoted: {', '.join(errors)}")
    if unknown and not errors:
        reasons.append(f"no data, so it is not promoted: {', '.join(empty) or 'every metric'}")
    return ("promote" if label == "Pass" and not unknown else "hold"), tuple(reasons)
