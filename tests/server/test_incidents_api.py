"""Incidents by the API: listed, shown with their trace, their cause confirmed, ended by hand; each word on record."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.server.conftest import Made, bearer
from tests.server.test_on_record import _said
from tidegate.ledger.predicates.cause import Cause
from tidegate.ledger.predicates.incident import Incident as IncidentStatement
from tidegate.server.production.incident_entries import put_ended, put_incident
from tidegate.server.production.intake import take
from tidegate.store import deployments, incidents
from tidegate.store.clock import now
from tidegate.store.incidents import Finding, NewIncident

COMMIT = "a" * 40


@pytest.fixture
def incident(made: Made) -> int:
    new = NewIncident(
        key="alertmanager/1", title="errors", severity="high", started=time.time() - 600, environment="production"
    )
    with made.service.database.write() as connection:
        number = incidents.open_incident(connection, new, now()).incident.id
        incidents.record(connection, number, Finding(document=b'{"made_at":"now"}', revision=COMMIT), now())
    return number


def ask(client: TestClient, made: Made, method: str, path: str, by: str = "reviewer", **body: Any) -> Any:
    given = {"json": body} if body else {}
    return client.request(method, f"/api/v1/incidents{path}", headers=bearer(made.tokens[by]), **given)  # type: ignore[arg-type]


def test_they_are_listed_and_shown_with_their_trace(client: TestClient, made: Made, incident: int) -> None:
    page = ask(client, made, "GET", "?state=open&environment=production", "viewer").json()
    assert [(row["id"], row["revision"]) for row in page["items"]] == [(incident, COMMIT)]
    assert ask(client, made, "GET", "?state=resolved").json()["items"] == []
    shown = ask(client, made, "GET", f"/{incident}", "agent").json()
    assert shown["trace"] == {"made_at": "now"}
    assert shown["causes"] == []
    assert ask(client, made, "GET", "/99").status_code == 404
    assert ask(client, made, "GET", "?state=half").status_code == 422


def test_a_cause_is_confirmed_once_and_recorded(client: TestClient, made: Made, incident: int) -> None:
    for _ in range(2):
        said = ask(client, made, "POST", f"/{incident}/cause", cause=COMMIT)
        assert (said.status_code, said.json()["cause"]) == (200, COMMIT)
    assert ask(client, made, "POST", f"/{incident}/cause", cause="a bad day").status_code == 422
    assert ask(client, made, "POST", "/99/cause", cause=COMMIT).status_code == 404
    for role in ("viewer", "agent"):
        assert ask(client, made, "POST", f"/{incident}/cause", role, cause=COMMIT).status_code == 403
    shown = ask(client, made, "GET", f"/{incident}").json()
    assert [(one["cause"], one["through"]) for one in shown["causes"]] == [(COMMIT, "token")]
    assert [one.commit for one in _said(made.service, Cause)] == [COMMIT]


def test_it_is_ended_once_and_the_first_word_stands(client: TestClient, made: Made, incident: int) -> None:
    put_incident(made.service, incident)
    fix = _deployed(made, "production")
    said = ask(client, made, "POST", f"/{incident}/resolution", resolution="hot_fix", deployment=fix).json()
    assert (said["state"], said["resolution"], said["resolved_by"]) == ("resolved", "hot_fix", fix)
    again = ask(client, made, "POST", f"/{incident}/resolution", resolution="none").json()
    assert (again["resolution"], again["ended"], again["entry"]) == ("hot_fix", said["ended"], said["entry"])
    entered = _said(made.service, IncidentStatement)
    assert [(one.state, one.causes) for one in entered] == [("opened", ()), ("resolved", (COMMIT,))]
    assert put_ended(made.service) == 1
    assert len(_said(made.service, IncidentStatement)) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"resolution": "hot_fix"}, 422),
        ({"resolution": "roll_back", "deployment": 99}, 422),
        ({"resolution": "none", "deployment": 1}, 422),
        ({"resolution": "roll_back", "deployment": 1}, 422),  # of another environment
        ({"resolution": ""}, 422),
        ({"resolution": "magic"}, 422),
        ({"resolution": "none", "more": 1}, 422),
    ],
    ids=repr,
)
def test_a_wrong_end_ends_nothing(
    client: TestClient, made: Made, incident: int, body: dict[str, Any], status: int
) -> None:
    _deployed(made, "staging")
    assert ask(client, made, "POST", f"/{incident}/resolution", **body).status_code == status
    assert ask(client, made, "POST", f"/{incident}/resolution", "agent", resolution="none").status_code == 403
    assert ask(client, made, "GET", f"/{incident}").json()["incident"]["state"] == "open"


# Private


def _deployed(made: Made, environment: str) -> int:
    event = {"type": "deployment", "id": "1", "deployment": "d", "status": "succeeded", "revision": COMMIT}
    told = [{**event, "at": time.time() - 60, "environment": environment}]
    take(made.service, "plain", json.dumps(told).encode(), {})
    with made.service.database.read() as connection:
        return deployments.page(connection)[0].id
