"""The trainer: one model of a repository from its changes and what became of them, and how far it can be believed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np

from tidegate.errors import InternalError
from tidegate.risk.features.frame import Floats, Frame, Targets, Times
from tidegate.risk.model.calibration import Platt
from tidegate.risk.model.evaluation import evaluate
from tidegate.risk.model.figures import Evaluation
from tidegate.risk.model.forward import Forward, block_edges, calibrate, run_forward
from tidegate.risk.model.ladder import Blend, learn
from tidegate.risk.model.linear import sigmoid
from tidegate.risk.model.maturity import Seen, seen_at
from tidegate.risk.model.model import EDGE, Model

RANKED = 4000
RANKS = 200
FEWEST_UNSEEN = 50


class Trained(NamedTuple):
    """A model, what its predecessors would have said of each change at the time, and what that was worth.

    `forward` is the calibrated probability by a model that saw only what was known before the change; NaN where there
    was no such model or no calibration yet. `forward_raw` are the uncalibrated log-odds, which exist earlier.
    """

    model: Model
    forward: Floats
    forward_raw: Floats
    evaluation: Evaluation


def train(
    frame: Frame,
    targets: Targets,
    now: int,
    prior: Model | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Learns from changes up to `now` with labels known by `now` (Unix seconds).

    Without labels of its own a repository gets the prior; with some hundred the prior and what it missed; with
    thousands a blend. Without a prior (or one of other features) small histories fall back to the lines that a change
    adds. No probability is said below 300 matured changes. Works on an empty frame.
    """
    if len(targets.repaired) != len(frame.ids) or frame.values.shape != (len(frame.ids), len(frame.names)):
        raise InternalError("a frame and its targets differ in length")
    known = _until(frame, targets, now)
    frame_now, targets_now = known.frame, known.targets
    told = prior if prior is not None and fits(prior, frame) else None
    seen = seen_at(frame_now.at, targets_now, now)
    forward = run_forward(frame_now, targets_now, block_edges(len(frame_now.ids)), told, progress)
    blend = learn(frame_now, seen, told)
    model = _finished(frame_now, blend, forward, seen, now)
    return Trained(model, known.spread(forward.chance), known.spread(forward.raw), evaluate(frame_now, forward, seen))


def fits(prior: Model, frame: Frame) -> bool:
    """Whether a prior speaks of the features of a frame: same definitions, same names, same order."""
    return prior.definitions == frame.version and prior.names == frame.names


# Private


class _Until(NamedTuple):
    frame: Frame
    targets: Targets
    order: Times
    rows: int

    def spread(self, found: Floats) -> Floats:
        whole = np.full(self.rows, math.nan)
        whole[self.order] = found
        return whole


def _until(frame: Frame, targets: Targets, now: int) -> _Until:
    """The rows up to `now`, oldest first whatever the clocks of their authors said."""
    order = np.argsort(frame.at, kind="stable")
    order = order[frame.at[order] <= now]
    part = frame._replace(ids=tuple(frame.ids[row] for row in order), at=frame.at[order], values=frame.values[order])
    return _Until(part, Targets(targets.repaired[order], targets.known_at[order]), order, len(frame.ids))


def _finished(frame: Frame, blend: Blend, forward: Forward, seen: Seen, now: int) -> Model:
    found = calibrate(forward.raw, seen)
    platt = found or Platt(1.0, 0.0)
    centre = blend.centre(frame.values)
    model = Model(
        frame.version,
        frame.names,
        blend.kind,
        blend.reference,
        blend.parts(),
        slope=platt.slope,
        offset=platt.offset - platt.slope * centre,
        calibrated=found is not None,
        trained_at=now,
        matured=seen.matured,
        repaired=round(seen.repaired),
    )
    raw = _earlier_scores(frame, model, forward, platt)
    ranks = np.quantile(raw, np.linspace(0.0, 1.0, RANKS + 1)) if len(raw) else np.zeros(0)
    usual = float(np.clip(sigmoid(raw), EDGE, 1.0 - EDGE).mean()) if len(raw) and model.calibrated else 0.0
    return msgspec.structs.replace(model, ranks=tuple(float(rank) for rank in ranks), usual=usual)


def _earlier_scores(frame: Frame, model: Model, forward: Forward, platt: Platt) -> Floats:
    """What changes scored that the model had not learnt from: its own rows would look surer than a new change can."""
    unseen = forward.raw[np.isfinite(forward.raw)][-RANKED:]
    if model.kind == "prior" or len(unseen) < FEWEST_UNSEEN:
        return model.raw_scores(frame.values[-RANKED:])
    return platt.slope * unseen + platt.offset
