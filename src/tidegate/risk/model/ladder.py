"""Which learners answer, by how much is known: what is brought along, or a blend in which it has ever less to say."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from tidegate.risk.features.frame import Floats, Frame
from tidegate.risk.model.learners import Grown, Growth, boost, grow_forest, mean_odds
from tidegate.risk.model.linear import fit_logistic, logit, sigmoid
from tidegate.risk.model.maturity import Seen
from tidegate.risk.model.model import Kind, Model, Part
from tidegate.risk.model.single import Reference, Space
from tidegate.risk.model.spaces import read_in, reference_of

OWN_FROM = 2000
ADAPTED_FROM = 100
FEWEST_REPAIRED = 10
NEWEST_ROWS = 20_000
ROUNDS = 8
RIDGE = 8.0
CENTRED = 500
EVIDENCE = 600.0
MOST_VOICES = 2.0
LEAST_VOICES = 0.5

BOOSTING = Growth(rounds=150, leaves=15, leaf_rows=30, rate=0.05, columns=0.25, rows=0.8, ridge=20.0)
FOREST = Growth(rounds=150, leaves=96, leaf_rows=20, columns=0.35, rows=0.632)


class Learner(NamedTuple):
    """A part of a blend, with its trees still as LightGBM holds them."""

    part: Part
    grown: Grown | None = None

    def scores(self, table: Floats) -> Floats:
        """Log-odds for each row."""
        if self.part.trees.size and self.grown is None:
            raise ValueError("a kept part is scored by its model")
        found = self.grown.answers(table) if self.grown else np.zeros(len(table))
        if self.part.chance:
            return logit(found) + self.part.bias
        if self.part.weights:
            found = found + np.einsum("ij,j->i", table, np.array(self.part.weights))
        return found + self.part.bias

    def finished(self) -> Part:
        """The part as it is kept."""
        return Part(
            self.part.name,
            self.part.space,
            self.part.weight,
            self.part.bias,
            self.part.weights,
            self.grown.trees() if self.grown else self.part.trees,
            self.part.chance,
        )


class Blend(NamedTuple):
    """What was learnt from the changes up to a moment."""

    kind: Kind
    reference: Reference
    learners: tuple[Learner, ...]
    prior: Model | None
    prior_weight: float

    def centre(self, values: Floats) -> float:
        """The mean log-odds of the newest changes that it learnt from.

        Scores are compared against it, so that calibration survives the change from one model to the next.
        """
        return float(self.raw(values[-CENTRED:]).mean()) if len(values) else 0.0

    def raw(self, values: Floats) -> Floats:
        """The blended log-odds for each row."""
        found = np.zeros(len(values))
        tables: dict[Space, Floats] = {}
        for learner in self.learners:
            space = learner.part.space
            table = tables.setdefault(space, read_in(space, values, self.reference))
            found += learner.part.weight * learner.scores(table)
        if self.prior is not None:
            found += self.prior_weight * moved_prior(self.prior, self.reference).raw_scores(values)
        return found

    def parts(self) -> tuple[Part, ...]:
        """The parts as they are kept, those of the prior among them."""
        own = tuple(learner.finished() for learner in self.learners)
        return own + (prior_parts(self.prior, self.prior_weight) if self.prior is not None else ())


def learn(frame: Frame, seen: Seen, prior: Model | None) -> Blend:
    """The blend that the changes of a frame can carry. The prior must speak of the same features."""
    start = max(0, len(frame.ids) - NEWEST_ROWS)
    values, seen = frame.values[start:], seen.rows(start, len(frame.ids))
    brought = _Brought(frame.names, reference_of(values), prior)
    few = min(seen.repaired, seen.matured - seen.repaired)
    if seen.matured < ADAPTED_FROM or few < FEWEST_REPAIRED:
        return brought.alone()
    kind: Kind = "adapted" if seen.matured < OWN_FROM and prior is not None else "own"
    voices = min(MOST_VOICES, max(LEAST_VOICES, EVIDENCE / few))
    return brought.beside(kind, _own(values, seen, brought.reference), voices)


def moved_prior(prior: Model, reference: Reference) -> Model:
    """The prior, reading its features as ranks within this repository."""
    return Model(
        prior.definitions,
        prior.names,
        "prior",
        reference,
        prior.parts,
        slope=prior.slope,
        offset=prior.offset,
        usual=prior.usual,
    )


def prior_parts(prior: Model, weight: float) -> tuple[Part, ...]:
    """The parts of a prior as parts of a blend in which it weighs `weight`."""
    share = weight * prior.slope
    parts = tuple(
        Part(f"prior {part.name}", part.space, part.weight * share, part.bias, part.weights, part.trees, part.chance)
        for part in prior.parts
    )
    return (*parts, Part("prior offset", "log", weight, prior.offset))


# Private


class _Brought(NamedTuple):
    """What a repository need not learn: the prior, and that the lines added are the best single sign of risk.

    On repositories of a few thousand changes nothing that was learnt there alone beats the lines added, so they keep a
    voice of their own. Without a prior they speak for it.
    """

    names: tuple[str, ...]
    reference: Reference
    prior: Model | None

    def alone(self) -> Blend:
        """The prior; without one, the lines added."""
        if self.prior is not None:
            return Blend("prior", self.reference, (), self.prior, 1.0)
        return Blend("prior", self.reference, (self._lines(1.0),), None, 0.0)

    def beside(self, kind: Kind, own: tuple[Learner, ...], voices: float) -> Blend:
        """The blend of learners of one voice each with so many voices of the prior; those of the lines fade to none."""
        fading = (voices**2 - LEAST_VOICES**2) / 2.0
        share = 1.0 / (len(own) + voices + fading)
        mine = tuple(learner._replace(part=replace(learner.part, weight=share)) for learner in own)
        if self.prior is None:
            return Blend(kind, self.reference, (*mine, self._lines((voices + fading) * share)), None, 0.0)
        return Blend(kind, self.reference, (*mine, self._lines(fading * share)), self.prior, voices * share)

    def _lines(self, weight: float) -> Learner:
        weights = tuple(1.0 if name == "la" else 0.0 for name in self.names)
        return Learner(Part("lines", "log", weight, 0.0, weights))


def _own(values: Floats, seen: Seen, reference: Reference) -> tuple[Learner, ...]:
    scaled = read_in("log", values, reference)
    ridge = np.append(np.full(scaled.shape[1], RIDGE), 1e-3)
    fit, weights = _fit(scaled, seen, ridge, np.zeros(scaled.shape[1] + 1))
    truth = seen.truth
    base = mean_odds(truth, weights)
    boosted = boost(values, truth, weights, np.full(len(truth), base), BOOSTING)
    forest = grow_forest(values, truth, weights, FOREST)
    return (
        Learner(Part("linear", "log", 1.0, float(fit[-1]), tuple(float(f"{weight:.9g}") for weight in fit[:-1]))),
        Learner(Part("boosting", "raw", 1.0, base), boosted),
        Learner(Part("forest", "raw", 1.0, chance=True), forest),
    )


def _fit(table: Floats, seen: Seen, ridge: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """A logistic regression, and what each row counts by what it says, found in turns."""
    fit, weights = centre, seen.weights(np.full(len(table), seen.share))
    for _ in range(ROUNDS):
        fit = fit_logistic(table, seen.truth, weights, ridge, centre)
        after = seen.weights(sigmoid(np.einsum("ij,j->i", table, fit[:-1]) + fit[-1]))
        moved = float(np.abs(after - weights).max(initial=0.0))
        weights = after
        if moved < 1e-3:
            break
    return fit, weights
