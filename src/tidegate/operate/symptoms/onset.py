"""When each measured series left its own usual range, and for how long it stayed out: the first signs in order.

Nothing is assumed of a series but its own first part: median and spread of it are the usual range. A series that is
short, empty or moves from the start tells nothing, and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from tidegate.operate.symptoms.signatures import Signature
from tidegate.operate.symptoms.values import Symptoms
from tidegate.telemetry.series import Series

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray

LEAST_POINTS = 8
USUAL_PART = 0.2
SPREADS = 6.0
STAYS_OUT = 0.7
LEAST_SLACK = 30.0
MOST_SLACK = 600.0
APART = 600.0
SURE, UNSURE = 0.9, 0.5
SURE_SPREADS = 20.0
"""A move is where two points in a row leave six spreads around the usual median, and 70 % of what follows stays out."""


class Move(Struct, frozen=True, kw_only=True):
    """A series that moved: when, from what to what, and how many usual spreads. `step`: seconds between two points."""

    service: str
    metric: str
    at: float
    step: float
    before: float
    after: float
    spreads: float

    @property
    def ratio(self) -> float:
        """How many times the usual value; a rise from nothing counts as a thousand."""
        if abs(self.before) < 1e-9:
            return 1000.0 if self.after > 0 else 1.0
        return min(1000.0, self.after / self.before)


class Onset(Struct, frozen=True, kw_only=True):
    """The first sign of an incident: `at`, give or take `slack` seconds, and what showed it.

    `later`: further times at which it may have begun, each with its share, should the first sign be a chance one.
    """

    at: float
    slack: float
    shown_by: str
    known: bool = True
    later: tuple[tuple[float, float], ...] = ()

    def is_first(self, move: Move) -> bool:
        """Whether a move is among the first signs, as far as the time between two points can tell."""
        return move.at <= self.at + self.slack + 2 * move.step


class _Sign(NamedTuple):
    at: float
    slack: float
    shown_by: str
    sure: bool


def find_moves(series: Sequence[Series], until: float) -> tuple[Move, ...]:
    """The series that moved before `until`, first mover first."""
    found = [move for one in series if (move := _find_move(one, until)) is not None]
    return tuple(sorted(found, key=lambda move: (move.at, -move.spreads, move.service, move.metric)))


def find_onset(symptoms: Symptoms, moves: Sequence[Move], signatures: Sequence[Signature]) -> Onset:
    """The earliest of what moved and of what is newly said by logs; the alert itself where neither tells.

    Signs less than ten minutes apart belong together. A first group of one weak sign may be chance: the groups that
    follow keep more of the belief then.
    """
    signs = [_Sign(m.at, m.step, f"{m.metric} of {m.service}", m.spreads >= SURE_SPREADS) for m in moves]
    news = [one for one in signatures if one.is_bad_news]
    signs += [_Sign(one.first, 1.0, f"a new line of {one.service}: {one.text[:80]}", one.count > 2) for one in news]
    signs += [_Sign(e.first, 1.0, f"{e.kind} in {e.service or 'the service'}", e.count > 2) for e in symptoms.errors]
    if not signs:
        return Onset(at=symptoms.alert.started, slack=300.0, shown_by="the alert itself", known=False)
    groups = _groups(sorted(signs))
    first = groups[0][0]
    left, later = 1.0, []
    for group in groups:
        share = left * (SURE if len(group) > 1 or group[0].sure else UNSURE)
        later.append((group[0].at, share))
        left -= share
    slack = min(max(first.slack, LEAST_SLACK), MOST_SLACK)
    return Onset(at=first.at, slack=slack, shown_by=first.shown_by, later=tuple(later[1:4]))


# Private


def _groups(signs: Sequence[_Sign]) -> list[list[_Sign]]:
    groups = [[signs[0]]]
    for sign in signs[1:]:
        if sign.at - groups[-1][-1].at > APART:
            groups.append([])
        groups[-1].append(sign)
    return groups


def _find_move(series: Series, until: float) -> Move | None:
    import numpy as np

    keep = np.isfinite(series.values) & np.isfinite(series.times)
    times, values = series.times[keep], series.values[keep]
    if len(times) < LEAST_POINTS:
        return None
    step = float(np.median(np.diff(times)))
    inside = times <= until + 2 * step
    times, values = times[inside], values[inside]
    if len(times) < LEAST_POINTS:
        return None
    usual = values[: max(LEAST_POINTS - 2, int(len(values) * USUAL_PART))]
    middle = float(np.median(usual))
    spread = _spread(usual, middle)
    start = _start(np.abs(values - middle) > SPREADS * spread)
    if start is None or start < 3:
        return None
    after = float(np.median(values[start:]))
    far = abs(after - middle) / spread
    return Move(
        service=series.labels.get("service", ""),
        metric=series.name,
        at=float(times[start]),
        step=step,
        before=middle,
        after=after,
        spreads=min(far, 1e6),
    )


def _spread(usual: NDArray[float64], middle: float) -> float:
    import numpy as np

    deviation = float(np.median(np.abs(usual - middle))) * 1.4826
    low, high = np.quantile(usual, (0.05, 0.95))
    return max(deviation, float(high - low) / 3.29, 0.02 * abs(middle), 1e-9)


def _start(out: NDArray[bool_]) -> int | None:
    """The first of two points in a row that are out, where most of what follows is out as well."""
    import numpy as np

    if len(out) < 2:
        return None
    share = np.cumsum(out[::-1])[::-1] / np.arange(len(out), 0, -1)
    starts = np.flatnonzero(out[:-1] & out[1:] & (share[:-1] >= STAYS_OUT))
    return int(starts[0]) if len(starts) else None
