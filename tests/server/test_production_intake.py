"""Messages of production over HTTP: who may send, what is kept, and that neither repeats nor order change anything."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs
from starlette.testclient import TestClient

from tests.server.conftest import Made, bearer
from tests.telemetry.test_otlp import JSON, PROTOBUF, START, as_json, shop, traces, wire
from tidegate.server.app import make_app
from tidegate.server.config import GitHub, GitLab, Secrets, read_config
from tidegate.server.forge.configured import forges_of
from tidegate.server.production.retention import FORGOTTEN, forget_now_and_then
from tidegate.server.service import Service
from tidegate.store import alerts, deployments, inbox, measurements, production_events, values
from tidegate.store.clock import later, now
from tidegate.store.tables import metadata

SECRET = b"a secret that is long enough"
COMMIT = "279484c09fbe69ededfced8c1bb6e6d24616b468"


@pytest.fixture
def signed(made: Made) -> Iterator[TestClient]:
    """A service with a secret for each sender that signs."""
    secrets = Secrets((SECRET,))
    config = structs.replace(
        made.service.config,
        senders=dict.fromkeys(("pagerduty", "sentry", "grafana"), secrets),
        github=GitHub(hooks=secrets, token=secrets),
        gitlab=GitLab(api="https://gitlab.test", hooks=secrets, token=secrets),
    )
    service = structs.replace(made.service, config=config, forges=forges_of(config))
    with TestClient(make_app(service, pages=False), base_url="http://127.0.0.1:8787") as client:
        yield client


def plain(status: str, at: float, **more: Any) -> dict[str, Any]:
    return {
        "type": "deployment",
        "deployment": "42",
        "status": status,
        "at": at,
        "environment": "production",
        "service": "pay",
        **more,
    }


def firing(**more: Any) -> dict[str, Any]:
    labels = {"alertname": "Slow", "service": "pay", "severity": "page"}
    one = {"status": "firing", "labels": labels, "startsAt": "2026-01-02T03:04:05Z", "fingerprint": "f1", **more}
    return {"version": "4", "alerts": [one]}


def tell(client: TestClient, made: Made, sender: str, document: Any, **headers: str) -> Any:
    given = {**bearer(made.tokens["admin"]), "content-type": "application/json", **headers}
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return client.post(f"/api/v1/events/{sender}", content=body, headers=given)


def test_a_message_is_taken_once_and_folded(client: TestClient, made: Made) -> None:
    answer = tell(client, made, "plain", plain("started", 100, revision=COMMIT))
    assert (answer.status_code, answer.json()) == (202, {"new": 1, "known": 0, "unused": 0})
    assert tell(client, made, "plain", plain("started", 100, revision=COMMIT)).json()["known"] == 1
    spaced = json.dumps(plain("started", 100, revision=COMMIT), indent=1).encode()
    assert tell(client, made, "plain", spaced).json() == {"new": 0, "known": 1, "unused": 0}
    both = [plain("succeeded", 160), plain("started", 100, revision=COMMIT), {"type": "lunch"}]
    assert tell(client, made, "plain", both).json() == {"new": 1, "known": 1, "unused": 1}
    with made.service.database.read() as connection:
        kept = deployments.by_key(connection, "plain/42")
        assert kept is not None
        assert (kept.status, kept.started, kept.finished, kept.revision) == ("succeeded", 100, 160, COMMIT)
        events = production_events.page(connection)
        assert [(each.kind, each.subject) for each in events] == [
            ("unused", "lunch"),
            ("deployment", "plain/42"),
            ("deployment", "plain/42"),
        ]
        number = events[0].message
        assert number is not None
        assert production_events.message(connection, number) == json.dumps(both).encode()


def test_alerts_and_errors_are_kept(client: TestClient, made: Made) -> None:
    assert tell(client, made, "alertmanager", firing()).json()["new"] == 1
    over = firing(status="resolved", endsAt="2026-01-02T03:14:05Z")
    assert tell(client, made, "alertmanager", over).json()["new"] == 1
    for at in (5, 6, 6):
        said = {"type": "error", "kind": "KeyError", "key": "k", "at": at, "frames": [{"file": "a.py", "line": 3}]}
        assert tell(client, made, "plain", said).status_code == 202
    with made.service.database.read() as connection:
        (alert,) = alerts.alerts_between(connection, 0, 2e9)
        assert (alert.name, alert.ended, alert.severity) == ("Slow", alert.started + 600, "critical")
        error = alerts.find_error(connection, "plain", "k")
        assert error is not None
        assert (error.count, error.first, error.last) == (2, 5, 6)
        assert json.loads(error.frames) == [{"file": "a.py", "line": 3, "function": "", "own": True}]


def test_what_is_wrong_is_told_and_nothing_is_written(client: TestClient, made: Made) -> None:
    assert tell(client, made, "nobody", {}).status_code == 404
    answer = tell(client, made, "plain", plain("started", 100, revison=COMMIT))
    assert answer.status_code == 422
    assert "revison" in answer.json()["title"]
    far = tell(client, made, "plain", plain("started", 4_000_000_000))
    assert (far.status_code, far.json()["mend"]) == (422, "set its clock")
    over = firing(status="resolved", endsAt="2090-01-02T03:14:05Z")
    assert tell(client, made, "alertmanager", over).status_code == 422
    assert tell(client, made, "plain", b" " * ((4 << 20) + 1)).status_code == 413
    with made.service.database.read() as connection:
        assert production_events.page(connection) == ()


def test_only_who_may_tell_of_production_tells(client: TestClient, made: Made) -> None:
    for role, status in {"viewer": 403, "reviewer": 403, "approver": 403, "agent": 403, "admin": 202}.items():
        given = {**bearer(made.tokens[role]), "content-type": "application/json"}
        assert client.post("/api/v1/events/plain", json=plain("started", 1), headers=given).status_code == status
    assert client.post("/api/v1/events/plain", json=plain("started", 1)).status_code == 401


def test_a_key_that_raises_alerts_elsewhere_is_not_kept(client: TestClient, made: Made) -> None:
    event = {"routing_key": "hunter2", "event_action": "trigger", "dedup_key": "d", "payload": {"summary": "disk"}}
    assert tell(client, made, "pagerduty", event).json()["new"] == 1
    with made.service.database.read() as connection:
        (kept,) = production_events.page(connection)
        assert b"hunter2" not in kept.document
        assert kept.message is not None
        assert production_events.message(connection, kept.message) is None


def test_what_says_no_time_happened_when_it_came(client: TestClient, made: Made) -> None:
    event = {"name": "pay", "namespace": "prod", "phase": "Progressing", "checksum": "85d"}
    assert [tell(client, made, "flagger", event).json()["new"] for _ in range(2)] == [1, 0]
    assert tell(client, made, "plain", {"type": "alert", "key": "k", "name": "Slow"}).json()["new"] == 1
    over = {"event_action": "resolve", "dedup_key": "d", "payload": {"summary": "disk"}}
    assert tell(client, made, "pagerduty", over).json()["new"] == 1
    with made.service.database.read() as connection:
        (one,) = deployments.page(connection)
        found = alerts.alerts_between(connection, 0, 5e9)
    assert all(started > 1_700_000_000 for started in (one.started, *(each.started for each in found)))
    assert [each.ended is None for each in sorted(found, key=lambda each: each.name)] == [True, False]


def test_what_is_too_old_is_let_go_and_what_follows_from_it_stays(client: TestClient, made: Made) -> None:
    assert tell(client, made, "plain", [plain("started", 100), {"type": "lunch"}]).status_code == 202
    for days, kinds, whole in ((29, 2, True), (31, 1, True), (91, 1, False)):
        with made.service.database.write() as connection:
            assert forget_now_and_then(connection, later(now(), days * 86_400))
            assert not forget_now_and_then(connection, later(now(), days * 86_400 + 1))
            events = production_events.page(connection)
            assert len(events) == kinds
            assert events[-1].message is not None
            assert (production_events.message(connection, events[-1].message) is not None) == whole
            assert len(deployments.page(connection)) == 1


# Whoever signs needs no token.


def mac(body: bytes, secret: bytes = SECRET) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def incident(number: str = "P1") -> bytes:
    data = {"id": number, "type": "incident", "status": "triggered", "title": "Slow", "service": {"summary": "pay"}}
    event = {"id": f"e-{number}", "event_type": "incident.triggered", "occurred_at": "2026-01-02T03:04:05Z"}
    return json.dumps({"event": {**event, "data": data}}).encode()


def test_who_signs_needs_no_token_and_who_does_not_is_refused(signed: TestClient, made: Made) -> None:
    body = incident()
    good = {"X-PagerDuty-Signature": f"v1={mac(body)}"}
    answer = signed.post("/hooks/pagerduty", content=body, headers=good)
    assert (answer.status_code, answer.json()) == (202, {"new": 1, "known": 0, "unused": 0})
    assert signed.post("/hooks/pagerduty", content=body, headers=good).json()["known"] == 1
    for headers in ({}, {"X-PagerDuty-Signature": "v1="}, {"X-PagerDuty-Signature": f"v1={mac(body, b'other')}"}):
        assert signed.post("/hooks/pagerduty", content=body, headers=headers).status_code == 401
    assert signed.post("/hooks/pagerduty", content=incident("P2"), headers=good).status_code == 401
    bad = b'{"event": 1}'
    assert signed.post("/hooks/sentry", content=bad, headers={"Sentry-Hook-Signature": mac(bad)}).status_code == 400
    assert signed.post("/hooks/alertmanager", content=b"{}").status_code == 404
    with made.service.database.read() as connection:
        assert [each.name for each in alerts.firing(connection)] == ["Slow"]


def test_a_token_does_not_speak_for_a_sender_that_signs(signed: TestClient, made: Made) -> None:
    body = incident()
    assert tell(signed, made, "pagerduty", body).status_code == 409
    for forge in ("github", "gitlab"):
        answer = tell(signed, made, forge, b"{}")
        assert (answer.status_code, answer.json()["mend"]) == (409, f"send them to /hooks/{forge}")
    assert tell(signed, made, "pagerduty", body, **{"x-pagerduty-signature": f"v1={mac(body)}"}).status_code == 202


def test_a_sender_without_a_secret_has_no_door(client: TestClient) -> None:
    body = incident()
    for secret in (b"", SECRET):
        headers = {"X-PagerDuty-Signature": f"v1={mac(body, secret)}"}
        assert client.post("/hooks/pagerduty", content=body, headers=headers).status_code == 404


def test_deployments_come_by_the_forges_door_too(signed: TestClient, made: Made) -> None:
    message = {
        "deployment": {"id": 7, "sha": COMMIT, "environment": "production", "created_at": "2026-01-02T03:04:05Z"},
        "repository": {"full_name": "acme/shop"},
    }
    body = json.dumps(message).encode()
    headers = {
        "X-GitHub-Event": "deployment",
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": f"sha256={mac(body)}",
    }
    for again in (True, False):
        answer = signed.post("/hooks/github", content=body, headers=headers)
        assert (answer.status_code, answer.json()["new"]) == (202, again)
    assert (
        signed.post("/hooks/github", content=body, headers={**headers, "X-Hub-Signature-256": "x"}).status_code == 401
    )
    lab = json.dumps(
        {
            "object_kind": "deployment",
            "status": "running",
            "status_changed_at": "2026-01-02 05:04:05 +0200",
            "deployment_id": 3,
            "environment": "production",
            "project": {"path_with_namespace": "acme/web"},
            "commit_url": f"https://gitlab.test/acme/web/-/commit/{COMMIT}",
        }
    ).encode()
    given = {"X-Gitlab-Event": "Deployment Hook", "X-Gitlab-Event-UUID": "u-1", "X-Gitlab-Token": SECRET.decode()}
    assert signed.post("/hooks/gitlab", content=lab, headers=given).status_code == 202
    broken = json.dumps({**message, "deployment": {"id": "x"}}).encode()
    told = {**headers, "X-GitHub-Delivery": "d-2", "X-Hub-Signature-256": f"sha256={mac(broken)}"}
    assert signed.post("/hooks/github", content=broken, headers=told).status_code == 400
    with made.service.database.read() as connection:
        found = deployments.of_revision(connection, COMMIT)
        assert {each.key for each in found} == {"github/acme/shop/7", "gitlab/acme/web/3"}
        assert {each.started for each in found} == {1767323045.0}
        assert sum(inbox.counts(connection).values()) == 2


def test_secrets_of_senders_come_from_the_environment() -> None:
    config = read_config({"TIDEGATE_SENTRY_WEBHOOK_SECRET": "0123456789abcdef"})
    assert config.senders["sentry"].accepted == (b"0123456789abcdef",)
    assert config.senders["pagerduty"].accepted == ()
    assert "0123456789abcdef" not in repr(config)


# Spans and metrics.


def export(client: TestClient, made: Made, signal: str, body: bytes, headers: dict[str, str]) -> Any:
    given = {**bearer(made.tokens["admin"]), **headers}
    return client.post(f"/api/v1/otlp/v1/{signal}", content=body, headers=given)


@pytest.fixture
def patient(made: Made) -> None:
    """What is old was let go just now: the spans of these tests are of another day."""
    with made.service.database.write() as connection:
        values.write(connection, FORGOTTEN, later(now(), 600), now())


def graph(service: Service) -> list[tuple[str, str, str]]:
    with service.database.read() as connection:
        return [(edge.caller, edge.callee, edge.kind) for edge in measurements.edges(connection)]


@pytest.mark.usefixtures("patient")
def test_spans_make_the_graph_and_the_errors_in_either_encoding(client: TestClient, made: Made) -> None:
    message = shop()
    for body, headers in (
        (message.SerializeToString(), PROTOBUF),
        (as_json(message), JSON),
        (gzip.compress(message.SerializeToString()), {**PROTOBUF, "content-encoding": "gzip"}),
    ):
        answer = export(client, made, "traces", body, headers)
        assert answer.status_code == 200
        assert answer.content == (b"{}" if headers is JSON else b"")
        assert answer.headers["content-type"].startswith(headers.get("Content-Type", "application/json"))
    assert ("web", "pay", "call") in graph(made.service)
    with made.service.database.read() as connection:
        assert len(measurements.spans_of(connection, START - 1, START + 1)) == 7
        (error,) = alerts.errors_between(connection, 0, 2e9)
        assert (error.sender, error.kind, error.service, error.count) == ("otlp", "KeyError", "pay", 1)


@pytest.mark.usefixtures("patient")
def test_the_graph_is_the_same_when_each_service_sends_alone(client: TestClient, made: Made) -> None:
    whole = shop()
    for group in reversed(whole.resource_spans):
        for span in reversed(group.scope_spans[0].spans):
            part = traces((group.resource, [span]))
            assert export(client, made, "traces", part.SerializeToString(), PROTOBUF).status_code == 200
    alone = graph(made.service)
    with made.service.database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name in ("spans", "service_edges", "production_events", "errors"):
                connection.execute(table.delete())
    assert export(client, made, "traces", whole.SerializeToString(), PROTOBUF).status_code == 200
    assert graph(made.service) == alone
    assert len(alone) == 6


def test_what_is_no_span_is_counted_in_the_answer(client: TestClient, made: Made) -> None:
    bad = wire(1)
    bad.span_id = b""
    far = wire(2)
    far.start_time_unix_nano = far.end_time_unix_nano = 4_000_000_000 * 10**9
    body = as_json(traces((shop().resource_spans[0].resource, [bad, far])))
    said = export(client, made, "traces", body, JSON).json()["partialSuccess"]
    assert said["rejectedSpans"] == "2"
    assert export(client, made, "traces", b"\xff", PROTOBUF).status_code == 422
    assert export(client, made, "traces", b"{}", {"content-type": "text/plain"}).status_code == 415


def test_metrics_are_kept_as_series(client: TestClient, made: Made) -> None:
    point = {"timeUnixNano": str(START * 10**9), "asInt": "7", "attributes": []}
    metric = {"name": "http.requests", "gauge": {"dataPoints": [point, {**point, "timeUnixNano": "4" + "0" * 18}]}}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "pay"}}]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    for _ in range(2):
        answer = export(client, made, "metrics", json.dumps(body).encode(), JSON)
        assert answer.json()["partialSuccess"]["rejectedDataPoints"] == "1"
    with made.service.database.read() as connection:
        (one,) = measurements.read_samples(connection, "http_requests", 0, 3e9, service="pay")
        assert one.samples == ((START, 7.0),)
