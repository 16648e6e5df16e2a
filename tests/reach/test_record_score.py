"""The benchmark's own arithmetic: a wrong score would make every figure wrong."""

from __future__ import annotations

import math
import random

import pytest
from bench.reach.score import Pair, Score, calibration, mean_score, score

TRUTH = {
    "tests": ["t.py:a", "t.py:b", "t.py:c", "t.py:d"],
    "functions": {
        "p.py:one": {"tests": [0, 1], "import": False},
        "p.py:two": {"tests": [2], "import": False},
        "p.py:loaded": {"tests": [0, 1, 2, 3], "import": True},
        "p.py:idle": {"tests": [], "import": False},
    },
}


def test_a_perfect_answer() -> None:
    said = {"p.py:one": {"t.py:a": 1.0, "t.py:b": 1.0}, "p.py:two": {"t.py:c": 1.0}}
    found, pairs = score(TRUTH, lambda name: said[name])
    assert found == Score(2, 1, 1, 1, 1, 0.375, 1, 0, 0, 0, 0, 1)
    assert len(pairs) == 8


def test_an_answer_that_misses_and_names_too_many() -> None:
    said = {"p.py:one": {"t.py:a": 0.9, "t.py:d": 0.5, "elsewhere": 1.0}, "p.py:two": {}}
    found, _ = score(TRUTH, lambda name: said[name])
    assert found.recall == pytest.approx(0.25)
    assert found.precision == pytest.approx(0.25)
    assert found.f1 == pytest.approx(0.25)
    assert (found.safe, found.false_zero) == (0.0, 0.5)
    assert found.radius == pytest.approx(0.25)
    assert found.ratio == pytest.approx(0.25 / 0.375)
    # one: a at 1, b after d at 3; two: c third by name.
    assert found.map == pytest.approx(((1 + 2 / 3) / 2 + 1 / 3) / 2)
    assert found.ece == pytest.approx((0.1 + 0.5) / 2)


def test_the_threshold_cuts_below_it() -> None:
    said = {"p.py:one": {"t.py:a": 0.9, "t.py:b": 0.2}, "p.py:two": {"t.py:c": 0.2}}
    assert score(TRUTH, lambda name: said[name])[0].safe == 1
    assert score(TRUTH, lambda name: said[name], 0.2)[0].safe == 0


def test_truth_by_file_takes_the_surest_test_of_a_file() -> None:
    truth = {"tests": ["t.js", "u.js"], "functions": {"lib.js:f": {"tests": [0], "import": False}}}
    found, pairs = score(truth, lambda _: {"t.js:one": 0.2, "t.js:two": 0.7})
    assert (found.recall, found.precision) == (1, 1)
    assert pairs[0] == Pair(0.7, True)


@pytest.mark.parametrize("equal_width", [False, True])
def test_calibration(equal_width: bool) -> None:
    chance = random.Random(1)
    said = [chance.random() for _ in range(20_000)]
    honest = [Pair(p, chance.random() < p) for p in said]
    boasting = [Pair(p, chance.random() < p / 2) for p in said]
    assert calibration(honest, equal_width=equal_width) < 0.02
    assert calibration(boasting, equal_width=equal_width) == pytest.approx(0.25, abs=0.02)
    assert calibration([], equal_width=equal_width) == 0


def test_pairs_of_one_probability_share_a_bin() -> None:
    pairs = [Pair(0.5, number % 2 == 0) for number in range(1000)]
    assert calibration(sorted(pairs)) == 0


def test_the_mean_over_projects_weighs_them_alike() -> None:
    one, other = Score(10, *[1.0] * 11), Score(1000, *[0.0] * 11)
    assert mean_score([one, other]) == Score(1010, *[0.5] * 11)
    assert math.isnan(mean_score([]).recall)
