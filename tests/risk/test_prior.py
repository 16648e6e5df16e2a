"""The prior that ships: it loads, speaks of the features of this version, is small, and knows that size matters."""

from __future__ import annotations

import numpy as np

from tidegate.risk.features.definitions import NAMES, VERSION
from tidegate.risk.features.frame import Frame
from tidegate.risk.model.ladder import moved_prior
from tidegate.risk.model.model import decode_model, encode_model
from tidegate.risk.model.prior import load_prior
from tidegate.risk.model.spaces import reference_of


def test_the_prior_that_ships_speaks_of_the_features_of_this_version() -> None:
    prior = load_prior()
    assert prior is not None
    assert (prior.names, prior.definitions, prior.kind) == (NAMES, VERSION, "prior")
    assert len(encode_model(prior)) < 2_000_000
    assert decode_model(encode_model(prior)) == prior


def test_it_ranks_a_large_change_above_a_small_one_of_the_same_repository() -> None:
    prior = load_prior()
    assert prior is not None
    random = np.random.default_rng(7)
    values = np.abs(random.normal(size=(200, len(NAMES))))
    large = [NAMES.index(name) for name in ("la", "nf", "tokens_added", "hunks")]
    frame = Frame(NAMES, VERSION, tuple(map(str, range(200))), np.arange(200), values)
    moved = moved_prior(prior, reference_of(frame.values))
    one, other = values[0].copy(), values[0].copy()
    one[large], other[large] = 0.01, 9.0
    assert moved.score(NAMES, other.tolist()).raw > moved.score(NAMES, one.tolist()).raw
