"""Kayenta's judge: configuration, cleaning, groups and scores, and that the short way ends where the long one does."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.rollout.canary.kayenta import (
    CONFIDENCE,
    TOLERANCE,
    Classification,
    Label,
    classify,
    clean,
    judge_kayenta,
    score_groups,
)
from tidegate.rollout.canary.kayenta_config import Analysis, KayentaConfig, parse_kayenta
from tidegate.rollout.canary.looks import Pair
from tidegate.rollout.canary.mann_whitney import AllTiedError, shift

NUMBERS = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
SAMPLES = st.lists(NUMBERS, min_size=1, max_size=40).map(lambda values: np.array(values, dtype=float))


def _found(label: Label, critical: bool = False) -> Classification:
    return Classification(label, f"was {label}", critical=critical)


@pytest.mark.parametrize(
    ("weights", "results", "score"),
    [
        ({}, [("g", "Pass")], 100.0),
        ({}, [("g", "High")], 0.0),
        ({}, [("g", "Nodata")], 0.0),
        ({}, [("a", "Pass"), ("a", "Pass"), ("b", "Nodata")], 100.0),
        ({}, [("g", "Pass"), ("g", "High"), ("g", "Low")], 33.33),
        ({"a": 75, "b": 25}, [("a", "Pass"), ("a", "Pass"), ("b", "High")], 75.0),
        ({"a": 50, "b": 50}, [("a", "Pass"), ("a", "Nodata"), ("b", "High")], 50.0),
        ({"a": 15, "b": 85}, [("a", "High"), ("a", "Low"), ("a", "Pass"), ("b", "High")], 5.0),
        ({"a": 60}, [("a", "Pass"), ("b", "Pass"), ("c", "High")], 80.0),
        ({"a": 50, "elsewhere": 50}, [("a", "Pass")], 50.0),
        ({}, [("g", "Pass"), ("g", "NodataFailMetric")], 50.0),
        ({}, [("g", "Pass"), ("g", "Error")], 100.0),
        ({}, [], 0.0),
    ],
)
def test_groups_are_weighed_as_there(weights: dict[str, float], results: list[tuple[str, Label]], score: float) -> None:
    assert score_groups(weights, [((group,), _found(label)) for group, label in results])[1] == score


def test_a_critical_failure_makes_it_nothing() -> None:
    results = [(("g",), _found("Pass")), (("g",), _found("High", critical=True))]
    assert score_groups({}, results)[1:] == (0.0, "Canary Failed: was High")


def test_outliers_beyond_fences_and_percentiles_are_removed() -> None:
    values = np.array([*range(200), 100_000, np.nan], dtype=float)
    assert clean(values, Analysis(removes_outliers=True)).tolist() == list(range(200))
    assert clean(values, Analysis()).tolist() == [*range(200), 100_000]
    assert clean(np.array([np.nan, 1.0]), Analysis(replaces_gaps=True)).tolist() == [0.0, 1.0]
    few = np.array([21, 23, 24, 25, 36, 29, 23, 21], dtype=float)  # beyond 99 %, and within three fences
    assert clean(few, Analysis(removes_outliers=True)).tolist() == few.tolist()


@settings(max_examples=60)
@given(SAMPLES, SAMPLES, st.sampled_from(["increase", "decrease", "either"]), st.sampled_from([0.5, 1.0, 1.5]))
def test_the_short_way_ends_where_the_search_does(
    experiment: np.ndarray[Any, np.dtype[np.float64]],
    control: np.ndarray[Any, np.dtype[np.float64]],
    direction: Any,
    allowed: float,
) -> None:
    analysis = Analysis(direction=direction, allowed_increase=allowed, allowed_decrease=allowed)
    found = classify("m", Pair(experiment, control), analysis).label
    pooled = np.concatenate((experiment, control))
    constant = len(set(experiment.tolist())) == 1 and len(set(control.tolist())) == 1
    if len(set(pooled.tolist())) == 1 or sorted(experiment.tolist()) == sorted(control.tolist()) or constant:
        return
    try:
        by_search = shift(experiment, control, CONFIDENCE)
    except AllTiedError:
        assert found == "Error"
        return
    means = control.mean(), experiment.mean()
    ratio = means[1] / means[0] if means[0] and means[1] else np.nan
    if abs(ratio - allowed) < 1e-9:  # summed in another order
        return
    bound = TOLERANCE * abs(by_search.estimate)
    high = direction != "decrease" and by_search.low > bound and not ratio < allowed
    low = direction != "increase" and by_search.high < -bound and not ratio > allowed
    assert found == ("High" if high else "Low" if low else "Pass")


def test_all_tied_is_an_error_and_is_not_promoted() -> None:
    one = classify("m", Pair(np.array([1.0]), np.array([2.0])), Analysis())
    assert one.label == "Error"
    judged = judge_kayenta(_config([{"name": "m", "groups": ["g"]}]), {"m": Pair(np.ones(1), np.zeros(1) + 2)}, 0, 1)
    assert judged.decision != "promote"


def test_no_data_is_held_and_worse_is_rolled_back() -> None:
    config = _config([{"name": "m", "groups": ["g"]}])
    assert judge_kayenta(config, {}, 0, 1).decision == "hold"
    rng = np.random.default_rng(1)
    base = rng.normal(10, 1, 60)
    worse = judge_kayenta(config, {"m": Pair(rng.normal(20, 1, 60), base)}, 0, 1)
    assert (worse.decision, worse.classification, worse.score) == ("roll back", "Fail", 0.0)
    same = judge_kayenta(config, {"m": Pair(rng.normal(10, 1, 60), base)}, 0, 1)
    assert (same.decision, same.exit_code, same.score) == ("promote", 0, 100.0)


def test_data_replaced_by_nothing_is_not_promoted() -> None:
    canary = {"nanStrategy": "replace", "critical": True}
    config = _config([{"name": "m", "groups": ["g"], "analysisConfigurations": {"canary": canary}}])
    judged = judge_kayenta(config, {}, 0, 1)
    assert (judged.classification, judged.decision) == ("Pass", "hold")


def test_a_muted_metric_is_shown_and_not_scored() -> None:
    muted = {"name": "bad", "groups": ["g"], "analysisConfigurations": {"canary": {"muted": True, "critical": True}}}
    rng = np.random.default_rng(1)
    pairs = {"m": Pair(rng.normal(1, 1, 50), rng.normal(1, 1, 50)), "bad": Pair(np.arange(9.0) + 100, np.arange(9.0))}
    judged = judge_kayenta(_config([{"name": "m", "groups": ["g"]}, muted]), pairs, 0, 1)
    assert [one.classification for one in judged.metrics] == ["Pass", "High"]
    assert judged.decision == "promote"


def test_words_that_kayenta_does_not_know_are_its_defaults() -> None:
    canary = {
        "direction": "sideways",
        "nanStrategy": "maybe",
        "outliers": {"strategy": "?"},
        "effectSize": {"measure": "cles", "allowedIncrease": 1},
    }
    (metric,) = _config([{"name": "m", "analysisConfigurations": {"canary": canary}}]).metrics
    assert metric.analysis == Analysis(
        by_cles=True, allowed_increase=1.0, allowed_decrease=0.5, critical_increase=0.5, critical_decrease=0.5
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no canary configuration"),
        (b"[" * 100_000, "no canary configuration"),
        (b'{"metrics": []}', "no metrics"),
        (b'{"metrics": [{"name": "a"}, {"name": "a"}]}', "two metrics are called a"),
        (b'{"metrics": [{"name": "a"}]}', "scoreThresholds"),
        (b'{"metrics": [{"name": 1}]}', "no canary configuration"),
        (b'{"metrics": [{"name": "a", "analysisConfigurations": {"canary": {"critical": "yes"}}}]}', "critical"),
    ],
)
def test_what_is_no_configuration_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_kayenta(content, "canary.json")


@pytest.mark.parametrize("scores", [(-5, -10), (0, 0), (75, 95), (1000, 75)])
def test_scores_that_let_everything_or_nothing_pass_are_refused(scores: tuple[float, float]) -> None:
    classifier = {"scoreThresholds": {"pass": scores[0], "marginal": scores[1]}}
    with pytest.raises(InputError, match="marginal"):
        parse_kayenta(json.dumps({"metrics": [{"name": "a"}], "classifier": classifier}).encode(), "canary.json")


# Private


def _config(metrics: list[dict[str, Any]]) -> KayentaConfig:
    classifier = {"groupWeights": {"g": 100}, "scoreThresholds": {"pass": 95, "marginal": 75}}
    return parse_kayenta(json.dumps({"metrics": metrics, "classifier": classifier}).encode(), "canary.json")
