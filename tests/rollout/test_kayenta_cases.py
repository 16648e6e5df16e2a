"""Kayenta's own cases: its classifier suite as JSON (TIDEGATE_DATA/prod/kayenta-judge)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidegate.rollout.canary.kayenta import classify, classify_by_mean, clean
from tidegate.rollout.canary.kayenta_config import Analysis, parse_kayenta
from tidegate.rollout.canary.looks import Pair

pytestmark = pytest.mark.conformance


def test_every_case_of_kayenta_comes_out_as_there(data: Path) -> None:
    cases = json.loads((data / "prod" / "kayenta-judge" / "classifier_cases.json").read_text())
    assert len(cases) == 37
    assert [case["name"] for case in cases if not _agrees(case)] == []


def test_the_configuration_that_kayenta_tests_with_is_read(data: Path) -> None:
    path = data / "prod" / "kayenta-judge" / "test-config.json"
    config = parse_kayenta(path.read_bytes(), str(path))
    assert [metric.name for metric in config.metrics] == ["cpu", "requests", "foo"]
    assert (config.weights, config.passing, config.marginal) == ({"requests": 50.0, "system": 50.0}, 95.0, 75.0)


def _agrees(case: dict[str, Any]) -> bool:
    call, arguments, expected = case["call"], case["args"], case["expect"]
    decrease, increase = arguments.get("effectSizeThresholds", (1.0, 1.0))
    critical_decrease, critical_increase = arguments.get("criticalThresholds", (1.0, 1.0))
    analysis = Analysis(
        direction=call["direction"].lower(),
        replaces_gaps=call["nanStrategy"] == "Replace",
        critical=call["critical"],
        must_have_data=call["dataRequired"],
        by_cles=arguments.get("effectSizeMeasure") == "cles",
        allowed_increase=increase,
        allowed_decrease=decrease,
        critical_increase=critical_increase,
        critical_decrease=critical_decrease,
    )
    pair = Pair(*(clean(np.array(case[side], dtype=float), analysis) for side in ("experiment", "control")))
    if case["classifier"] == "MeanInequality":
        found = classify_by_mean(pair, analysis)
    else:
        found = classify("metric", pair, analysis, arguments["tolerance"], arguments["confLevel"])
    same = expected["classification"] in (found.label, None) and found.critical == expected.get(
        "critical", found.critical
    )
    if expected["classification"] is None:  # the case that asks for the words
        same = found.reason == "Missing data for metric"
    deviation = expected.get("deviation")
    return same and (
        deviation is None or (math.isnan(found.deviation) if deviation == "NaN" else found.deviation == deviation)
    )
