"""A sender that goes wild: what others report is opened, and every open incident has its turn."""

from __future__ import annotations

import json

from tests.server.conftest import Made
from tidegate.server.production.intake import take
from tidegate.server.production.opening import MOST_OF_ONE_SENDER, open_incidents, to_attend
from tidegate.server.service import Service
from tidegate.store import incidents
from tidegate.store.clock import moment_of, now
from tidegate.store.incidents import NewIncident


def fire(service: Service, number: int, at: float) -> None:
    alerts = [
        {
            "type": "alert",
            "key": f"k{at}-{i}",
            "name": "x",
            "service": f"s{i}",
            "environment": "production",
            "started": at,
        }
        for i in range(number)
    ]
    take(service, "plain", json.dumps(alerts).encode(), {})


def test_a_flood_of_one_sender_does_not_hide_the_alert_of_another(made: Made) -> None:
    service = made.service
    at = moment_of(now()).timestamp()
    fire(service, 1_500, at - 30)
    labels = {"alertname": "Slow", "service": "pay", "environment": "production"}
    one = {"status": "firing", "labels": labels, "startsAt": "2026-01-02T03:04:05Z", "fingerprint": "f1"}
    take(service, "alertmanager", json.dumps({"version": "4", "alerts": [one]}).encode(), {})
    opened = open_incidents(service, at)
    with service.database.read() as connection:
        still_open = incidents.page(connection, state="open", most=2_000)
    assert len(opened) == len(still_open) == MOST_OF_ONE_SENDER + 1
    assert [each.service for each in still_open if each.key.startswith("alertmanager/")] == ["pay"]
    assert not open_incidents(service, at)  # the next of the flood join what is open
    with service.database.read() as connection:
        assert incidents.count_open(connection) == MOST_OF_ONE_SENDER + 1


def test_every_open_incident_has_its_turn(made: Made) -> None:
    with made.service.database.write() as connection:
        for number in range(30):
            new = NewIncident(key=f"k{number}", title="x", severity="low", started=1.0, environment="p", service="s")
            incidents.open_incident(connection, new, now())
        seen: set[int] = set()
        after = 0
        for _ in range(5):
            turn = to_attend(connection, after, 10)
            assert len(turn) == len({one.id for one in turn}) <= 10
            seen |= {one.id for one in turn}
            after = turn[-1].id
        assert len(seen) == 30
