"""What is counted of merged changes, on both databases."""

from __future__ import annotations

from msgspec import structs

from tests.store.world import at, read, small_world
from tidegate.store import changes, landed, outcomes
from tidegate.store.engine import Database
from tidegate.store.landed import Landed
from tidegate.store.outcomes import NewOutcome


def _row(change: int, repository: int, moment: float = 100.0) -> Landed:
    nothing = dict.fromkeys(("revision", "commits", "author", "team", "merged_by", "tool", "model"), "")
    none = dict.fromkeys(("began", "complexity", "cloned", "todos", "reviewers", "reviewed", "seconds"))
    numbers = dict.fromkeys(("size", "effort", "ai", "human", "mixed", "unknown", "tests"), 7)
    return Landed(change=change, repository=repository, version=1, at=moment, **nothing, **none, **numbers)  # type: ignore[arg-type]


def test_a_merged_change_is_counted_once_and_anew_for_a_later_version(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        kept = [changes.keep(connection, read(world.repository, n, state="merged")).change.id for n in (7, 8, 9)]
        assert [one.id for one in landed.missing(connection, 1)] == kept
        assert landed.count_missing(connection) == 3
        before = landed.newest(connection)
        for number, change in enumerate(kept):
            landed.put(connection, _row(change, world.repository, 100.0 + number), at(2))
        assert landed.newest(connection) != before
        assert landed.missing(connection, 1) == ()
        assert [one.id for one in landed.missing(connection, 2, after=kept[0], most=1)] == [kept[1]]
        again = structs.replace(_row(kept[0], world.repository), version=2, reviewers="a b", seconds=1.5)
        landed.put(connection, again, at(3))

        assert landed.between(connection, 100, 102) == (_row(kept[1], world.repository, 101.0), again)
        assert landed.between(connection, 0, 900, repository=world.repository + 1) == ()
        assert len(landed.between(connection, 0, 900, most=2)) == 2
        assert landed.slugs(connection) == {world.repository: "acme/shop"}


def test_what_became_of_it_is_read_where_it_stands(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        one = NewOutcome(
            repository=world.repository,
            environment="production",
            revision="a" * 40,
            by="",
            result="clean",
            weight=1.0,
            deployed=50.0,
            known=60.0,
        )
        for given in (one, structs.replace(one, environment="staging"), structs.replace(one, by="x", weight=0.0)):
            outcomes.put(connection, given, at(1))

        (said,) = landed.said(connection, "production", 40.0)
        assert (said.revision, said.result, said.weight) == ("a" * 40, "clean", 1.0)
        assert landed.said(connection, "production", 51.0) == ()
        assert landed.deployed(connection, "production", 0, 99) == ()
        assert landed.failed(connection, "production", 0) == ()
