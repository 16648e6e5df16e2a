"""The prior: what the histories of many repositories say of a change, for one that has no labels of its own."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from typing import NamedTuple

import msgspec
import numpy as np

from tidegate.errors import InputError
from tidegate.risk.features.frame import Floats, Frame, Targets
from tidegate.risk.model.learners import Growth, boost, mean_odds
from tidegate.risk.model.linear import sigmoid
from tidegate.risk.model.maturity import seen_at
from tidegate.risk.model.model import Model, Part, decode_model
from tidegate.risk.model.single import Reference
from tidegate.risk.model.spaces import read_in, reference_of

FILE = "prior.json"
MOST_ROWS = 8000

PRIOR = Growth(rounds=300, leaves=15, leaf_rows=200, rate=0.05, columns=0.4, rows=0.7, ridge=20.0)


class Example(NamedTuple):
    """The history of one repository. `now` is when it was mined: what was not known then counts as open."""

    frame: Frame
    targets: Targets
    now: int


def train_prior(histories: Iterable[Example]) -> Model:
    """A model of features as ranks within each repository, in which every repository weighs the same.

    The newest rows of very long histories stand for the rest. Raises `InputError` where nothing can be learnt: no
    history, histories of different features, or none with repaired and sound changes.
    """
    tables, truths, weights = [], [], []
    head: Frame | None = None
    for example in histories:
        rows = len(example.frame.ids)
        if rows == 0:
            continue
        head = head or example.frame.rows(0, 0)
        if (example.frame.names, example.frame.version) != (head.names, head.version):
            raise InputError("a prior cannot be trained on histories with different features")
        start = max(0, rows - MOST_ROWS)
        seen = seen_at(example.frame.at, example.targets, example.now)
        values = example.frame.values
        tables.append(read_in("rank", values[start:], reference_of(values)))
        counts = seen.weights(np.full(rows, seen.share))[start:]
        truths.append(seen.truth[start:])
        weights.append(counts / float(counts.sum()))
    if head is None:
        raise InputError("a prior cannot be trained without a history")
    return _learnt(head, np.concatenate(tables), np.concatenate(truths), np.concatenate(weights))


def load_prior() -> Model | None:
    """The prior that ships with this version; None where none does."""
    file = resources.files(__package__).joinpath(FILE)
    return decode_model(file.read_bytes(), FILE) if file.is_file() else None


# Private


def _learnt(head: Frame, table: Floats, truth: Floats, weights: Floats) -> Model:
    if not 0.0 < float((truth * weights).sum()) < float(weights.sum()):
        raise InputError("a prior cannot be trained where no change or every change was repaired")
    weights = weights * (len(weights) / float(weights.sum()))
    base = mean_odds(truth, weights)
    grown = boost(table, truth, weights, np.full(len(truth), base), PRIOR)
    count = len(head.names)
    nothing = Reference(((),) * count, (0.0,) * count, (1.0,) * count)
    model = Model(head.version, head.names, "prior", nothing, (Part("boosting", "rank", 1.0, base, (), grown.trees()),))
    usual = float(sigmoid(base + grown.answers(table)).mean())
    return msgspec.structs.replace(model, usual=usual)
