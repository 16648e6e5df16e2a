"""Odds ratios with honest intervals: regression that never runs away, shrinkage, and what several studies say together.

Imports numpy: load it late.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tidegate.risk.features.frame import Floats

ALPHA = 0.05
MOST_STEPS = 60


class Fit(NamedTuple):
    """Coefficients of a logistic regression on the scale of log odds, with their covariance, and the logarithm of the
    penalised likelihood."""

    coefficients: Floats
    covariance: Floats
    likelihood: float


class Belief(NamedTuple):
    """What is expected of an effect before its own data are seen: mean and variance on the scale of log odds."""

    mean: float
    variance: float


class Shrunk(NamedTuple):
    """An effect on the scale of log odds: the estimate drawn toward what was expected, and its 95 % interval."""

    estimate: float
    low: float
    high: float


class Pooled(NamedTuple):
    """The mean of several effects that differ, its 95 % interval, and the variance between them."""

    mean: float
    low: float
    high: float
    tau2: float


def fit_logistic(design: Floats, truth: Floats, ridge: Floats, held: Floats | None = None) -> Fit:
    """Logistic regression of `truth` (0 to 1) by Newton's method, with a ridge penalty for each column.

    The score is Firth's (1993; Heinze & Schemper 2002): it takes away the first-order bias of small groups, and keeps
    the answer finite where a group was always or never repaired. Give a column of the design no ridge where its
    coefficient is to be read. `held` (one value a column, NaN where it is free) keeps coefficients at given values.
    """
    penalty = np.diag(ridge)
    coefficients = np.zeros(design.shape[1]) if held is None else np.nan_to_num(held)
    free = np.ones(design.shape[1], dtype=bool) if held is None else np.isnan(held)
    covariance = np.linalg.pinv(design.T @ design * 0.25 + penalty)
    for _ in range(MOST_STEPS):
        chance = _chance(design @ coefficients)
        weight = np.maximum(chance * (1.0 - chance), 1e-10)
        covariance = np.linalg.pinv((design.T * weight) @ design + penalty, hermitian=True)
        leverage = weight * np.einsum("ij,jk,ik->i", design, covariance, design, optimize=True)
        score = design.T @ (truth - chance + leverage * (0.5 - chance)) - ridge * coefficients
        inner = covariance if held is None else _of_free(np.asarray(covariance, dtype=np.float64), free)
        step = inner @ score
        largest = float(np.max(np.abs(step)))
        coefficients = coefficients + step * min(1.0, 2.0 / max(largest, 1e-12))
        if largest < 1e-6:
            break
    return Fit(coefficients, np.asarray(covariance, dtype=np.float64), _likelihood(design, truth, coefficients, ridge))


def error_by_likelihood(design: Floats, truth: Floats, ridge: Floats, fit: Fit, column: int, expected: float) -> float:
    """The standard error of one coefficient from how much likelihood is lost when it is what was expected.

    Where a group was nearly never repaired the curvature at the estimate says that nothing is known (Hauck & Donner
    1977); the likelihood knows better (Heinze & Schemper 2002).
    """
    held = np.full(design.shape[1], np.nan)
    held[column] = expected
    lost = 2.0 * (fit.likelihood - fit_logistic(design, truth, ridge, held).likelihood)
    by_curvature = math.sqrt(max(float(fit.covariance[column, column]), 1e-12))
    if lost <= 1e-6:
        return by_curvature
    return min(by_curvature, abs(float(fit.coefficients[column]) - expected) / math.sqrt(lost))


def shrink(estimate: float, error: float, belief: Belief) -> Shrunk:
    """An estimate with standard error `error`, drawn toward what was expected (empirical Bayes), with its interval.

    A Bayesian interval would be too narrow for the very effects that nobody expected. This one is the shortest on
    average, under the belief, of those that hold the truth in 95 % of all cases *whatever* the truth is (FAB: Yu &
    Hoff, Biometrika 2018). It always holds the shrunken estimate.
    """
    weight = belief.variance / (belief.variance + error**2)
    mean = belief.mean + weight * (estimate - belief.mean)
    away, slope = 2.0 * error * (estimate - belief.mean) / belief.variance, 2.0 * error**2 / belief.variance
    # A test of one effect spends its 5 % on two tails: the farther it lies from what is expected, the less on the tail
    # beyond it. Each end of the interval is the effect that is just not rejected any more.
    upper = _root(lambda tail: _normal(tail) + _normal(tail * (1.0 + slope) - away) - ALPHA)
    lower = _root(lambda tail: _normal(tail) + _normal(tail * (1.0 + slope) + away) - ALPHA)
    return Shrunk(mean, estimate + error * lower, estimate - error * upper)


def together(estimates: Sequence[float], errors: Sequence[float], belief: Belief, between: float) -> Belief:
    """What is expected of one more effect of the same family: its mean is learnt from the others and from `belief`
    about that mean, and each effect strays from it with the variance `between`."""
    precision, total = 1.0 / belief.variance, belief.mean / belief.variance
    for estimate, error in zip(estimates, errors, strict=True):
        precision += 1.0 / (between + error**2)
        total += estimate / (between + error**2)
    return Belief(total / precision, 1.0 / precision + between)


def pool(estimates: Sequence[float], errors: Sequence[float]) -> Pooled:
    """The random-effects mean of several estimates (DerSimonian & Laird 1986)."""
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(errors, dtype=np.float64) ** 2
    w = 1.0 / v
    fixed = float((w * y).sum() / w.sum())
    spread = float((w * (y - fixed) ** 2).sum()) - (len(y) - 1)
    tau2 = max(0.0, spread / float(w.sum() - (w**2).sum() / w.sum())) if len(y) > 1 else 0.0
    w = 1.0 / (v + tau2)
    mean, error = float((w * y).sum() / w.sum()), float(w.sum()) ** -0.5
    return Pooled(mean, mean - _Z * error, mean + _Z * error, tau2)


# Private

_Z = 1.959963984540054


def _chance(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -35.0, 35.0))))


def _of_free(covariance: Floats, free: NDArray[np.bool_]) -> Floats:
    """The covariance of the free coefficients when the others are held."""
    across = covariance[:, ~free] @ np.linalg.pinv(covariance[np.ix_(~free, ~free)]) @ covariance[~free, :]
    return np.asarray(np.where(np.outer(free, free), covariance - across, 0.0))


def _likelihood(design: Floats, truth: Floats, coefficients: Floats, ridge: Floats) -> float:
    odds = np.clip(design @ coefficients, -35.0, 35.0)
    chance = _chance(odds)
    information = (design.T * np.maximum(chance * (1.0 - chance), 1e-10)) @ design + np.diag(ridge)
    plain = float((truth * odds - np.log1p(np.exp(odds))).sum())
    return plain + 0.5 * float(np.linalg.slogdet(information)[1]) - 0.5 * float((ridge * coefficients**2).sum())


def _normal(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def _root(function: Callable[[float], float]) -> float:
    """The quantile below 0 where a rising function is 0, by bisection."""
    low, high = -40.0, 0.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
