"""What a judgement says in words: short, with the figure that a person would check."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tidegate.rollout.canary.values import Decision, Metric, MetricResult

_MOST_NAMED = 8


def say_level(metric: Metric, suspicious: bool, wait: float | None, present: str) -> str:
    """Why a level is fine or undecided."""
    if present:
        return present
    if suspicious:
        return "looks worse, not yet for certain"
    if wait is None:
        return f"a change of {_size(metric)} drowns in how far replicas differ; compare more replicas"
    if wait > 0:
        return f"a change of {_size(metric)} is not yet ruled out, about {duration(wait)} more"
    return f"no worse than tolerated; {_size(metric)} would have been found"


def say_count(share: float, suspicious: bool, more: int | None, seen: tuple[float, float]) -> str:
    """Why a count is fine or undecided. `share` is what must be found."""
    failed = f"{number(seen[0])} of {number(seen[1])} requests failed"
    if suspicious:
        return f"{failed}; looks worse, not yet for certain"
    if more is None:
        return f"{failed}; so much fails at the baseline that no regression could be seen"
    if more:
        return f"{failed}; a share of {share:.3g} is not yet ruled out, about {more:,} requests more"
    return f"{failed}; no worse than tolerated; a share of {share:.3g} would have been found"


def say_reasons(decision: Decision, results: Sequence[MetricResult], metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Why this decision, the gravest first, each with its figures."""
    if not results:
        return ("no metrics, so nothing is known",)
    regressed = [one for one in results if one.state == "regressed"]
    reasons = [_regressed(one) + ("" if one.critical else ", not critical") for one in regressed[:_MOST_NAMED]]
    if len(regressed) > _MOST_NAMED:
        reasons.append(f"and {len(regressed) - _MOST_NAMED} more metrics are worse")
    if decision == "promote":
        return ("no metric is worse than tolerated, and what must be found would have been found in each critical one",)
    if decision == "roll back":
        return tuple(reasons)
    blocking = [one for one in results if one.critical and one.state in ("no data", "undecided")]
    reasons += [f"{one.name}: {one.says}" for one in blocking[:_MOST_NAMED]]
    if len(blocking) > _MOST_NAMED:
        reasons.append(f"and {len(blocking) - _MOST_NAMED} more metrics are not decided")
    if not any(metric.critical for metric in metrics):
        reasons.append("no metric is critical, so none can speak for a promotion")
    return tuple(reasons)


def change(value: float) -> str:
    """`+52 %`, `-3 %`, `x12` from a thousand percent on."""
    if value >= 9.995:
        return f"x{number(value + 1)}"
    return f"{value * 100:+.0f} %" if abs(value) >= 0.0995 else f"{value * 100:+.1f} %"


def number(value: float) -> str:
    """Three figures, without an exponent where a person would not write one."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) >= 1e15 or abs(value) < 1e-6:
        return f"{value:.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float) -> str:
    """`0.08 %`."""
    return f"{value * 100:.2f} %"


def duration(seconds: float) -> str:
    """`45 s`, `3 min`, `2 h`, rounded up."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    if seconds < 5400:
        return f"{math.ceil(seconds / 60)} min"
    return f"{math.ceil(seconds / 3600)} h" if seconds < 4e5 else "days"


# Private


def _regressed(one: MetricResult) -> str:
    if one.canary is None or one.baseline is None or one.change is None or one.low is None or one.high is None:
        return f"{one.name}: {one.says}"
    if one.kind == "count":
        return (
            f"{one.name}: {percent(one.canary)} of the canary's requests fail, {percent(one.baseline)} at the baseline"
            f" (between {percent(one.low)} and {percent(one.high)})"
        )
    return (
        f"{one.name}: {number(one.canary)} against {number(one.baseline)}, {change(one.change)}"
        f" (between {change(one.low)} and {change(one.high)})"
    )


def _size(metric: Metric) -> str:
    return f"{metric.detect * 100:g} %"
