"""Probabilities from scores: Platt's two numbers, fitted on scores of changes that the scoring model had not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tidegate.risk.features.frame import Floats
from tidegate.risk.model.linear import fit_logistic, sigmoid
from tidegate.risk.model.maturity import Seen

FEWEST = 300
FEWEST_REPAIRED = 15
ROUNDS = 12
RIDGE = 4.0


class Platt(NamedTuple):
    """probability = sigmoid(slope * raw + offset)."""

    slope: float
    offset: float

    def chance(self, raw: Floats) -> Floats:
        """The probabilities of raw scores."""
        return sigmoid(self.slope * raw + self.offset)


def fit_platt(raw: Floats, seen: Seen, weights: Floats) -> Platt:
    """The calibration of raw scores by what was known, silence counted by the age of the change."""
    ridge = np.array([RIDGE, 1e-3])
    around = np.array([1.0, 0.0])
    found = np.array([1.0, 0.0])
    for _ in range(ROUNDS):
        chance = sigmoid(found[0] * raw + found[1])
        after = fit_logistic(raw[:, None], seen.truth, weights * seen.weights(chance), ridge, around)
        moved = float(np.abs(after - found).max())
        found = after
        if moved < 1e-4:
            break
    return Platt(float(max(found[0], 0.05)), float(found[1]))


def may_calibrate(seen: Seen) -> bool:
    """Whether there are enough matured changes of both kinds for a probability."""
    return seen.matured >= FEWEST and FEWEST_REPAIRED <= seen.repaired <= seen.matured - FEWEST_REPAIRED
