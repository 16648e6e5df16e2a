"""What pages of production ask of the tables, on both databases."""

from __future__ import annotations

from tests.store.test_production import put
from tests.store.world import assessed, at, read, small_world
from tidegate.store import assessments, changes, deployments, incidents, news, regressions
from tidegate.store.engine import Database
from tidegate.store.incidents import Finding, NewIncident
from tidegate.store.news import News
from tidegate.store.regressions import NewRegression


def opened(key: str, **changed: str) -> NewIncident:
    return NewIncident(key=key, title="Errors", severity="high", started=120.0, **changed)


def test_deployments_are_found_by_place_repository_and_neighbour(database: Database) -> None:
    with database.write() as connection:
        for number, status in enumerate(("succeeded", "failed", "succeeded", "started")):
            put(connection, f"github/{number}", started=100.0 + number, status=status)
        put(connection, "github/8", environment="staging", service="search", repository="acme/other")
        put(connection, "github/9", environment="production", service="books", started=50.0)
        places = deployments.places(connection)
        assert [(one.environment, one.services) for one in places] == [
            ("production", ("books", "pay")),
            ("staging", ("search",)),
        ]
        assert deployments.repositories_named(connection) == ("acme/other", "acme/shop")
        mine = deployments.of_repository(connection, ["acme/shop"], most=3)
        assert [one.started for one in mine] == [103.0, 102.0, 101.0]
        assert deployments.of_repository(connection, []) == ()
        assert [one.status for one in deployments.page(connection, status="failed")] == ["failed"]
        third = deployments.by_key(connection, "github/2")
        assert third is not None
        near = deployments.around(connection, third, before=1, after=5)
        assert sorted(one.started for one in near) == [101.0, 102.0, 103.0]


def test_incidents_are_found_by_where_they_are_what_caused_and_what_ended_them(database: Database) -> None:
    with database.write() as connection:
        put(connection, "github/1")
        put(connection, "github/2", started=200.0)
        first, second = (deployments.by_key(connection, f"github/{number}") for number in (1, 2))
        assert first is not None
        assert second is not None
        ids = [
            incidents.open_incident(connection, opened(key, environment=key, service="pay"), at(2)).incident.id
            for key in ("production", "staging", "dev")
        ]
        finding = Finding(document=b"{}", deployment=first.id, revision="a" * 40, probability=0.8)
        incidents.record(connection, ids[0], finding, at(3))
        incidents.resolve(connection, ids[1], 300.0, "roll_back", at(3), by=second.id)
        world = small_world(connection)
        incidents.confirm(connection, ids[2], "b" * 40, world.ada, at(4))
        assert incidents.count_open(connection) == 2
        assert [one.id for one in incidents.page(connection, environment="staging", service="pay")] == [ids[1]]
        assert incidents.page(connection, service="search") == ()
        assert [one.id for one in incidents.of_deployments(connection, [first.id, second.id])] == [ids[1], ids[0]]
        assert incidents.of_deployments(connection, []) == ()
        assert [one.id for one in incidents.of_causes(connection, ["a" * 40, "b" * 40])] == [ids[2], ids[0]]


def test_changes_are_found_by_heads_and_numbers(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        other = changes.keep(connection, read(world.repository, 2)).change
        found = changes.with_heads(connection, world.repository, [other.head, "f" * 40])
        assert [one.number for one in found] == [2]
        assert changes.with_heads(connection, world.repository + 1, [other.head]) == ()
        assert [one.number for one in changes.with_numbers(connection, world.repository, [1, 2, 3])] == [1, 2]
        assert changes.with_numbers(connection, world.repository, []) == ()


def test_news_is_what_was_written_since_and_nothing_else(database: Database) -> None:
    with database.write() as connection:
        assert news.since(connection, at(0)) == ()
        world = small_world(connection)  # the change was read at minute 1
        put(connection, "github/1")  # written at minute 1
        deployment = deployments.by_key(connection, "github/1")
        assert deployment is not None
        incident = incidents.open_incident(connection, opened("a"), at(2)).incident.id
        noticed = NewRegression(
            deployment=deployment.id, service="pay", metric="errors", moved=1.0, raised=2.0, sure=0.9, document=b"{}"
        )
        regressions.notice(connection, noticed, at(3))
        assessments.put(connection, assessed(world.change, "k"), at(4))
        assert news.since(connection, at(1)) == (
            News("change", world.change, at(1)),
            News("deployment", deployment.id, at(1)),
            News("incident", incident, at(2)),
            News("deployment", deployment.id, at(3)),
            News("change", world.change, at(4)),
        )
        assert news.since(connection, at(3.5)) == (News("change", world.change, at(4)),)
        assert news.since(connection, at(5)) == ()
        kept = regressions.of_deployments(connection, [deployment.id])[0]
        assert regressions.get(connection, kept.id) == kept
        assert regressions.get(connection, kept.id + 1) is None
