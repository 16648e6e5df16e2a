"""What every answer has, whatever was asked; and the doors that are no API: health, readiness, metrics, webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
from msgspec import Struct, structs
from sqlalchemy import text
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tests.server.conftest import Made, bearer
from tidegate.server.api.endpoint import Endpoint
from tidegate.server.app import HEADERS, make_app
from tidegate.server.config import GitHub, Limits, Secrets
from tidegate.server.forge.configured import forges_of
from tidegate.server.service import Service
from tidegate.store import inbox

SECRET = b"a secret that is long enough"
PROBLEM = "application/problem+json"
URL = "http://127.0.0.1:8787"


def test_every_answer_has_the_headers_and_an_id(client: TestClient, made: Made) -> None:
    for path in ("/health", "/api/v1/me", "/api/v1/nothing", "/nothing", "/hooks/github", "/api/openapi.json"):
        answer = client.get(path, headers=bearer(made.tokens["viewer"]))
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert len(answer.headers["x-request-id"]) == 16
        assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in HEADERS["content-security-policy"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/me/", 404),
        ("GET", "/api/", 404),
        ("PATCH", "/api/v1/me", 405),
        ("TRACE", "/api/v1/me", 405),
        ("BREW", "/api/v1/me", 405),
        ("GET", "/hooks/github", 405),
        ("POST", "/hooks/github", 404),
        ("GET", "/api/v1/changes?most=0", 422),
        ("GET", "/api/v1/changes?most=1&most=2", 422),
        ("GET", "/api/v1/changes?unknown=1", 422),
        ("GET", "/api/v1/me?unknown=1", 422),
        ("GET", "/api/v1/changes?after=%00", 422),
        ("GET", "/api/v1/changes?author=%00", 422),
        ("GET", "/api/v1/changes/0x1", 422),
        ("GET", "/api/v1/changes/9223372036854775808", 422),
        ("GET", "/api/v1/changes/%D9%A1", 422),
        ("GET", "/api/v1/changes/1%2F2", 404),
        ("GET", "/api/v1/ledger/tiles/../../etc/passwd", 404),
        ("GET", "/api/v1/ledger/tiles/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/api/v1/ledger/tiles/tile/0/000", 404),
    ],
)
def test_what_is_not_there_is_a_problem(client: TestClient, made: Made, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, headers=bearer(made.tokens["admin"]))
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    said = answer.json()
    assert said["status"] == status
    assert said["request"] == answer.headers["x-request-id"]
    assert status != 405 or "allow" in answer.headers


def test_405_names_every_method_of_the_path(client: TestClient) -> None:
    assert set(client.patch("/api/v1/tokens").headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def put(client: TestClient, made: Made, body: bytes | Iterator[bytes], media_type: str = "application/json") -> int:
    headers = {**bearer(made.tokens["admin"]), "content-type": media_type}
    answer = client.post("/api/v1/people", content=body, headers=headers)
    assert answer.headers["content-type"] == PROBLEM or answer.status_code < 300
    return answer.status_code


def test_bodies(client: TestClient, made: Made) -> None:
    whole = {"name": "eve", "shown": "Eve", "role": "viewer"}
    assert put(client, made, json.dumps(whole).encode(), "text/plain") == 415
    assert put(client, made, json.dumps(whole).encode(), "") == 415
    for text_ in (b"", b"{", b'{"a": NaN}', b"\xff", b"[" * 100_000, b'"' + b"\\ud800" + b'"'):
        assert put(client, made, text_) in (400, 422)
    for changed in (
        {"name": "Eve"},
        {"name": "a" * 64},
        {"role": "root"},
        {"shown": ""},
        {"shown": "a\0"},
        {"more": 1},
    ):
        assert put(client, made, json.dumps({**whole, **changed}).encode()) == 422
    assert put(client, made, json.dumps(whole).encode()) == 201
    assert put(client, made, json.dumps(whole).encode()) == 409


def test_a_wrong_body_is_told_by_its_path(client: TestClient, made: Made) -> None:
    body = {"label": "x", "scopes": ["changes:read", "all"]}
    answer = client.post(
        f"/api/v1/people/{made.people['agent']}/tokens", json=body, headers=bearer(made.tokens["admin"])
    )
    assert answer.json()["detail"] == "Invalid enum value 'all' - at `$.scopes[1]`"


def test_no_more_is_read_than_counts(client: TestClient, made: Made) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 1 << 30:
            sent += 1 << 16
            yield b" " * (1 << 16)

    assert put(client, made, b" " * ((1 << 20) + 1)) == 413
    assert put(client, made, b" " * (1 << 20)) == 400
    assert client.post("/api/v1/people", content=b"x" * (2 << 20)).status_code == 401  # nobody's body is read


class Free(Struct, frozen=True):
    token: str = ""


def test_our_own_failure_is_told_without_its_reason(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(ask: object) -> None:
        raise RuntimeError("the password is hunter2")

    broken = Endpoint(method="GET", path="/broken", needs=None, summary="", handler=fails, query=Free)
    app = make_app(made.service, pages=False, endpoints=(broken,))
    client = TestClient(app, base_url=URL)
    answer = client.get("/api/v1/broken?token=tg_secret", headers=bearer(made.tokens["viewer"]))
    assert answer.status_code == 500
    assert answer.json() == {
        "title": "Internal Server Error",
        "status": 500,
        "request": answer.headers["x-request-id"],
    }
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    failure, request = lines[-2:]
    assert failure["kind"] == "RuntimeError"
    assert failure["request"] == request["id"] == answer.headers["x-request-id"]
    assert failure["places"][-1].endswith("fails")
    assert (request["path"], request["status"]) == ("/api/v1/broken", 500)
    for secret in ("hunter2", "tg_secret", made.tokens["viewer"]):
        assert secret not in json.dumps(lines)


# Health


def test_ready_says_what_is_wrong(client: TestClient, made: Made) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "witnesses": "none", "workers": 0})
    with made.service.database.write() as connection:
        connection.execute(text("DROP TABLE epochs"))
        connection.execute(text("DROP TABLE heads"))
    fresh = TestClient(make_app(made.service, pages=False), base_url=URL)
    answer = fresh.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "no")
    assert fresh.get("/health").status_code == 200


def test_metrics(client: TestClient, made: Made) -> None:
    client.get("/api/v1/changes/1", headers=bearer(made.tokens["viewer"]))
    client.request("BREW", "/coffee-pot")
    near = TestClient(client.app, base_url=URL, client=("127.0.0.1", 1))
    said = near.get("/metrics").text
    assert 'tidegate_requests_total{method="GET",route="/api/v1/changes/{change}",status="200"} 1.0' in said
    assert 'tidegate_requests_total{method="other",route="none",status="404"} 1.0' in said
    for name in ("tidegate_ledger_entries 0.0", 'tidegate_deliveries{state="new"} 0.0', "tidegate_database_up 1.0"):
        assert name in said
    assert near.get("/metrics", headers={"x-forwarded-for": "1.2.3.4"}).status_code == 401
    assert client.get("/metrics").status_code == 401  # another machine
    assert client.get("/metrics", headers=bearer(made.tokens["viewer"])).status_code == 403
    assert client.get("/metrics", headers=bearer(made.tokens["reviewer"])).status_code == 200


# Webhooks


@pytest.fixture
def hooked(service: Service) -> Service:
    config = structs.replace(
        service.config, github=GitHub(hooks=Secrets((SECRET,)), token=Secrets((SECRET,))), limits=Limits(request_kb=64)
    )
    rung: list[int] = []
    return structs.replace(service, config=config, forges=forges_of(config), wake=lambda: rung.append(1))


def deliver(client: TestClient, body: bytes, identifier: str, secret: bytes = SECRET, **changed: str) -> int:
    headers = {
        "content-type": "application/json",
        "x-github-event": "pull_request",
        "x-github-delivery": identifier,
        "x-hub-signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
        **changed,
    }
    return client.post("/hooks/github", content=body, headers=headers).status_code


def test_a_delivery_is_kept_once_and_only_from_who_has_the_secret(hooked: Service) -> None:
    client = TestClient(make_app(hooked, pages=False), base_url=URL)
    body = json.dumps(
        {
            "action": "opened",
            "number": 7,
            "repository": {"full_name": "acme/shop"},
            "pull_request": {"number": 7, "head": {"sha": "a" * 40}},
        }
    ).encode()
    first, second = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
    assert deliver(client, body, first) == 202
    assert deliver(client, body, first) == 202
    assert deliver(client, body, second, b"another secret, long enough") == 401
    assert deliver(client, body, second, **{"x-hub-signature-256": ""}) == 401
    assert deliver(client, b" " * (64 * 1024 + 1), second) == 413
    with hooked.database.read() as connection:
        kept = inbox.page(connection)
    assert [(each.delivery, each.slug, each.state) for each in kept] == [(first, "acme/shop", "new")]


def test_forges_that_are_not_set_up_are_not_there(client: TestClient) -> None:
    for name in ("github", "gitlab", "x" * 1000, "%00"):
        assert client.post(f"/hooks/{name}", content=b"{}").status_code == 404


def test_a_database_that_is_away_is_told_so_that_it_is_sent_again(hooked: Service) -> None:
    with hooked.database.write() as connection:
        connection.execute(text("DROP TABLE deliveries"))
    body = json.dumps({"action": "opened", "number": 7, "repository": {"full_name": "acme/shop"}}).encode()
    assert (
        deliver(TestClient(make_app(hooked, pages=False), base_url=URL), body, "00000000-0000-0000-0000-000000000003")
        == 503
    )


@pytest.mark.parametrize(
    ("url", "host", "status"),
    [
        ("http://127.0.0.1:8787", "127.0.0.1:8787", 200),
        ("http://127.0.0.1:8787", "LOCALHOST:1", 200),
        ("http://127.0.0.1:8787", "[::1]:8787", 200),
        ("http://127.0.0.1:8787", "evil.example", 421),
        ("http://127.0.0.1:8787", "127.0.0.1.evil.example:8787", 421),
        ("http://127.0.0.1:8787", "evil.example@127.0.0.1", 421),
        ("http://127.0.0.1:8787", "127.0.0.1:8787/evil", 421),
        ("http://127.0.0.1:8787", "127.0.0.1:x", 421),
        ("http://127.0.0.1:8787", "", 421),
        ("https://tidegate.example", "tidegate.example", 200),
        ("https://tidegate.example", "Tidegate.Example:443", 200),
        ("https://tidegate.example", "tidegate.example:80", 421),
        ("https://tidegate.example", "tidegate.example.", 421),
        ("https://tidegate.example:8443", "tidegate.example", 421),
        ("https://tidegate.example:8443", "tidegate.example:8443", 200),
        ("https://[2001:db8::7]", "[2001:DB8::7]", 200),
    ],
)
def test_only_its_own_names_are_answered(made: Made, url: str, host: str, status: int) -> None:
    service = structs.replace(made.service, config=structs.replace(made.service.config, url=url))
    client = TestClient(make_app(service, pages=False), base_url=URL)
    answer = client.get("/api/v1/me", headers={**bearer(made.tokens["viewer"]), "host": host})
    assert answer.status_code == status
    assert status == 200 or (answer.json()["request"] and answer.headers["content-type"] == PROBLEM)
    assert client.get("/health", headers={"host": host}).status_code == 200


def test_two_names_are_none(client: TestClient, made: Made) -> None:
    headers = [("host", "127.0.0.1:8787"), ("host", "127.0.0.1:8787"), *bearer(made.tokens["viewer"]).items()]
    assert client.get("/api/v1/me", headers=headers).status_code == 421


def test_no_websocket_is_taken(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/v1/me"):
        pass
