"""Counts of changes as figures."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tidegate.policy.backtest.statistics import lift, share
from tidegate.policy.backtest.values import Figures, Named


class Row(Struct, frozen=True, gc=False):
    """One matured change. `stopped` has a bit for every rule that would have held it; `hours` is one reading of it."""

    oid: str
    landed_at: int
    subject: str
    source: str
    repaired: bool
    hours: float
    stopped: int
    measures: tuple[float | None, ...]

    def named(self) -> Named:
        return Named(self.oid, self.landed_at, self.subject, self.source)


class Tally(Struct):
    """How many were looked at, and of those how many were held or had to be repaired."""

    total: int = 0
    repaired: int = 0
    held: int = 0
    caught: int = 0
    hours: float = 0.0

    def add(self, *, repaired: bool, held: bool, hours: float = 0.0) -> None:
        self.total += 1
        self.repaired += repaired
        if held:
            self.held += 1
            self.caught += repaired
            self.hours += hours

    def figures(self) -> Figures:
        return Figures(
            held=share(self.held, self.total),
            caught=share(self.caught, self.repaired),
            delayed=share(self.held - self.caught, self.total - self.repaired),
            precision=share(self.caught, self.held),
            lift=lift(self.caught, self.held, self.repaired, self.total),
            hours=round(self.hours, 3),
        )


def figures_of(rows: Iterable[tuple[Row, float | None]]) -> Figures:
    """The figures of rows, each with the hours that holding it costs; None where it is not held."""
    tally = Tally()
    for row, hours in rows:
        tally.add(repaired=row.repaired, held=hours is not None, hours=hours or 0.0)
    return tally.figures()
