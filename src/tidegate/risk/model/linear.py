"""Logistic regression in numpy: ridge, Newton's steps, targets between 0 and 1. Same bits on every run."""

from __future__ import annotations

import numpy as np

from tidegate.risk.features.frame import Floats

STEPS = 60
CLOSE = 1e-9


def sigmoid(logits: Floats) -> Floats:
    """The probability of log-odds, without overflow."""
    half: Floats = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return half


def logit(probabilities: Floats, edge: float = 1e-4) -> Floats:
    """The log-odds of probabilities, which are first kept `edge` away from 0 and 1."""
    inside = np.clip(probabilities, edge, 1.0 - edge)
    odds: Floats = np.log(inside) - np.log1p(-inside)
    return odds


def fit_logistic(values: Floats, truth: Floats, weights: Floats, ridge: Floats, centre: Floats | None = None) -> Floats:
    """Weights of the columns, the intercept last.

    `ridge` is the penalty of each of them (squared, in rows), `centre` what they are drawn to (0 unless told). Newton's
    steps are halved until the loss falls, so that separable data end at the penalty and not at infinity.
    """
    table = np.column_stack([values, np.ones(len(values))])
    middle = np.zeros(table.shape[1]) if centre is None else centre
    found = middle.copy()
    loss = _loss(table, truth, weights, ridge, found, middle)
    for _ in range(STEPS):
        chance = sigmoid(_times(table, found))
        slope = np.einsum("ij,i->j", table, weights * (chance - truth)) + ridge * (found - middle)
        bend = np.einsum("ij,i,ik->jk", table, weights * chance * (1.0 - chance), table, optimize=False)
        step = np.linalg.solve(bend + np.diag(ridge + 1e-9), slope)
        part = 1.0
        while part > 1e-6:
            tried = found - part * step
            after = _loss(table, truth, weights, ridge, tried, middle)
            if after <= loss:
                break
            part /= 2.0
        else:
            break
        gained, found, loss = loss - after, tried, after
        if gained < CLOSE * (1.0 + abs(loss)):
            break
    return found


def _loss(table: Floats, truth: Floats, weights: Floats, ridge: Floats, at: Floats, centre: Floats) -> float:
    logits = _times(table, at)
    bits = np.logaddexp(0.0, logits) - truth * logits
    return float((weights * bits).sum() + 0.5 * (ridge * (at - centre) ** 2).sum())


def _times(table: Floats, weights: Floats) -> Floats:
    """A product that does not depend on how many threads the linear algebra uses."""
    found: Floats = np.einsum("ij,j->i", table, weights)
    return found
