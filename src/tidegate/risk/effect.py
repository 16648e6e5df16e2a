"""How the changes of each agent fared: repaired more or less often than other changes of the same size and place?

An observation, not an experiment: people choose what they give to an agent. The published mean over repositories is an
odds ratio of 1.22 with a wide spread, so a figure of one repository is drawn toward what is known elsewhere and always
comes with its interval. Imports numpy: load it late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tidegate.change.people import People
from tidegate.facts import AgentEffect
from tidegate.risk.features.frame import Floats, Frame, Targets
from tidegate.risk.labels.delay import known_by, matured
from tidegate.risk.labels.fixes import paths_beside
from tidegate.risk.odds import Belief, error_by_likelihood, fit_logistic, shrink, together
from tidegate.risk.values import Mark, PastCommit
from tidegate.settings import Settings

PUBLISHED_MEAN = 0.20
PUBLISHED_VARIANCE = 0.024
"""Mean of the log odds ratio over 12 repositories and its variance between them (random effects, adjusted)."""
FEWEST_CHANGES = 20
FEWEST_REPAIRS = 5.0
"""A group is left out where fewer repairs, or fewer of the opposite, are to be expected from size and place alone."""

ADJUSTED = ("ns", "nd", "nf", "ent", "la", "ld", "lt", "ndev", "age", "nuc", "exp", "rexp", "sexp", "fix")
"""What the comparison holds equal, beside the time of the change (up to its square)."""


class Estimate(NamedTuple):
    """The plain estimate of one agent's effect on the scale of log odds, before anything is drawn anywhere.

    `shared` is its covariance with each estimate of the same answer, itself among them: all are compared with the same
    changes without an agent.
    """

    mark: Mark
    changes: int
    log_odds: float
    error: float
    shared: tuple[float, ...] = ()


def agent_effects(
    frame: Frame, targets: Targets, marks: Mapping[str, Mark], now: int, left_out: Collection[str] = ()
) -> tuple[AgentEffect, ...]:
    """The effect of every agent with enough matured changes, a tool as a whole (`model` empty) before its models.

    `left_out` are the changes of bots and those of tests alone: nobody repairs them, so they say nothing. Changes that
    declare no agent are what is compared with; agents that nobody declared are among them, which draws every figure
    toward 1. Answers nothing where too few changes have matured.
    """
    rows = _usable(frame, now, left_out)
    said = [marks.get(frame.ids[row]) for row in rows]
    known = known_by(targets, now)
    tool_groups = [Mark(mark.tool) if mark is not None and mark.tool else None for mark in said]
    model_groups = [mark if mark is not None and mark.tool else None for mark in said]
    found = _shrunk(plain_estimates(frame, known, rows, tool_groups))
    found += [effect for effect in _shrunk(plain_estimates(frame, known, rows, model_groups)) if effect.model]
    tools = {effect.tool: effect.changes for effect in found if not effect.model}
    found = [effect for effect in found if not effect.model or effect.changes < tools.get(effect.tool, 0)]
    return tuple(sorted(found, key=lambda effect: (effect.tool, effect.model != "", -effect.changes, effect.model)))


def left_out(commits: Iterable[PastCommit], marks: Mapping[str, Mark], settings: Settings) -> frozenset[str]:
    """The changes that say nothing of how agents fare: merges, those of bots that are no agents, and those that touch
    nothing of the product (tests, documents, generated files), for which no repair is ever looked for."""
    people = People(settings)
    asked = tuple(commits)
    beside = paths_beside({touch.path for commit in asked for touch in commit.touches}, settings)
    return frozenset(
        commit.oid
        for commit in asked
        if commit.is_merge
        or (commit.oid not in marks and people.is_bot(commit.author))
        or all(touch.path in beside for touch in commit.touches)
    )


def plain_estimates(
    frame: Frame, targets: Targets, rows: NDArray[np.int64], groups: list[Mark | None]
) -> list[Estimate]:
    """The log odds ratio of each group against the rows of no group (None), adjusted, in the order of its mark.

    Groups with too few changes share one coefficient that is not answered, so that they do not count as the others.
    """
    place = _confounders(frame, rows)
    truth = targets.repaired[rows]
    usual = _expected(place, truth, np.asarray([group is None for group in groups], dtype=bool))
    marks = sorted({group for group in groups if group is not None}, key=lambda mark: (mark.tool, mark.model))
    columns = {mark: np.asarray([group == mark for group in groups]) for mark in marks}
    told = [mark for mark in marks if _is_enough(columns[mark], usual)]
    if not told or not _is_enough(np.asarray([group is None for group in groups], dtype=bool), usual):
        return []
    rest = np.asarray([group is not None and group not in told for group in groups])
    indicators = [columns[mark].astype(np.float64) for mark in told] + ([rest.astype(np.float64)] if rest.any() else [])
    design = np.column_stack([np.ones(len(rows)), *indicators, place])
    ridge = _ridge(1 + len(indicators), place.shape[1])
    fit = fit_logistic(design, truth, ridge)
    found = []
    for column, mark in enumerate(told, 1):
        rows_of = columns[mark]
        repaired = float(truth[rows_of].sum())
        error = float(np.sqrt(max(fit.covariance[column, column], 1e-12)))
        if min(repaired, rows_of.sum() - repaired) < FEWEST_REPAIRS:
            error = error_by_likelihood(design, truth, ridge, fit, column, PUBLISHED_MEAN)
        shared = tuple(float(value) for value in fit.covariance[column, 1 : 1 + len(told)])
        found.append(Estimate(mark, int(rows_of.sum()), float(fit.coefficients[column]), error, shared))
    return found


# Private

_RIDGE = 0.5
_DAY = 86400


def _usable(frame: Frame, now: int, left_out: Collection[str]) -> NDArray[np.int64]:
    out = set(left_out)
    old = matured(frame.at, now)
    return np.asarray([row for row, oid in enumerate(frame.ids) if old[row] and oid not in out], dtype=np.int64)


def _shrunk(estimates: Sequence[Estimate]) -> list[AgentEffect]:
    """Each drawn toward what the others of this repository and the published ones let expect."""
    found = []
    for place, one in enumerate(estimates):
        shrunk = shrink(one.log_odds, one.error, _belief(estimates, place))
        odds, low, high = (float(np.exp(value)) for value in (shrunk.estimate, shrunk.low, shrunk.high))
        found.append(AgentEffect(one.mark.tool, one.mark.model, one.changes, odds, low, high))
    return found


def _belief(estimates: Sequence[Estimate], place: int) -> Belief:
    """What the others let expect of one. Neither its own figure nor the chance that it shares with theirs may be in
    that, else its interval would be too narrow: the shared part is taken out of theirs."""
    one, half = estimates[place], PUBLISHED_VARIANCE / 2.0
    figures, errors = [], []
    for number, other in enumerate(estimates):
        if number == place:
            continue
        common = other.shared[place] / one.shared[place]
        figures.append(other.log_odds - common * (one.log_odds - PUBLISHED_MEAN))
        errors.append(float(np.sqrt(max(other.error**2 - common * other.shared[place], 1e-12))))
    return together(figures, errors, Belief(PUBLISHED_MEAN, half), half)


def _confounders(frame: Frame, rows: NDArray[np.int64]) -> Floats:
    """What is held equal, each column on a common scale; a value that is not known counts as the usual one."""
    columns = [_scaled(_logged(frame.column(name)[rows])) for name in ADJUSTED if name in frame.names]
    time = _scaled(np.asarray(frame.at[rows], dtype=np.float64) / _DAY)
    columns += [time, _scaled(time**2)]
    return np.column_stack([column for column in columns if np.any(column != 0)] or [np.zeros(len(rows))])


def _logged(values: Floats) -> Floats:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _scaled(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros(len(values))
    middle, spread = float(np.mean(known)), float(np.std(known))
    scaled = (np.where(np.isfinite(values), values, middle) - middle) / (spread if spread > 1e-12 else 1.0)
    return np.asarray(np.clip(scaled, -5.0, 5.0))


def _ridge(told: int, others: int) -> Floats:
    return np.concatenate([np.zeros(told), np.full(others, _RIDGE)])


def _expected(place: Floats, truth: Floats, humans: NDArray[np.bool_]) -> Floats:
    """The chance of repair of each row, had it no agent: whether a group is told must not hang on how it fared."""
    design = np.column_stack([np.ones(len(truth)), place])
    repaired = float(truth[humans].sum())
    if humans.sum() < FEWEST_CHANGES or min(repaired, humans.sum() - repaired) < FEWEST_REPAIRS:
        return np.zeros(len(truth))
    fit = fit_logistic(design[humans], truth[humans], _ridge(1, place.shape[1]))
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(design @ fit.coefficients, -35, 35))))


def _is_enough(rows: NDArray[np.bool_], usual: Floats) -> bool:
    repairs = float(usual[rows].sum())
    return bool(rows.sum() >= FEWEST_CHANGES and FEWEST_REPAIRS <= repairs <= rows.sum() - FEWEST_REPAIRS)
