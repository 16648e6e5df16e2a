"""How long it takes until a repair is known, and what that means for young changes that nobody repaired yet.

Half of the repairs that will come are known after about 150 days (reference measurement on 28,239 changes), so "not
repaired" says little of a young change. Imports numpy: load it late.
"""

from __future__ import annotations

import numpy as np

from tidegate.risk.features.frame import Targets, Times

DAY = 86400
MATURE_DAYS = 180
"""A change this old that nobody repaired is counted as good. Training weighs by the model's own curve instead."""
USUAL = ((0.0, 0.02), (7.0, 0.1), (30.0, 0.22), (90.0, 0.40), (150.0, 0.5), (365.0, 0.71), (730.0, 0.85), (3650.0, 1.0))
"""Share of repairs known after days, measured on 28,239 dated changes of 14 Apache projects (ApacheJIT)."""


def matured(at: Times, now: int, days: float = MATURE_DAYS) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which changes are so old that a repair would probably be known by `now`. One of the future is not."""
    return np.asarray(at, dtype=np.int64) <= now - int(days * DAY)


def known_by(targets: Targets, now: int) -> Targets:
    """The targets as far as they were known at `now`: what came later is taken away."""
    known = (targets.known_at >= 0) & (targets.known_at <= now)
    return Targets(np.where(known, targets.repaired, 0.0), np.where(known, targets.known_at, -1))
