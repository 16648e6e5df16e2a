"""How long a person had which hunk before their eyes. A page reports it, so it is bounded by what the clock allows.

Whatever a browser sends, in how many windows: a person is credited at most the time that passed since their report
before, over all changes together. Opening a page starts the clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import Connection, func, select, update

from tidegate.store.clock import seconds_between
from tidegate.store.rows import changed, every, select_as, upsert
from tidegate.store.tables import looks, people

PAGE = ""
"""The hunk that stands for the page itself."""
LONGEST_REPORT = 300.0
"""Seconds: a page reports far more often; what a closed laptop says after hours is not reading."""


class View(Struct, frozen=True):
    """Who looks at what."""

    change: int
    person: int
    head: str


class Look(Struct, frozen=True):
    change: int
    person: int
    head: str
    hunk: str
    seconds: float
    first_at: str
    last_at: str
    understood_at: str | None


def open_page(connection: Connection, view: View, at: str) -> None:
    """Starts the clock; time is credited from now on."""
    _lock(connection, view.person)
    _add(connection, view, PAGE, 0.0, at)


def add_seconds(connection: Connection, view: View, seconds: Mapping[str, float], at: str) -> dict[str, float]:
    """Credits time by hunk, scaled down together where it is more than passed; answers what was credited.

    Nothing is credited before a page was opened, for a clock that went back, or for what is no number of seconds.
    """
    _lock(connection, view.person)
    last = connection.execute(select(func.max(looks.c.last_at)).where(looks.c.person == view.person)).scalar()
    allowed = 0.0 if last is None else min(max(seconds_between(last, at), 0.0), LONGEST_REPORT)
    asked = {hunk: value for hunk, value in seconds.items() if hunk != PAGE and math.isfinite(value) and value > 0}
    total = math.fsum(asked.values())
    scale = 1.0 if total <= allowed else allowed / total
    credited = {hunk: value * scale for hunk, value in asked.items() if scale > 0}
    for hunk, value in credited.items():
        _add(connection, view, hunk, value, at)
    if last is None or last < at:  # a clock that went back must not give the time that passed a second time
        _add(connection, view, PAGE, 0.0, at)
    return credited


def understand(connection: Connection, view: View, hunk: str, at: str) -> bool:
    """Keeps "I have read and understand this". False where the person never had the hunk before them, or said it."""
    mine = update(looks).where(
        looks.c.change == view.change,
        looks.c.person == view.person,
        looks.c.head == view.head,
        looks.c.hunk == hunk,
        looks.c.seconds > 0,
        looks.c.understood_at.is_(None),
    )
    return changed(connection, mine.values(understood_at=at)) == 1


def of_change(connection: Connection, change: int, *, head: str | None = None) -> tuple[Look, ...]:
    """By person, head and hunk; the pages themselves too, with the hunk ""."""
    query = select_as(Look, looks).where(looks.c.change == change)
    if head is not None:
        query = query.where(looks.c.head == head)
    return every(connection, Look, query.order_by("person", "head", "hunk"))


# Private


def _lock(connection: Connection, person: int) -> None:
    """Two windows of one person report one after the other."""
    connection.execute(select(people.c.id).where(people.c.id == person).with_for_update()).first()


def _add(connection: Connection, view: View, hunk: str, seconds: float, at: str) -> None:
    statement = upsert(connection, looks).values(
        change=view.change,
        person=view.person,
        head=view.head,
        hunk=hunk,
        seconds=seconds,
        first_at=at,
        last_at=at,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["change", "person", "head", "hunk"],
            set_={"seconds": looks.c.seconds + statement.excluded.seconds, "last_at": statement.excluded.last_at},
            where=looks.c.last_at <= statement.excluded.last_at,
        )
    )
