"""What changed since a moment: of which kind and with which id, so that whoever looks at it can look again."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Column, Connection, Table, select

from tidegate.store.clock import Clock, now
from tidegate.store.tables import (
    assessments,
    canaries,
    changes,
    deployments,
    drill_beats,
    drills,
    gates,
    incidents,
    regressions,
)

Kind: TypeAlias = Literal["deployment", "incident", "change", "drill"]
MOST = 100


class News(Struct, frozen=True):
    """`at` is when it was written, as the tables have it."""

    kind: Kind
    id: int
    at: str


def since(connection: Connection, at: str, most: int = MOST, clock: Clock = now) -> tuple[News, ...]:
    """What was written at or after that moment, the last of each kind: a gate's answer is news of a deployment (0: of
    none that is known yet), and what is due by now in an exercise is news of it."""
    found: set[News] = set()
    for kind, _, column, name in _WRITTEN:
        query = select(name, column).where(column >= at).order_by(column.desc()).limit(most)
        found |= {News(kind, int(identifier), when) for identifier, when in connection.execute(query)}
    for kind, table, column, name in _LISTED:
        newest = select(name, column).order_by(table.c.id.desc()).limit(most)
        found |= {News(kind, int(identifier), when) for identifier, when in connection.execute(newest) if when >= at}
    for table in (gates, canaries):
        newest = select(_WHEN[table.name]).order_by(table.c.id.desc()).limit(1)
        last = connection.execute(newest).scalar()
        found |= {News("deployment", 0, last)} if last is not None and last >= at else set()
    due = select(drill_beats.c.drill, drill_beats.c.due_at).where(
        drill_beats.c.due_at >= at, drill_beats.c.due_at <= clock()
    )
    last_due = due.order_by(drill_beats.c.due_at.desc()).limit(most)
    found |= {News("drill", int(identifier), when) for identifier, when in connection.execute(last_due)}
    return tuple(sorted(found, key=lambda one: (one.at, one.kind, one.id)))


# Private

_Listed: TypeAlias = tuple[Kind, Table, "Column[Any]", "Column[Any]"]
_WRITTEN: tuple[_Listed, ...] = (
    ("deployment", deployments, deployments.c.changed_at, deployments.c.id),
    ("incident", incidents, incidents.c.changed_at, incidents.c.id),
    ("change", changes, changes.c.read_at, changes.c.id),
    ("drill", drills, drills.c.changed_at, drills.c.id),
)
"""Rows that are written again: found by an index of when."""
_LISTED: tuple[_Listed, ...] = (
    ("deployment", regressions, regressions.c.noticed_at, regressions.c.deployment),
    ("change", assessments, assessments.c.made_at, assessments.c.change),
)
"""Rows that are written once: the last ones are the newest."""
_WHEN = {"gates": gates.c.again_at, "canaries": canaries.c.judged_at}
