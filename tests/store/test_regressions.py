"""What got worse after a deployment, kept on both databases."""

from __future__ import annotations

from msgspec import structs

from tests.store.test_production import put
from tests.store.world import at
from tidegate.store import deployments, incidents, regressions
from tidegate.store.engine import Database
from tidegate.store.incidents import NewIncident
from tidegate.store.regressions import NewRegression


def test_a_regression_is_noticed_once_and_counts_to_one_incident(database: Database) -> None:
    with database.write() as connection:
        put(connection, "github/1")
        deployment = deployments.by_key(connection, "github/1")
        assert deployment is not None
        new = NewRegression(
            deployment=deployment.id,
            service="pay",
            metric="errors",
            moved=110.5,
            raised=112.25,
            sure=0.97,
            document=b"{}",
        )
        assert regressions.notice(connection, new, at(1))
        assert not regressions.notice(connection, structs.replace(new, sure=0.99), at(2))
        assert regressions.notice(connection, structs.replace(new, metric="latency"), at(3))
        found = regressions.of_deployments(connection, [deployment.id])
        assert [(one.metric, one.sure, one.noticed_at) for one in found] == [
            ("errors", 0.97, at(1)),
            ("latency", 0.97, at(3)),
        ]
        assert regressions.of_deployments(connection, []) == ()

        opened = [
            incidents.open_incident(
                connection, NewIncident(key=key, title="Errors", severity="high", started=120.0), at(4)
            ).incident.id
            for key in "ab"
        ]
        assert regressions.put_into(connection, opened[0], [found[0].id]) == 1
        assert regressions.put_into(connection, opened[1], [one.id for one in found]) == 1
        assert [one.metric for one in regressions.of_incident(connection, opened[0])] == ["errors"]
