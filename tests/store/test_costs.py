"""What AI cost, on both databases."""

from __future__ import annotations

from msgspec import structs

from tests.store.world import at
from tidegate.store import costs, landed
from tidegate.store.costs import Kept, Source, Spent
from tidegate.store.engine import Database


def _spent(day: str, tool: str = "claude-code", amount: float = 1.5, **more: str) -> Spent:
    row = Spent(source="console", day=day, tool=tool, model="m", person="person:a", currency="USD", amount=amount)
    return structs.replace(row, **more)


def test_the_same_bill_twice_is_one_and_a_later_amount_holds(database: Database) -> None:
    with database.write() as connection:
        bill = [_spent("2026-01-01"), _spent("2026-01-02"), _spent("2026-01-02", person="person:b")]
        before = landed.newest(connection)
        assert costs.keep(connection, bill, at(1)) == Kept(3, 0, 0)
        assert landed.newest(connection) != before
        assert costs.keep(connection, bill, at(2)) == Kept(0, 0, 3)
        more = [_spent("2026-01-02", amount=4.0), _spent("2026-01-03"), bill[0]]
        assert costs.keep(connection, more, at(3)) == Kept(1, 1, 1)
        assert costs.keep(connection, [_spent("2026-01-02", source="other", currency="EUR")], at(4)) == Kept(1, 0, 0)

        rows = costs.between(connection, "2026-01-02", "2026-01-02")
        assert [(row.currency, row.amount) for row in rows] == [("EUR", 1.5), ("USD", 5.5)]
        assert costs.sources(connection) == (
            Source("console", "USD", 4, "2026-01-01", "2026-01-03", 8.5, at(3)),
            Source("other", "EUR", 1, "2026-01-02", "2026-01-02", 1.5, at(4)),
        )
        assert [row.day for row in costs.of_person(connection, "person:b")] == ["2026-01-02"]
        assert costs.forget_source(connection, "console") == 4
        assert [one.source for one in costs.sources(connection)] == ["other"]


def test_many_rows_are_written_in_blocks(database: Database) -> None:
    bill = [
        _spent(f"2026-{month:02d}-{day:02d}", model=str(n)) for month in (1, 2) for day in (1, 2) for n in range(600)
    ]
    with database.write() as connection:
        assert costs.keep(connection, bill, at(1)) == Kept(2400, 0, 0)
        assert costs.keep(connection, bill, at(2)) == Kept(0, 0, 2400)
        assert len(costs.between(connection, "2026-01-01", "2026-12-31")) == 4
