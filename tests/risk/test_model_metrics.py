"""The figures by which models are judged, held against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.risk.model import metrics

ROWS = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60)


def columns(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([row[0] for row in rows], dtype=float), np.array([row[1] for row in rows], dtype=float)


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, bool]]) -> None:
    scores, truth = columns(rows)
    pairs = [
        1.0 if bad > good else 0.5 if bad == good else 0.0 for bad in scores[truth == 1] for good in scores[truth == 0]
    ]
    found = metrics.auc(scores, truth)
    assert math.isnan(found) if not pairs else found == pytest.approx(sum(pairs) / len(pairs))


@given(ROWS)
def test_auc_does_not_change_with_the_scale_and_turns_round_with_the_sign(rows: list[tuple[int, bool]]) -> None:
    scores, truth = columns(rows)
    found = metrics.auc(scores, truth)
    if not math.isnan(found):
        assert metrics.auc(np.exp(scores), truth) == pytest.approx(found)
        assert metrics.auc(-scores, truth) == pytest.approx(1 - found)


@given(ROWS, st.sampled_from([0.05, 0.2, 0.5, 1.0]))
def test_capture_holds_its_share_and_lies_in_its_interval(rows: list[tuple[int, bool]], share: float) -> None:
    scores, truth = columns(rows)
    found = metrics.capture(scores, truth, share)
    if truth.sum():
        assert -1e-9 <= found.low <= found.value + 1e-9 <= found.high + 2e-9 <= 1 + 3e-9
        assert found.value * truth.sum() <= round(share * len(rows)) + 1e-9
    else:
        assert math.isnan(found.value)


def test_capture_splits_a_tie_at_the_cut() -> None:
    scores = np.array([3.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    truth = np.array([1.0, 1, 0, 1, 0, 0, 0, 0, 0, 0])
    assert metrics.capture(scores, truth, 0.3).value == pytest.approx((1 + 2 * 2 / 4) / 3)


def test_wilson_is_the_interval_of_the_textbook() -> None:
    low, high = metrics.wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert metrics.wilson(0, 0) == (0.0, 1.0)
    assert metrics.wilson(0, 20)[0] == 0.0
    assert metrics.wilson(20, 20)[1] == 1.0


def test_calibration_error_is_zero_for_what_came_true_and_the_gap_otherwise() -> None:
    truth = np.tile([0.0, 1.0], 150)
    assert metrics.calibration_error(np.full(300, 0.5), truth) == pytest.approx(0.0, abs=0.03)
    assert metrics.calibration_error(np.full(300, 0.9), truth) == pytest.approx(0.4)
    assert sum(row.changes for row in metrics.calibration_table(np.linspace(0, 1, 300), truth)) == 300


def test_perfect_probabilities_show_the_error_of_luck_and_no_more() -> None:
    luck = np.random.default_rng(5)
    said = luck.random(400)
    came = (luck.random(400) < said).astype(float)
    floor = metrics.calibration_floor(said)
    assert 0.02 < floor < 0.09
    assert metrics.calibration_error(said, came) < 2 * floor
    assert metrics.calibration_error(np.clip(said + 0.3, 0, 1), came) > 2 * floor


def test_precision_area_is_one_for_a_perfect_order_and_the_base_rate_for_none() -> None:
    truth = np.array([0.0, 0, 0, 1, 1])
    assert metrics.precision_area(truth, truth) == pytest.approx(1.0)
    assert metrics.precision_area(np.zeros(5), truth) == pytest.approx(0.4)


def test_without_both_kinds_there_is_no_figure() -> None:
    nobody = np.zeros(0)
    assert math.isnan(metrics.auc(nobody, nobody))
    assert math.isnan(metrics.brier(nobody, nobody))
    assert math.isnan(metrics.calibration_error(nobody, nobody))
    assert math.isnan(metrics.precision_area(np.ones(3), np.zeros(3)))
    assert math.isnan(metrics.auc_interval(np.ones(3), np.zeros(3)).low)


def test_a_gain_is_paired_so_that_a_small_one_on_the_same_changes_can_be_told() -> None:
    random = np.random.default_rng(3)
    truth = (random.random(1500) < 0.2).astype(float)
    worse = truth + random.normal(size=1500)
    better = worse + 0.1 * truth
    gain = metrics.gain_interval(better, worse, truth)
    assert gain.low > 0
    assert metrics.auc_interval(better, truth).low < metrics.auc(worse, truth)
    assert metrics.gain_interval(worse, worse, truth) == (0.0, 0.0, 0.0)
