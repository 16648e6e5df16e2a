"""What Kayenta's judge takes: for each metric the values of both sides since the start, replicas averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tidegate.errors import InputError
from tidegate.rollout.canary.kayenta_config import KayentaConfig
from tidegate.rollout.canary.looks import Pair
from tidegate.rollout.canary.values import Measured
from tidegate.telemetry.series import Series


def pair_up(config: KayentaConfig, measured: Sequence[Measured], start: float, end: float) -> Mapping[str, Pair]:
    """A pair for each metric of the configuration, of a count the shares that fail.

    Raises InputError for a metric that nobody measured: it would pass for one without data.
    """
    by_name = {one.metric.name: one for one in measured}
    missing = [metric.name for metric in config.metrics if metric.name not in by_name]
    if missing:
        raise InputError(
            f"Kayenta's configuration has a metric {missing[0]} that the canary document does not measure",
            mend=f"write a [[metric]] with name = {missing[0]!r}, its canary and its baseline",
        )
    return {metric.name: _pair(by_name[metric.name], start, end) for metric in config.metrics}


# Private


def _pair(one: Measured, start: float, end: float) -> Pair:
    sides = []
    for side, requests in ((one.canary, one.canary_requests), (one.baseline, one.baseline_requests)):
        values = _mean(side, start, end)
        if one.metric.kind == "count":
            sizes = _mean(requests, start, end)
            values = {at: values.get(at, 0.0) / size if size > 0 else math.nan for at, size in sizes.items()}
        sides.append(np.array([values[at] for at in sorted(values)], dtype=np.float64))
    return Pair(*sides)


def _mean(side: Sequence[Series], start: float, end: float) -> dict[float, float]:
    found: dict[float, list[float]] = {}
    for series in side:
        inside = (series.times >= start) & (series.times <= end)
        for at, value in zip(series.times[inside].tolist(), series.values[inside].tolist(), strict=True):
            kept = found.setdefault(at, [])
            if not math.isnan(value):
                kept.append(value)
    return {at: sum(values) / len(values) if values else math.nan for at, values in found.items()}
