"""How long lines live, and what ends them: repair is one thing, new work in their place another (competing risks)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from tidegate.insight.intervals import Z
from tidegate.insight.values import Figure, Writer

End = Literal["repaired", "replaced", "alive"]
DRAWS = 200
LEAST_CHANGES = 10


class Lines(Struct, frozen=True, kw_only=True):
    """Lines of one change with one writer and one end: `count` of them were seen for `days`."""

    change: str
    writer: Writer
    days: float
    end: End
    count: int = 1


def gone_by(lines: Sequence[Lines], writer: Writer, days: float, *, seed: int = 1) -> tuple[Figure, Figure]:
    """The share of the writer's lines that were repaired, and that were replaced, within `days`.

    Aalen and Johansen's cumulative incidence; lines that are alive count for as long as they were seen. Lines of one
    change share their fate, so the interval draws changes again, not lines: a bootstrap, the same for the same seed.
    """
    mine = [one for one in lines if one.writer == writer and one.count > 0]
    repaired, replaced = _gone(mine, ("repaired", "replaced"), days, seed)
    return repaired, replaced


def lasting(lines: Sequence[Lines], days: float, *, seed: int = 1) -> Figure:
    """The share of lines that neither repair nor new work ended within `days`; in the same way."""
    return _gone([one for one in lines if one.count > 0], ("repaired", "replaced", "lasting"), days, seed)[2]


# Private


def _gone(mine: Sequence[Lines], names: Sequence[str], days: float, seed: int) -> tuple[Figure, ...]:
    import numpy as np

    changes = sorted({one.change for one in mine})
    count = sum(one.count for one in mine)
    if len(changes) < LEAST_CHANGES:
        few = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
        return _silent(names, count, f"only {few}: too few to say" if changes else "nothing to count")
    if max(one.days for one in mine) < days:
        return _silent(names, count, f"no line was followed for {days:.0f} days yet")
    number = {change: place for place, change in enumerate(changes)}
    order = np.argsort([one.days for one in mine], kind="stable")
    times = np.array([one.days for one in mine])[order]
    owner = np.array([number[one.change] for one in mine])[order]
    weight = np.array([one.count for one in mine], dtype=np.float64)[order]
    ends = np.array([("alive", "repaired", "replaced").index(one.end) for one in mine])[order]
    draw = np.random.default_rng(seed)
    drawn = [np.bincount(draw.integers(0, len(changes), len(changes)), minlength=len(changes)) for _ in range(DRAWS)]
    found = [_incidence(times, ends, weight * times_drawn[owner], days) for times_drawn in drawn]
    whole = _incidence(times, ends, weight, days)
    figures = []
    for place, name in enumerate(names):
        spread = float(np.std([one[place] for one in found], ddof=1))
        value = whole[place]
        low, high = max(value - Z * spread, 0.0), min(value + Z * spread, 1.0)
        if not spread:  # what no change shows, none of so many may show by chance
            none = 1 - 0.025 ** (1 / len(changes))
            low, high = (0.0, none) if value < 0.5 else (1 - none, 1.0)
        figures.append(Figure(name=name, unit="share", value=value, low=low, high=high, n=count))
    return tuple(figures)


def _silent(names: Sequence[str], count: int, says: str) -> tuple[Figure, ...]:
    return tuple(Figure(name=name, unit="share", value=None, low=None, high=None, n=count, says=says) for name in names)


def _incidence(times: object, ends: object, weight: object, days: float) -> tuple[float, float, float]:
    """The cumulative incidence of both ends at `days`, and what is left; times in ascending order."""
    import numpy as np

    t, e, w = np.asarray(times), np.asarray(ends), np.asarray(weight)
    at_risk = w[::-1].cumsum()[::-1]
    moments, first = np.unique(t, return_index=True)
    risk = at_risk[first]
    totals = [np.add.reduceat(np.where(e == kind, w, 0.0), first) for kind in (1, 2)]
    with np.errstate(divide="ignore", invalid="ignore"):
        hazards = [np.where(risk > 0, total / risk, 0.0) for total in totals]
    alive = np.concatenate(([1.0], np.cumprod(1.0 - np.minimum(hazards[0] + hazards[1], 1.0))[:-1]))
    within = moments <= days
    repaired, replaced = (float((alive * hazard)[within].sum()) for hazard in hazards)
    return repaired, replaced, max(1.0 - repaired - replaced, 0.0)
