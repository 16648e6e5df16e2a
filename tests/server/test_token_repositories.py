"""A token that was made for some repositories speaks for these alone, and only where something is told of one."""

from __future__ import annotations

import time
from typing import Any

from tests.server import test_gates
from tests.server.conftest import bearer, token_for
from tests.server.forges import SLUG
from tests.server.test_gates import House
from tests.server.test_permissions import ask as ask_endpoint
from tests.server.test_permissions import names
from tidegate.server.api.listing import ENDPOINTS
from tidegate.server.auth.permissions import PERMISSIONS
from tidegate.store import deployments, repositories
from tidegate.store.clock import now
from tidegate.store.repositories import NewRepository

app_key, running, fake = test_gates.app_key, test_gates.running, test_gates.fake
received, github = test_gates.received, test_gates.github
source, house = test_gates.source, test_gates.house
OTHER = "octo/other"
TELLS = {"POST /events/{sender}", "POST /gates", "GET /gates/argo", "POST /gates/flagger/rollback"}
SPEAKS = TELLS | {
    "POST /gates/flagger/{hook}",
    "POST /canaries/judge",
    "POST /deployment-approvals",
    "POST /deployment-exceptions",
}


def test_whatever_does_not_ask_for_a_repository_refuses_it(house: House) -> None:
    mine = bearer(_token(house, house.repository.id))
    refused = {names(one) for one in ENDPOINTS if one.needs and ask_endpoint(house.client, one, mine) == 403}
    assert refused == {names(one) for one in ENDPOINTS if one.needs} - SPEAKS


def test_it_tells_of_deployments_of_its_repositories_alone(house: House) -> None:
    other = _other(house)
    mine, theirs = _token(house, house.repository.id), _token(house, other)
    assert _tell(house, mine, "a", repository=SLUG) == 202
    assert _tell(house, theirs, "b", repository=OTHER) == 202
    assert _tell(house, mine, "c", repository=OTHER) == 403
    assert _tell(house, mine, "c") == 403, "it names none"
    assert _tell(house, mine, "b", repository=SLUG, id="b2") == 403, "others told of it"
    assert _tell(house, mine, "c", repository="octo/unheard-of") == 403
    assert _tell(house, mine, "a", id="a2", status="failed") == 202, "it goes on with its own"
    assert _tell(house, _token(house, house.repository.id, other), "c", repository=OTHER) == 202
    alert = {"type": "alert", "id": "1", "name": "down", "status": "firing", "at": time.time()}
    answer = house.client.post("/api/v1/events/plain", json=alert, headers=bearer(mine))
    assert answer.status_code in (403, 422), answer.text
    with house.service.database.read() as connection:
        told = {one.key: one.repository for one in deployments.page(connection)}
    assert told == {"plain/a": SLUG, "plain/b": OTHER, "plain/c": OTHER}


def test_it_is_answered_for_its_repositories_alone(house: House) -> None:
    house.assessed()
    house.deployed("staging", house.old)
    house.tokens["mine"] = _token(house, house.repository.id)
    house.tokens["theirs"] = _token(house, _other(house))
    asked = {"environment": "staging", "revision": house.new, "repository": SLUG, "actor": "pipeline"}
    assert house.post("/gates", "mine", **asked).status_code == 200
    held = house.post("/gates", "theirs", **asked)
    assert held.status_code == 409
    assert held.json()["question"]["previous"] == "", "nothing of it is said"
    words = {"repository": house.repository.id, "environment": "production", "revision": house.new}
    assert house.post("/deployment-approvals", "theirs", **words).status_code == 403
    judging = {"repository": house.repository.id, "name": "shop", "environment": "production"}
    assert house.post("/canaries/judge", "theirs", **judging).status_code == 403
    hook: dict[str, Any] = {"name": "shop", "namespace": "staging", "metadata": {"revision": house.new}}
    assert house.post("/gates/flagger/rollback", "theirs", **hook).status_code == 409


def test_what_another_repository_tells_is_not_believed_of_this_one(house: House) -> None:
    """Also of a sender that signs: a service of the same name may be somebody else's."""
    _other(house)
    house.assessed()
    house.deployed("staging", house.old)
    event = {"type": "deployment", "id": "x", "deployment": "x", "environment": "staging", "status": "succeeded"}
    house.tell({**event, "at": time.time() - 60, "revision": house.new, "repository": OTHER})
    asked = house.ask("staging")
    assert asked.json()["question"]["previous"] == house.old


# Private


def _other(house: House) -> int:
    with house.service.database.write() as connection:
        new = NewRepository("github", OTHER, f"https://example.test/{OTHER}.git", "main")
        return repositories.add(connection, new, now()).id


def _token(house: House, *of: int) -> str:
    with house.service.database.write() as connection:
        scopes = (*PERMISSIONS, *(f"repository:{each}" for each in of))
        return token_for(house.service, 1, scopes, connection=connection)


def _tell(house: House, token: str, name: str, **more: str) -> int:
    event = {"type": "deployment", "id": name, "deployment": name, "environment": "e", "status": "started", **more}
    event["at"] = time.time() - 60  # type: ignore[assignment]
    return int(house.client.post("/api/v1/events/plain", json=event, headers=bearer(token)).status_code)
