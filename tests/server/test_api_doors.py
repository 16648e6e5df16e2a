"""What every answer has, whatever was asked; and the doors that are no API: health, readiness, metrics, webhooks."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.server.conftest import Made, bearer
from tidegate.server.app import HEADERS


def test_every_answer_has_the_headers_and_an_id(client: TestClient, made: Made) -> None:
    for path in ("/health", "/api/v1/me", "/api/v1/nothing", "/nothing", "/hooks/github"):
        answer = client.get(path, headers=bearer(made.tokens["viewer"]))
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert len(answer.headers["x-request-id"]) == 16
        assert answer.headers["cache-control"] == "no-store"


def test_me(client: TestClient, made: Made) -> None:
    answer = client.get("/api/v1/me", headers=bearer(made.tokens["viewer"]))
    assert answer.json()["name"] == "viewer"


def test_ready(client: TestClient) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "witnesses": "none"})
