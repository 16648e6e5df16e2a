"""Messages of production in every order, kept on both databases: the same is known at the end."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import structs
from sqlalchemy import Connection

from tests.telemetry.test_otlp import PROTOBUF, resource, traces, wire
from tidegate.server.production.intake import keep, read
from tidegate.server.production.measured import keep_spans
from tidegate.store import alerts, deployments, measurements
from tidegate.store.engine import Database
from tidegate.store.tables import metadata
from tidegate.telemetry.otlp import read_spans

COMMIT = "279484c09fbe69ededfced8c1bb6e6d24616b468"
NOW = "2026-11-21T12:00:00.000000Z"
STARTED = {"type": "deployment", "deployment": "42", "status": "started", "at": 100, "revision": COMMIT}
SLOW = {"status": "firing", "labels": {"alertname": "Slow"}, "startsAt": "2026-01-02T03:04:05Z", "fingerprint": "f1"}
OVER = {**SLOW, "status": "resolved", "endsAt": "2026-01-02T03:14:05Z"}
MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("plain", STARTED),
    ("plain", {**STARTED, "status": "succeeded", "at": 160, "revision": "", "url": "https://ci.test/1"}),
    ("alertmanager", {"version": "4", "alerts": [SLOW]}),
    ("alertmanager", {"version": "4", "alerts": [OVER]}),
    ("plain", {"type": "error", "kind": "E", "key": "k", "at": 7, "frames": [{"file": "a", "line": 1}]}),
]


def tell(connection: Connection, message: tuple[str, dict[str, Any]]) -> None:
    sender, document = message
    body = json.dumps(document).encode()
    keep(connection, sender, body, read(sender, body, {}, NOW), NOW)


def known(connection: Connection) -> str:
    return repr(
        [
            *(structs.replace(each, id=0) for each in deployments.page(connection)),
            *(structs.replace(each, id=0) for each in alerts.alerts_between(connection, 0, 2e9)),
            *(structs.replace(each, id=0) for each in alerts.errors_between(connection, 0, 2e9)),
        ]
    )


def test_in_whatever_order_and_however_often_the_same_is_known(database: Database) -> None:
    found: set[str] = set()
    for order in itertools.islice(itertools.permutations(MESSAGES), 0, None, 17):
        with database.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
            for message in (*order, *order[::2], order[0]):
                tell(connection, message)
            found.add(known(connection))
    (said,) = found
    assert [said.count(kind) for kind in ("Deployment(", "Alert(", "Error(")] == [1, 1, 1]
    assert "status='succeeded'" in said


def test_of_many_that_tell_at_once_all_are_heard(database: Database) -> None:
    errors = [("plain", {"type": "error", "kind": "E", "key": "k", "at": 10 + number}) for number in range(20)]

    def work(message: tuple[str, dict[str, Any]]) -> None:
        database.change(lambda connection: tell(connection, message))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [*errors, *MESSAGES, *errors, *MESSAGES]))
    with database.read() as connection:
        (error,) = alerts.errors_between(connection, 0, 1000)
        assert (error.count, error.first, error.last) == (21, 7, 29)
        (deployment,) = deployments.page(connection)
        assert (deployment.status, deployment.revision) == ("succeeded", COMMIT)


def test_the_longest_names_have_their_place_in_every_index(database: Database) -> None:
    long = "😀" * 5_000
    labels = {"alertname": long, "service": long, "env": long}
    told: list[tuple[str, dict[str, Any]]] = [
        ("plain", {**STARTED, **dict.fromkeys(("deployment", "environment", "service", "actor", "chain", "id"), long)}),
        ("plain", {"type": "error", "kind": long, "key": long, "environment": long, "service": long, "at": 7}),
        ("plain", {"type": long}),
        ("alertmanager", {"version": "4", "alerts": [{**SLOW, "fingerprint": long, "labels": labels}]}),
    ]
    who = resource(long, **{"deployment.environment.name": long})
    body = traces((who, [wire(1), wire(2, 1, kind=3, about={"peer.service": f"bank{long}"})])).SerializeToString()
    with database.write() as connection:
        for message in told:
            tell(connection, message)
        assert keep_spans(connection, read_spans(body, PROTOBUF).spans, NOW) == 2
        assert len(deployments.page(connection)) == len(alerts.firing(connection)) == 1
        assert [edge.kind for edge in measurements.edges(connection)] == ["peer"]
