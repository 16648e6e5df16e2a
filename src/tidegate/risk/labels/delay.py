"""How long it takes until a repair is known, and what that means for young changes that nobody repaired yet.

Half of the repairs that will come are known after about 150 days (reference measurement on 28,239 changes), so "not
repaired" says little of a young change. Imports numpy: load it late.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from tidegate.risk.features.frame import Floats, Targets, Times

DAY = 86400
MATURE_DAYS = 180
"""A change this old that nobody repaired counts as good. Younger ones are left out, or weighted by the curve."""
USUAL = ((0.0, 0.02), (7.0, 0.1), (30.0, 0.22), (90.0, 0.40), (150.0, 0.5), (365.0, 0.71), (730.0, 0.85), (3650.0, 1.0))
"""Share of repairs known after days, measured on 28,239 dated changes of 14 Apache projects (ApacheJIT)."""
LABELS_OF_THE_USUAL = 20.0
"""As many labels as the usual curve counts for where a repository has few of its own."""


class DelayCurve(Struct, frozen=True):
    """Of the changes that will be repaired, the share that is known to be after so many days: a rising step function.

    `labels` is how many repairs it was measured on (sum of their confidence).
    """

    days: tuple[float, ...]
    share: tuple[float, ...]
    labels: float

    def known_after(self, days: Floats | float) -> Floats:
        """The share known after an age in days, 0 to 1; straight between the steps, 0 for an age below 0."""
        at = np.asarray(days, dtype=np.float64)
        found = np.interp(at, np.asarray(self.days), np.asarray(self.share))
        return np.where(at < 0, 0.0, found)

    def days_until(self, share: float) -> float:
        """The age in days after which so many of the repairs are known; inf where the curve never gets there."""
        shares = np.asarray(self.share)
        if share > shares[-1]:
            return float("inf")
        return float(np.interp(share, *_strictly_rising(shares, np.asarray(self.days))))


USUAL_CURVE = DelayCurve(tuple(day for day, _ in USUAL), tuple(share for _, share in USUAL), 0.0)


def delay_curve(at: Times, targets: Targets, now: int) -> DelayCurve:
    """The curve of one history as it stood at `now` (Unix seconds).

    A repair can only be seen when its delay is shorter than the age of its change, which makes young delays look too
    frequent. So this is the product-limit estimate for truncation on the right (Lynden-Bell 1971; Woodroofe 1985), in
    steps of the grid below, drawn toward the usual curve, which counts for 20 labels.
    """
    seen = (targets.known_at >= 0) & (targets.known_at <= now) & (at <= now) & (targets.repaired > 0)
    delay = np.maximum(targets.known_at[seen] - at[seen], 0) / DAY
    age = (now - at[seen]) / DAY
    weight = targets.repaired[seen]
    grid = np.asarray(_GRID)
    usual = USUAL_CURVE.known_after(grid)
    own = _product_limit(delay, age, weight, grid, usual)
    return DelayCurve(_GRID, tuple(float(value) for value in own), float(weight.sum()))


def matured(at: Times, now: int, days: float = MATURE_DAYS) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which changes are so old that a repair would probably be known by `now`. One of the future is not."""
    return np.asarray(at, dtype=np.int64) <= now - int(days * DAY)


def known_by(targets: Targets, now: int) -> Targets:
    """The targets as far as they were known at `now`: what came later is taken away."""
    known = (targets.known_at >= 0) & (targets.known_at <= now)
    return Targets(np.where(known, targets.repaired, 0.0), np.where(known, targets.known_at, -1))


def simple_weights(at: Times, targets: Targets, now: int, days: float = MATURE_DAYS) -> Floats:
    """The weight of each row in training, by the simple rule: 0 for what is young and not repaired yet, 1 otherwise."""
    known = (targets.known_at >= 0) & (targets.known_at <= now)
    return np.where((known | matured(at, now, days)) & (at <= now), 1.0, 0.0)


def expected_targets(at: Times, targets: Targets, now: int, curve: DelayCurve, probability: Floats) -> Floats:
    """The expected label of each row at `now`, for one step of expectation maximisation.

    What is known keeps its confidence c, and its other half 1 - c may still be repaired. A change of age a that nobody
    repaired yet, and that a model gives the probability p, will be with p (1 - F(a)) / (1 - p F(a)), F being the curve.
    Train on every row twice, with this as the weight of "repaired" and the rest as that of "not".
    """
    known = known_by(targets, now)
    share = curve.known_after((now - at) / DAY)
    p = np.clip(probability, 0.0, 1.0)
    hidden = p * (1.0 - share) / np.maximum(1.0 - p * share, 1e-12)
    hidden = np.where(p >= 1.0, 1.0, hidden)
    return np.asarray(known.repaired + (1.0 - known.repaired) * hidden, dtype=np.float64)


# Private

_GRID = tuple(
    float(day)
    for day in (0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 150, 180, 240, 300, 365, 450, 540, 730, 1095, 1460,
                1825, 2555, 3650)
)  # fmt: skip


def _product_limit(delay: Floats, age: Floats, weight: Floats, grid: Floats, usual: Floats) -> Floats:
    """The estimate on the grid, from its end backwards: the chance that a delay is not in a step, given that it is no
    longer than the step's end, among the changes that were old enough to show it."""
    found = np.ones(len(grid))
    for step in range(len(grid) - 1, 0, -1):
        low, high = grid[step - 1], grid[step]
        at_risk = (age >= high) & (delay <= high)
        inside = at_risk & (delay > low)
        pull = LABELS_OF_THE_USUAL * max(usual[step], 1e-9)
        pulled = LABELS_OF_THE_USUAL * (usual[step] - usual[step - 1])
        hazard = (weight[inside].sum() + pulled) / (weight[at_risk].sum() + pull)
        found[step - 1] = found[step] * (1.0 - min(max(hazard, 0.0), 1.0))
    return found


def _strictly_rising(shares: Floats, days: Floats) -> tuple[Floats, Floats]:
    keep = np.concatenate(([True], np.diff(shares) > 0))
    return shares[keep], days[keep]
