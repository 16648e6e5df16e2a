"""A canary configuration of Kayenta: docs/canary-config.md of spinnaker/kayenta. Unknown fields are left alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from tidegate.errors import InputError

LARGEST_BYTES = 4 << 20


class Analysis(Struct, frozen=True, kw_only=True):
    """`analysisConfigurations.canary` of a metric, with Kayenta's defaults: a word it does not know is the default."""

    direction: Literal["increase", "decrease", "either"] = "either"
    replaces_gaps: bool = False
    removes_outliers: bool = False
    outlier_factor: float = 3.0
    critical: bool = False
    muted: bool = False
    must_have_data: bool = False
    by_cles: bool = False
    allowed_increase: float = 1.0
    allowed_decrease: float = 1.0
    critical_increase: float = 1.0
    critical_decrease: float = 1.0


class KayentaMetric(Struct, frozen=True):
    name: str
    groups: tuple[str, ...]
    analysis: Analysis


class KayentaConfig(Struct, frozen=True):
    """The metrics, the weights of groups in percent, and the scores from which it passes and is marginal."""

    metrics: tuple[KayentaMetric, ...]
    weights: Mapping[str, float]
    passing: float
    marginal: float


def parse_kayenta(content: bytes, where: str) -> KayentaConfig:
    """The configuration in a JSON document. Raises InputError where it is none, or says what cannot be judged."""
    if len(content) > LARGEST_BYTES:
        raise InputError(f"larger than {LARGEST_BYTES >> 20} MB", where=where, mend="name a canary configuration")
    try:
        raw = msgspec.json.decode(content, type=_Config)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"this is no canary configuration of Kayenta ({error})",
            where=where,
            mend="export it from Spinnaker as JSON",
        ) from error
    names = [metric.name for metric in raw.metrics]
    if not names or len(set(names)) < len(names):
        twice = next((name for name in names if names.count(name) > 1), "")
        raise InputError(
            f"two metrics are called {twice}" if twice else "no metrics", where=where, mend="name each metric once"
        )
    classifier = raw.classifier
    if classifier is None or classifier.scoreThresholds is None:
        raise InputError("no classifier.scoreThresholds", where=where, mend="write the scores: pass and marginal")
    bounds = classifier.scoreThresholds
    if not 0 < bounds.marginal <= bounds.passing <= 100:  # below, a canary that fails everything would be promoted
        said = f"pass {bounds.passing:g} and marginal {bounds.marginal:g}"
        raise InputError(said, where=where, mend="write scores above 0 to 100, marginal not above pass")
    metrics = tuple(KayentaMetric(one.name, tuple(one.groups or ()), _analysis(one, where)) for one in raw.metrics)
    return KayentaConfig(metrics, classifier.groupWeights or {}, bounds.passing, bounds.marginal)


# Private


class _Effect(Struct, frozen=True):
    measure: str | None = None
    allowedIncrease: float | None = None  # noqa: N815 (Kayenta's names)
    allowedDecrease: float | None = None  # noqa: N815
    criticalIncrease: float | None = None  # noqa: N815
    criticalDecrease: float | None = None  # noqa: N815


class _Outliers(Struct, frozen=True):
    strategy: str | None = None
    outlierFactor: float | None = None  # noqa: N815


class _Canary(Struct, frozen=True):
    direction: str | None = None
    nanStrategy: str | None = None  # noqa: N815
    outliers: _Outliers | None = None
    effectSize: _Effect | None = None  # noqa: N815
    critical: bool | None = None
    muted: bool | None = None
    mustHaveData: bool | None = None  # noqa: N815


class _Configurations(Struct, frozen=True):
    canary: _Canary | None = None


class _Metric(Struct, frozen=True):
    name: str
    groups: list[str] | None = None
    analysisConfigurations: _Configurations | None = None  # noqa: N815


class _Thresholds(Struct, frozen=True):
    passing: float = msgspec.field(name="pass")
    marginal: float


class _Classifier(Struct, frozen=True):
    groupWeights: dict[str, float] | None = None  # noqa: N815
    scoreThresholds: _Thresholds | None = None  # noqa: N815


class _Config(Struct, frozen=True):
    metrics: list[_Metric]
    classifier: _Classifier | None = None


def _analysis(metric: _Metric, where: str) -> Analysis:
    canary = (metric.analysisConfigurations or _Configurations()).canary or _Canary()
    effect, outliers = canary.effectSize or _Effect(), canary.outliers or _Outliers()
    by_cles = effect.measure == "cles"
    usual = 0.5 if by_cles else 1.0
    factor = 3.0 if outliers.outlierFactor is None else outliers.outlierFactor
    removes = outliers.strategy == "remove"
    if removes and not (factor > 0 and math.isfinite(factor)):
        raise InputError(f"{metric.name}: outlierFactor {factor:g}", where=where, mend="write a factor above 0")
    return Analysis(
        direction="increase" if canary.direction == "increase" else _decrease_or_either(canary.direction),
        replaces_gaps=canary.nanStrategy == "replace",
        removes_outliers=removes,
        outlier_factor=factor,
        critical=bool(canary.critical),
        muted=bool(canary.muted),
        must_have_data=bool(canary.mustHaveData),
        by_cles=by_cles,
        allowed_increase=_or(effect.allowedIncrease, usual),
        allowed_decrease=_or(effect.allowedDecrease, usual),
        critical_increase=_or(effect.criticalIncrease, usual),
        critical_decrease=_or(effect.criticalDecrease, usual),
    )


def _decrease_or_either(word: str | None) -> Literal["decrease", "either"]:
    return "decrease" if word == "decrease" else "either"


def _or(value: float | None, usual: float) -> float:
    return usual if value is None else value
