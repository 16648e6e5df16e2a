"""Evidence becomes probabilities that make one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.operate.ranking import rank
from tidegate.operate.values import Evidence


def _reason(weight: float) -> Evidence:
    return Evidence(kind="test", weight=weight, says="because")


weights = st.lists(st.floats(-700, 700).map(_reason), max_size=4)


@given(
    suspects=st.dictionaries(st.text("abc", min_size=1), weights, max_size=6),
    hypotheses=st.dictionaries(st.text("xyz", min_size=1), weights, max_size=3),
)
def test_probabilities_make_one_and_order_the_answer(
    suspects: dict[str, list[Evidence]], hypotheses: dict[str, list[Evidence]]
) -> None:
    answer = rank(suspects, hypotheses)

    shares = [one.probability for one in (*answer.suspects, *answer.hypotheses)]
    assert math.isclose(sum(shares), 1.0) or not shares
    assert [s.probability for s in answer.suspects] == sorted((s.probability for s in answer.suspects), reverse=True)
    assert math.isclose(answer.none, sum(h.probability for h in answer.hypotheses), abs_tol=1e-9)


def test_a_weight_is_a_log_odds() -> None:
    answer = rank({"bad": [_reason(math.log(3))], "good": []}, {})

    assert [s.probability for s in answer.suspects] == pytest.approx([0.75, 0.25])


def test_a_temperature_flattens() -> None:
    sharp = rank({"bad": [_reason(3)]}, {"load": []})
    flat = rank({"bad": [_reason(3)]}, {"load": []}, temperature=2)

    assert sharp.none < flat.none < 0.5
