"""The raw scores of many changes at once, by numpy."""

from __future__ import annotations

import numpy as np

from tidegate.risk.features.frame import Floats
from tidegate.risk.model.linear import logit
from tidegate.risk.model.model import Model, Part
from tidegate.risk.model.single import Space
from tidegate.risk.model.spaces import read_in
from tidegate.risk.model.trees import answers, ready


def raw_scores(model: Model, values: Floats) -> Floats:
    """The raw scores of a table whose columns are the features of the model; those of `Model.score`, row by row."""
    found = np.zeros(len(values))
    tables: dict[Space, Floats] = {}
    for part in model.parts:
        table = tables.setdefault(part.space, read_in(part.space, values, model.reference))
        found += part.weight * _part_scores(part, len(model.names), table)
    return model.offset + model.slope * found


# Private


def _part_scores(part: Part, features: int, table: Floats) -> Floats:
    grown = answers(ready(part.trees, features), table)
    if part.chance:
        return part.bias + logit(grown)
    found = part.bias + grown
    return found + np.einsum("ij,j->i", table, np.array(part.weights)) if part.weights else found
