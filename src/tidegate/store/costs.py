"""What AI cost: of each source one amount for a day, a tool, a model and a person; what was said last holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs
from sqlalchemy import Connection, delete, func, select, tuple_

from tidegate.store.rows import every, select_as, upsert
from tidegate.store.tables import costs

KEY = ("source", "day", "tool", "model", "person", "currency")
BLOCK = 500
"""Rows in one statement."""
MOST = 200_000


class Spent(Struct, frozen=True, gc=False):
    """`day` as 2026-11-21; `person` is a pseudonym, "" where nobody is named; `amount` is of the currency."""

    source: str
    day: str
    tool: str
    model: str
    person: str
    currency: str
    amount: float


class Kept(Struct, frozen=True):
    """How many rows were new, how many another amount was known of, and how many were known as they are."""

    added: int
    replaced: int
    same: int


class Source(Struct, frozen=True):
    """What one source said in one currency, from the first to the last of its days."""

    source: str
    currency: str
    rows: int
    first: str
    last: str
    amount: float
    changed_at: str


def keep(connection: Connection, rows: Sequence[Spent], at: str) -> Kept:
    """Writes them, each over what was said of the same before. The same again changes nothing."""
    added = replaced = same = 0
    fresh = {_key(row): row for row in rows}
    ordered = list(fresh.values())
    for start in range(0, len(ordered), BLOCK):
        block = ordered[start : start + BLOCK]
        known = _known(connection, block)
        changed = [row for row in block if known.get(_key(row)) != row.amount]
        added += sum(_key(row) not in known for row in block)
        replaced += sum(_key(row) in known for row in changed)
        same += len(block) - len(changed)
        if changed:
            statement = upsert(connection, costs).values([{**structs.asdict(row), "changed_at": at} for row in changed])
            newer = {name: statement.excluded[name] for name in ("amount", "changed_at")}
            connection.execute(statement.on_conflict_do_update(index_elements=KEY, set_=newer))
    return Kept(added, replaced, same)


def between(connection: Connection, first: str, last: str, *, most: int = MOST) -> tuple[Spent, ...]:
    """Of the days from the first to the last, both included, by day and tool; people and models are added up."""
    amount = func.sum(costs.c.amount)
    named = (costs.c.day, costs.c.tool, costs.c.currency)
    query = select(*named, amount).where(costs.c.day >= first, costs.c.day <= last).group_by(*named).order_by(*named)
    rows = connection.execute(query.limit(most))
    return tuple(Spent("", day, tool, "", "", currency, spent) for day, tool, currency, spent in rows)


def sources(connection: Connection, *, most: int = 200) -> tuple[Source, ...]:
    """By name."""
    named = (costs.c.source, costs.c.currency)
    sums = (func.count(), func.min(costs.c.day), func.max(costs.c.day), func.sum(costs.c.amount))
    query = select(*named, *sums, func.max(costs.c.changed_at)).group_by(*named).order_by(*named).limit(most)
    return tuple(Source(*row) for row in connection.execute(query))


def of_person(connection: Connection, person: str) -> tuple[Spent, ...]:
    """All that stands under this pseudonym."""
    return every(connection, Spent, select_as(Spent, costs).where(costs.c.person == person).order_by("id"))


def forget_source(connection: Connection, source: str) -> int:
    """Takes back all that a source said; how many rows."""
    return connection.execute(delete(costs).where(costs.c.source == source)).rowcount


# Private


def _key(row: Spent) -> tuple[str, ...]:
    return (row.source, row.day, row.tool, row.model, row.person, row.currency)


def _known(connection: Connection, rows: Iterable[Spent]) -> dict[tuple[str, ...], float]:
    columns = [costs.c[name] for name in KEY]
    query = select(*columns, costs.c.amount).where(tuple_(*columns).in_([_key(row) for row in rows]))
    return {tuple(row[:-1]): row[-1] for row in connection.execute(query)}
