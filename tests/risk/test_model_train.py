"""The trainer: what it may know, which learner answers, and what it promises of a probability."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.risk.features.frame import Frame, Targets
from tidegate.risk.labels.delay import DAY
from tidegate.risk.model import metrics
from tidegate.risk.model.forward import block_edges, run_forward
from tidegate.risk.model.linear import sigmoid
from tidegate.risk.model.maturity import fit_curve, seen_at
from tidegate.risk.model.model import Model, encode_model
from tidegate.risk.model.prior import Example, load_prior, train_prior
from tidegate.risk.model.train import Trained, train

NAMES = ("la", "nf", "exp")
START = 1_600_000_000


def history(rows: int, seed: int = 1, delay_days: float = 0.0, base: float = -3.0) -> tuple[Frame, Targets]:
    """A change an hour; the larger and the less experienced, the likelier it had to be repaired."""
    luck = np.random.default_rng(seed)
    lines, files, known = luck.lognormal(3, 1.2, rows), luck.geometric(0.4, rows), luck.geometric(0.02, rows)
    odds = base + 0.8 * np.log1p(lines) + 0.3 * files - 0.3 * np.log1p(known)
    bad = luck.random(rows) < sigmoid(odds)
    at = START + np.arange(rows, dtype=np.int64) * 3600
    late = (luck.exponential(max(delay_days, 1e-9), rows) * DAY).astype(np.int64)
    frame = Frame(NAMES, 1, tuple(f"{row:040x}" for row in range(rows)), at, np.column_stack([lines, files, known]))
    return frame, Targets(bad.astype(np.float64), np.where(bad, at + late, -1))


@cache
def prior() -> Model:
    return train_prior(Example(*history(600, seed, base=-4.0 + seed / 2), START + 4000 * 3600) for seed in (11, 12, 13))


@cache
def trained(rows: int, with_prior: bool) -> Trained:
    frame, targets = history(rows)
    return train(frame, targets, int(frame.at[-1]), prior() if with_prior else None)


def test_the_learner_grows_with_what_is_known() -> None:
    silent = Targets(np.zeros(500), np.full(500, -1))
    frame, _ = history(500)
    now = int(frame.at[-1]) + 3000 * DAY
    assert train(frame, silent, now, prior()).model.kind == "prior"
    assert trained(700, True).model.kind == "adapted"
    assert trained(2400, True).model.kind == "own"


def voices(model: Model) -> dict[str, float]:
    return {part.name: part.weight for part in model.parts}


def test_what_is_brought_along_has_less_to_say_the_more_is_known() -> None:
    young, old, alone = (voices(trained(*which).model) for which in ((700, True), (2400, True), (2400, False)))
    for found in (young, old):
        assert found["lines"] + found["prior boosting"] + 3 * found["linear"] == pytest.approx(1.0)
    assert young["prior boosting"] / young["linear"] > old["prior boosting"] / old["linear"] >= 0.5
    assert young["lines"] / young["prior boosting"] > old["lines"] / old["prior boosting"]
    assert alone["lines"] + 3 * alone["linear"] == pytest.approx(1.0)
    assert alone["lines"] == pytest.approx(old["lines"] + old["prior boosting"])


def test_forward_probabilities_rank_and_are_calibrated() -> None:
    done = trained(2400, True)
    _, targets = history(2400)
    said = np.isfinite(done.forward)
    assert said[-600:].all()
    assert metrics.auc(done.forward[said], targets.repaired[said]) > 0.7
    error = metrics.calibration_error(done.forward[said], targets.repaired[said])
    assert error < 2.0 * metrics.calibration_floor(done.forward[said])
    assert done.evaluation.auc_low is not None
    assert done.evaluation.calibration_error is not None
    assert done.evaluation.auc_low > 0.65
    assert done.evaluation.changes == done.evaluation.calibrated_changes + (np.isfinite(done.forward_raw) & ~said).sum()
    assert [part.share for part in done.evaluation.captures] == [0.05, 0.1, 0.2, 0.5]
    assert done.model.usual == pytest.approx(targets.repaired.mean(), abs=0.08)


def test_the_shares_of_a_trained_model_add_up_and_move_the_right_way() -> None:
    model = trained(2400, True).model
    for row in history(40, seed=9)[0].values:
        found = model.score(NAMES, row)
        assert found.base + sum(share for _, share in found.contributions) == pytest.approx(found.raw, abs=1e-9)
    large, small = model.score(NAMES, (2000.0, 2.0, 30.0)), model.score(NAMES, (2.0, 2.0, 30.0))
    assert dict(large.contributions)["la"] > 0 > dict(small.contributions)["la"]
    assert large.probability is not None
    assert small.probability is not None
    assert large.probability > 2 * small.probability
    assert large.percentile > 0.9 > small.percentile


def test_no_probability_below_three_hundred_matured_changes() -> None:
    frame, targets = history(380)
    done = train(frame, targets, int(frame.at[-1]), prior())
    assert np.isnan(done.forward).all()
    assert not done.model.calibrated
    assert done.model.score(NAMES, (900.0, 3.0, 2.0)).probability is None
    assert trained(700, True).model.calibrated


def test_labels_of_the_future_change_nothing() -> None:
    frame, targets = history(900, delay_days=5)
    now = int(frame.at[600])
    later = (targets.known_at < 0) | (targets.known_at > now)
    other = Targets(np.where(later, 1.0, targets.repaired), np.where(later, now + 1, targets.known_at))
    values = frame.values.copy()
    values[601:] = 7.0
    one, two = train(frame, targets, now), train(frame._replace(values=values), other, now)
    assert encode_model(one.model) == encode_model(two.model)
    assert np.array_equal(one.forward_raw, two.forward_raw, equal_nan=True)
    assert np.isnan(one.forward_raw[601:]).all()


def test_a_forward_answer_does_not_know_what_came_after_its_block() -> None:
    frame, targets = history(800, delay_days=3)
    edges = block_edges(800, 4)
    whole = run_forward(frame, targets, edges, None)
    stop = edges[2]
    late = (targets.known_at > frame.at[edges[1]]) & (np.arange(800) < stop)
    hidden = Targets(np.where(late, 0.0, targets.repaired)[:stop], np.where(late, -1, targets.known_at)[:stop])
    part = run_forward(frame.rows(0, stop), hidden, edges[:3], None)
    assert np.array_equal(whole.raw[:stop], part.raw, equal_nan=True)


def test_the_same_input_gives_the_same_bytes() -> None:
    frame, targets = history(700)
    again = train(frame, targets, int(frame.at[-1]), prior())
    assert encode_model(again.model) == encode_model(trained(700, True).model)
    assert np.array_equal(again.forward, trained(700, True).forward, equal_nan=True)


@pytest.mark.parametrize("rows", [0, 1, 2, 60])
@pytest.mark.parametrize("told", [True, False])
def test_the_smallest_histories_have_an_answer(rows: int, told: bool) -> None:
    frame, targets = history(rows)
    done = train(frame, targets, START + 100 * DAY, prior() if told else None)
    found = done.model.score(NAMES, (5.0, 1.0, 2.0))
    assert done.model.kind == "prior"
    assert len(done.forward) == rows
    assert found.probability is None
    assert found.raw < done.model.score(NAMES, (500.0, 1.0, 2.0)).raw or told


def test_unknown_values_and_wrong_clocks_are_borne() -> None:
    frame, targets = history(500)
    values, at = frame.values.copy(), frame.at.copy()
    values[:, 1] = np.nan
    values[::3, 0] = np.nan
    at[7], at[8], at[9] = -5, 253_402_300_000, 0
    done = train(frame._replace(values=values, at=at), targets, int(frame.at[-1]))
    assert np.isnan(done.forward_raw[8])
    assert np.isfinite(done.forward_raw[300:]).all()
    assert np.isfinite(done.model.score(NAMES, (np.nan, np.nan, np.nan)).raw)


def test_a_prior_of_other_features_is_not_used() -> None:
    frame, targets = history(60)
    told = train(frame._replace(names=("la", "nf", "age")), targets, int(frame.at[-1]), prior())
    assert [part.name for part in told.model.parts] == ["lines"]


def test_a_prior_ranks_a_repository_that_it_never_saw() -> None:
    frame, targets = history(1200, seed=30)
    silent = Targets(np.zeros(1200), np.full(1200, -1))
    model = train(frame, silent, int(frame.at[-1]), prior()).model
    assert metrics.auc(model.raw_scores(frame.values), targets.repaired) > 0.68
    assert len(encode_model(prior())) < 2_000_000


def test_a_prior_needs_histories_that_agree_and_repairs() -> None:
    frame, targets = history(100)
    now = int(frame.at[-1]) + 4000 * DAY
    silent = Targets(np.zeros(100), np.full(100, -1))
    for examples in (
        [],
        [Example(*history(0), now)],
        [Example(frame, silent, now)],
        [Example(frame, targets, now), Example(frame._replace(names=("a", "b", "c")), targets, now)],
    ):
        with pytest.raises(InputError, match="a prior cannot be trained"):
            train_prior(examples)


def test_the_prior_that_ships_can_be_read() -> None:
    found = load_prior()
    assert found is None or found.kind == "prior"


def test_the_delay_curve_is_that_of_all_repairs_and_not_of_the_quick_ones() -> None:
    luck = np.random.default_rng(4)
    at = np.sort(luck.integers(0, 1000 * DAY, 4000))
    delays = (luck.exponential(150, 4000) * DAY).astype(np.int64)
    now = 1000 * DAY
    seen = at + delays <= now
    curve = fit_curve(at[seen], (at + delays)[seen], now, float(now))
    for days in (30, 90, 200):
        share = float(curve.share(np.array([float(days * DAY)]))[0])
        assert share == pytest.approx(1 - np.exp(-days / 150), abs=0.06)
    quick = (delays[seen] <= 90 * DAY).mean()
    assert quick > 1 - np.exp(-90 / 150) + 0.05


def test_silence_about_a_young_change_is_no_acquittal() -> None:
    frame, targets = history(2000, delay_days=20)
    now = int(frame.at[-1])
    seen = seen_at(frame.at, targets, now)
    assert seen.ripe[seen.known == 0][-1] < 0.1
    assert seen.ripe[0] > 0.95
    counts = seen.weights(np.full(2000, targets.repaired.mean()))[-400:]
    share = (counts * seen.truth[-400:]).sum() / counts.sum()
    assert share == pytest.approx(targets.repaired.mean(), abs=0.08)
    assert seen.truth[-200:].mean() < 0.6 * targets.repaired.mean()


def test_labels_at_once_make_silence_an_acquittal() -> None:
    frame, targets = history(400)
    assert seen_at(frame.at, targets, int(frame.at[-1])).ripe.min() == 1.0


def test_scoring_needs_no_lightgbm() -> None:
    program = "import sys; import tidegate.risk.model.train; print('lightgbm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
