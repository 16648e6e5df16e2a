"""The file of a model: what it says it scores, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.risk.model.linear import fit_logistic, sigmoid
from tidegate.risk.model.model import LARGEST, Model, Part, decode_model, encode_model, read_model
from tidegate.risk.model.single import Trees, tree_shares
from tidegate.risk.model.spaces import read_in, reference_of
from tidegate.risk.model.trees import answers, ready

NAMES = ("la", "nf", "exp")
STUMP = Trees((0,), (0, -1, -1), (10.0, 0.0, 0.0), (2, 0, 0), (1, 0, 0), (0.25, 0.1, 0.4))
VALUES = np.array([[1.0, 1, 3], [50.0, 4, 0], [9.0, 2, 7], [400.0, 9, 1]])
ROW = st.tuples(*[st.floats(-1e9, 1e9) | st.just(float("nan"))] * 3)


def model(**changes: Any) -> Model:
    plain = Model(
        1,
        NAMES,
        "own",
        reference_of(VALUES),
        (
            Part("linear", "log", 0.5, -1.0, (0.7, 0.2, -0.1)),
            Part("boosting", "raw", 0.3, -0.5, (), STUMP),
            Part("forest", "rank", 0.2, 0.0, (), msgspec.structs.replace(STUMP, threshold=(0.5, 0.0, 0.0)), True),
        ),
        ranks=(-2.0, -1.0, 0.0, 1.0),
        slope=1.3,
        offset=0.2,
        calibrated=True,
    )
    return msgspec.structs.replace(plain, **changes)


@given(ROW)
def test_the_shares_of_the_features_add_up_to_the_raw_score(row: tuple[float, ...]) -> None:
    found = model().score(NAMES, row)
    assert found.base + sum(share for _, share in found.contributions) == pytest.approx(found.raw, abs=1e-9)
    assert found.raw == pytest.approx(float(model().raw_scores(np.array([row]))[0]), abs=1e-9)
    assert found.probability is not None
    assert 0.0 < found.probability < 1.0
    assert 0.0 <= found.percentile <= 1.0


@given(ROW)
def test_a_file_scores_to_the_bit_as_what_was_written(row: tuple[float, ...]) -> None:
    data = encode_model(model())
    again = decode_model(data)
    assert encode_model(again) == data
    assert repr(again.score(NAMES, row)) == repr(model().score(NAMES, row))


def test_the_order_of_the_features_is_that_of_their_names_and_others_are_left_out() -> None:
    found = model().score(("exp", "colour", "la", "nf"), (3.0, 99.0, 1.0, 1.0))
    assert found == model().score(NAMES, (1.0, 1.0, 3.0))


def test_what_is_not_calibrated_has_a_rank_and_no_probability() -> None:
    found = model(calibrated=False).score(NAMES, VALUES[0])
    assert found.probability is None
    assert model().percentile(-1.5) == 0.25
    assert model(ranks=()).percentile(3.0) == 0.5


def _lies(data: bytes) -> list[bytes]:
    file = msgspec.json.decode(data)
    inside = msgspec.json.encode(file["model"])
    return [
        b"",
        b"\x80\x04\x95",
        b"[" * 100_000,
        b"{}",
        data[:-20],
        data.replace(b'"version":1', b'"version":2'),
        data.replace(b'"slope":1.3', b'"slope":1.4'),
        data.replace(b"tidegate-risk-model", b"some-other-model"),
        data + b" " * LARGEST,
        inside,
    ]


@pytest.mark.parametrize("place", range(10))
def test_a_file_that_is_no_model_is_refused(place: int, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(_lies(encode_model(model()))[place])
    with pytest.raises(InputError, match="the risk model cannot be read"):
        read_model(path)


@pytest.mark.parametrize(
    "trees",
    [
        msgspec.structs.replace(STUMP, right=(0, 0, 0)),
        msgspec.structs.replace(STUMP, right=(1, 0, 0)),
        msgspec.structs.replace(STUMP, right=(9, 0, 0)),
        msgspec.structs.replace(STUMP, feature=(3, -1, -1)),
        msgspec.structs.replace(STUMP, feature=(-2, -1, -1)),
        msgspec.structs.replace(STUMP, feature=(0, -1, 0)),
        msgspec.structs.replace(STUMP, roots=(3,)),
        msgspec.structs.replace(STUMP, roots=(2**40,)),
        msgspec.structs.replace(STUMP, value=(0.25, 0.1)),
    ],
)
def test_trees_that_lead_nowhere_are_refused(trees: Trees) -> None:
    with pytest.raises(InputError, match="the risk model cannot be read"):
        decode_model(encode_model(model(parts=(Part("boosting", "raw", 1.0, 0.0, (), trees),))))


@pytest.mark.parametrize(
    "changes",
    [
        {"names": ("la", "la", "exp")},
        {"names": ("la", "nf")},
        {"ranks": (1.0, 0.0)},
        {"parts": (Part("linear", "log", 1.0, 0.0, (1.0,)),)},
        {"reference": msgspec.structs.replace(reference_of(VALUES), spreads=(0.0, 1.0, 1.0))},
    ],
)
def test_a_model_that_does_not_fit_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the risk model cannot be read"):
        decode_model(encode_model(model(**changes)))


def test_a_file_that_is_not_there_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read_model(tmp_path / "none.json")


def test_a_missing_value_goes_where_the_tree_says() -> None:
    trees = ready(STUMP, 3)
    assert answers(trees, np.array([[np.nan, 0, 0], [99, 0, 0]])).tolist() == [0.1, 0.4]
    base, added = tree_shares(STUMP, (99.0, 0.0, 0.0))
    assert base == 0.25
    assert added == pytest.approx([0.15, 0.0, 0.0])
    assert tree_shares(STUMP, (float("nan"), 0.0, 0.0)).added == pytest.approx([-0.15, 0.0, 0.0])


def test_ranks_share_their_place_in_a_tie_and_need_a_history() -> None:
    reference = reference_of(np.array([[0.0], [0.0], [0.0], [10.0]]))
    found = read_in("rank", np.array([[0.0], [10.0], [5.0], [np.nan]]), reference)[:, 0]
    assert 0.3 < found[0] < 0.45 < found[2] < found[1]
    assert np.isnan(found[3])
    assert np.isnan(read_in("rank", np.array([[1.0]]), reference_of(np.zeros((0, 1))))[0, 0])


def test_one_monstrous_change_does_not_turn_the_sign_of_a_weight() -> None:
    luck = np.random.default_rng(3)
    lines = luck.lognormal(3, 1, 600)
    truth = (luck.random(600) < sigmoid(np.log(lines) - 3)).astype(float)
    lines[5], truth[5] = 1e9, 0.0
    table = read_in("log", lines[:, None], reference_of(lines[:, None]))
    assert fit_logistic(table, truth, np.ones(600), np.array([1.0, 1e-3]))[0] > 0.5


def test_separable_data_end_at_a_finite_weight() -> None:
    values = np.linspace(-1, 1, 40)[:, None]
    fit = fit_logistic(values, (values[:, 0] > 0).astype(float), np.ones(40), np.array([1.0, 1e-3]))
    assert 1.0 < fit[0] < 50.0
