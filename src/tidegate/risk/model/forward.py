"""Scores that a model would have given at the time: block after block, each by a model that saw only what was known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tidegate.risk.features.frame import Floats, Frame, Targets
from tidegate.risk.model.calibration import Platt, fit_platt, may_calibrate
from tidegate.risk.model.ladder import learn
from tidegate.risk.model.maturity import Seen, seen_at
from tidegate.risk.model.model import EDGE, Model

BLOCKS = 10
FIRST = 0.3
FEWEST = 50
REFRESHES = 3
MEMORY = 700.0


class Forward(NamedTuple):
    """Out-of-time answers, row by row; NaN where no earlier model existed.

    `raw` are the log-odds of the blend against its mean on recent changes, `chance` the probabilities that a
    calibration on earlier blocks made of them.
    """

    raw: Floats
    chance: Floats


def block_edges(rows: int, blocks: int = BLOCKS, first: float = FIRST) -> tuple[int, ...]:
    """Where blocks begin, and the end: `blocks` of equal size after the first part of a history."""
    start = max(FEWEST, round(rows * first))
    if start >= rows:
        return ()
    count = min(blocks, max(1, (rows - start) // FEWEST))
    return tuple(dict.fromkeys(round(start + (rows - start) * number / count) for number in range(count + 1)))


def run_forward(
    frame: Frame,
    targets: Targets,
    edges: Sequence[int],
    prior: Model | None,
    progress: Callable[[int, int], None] | None = None,
    refreshes: int = REFRESHES,
) -> Forward:
    """The answers for each block by a model of all rows before it, with labels known when the block began.

    The calibration is refitted `refreshes` times within a block.
    """
    raw = np.full(len(frame.ids), math.nan)
    for number, (start, stop) in enumerate(pairwise(edges)):
        seen = seen_at(frame.at[:start], targets.rows(0, start), moment(frame, start))
        blend = learn(frame.rows(0, start), seen, prior)
        raw[start:stop] = blend.raw(frame.values[start:stop]) - blend.centre(frame.values[:start])
        if progress is not None:
            progress(number + 1, len(edges) - 1)
    return Forward(raw, _calibrated(frame, targets, edges, raw, refreshes))


def moment(frame: Frame, row: int) -> int:
    """When a row was next: the time of the newest change before it, so that a wrong clock cannot see the future."""
    return int(frame.at[row]) if row < len(frame.at) else int(frame.at[-1])


def calibrate(raw: Floats, seen: Seen) -> Platt | None:
    """The calibration by rows that have an out-of-time score, the newest counting most. None where they are too few."""
    rows = np.flatnonzero(np.isfinite(raw))
    part = Seen(seen.truth[rows], seen.known[rows], seen.ripe[rows])
    if not may_calibrate(part):
        return None
    mass = np.cumsum(part.ripe[::-1])[::-1]
    return fit_platt(raw[rows], part, np.exp2(-mass / MEMORY))


# Private


def _calibrated(frame: Frame, targets: Targets, edges: Sequence[int], raw: Floats, refreshes: int) -> Floats:
    chance = np.full(len(raw), math.nan)
    for start, stop in pairwise(edges):
        marks = sorted({round(start + (stop - start) * part / refreshes) for part in range(refreshes + 1)})
        for here, there in pairwise(marks):
            seen = seen_at(frame.at[:here], targets.rows(0, here), moment(frame, here))
            platt = calibrate(raw[:here], seen)
            if platt is not None:
                chance[here:there] = np.clip(platt.chance(raw[here:there]), EDGE, 1.0 - EDGE)
    return chance
