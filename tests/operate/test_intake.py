"""What senders send is read as they document it; what they would never send is one clear error."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.operate.intake.listing import READERS, SIGNED, Said
from tidegate.operate.intake.otlp import errors_of
from tidegate.operate.values import Alert, ErrorReport, Frame
from tidegate.rollout.intake.listing import READERS as DEPLOYMENTS
from tidegate.rollout.intake.reading import moment, revision_of
from tidegate.rollout.values import DeploymentEvent, NotUsed
from tidegate.telemetry.otlp import Span, SpanException

COMMIT = "279484c09fbe69ededfced8c1bb6e6d24616b468"


def read(sender: str, document: Any, **headers: str) -> tuple[Said, ...]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return READERS[sender](body, {name.replace("_", "-"): value for name, value in headers.items()})


def deployment(sender: str, document: Any, **headers: str) -> DeploymentEvent:
    (found,) = read(sender, document, **headers)
    assert isinstance(found, DeploymentEvent)
    return found


def alert(sender: str, document: Any, **headers: str) -> Alert:
    (found,) = read(sender, document, **headers)
    assert isinstance(found, Alert)
    return found


def error(sender: str, document: Any, **headers: str) -> ErrorReport:
    (found,) = read(sender, document, **headers)
    assert isinstance(found, ErrorReport)
    return found


def unused(sender: str, document: Any, **headers: str) -> NotUsed:
    (found,) = read(sender, document, **headers)
    assert isinstance(found, NotUsed)
    return found


# Files that the senders publish.


@pytest.mark.conformance
def test_every_conformance_file_of_cdevents_in_every_mode(data: Path) -> None:
    files = sorted((data / "prod" / "cdevents").glob("*/conformance/*.json"))
    assert len(files) == 90
    used = 0
    for file in files:
        body = file.read_bytes()
        event = json.loads(body)
        context = event["context"]
        alone = read("cdevents", body)
        ce = {
            "ce_id": context["id"],
            "ce_source": context["source"],
            "ce_type": context["type"],
            "ce_specversion": "1.0",
        }
        envelope = {"specversion": "1.0", "id": context["id"], "source": context["source"], "type": context["type"]}
        structured = {**envelope, "datacontenttype": "application/json", "data": event}
        assert read("cdevents", body, **ce) == alone, file.name
        assert read("cdevents", structured, content_type="application/cloudevents+json") == alone, file.name
        batch = read("cdevents", [structured] * 2, content_type="application/cloudevents-batch+json")
        assert batch == alone * 2, file.name
        (found,) = alone
        word = file.stem.replace("_", ".")
        if word in ("service.deployed", "service.upgraded", "service.rolledback", "service.removed"):
            assert isinstance(found, DeploymentEvent), file.name
            assert (found.environment, found.service, found.status) == ("test123", "mySubject123", "succeeded")
            assert found.action == {"rolledback": "roll_back", "removed": "remove"}.get(
                word.partition(".")[2], "deploy"
            )
            assert found.chain == "4c8cb7dd-3448-41de-8768-eec704e2829b"
            assert found.artifact.startswith("pkg:oci/myapp@sha256:") == (word != "service.removed")
            used += 1
        elif word.startswith("incident."):
            assert isinstance(found, Alert), file.name
            assert (found.service, found.environment, found.ended is None) == (
                "myApp",
                "prod1",
                word != "incident.resolved",
            )
            used += 1
        else:
            assert isinstance(found, NotUsed), file.name
            assert found.type == context["type"]
    assert used == 2 * 7


@pytest.mark.conformance
def test_every_webhook_that_github_publishes(data: Path) -> None:
    files = sorted((data / "prod" / "webhooks" / "github").glob("*/*.json"))
    assert len(files) > 50
    for file in files:
        body = file.read_bytes()
        (found,) = READERS["github"](body, {"X-GitHub-Event": file.parent.name, "X-GitHub-Delivery": "d-1"})
        if file.parent.name in ("deployment", "deployment_status"):
            assert isinstance(found, DeploymentEvent), file
            assert found.repository == "Codertocat/Hello-World"
            assert found.revision == "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
            assert found.deployment == "Codertocat/Hello-World/145988746"
            assert (found.service, found.status) == (
                "Hello-World",
                "succeeded" if b'"state": "success"' in body else "started",
            )
            assert READERS["github"](body, {}) == (found,)
        else:
            assert found == NotUsed(sender="github", key="d-1", type=file.parent.name), file


@pytest.mark.conformance
def test_what_a_real_alertmanager_sent(data: Path) -> None:
    messages = json.loads((data / "prod" / "fixtures" / "alertmanager_webhook_0.25.json").read_bytes())
    firing, over = (alert("alertmanager", message) for message in messages[:2])
    assert (firing.name, firing.service, firing.severity) == ("HighErrorRatio", "pay", "critical")
    assert firing.ended is None
    assert over.ended is not None
    assert over.ended > over.started
    assert over.key == firing.key
    assert firing.summary.startswith("error ratio 0.22")
    for message in messages:
        assert all(isinstance(each, Alert) for each in read("alertmanager", message))


@pytest.mark.conformance
def test_the_examples_of_pagerdutys_events_api(data: Path) -> None:
    described = json.loads((data / "prod" / "webhooks" / "pagerduty" / "events-v2.openapi.json").read_bytes())
    found = [
        read("pagerduty", example["value"])[0]
        for path in described["paths"].values()
        for example in path["post"]["requestBody"]["content"]["application/json"]["examples"].values()
    ]
    assert [type(each) for each in found].count(NotUsed) == 2
    (event,) = [each for each in found if isinstance(each, Alert)]
    assert (event.key, event.severity, event.service) == ("srv01/mysql", "critical", "mysql")
    assert event.started == 1437122578.315


# Deployments.


def test_github_says_service_and_kind_in_payload_and_task() -> None:
    message = {
        "deployment": {
            "id": 7,
            "sha": COMMIT,
            "environment": "production",
            "created_at": "2026-01-02T03:04:05Z",
            "task": "deploy:rollback",
            "payload": {"service": "pay", "image": "registry/pay:1"},
            "creator": {"login": "ada"},
        },
        "repository": {"full_name": "acme/shop"},
        "deployment_status": {
            "id": 9,
            "state": "failure",
            "environment": "eu-production",
            "created_at": "2026-01-02T03:05:05Z",
            "log_url": "javascript:alert(1)",
            "target_url": "https://ci.test/9",
        },
    }
    found = deployment("github", message, X_GitHub_Event="deployment_status")
    assert found == DeploymentEvent(
        sender="github",
        key="acme/shop/status/9",
        at=1767323105.0,
        deployment="acme/shop/7",
        status="failed",
        environment="eu-production",
        service="pay",
        repository="acme/shop",
        revision=COMMIT,
        artifact="registry/pay:1",
        actor="ada",
        url="https://ci.test/9",
        action="roll_back",
    )
    message["deployment_status"]["state"] = "inactive"  # type: ignore[index]
    assert unused("github", message, X_GitHub_Event="deployment_status").type == "deployment_status inactive"


def test_gitlabs_deployment_event() -> None:
    message = {
        "object_kind": "deployment",
        "status": "success",
        "status_changed_at": "2021-04-28 21:50:00 +0200",
        "deployment_id": 15,
        "deployable_url": "http://gitlab.test/root/shop/-/jobs/796",
        "environment": "staging",
        "project": {"path_with_namespace": "root/shop"},
        "short_sha": COMMIT[:8],
        "user": {"username": "root"},
        "commit_url": f"http://gitlab.test/root/shop/-/commit/{COMMIT}",
    }
    found = deployment("gitlab", message)
    assert (found.deployment, found.status, found.at) == ("root/shop/15", "succeeded", 1619639400.0)
    assert (found.revision, found.repository, found.service, found.actor) == (COMMIT, "root/shop", "shop", "root")
    assert unused("gitlab", {"object_kind": "push"}).type == "push"
    assert unused("gitlab", {**message, "status": "approval"}).type == "deployment approval"


def application(phase: str, **state: Any) -> dict[str, Any]:
    return {
        "kind": "Application",
        "metadata": {"name": "pay", "namespace": "argocd", "labels": {"environment": "production"}},
        "spec": {
            "destination": {"namespace": "pay-prod", "server": "https://kubernetes.default.svc"},
            "source": {"repoURL": "https://github.com/acme/shop.git"},
        },
        "status": {
            "operationState": {
                "phase": phase,
                "startedAt": "2026-01-02T03:04:05Z",
                "syncResult": {"revision": COMMIT},
                "operation": {"initiatedBy": {"username": "ada"}},
                **state,
            },
            "sync": {"status": "Synced", "revision": "x"},
            "health": {"status": "Healthy"},
        },
    }


def test_argo_cd_sends_its_application() -> None:
    begun = deployment("argo", {"app": application("Running")})
    done = deployment("argo", application("Succeeded", finishedAt="2026-01-02T03:05:05Z"))
    assert begun.deployment == done.deployment == "argocd/pay@1767323045"
    assert (begun.status, done.status, done.at - begun.at) == ("started", "succeeded", 60.0)
    assert (done.environment, done.service, done.repository, done.revision, done.actor) == (
        "production",
        "pay",
        "acme/shop",
        COMMIT,
        "ada",
    )
    assert unused("argo", {"app": {"metadata": {"name": "a"}}}).type == "Application without an operation"
    assert unused("argo", {"kind": "Workflow"}).type == "Workflow"


def rollout(phase: str, weight: int, **status: Any) -> dict[str, Any]:
    return {
        "rollout": {
            "metadata": {"name": "pay", "namespace": "prod", "annotations": {}},
            "spec": {"template": {"spec": {"containers": [{"image": f"registry.test:5000/pay:{COMMIT}"}]}}},
            "status": {
                "phase": phase,
                "currentPodHash": "6c7",
                "canary": {"weights": {"canary": {"weight": weight}}},
                "conditions": [{"type": "Progressing", "lastUpdateTime": f"2026-01-02T03:04:{weight:02}Z"}],
                **status,
            },
        }
    }


def test_argo_rollouts_says_the_share_of_a_canary() -> None:
    found = [deployment("argo", rollout(phase, weight)) for phase, weight in (("Progressing", 5), ("Healthy", 50))]
    assert [(each.status, each.share) for each in found] == [("started", 0.05), ("succeeded", 0.5)]
    assert {each.deployment for each in found} == {"prod/pay@6c7"}
    assert found[0].revision == COMMIT
    assert deployment("argo", rollout("Degraded", 0, abort=True)).status == "rolled_back"


def test_flagger_says_the_same_phase_again_and_it_is_one_message() -> None:
    event = {"name": "pay", "namespace": "prod", "phase": "Progressing", "checksum": "85d557f47b"}
    assert deployment("flagger", event) == deployment("flagger", event)
    assert (deployment("flagger", event).at, deployment("flagger", event).deployment) == (0.0, "prod/pay@85d557f47b")
    told = {
        **event,
        "phase": "Failed",
        "metadata": {"eventMessage": "m", "timestamp": "1767323045500", "revision": COMMIT},
    }
    found = deployment("flagger", told)
    assert (found.at, found.status, found.revision) == (1767323045.5, "rolled_back", COMMIT)
    assert unused("flagger", {**event, "phase": "Initialized"}).type == "Initialized"


def test_cdevents_carry_a_commit_in_custom_data_or_in_the_artifact() -> None:
    event: dict[str, Any] = {
        "context": {
            "specversion": "0.6.0-draft",
            "id": "1",
            "source": "/ci",
            "type": "dev.cdevents.service.deployed.9.9.9",
            "timestamp": "2026-01-02T03:04:05Z",
        },
        "subject": {"id": "pay", "content": {"environment": {"id": "prod"}, "artifactId": "pkg:oci/pay@sha256%3Aab"}},
        "customData": {"revision": COMMIT, "repository": "acme/shop", "url": "https://ci.test/1"},
    }
    assert deployment("cdevents", event).revision == COMMIT
    assert deployment("cdevents", {**event, "customData": "PGE+PC9hPg=="}).revision == ""
    artifact = f"pkg:oci/pay@sha256%3Aab?vcs_url=git%2Bhttps://github.com/acme/shop%40{COMMIT}"
    event["subject"]["content"]["artifactId"] = artifact
    assert deployment("cdevents", {**event, "customData": None}).revision == COMMIT
    other = {
        "specversion": "1.0",
        "id": "1",
        "source": "/x",
        "type": "com.example.thing",
        "time": "2026-01-02T03:04:05Z",
    }
    assert unused("cdevents", other).type == "com.example.thing"
    assert unused("cdevents", b"{}", ce_type="com.example.thing", ce_id="1", ce_source="/x").type == "com.example.thing"


def test_plain_deployments_one_or_many() -> None:
    given = {"type": "deployment", "deployment": "42", "status": "started", "service": "pay", "at": 1767323045}
    found = deployment("plain", given)
    assert (found.at, found.deployment, found.status) == (1767323045.0, "42", "started")
    many = read("plain", [given, {**given, "status": "succeeded", "id": "m2"}, {"type": "lunch"}])
    assert [type(each) for each in many] == [DeploymentEvent, DeploymentEvent, NotUsed]
    assert isinstance(many[1], DeploymentEvent)
    assert many[1].key == "m2"


# Alerts and errors.


def group(**changed: Any) -> dict[str, Any]:
    labels = {"alertname": "Slow", "severity": "warning", "job": "pay", "env": "prod", "revision": COMMIT}
    one = {"status": "firing", "labels": labels, "startsAt": "2026-01-02T03:04:05.123456789Z", "fingerprint": "f1"}
    return {"version": "4", "status": "firing", "groupKey": "{}", "truncatedAlerts": 0, "alerts": [one], **changed}


def test_an_alert_that_fires_again_is_another() -> None:
    first = alert("alertmanager", group())
    assert (first.service, first.environment, first.severity, first.revision) == ("pay", "prod", "medium", COMMIT)
    one = {**group()["alerts"][0], "startsAt": "2026-01-02T04:04:05Z"}
    assert alert("alertmanager", group(alerts=[one])).key != first.key


def test_alerts_that_were_left_out_are_not_forgotten() -> None:
    found = read("alertmanager", group(truncatedAlerts=12))
    assert isinstance(found[-1], NotUsed)
    assert "12 alerts of the group were left out" in found[-1].why
    assert len(found) == 2


def test_grafana_sends_the_same_with_links() -> None:
    one = {
        **group()["alerts"][0],
        "panelURL": "https://grafana.test/d/1",
        "values": {"B": 4.5},
        "endsAt": "0001-01-01T00:00:00Z",
    }
    found = alert("grafana", group(version="1", orgId=1, alerts=[one], state="alerting"))
    assert (found.sender, found.url, found.ended) == ("grafana", "https://grafana.test/d/1", None)


def webhook(kind: str, **data: Any) -> dict[str, Any]:
    incident = {
        "id": "PGR0VU2",
        "type": "incident",
        "status": "triggered",
        "title": "A little bump in the road",
        "created_at": "2026-01-02T03:04:05Z",
        "html_url": "https://acme.pagerduty.test/incidents/PGR0VU2",
        "service": {"id": "PF9KMXH", "summary": "pay", "type": "service_reference"},
        "priority": {"id": "PSO75BM", "summary": "P1"},
        "urgency": "high",
        **data,
    }
    event = {"id": "e1", "event_type": kind, "resource_type": "incident", "occurred_at": "2026-01-02T03:09:05Z"}
    return {"event": {**event, "agent": None, "client": None, "data": incident}}


def test_pagerduty_tells_an_incident_from_its_start_to_its_end() -> None:
    begun = alert("pagerduty", webhook("incident.triggered"))
    assert (begun.key, begun.service, begun.severity, begun.ended) == ("PGR0VU2", "pay", "critical", None)
    assert (begun.started, begun.at) == (1767323045.0, 1767323345.0)
    over = alert("pagerduty", webhook("incident.resolved", status="resolved", priority=None))
    assert (over.key, over.ended, over.severity) == ("PGR0VU2", 1767323345.0, "high")
    note = webhook("incident.annotated", type="incident_note")
    assert unused("pagerduty", note).type == "incident.annotated"
    assert unused("pagerduty", webhook("service.updated", type="service")).type == "service.updated"
    assert unused("pagerduty", webhook("pagey.ping", type="ping")).key == "e1"


def sentry_event(**changed: Any) -> dict[str, Any]:
    frames = [
        {"filename": "app/main.py", "function": "main", "lineno": 10, "in_app": True},
        {"abs_path": "/usr/lib/json.py", "function": "loads", "lineno": None, "in_app": False},
    ]
    cause = {"type": "ValueError", "value": "no", "stacktrace": {"frames": frames[:1]}}
    event = {
        "event_id": "e" * 32,
        "issue_id": "1117540176",
        "timestamp": 1767323045.25,
        "release": f"pay@{COMMIT}",
        "environment": "production",
        "project": 1,
        "tags": [["service", "pay"], ["level", "error"]],
        "title": "KeyError: 'id'",
        "web_url": "https://sentry.test/1",
        "exception": {"values": [cause, {"type": "KeyError", "value": "'id'", "stacktrace": {"frames": frames}}]},
        **changed,
    }
    return {"action": "triggered", "data": {"event": event}, "installation": {"uuid": "x"}}


def test_sentry_sends_an_error_with_its_frames() -> None:
    found = error("sentry", sentry_event())
    assert (found.key, found.kind, found.message, found.first) == ("1117540176", "KeyError", "'id'", 1767323045.25)
    assert (found.service, found.environment, found.revision) == ("pay", "production", COMMIT)
    assert found.frames == (
        Frame(file="app/main.py", line=10, function="main"),
        Frame(file="/usr/lib/json.py", line=0, function="loads", own=False),
    )
    bare = error("sentry", sentry_event(exception=None, release={"version": COMMIT}, tags=None, issue_id=None))
    assert (bare.frames, bare.revision, bare.service) == ((), COMMIT, "1")


def test_sentry_sends_issues_and_metric_alerts() -> None:
    issue = {
        "id": "9",
        "title": "KeyError: 'id'",
        "firstSeen": "2026-01-02T03:04:05Z",
        "lastSeen": "2026-01-02T04:04:05Z",
        "count": "1234",
        "project": {"slug": "pay"},
        "metadata": {"type": "KeyError", "value": "'id'"},
    }
    found = error("sentry", {"action": "created", "data": {"issue": issue}})
    assert (found.key, found.count, found.kind, found.service) == ("9", 1234, "KeyError", "pay")
    metric = {"id": "5", "date_started": "2026-01-02T03:04:05Z", "alert_rule": {"name": "Too many errors"}}
    begun = alert("sentry", {"action": "critical", "data": {"metric_alert": metric, "description_text": "1000 events"}})
    assert (begun.name, begun.severity, begun.summary) == ("Too many errors", "critical", "1000 events")
    metric["date_closed"] = "2026-01-02T03:14:05Z"
    assert alert("sentry", {"action": "resolved", "data": {"metric_alert": metric}}).ended == 1767323645.0
    assert unused("sentry", {"action": "created", "data": {"comment": "x"}}, Sentry_Hook_Resource="comment").type == (
        "comment created"
    )


TRACE = """Traceback (most recent call last):
  File "/srv/app/pay/views.py", line 12, in post
    charge(order)
  File "/srv/app/pay/bank.py", line 40, in charge
    return rates[currency]
KeyError: 'EUR'
"""


def test_plain_alerts_and_errors() -> None:
    found = alert(
        "plain", {"type": "alert", "key": "k", "name": "Slow", "started": 10, "ended": "1970-01-01T00:01:00Z"}
    )
    assert (found.started, found.ended, found.at) == (10.0, 60.0, 60.0)
    bad = error("plain", {"type": "error", "kind": "KeyError", "trace": TRACE, "at": 5, "revision": COMMIT})
    assert [(frame.file, frame.line) for frame in bad.frames] == [
        ("/srv/app/pay/views.py", 12),
        ("/srv/app/pay/bank.py", 40),
    ]
    again = error("plain", {"type": "error", "kind": "KeyError", "trace": TRACE, "at": 9, "message": "other"})
    assert again.key == bad.key


def test_exceptions_of_spans_are_errors_of_one_group() -> None:
    raised = SpanException(kind="KeyError", message="'EUR'", trace=TRACE, at=7.0)
    spans = [
        Span(
            trace="t" * 32,
            span=str(number),
            service="pay",
            operation="POST",
            kind="server",
            started=5.0,
            seconds=1.0,
            revision=COMMIT,
            exceptions=(raised,),
        )
        for number in range(2)
    ]
    found = errors_of([*spans, *spans])
    assert len({key for key, _ in found}) == 2
    assert len({each.key for _, each in found}) == 1
    assert (found[0][1].frames[-1].line, found[0][1].revision, found[0][1].service) == (40, COMMIT, "pay")


# Signatures.


def signature(body: bytes, secret: bytes) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("sender", "header", "shape"),
    [
        ("pagerduty", "X-PagerDuty-Signature", "v1={}"),
        ("pagerduty", "x-pagerduty-signature", "v1=" + "0" * 64 + ", v1={}"),
        ("sentry", "Sentry-Hook-Signature", "{}"),
        ("grafana", "X-Grafana-Alerting-Signature", "{}"),
    ],
)
def test_signatures_are_of_these_very_bytes(sender: str, header: str, shape: str) -> None:
    body, new, old = b'{"a": 1}', b"new secret of 16", b"old secret of 16"
    for secret in (new, old):
        given = {header: shape.format(signature(body, secret))}
        assert SIGNED[sender](body, given, (new, old))
        assert not SIGNED[sender](body + b" ", given, (new, old))
        assert not SIGNED[sender](body, given, (b"third secret of 16",))
        assert not SIGNED[sender](body, given, ())
    for forged in ({}, {header: ""}, {header: shape.format("")}, {header: "é" * 64}):
        assert not SIGNED[sender](body, forged, (new, old))


# What nobody would send.

MALFORMED: list[tuple[str, Any]] = [
    *((sender, body) for sender in READERS for body in (b"", b"{", b"\xff\xfe", b"null", b'"x"', b"[" * 100_000)),
    ("alertmanager", group(version="3")),
    ("alertmanager", group(alerts=[{**group()["alerts"][0], "status": "odd"}])),
    ("alertmanager", group(alerts=[{**group()["alerts"][0], "startsAt": "yesterday"}])),
    ("alertmanager", group(alerts=[{**group()["alerts"][0], "startsAt": "9999-01-01T00:00:00Z"}])),
    ("alertmanager", group(alerts=[{**group()["alerts"][0], "startsAt": "0001-01-01T00:00:00Z"}])),
    ("alertmanager", group(alerts=[{**group()["alerts"][0], "labels": {"a": 1}}])),
    ("cdevents", {}),
    ("cdevents", {"context": {}, "subject": {"id": "x"}}),
    ("cdevents", {"specversion": "1.0", "id": "1", "source": "/x", "type": "dev.cdevents.service.deployed.0.1.0"}),
    ("flagger", {"name": "", "phase": "Failed"}),
    ("flagger", {"name": "a", "phase": "Failed", "metadata": {"timestamp": "-5"}}),
    ("flagger", {"name": "a", "phase": "Failed", "metadata": {"timestamp": "9" * 15}}),
    ("argo", {"app": application("Running", startedAt=None)}),
    ("argo", {"rollout": {"status": {"phase": "Healthy"}}}),
    ("pagerduty", {}),
    ("pagerduty", {"event_action": "resolve"}),
    ("pagerduty", {"event_action": "explode", "dedup_key": "x"}),
    ("plain", {}),
    ("plain", {"type": "deployment", "deployment": "1", "status": "started", "revison": COMMIT}),
    ("plain", {"type": "deployment", "deployment": "1", "status": "started", "revision": "main"}),
    ("plain", {"type": "deployment", "deployment": "1", "status": "started", "share": 5}),
    ("plain", {"type": "deployment", "deployment": "", "status": "started"}),
    ("plain", {"type": "deployment", "deployment": "1", "status": "started", "at": -1}),
    ("plain", {"type": "alert", "key": "", "name": "x"}),
    ("plain", {"type": "error", "kind": "x", "count": 0}),
    ("plain", {"type": "error", "kind": "x", "at": 1e30}),
    ("plain", [{"type": "deployment"}]),
    ("sentry", {"data": {"issue": {"id": "1", "firstSeen": None}}}),
    ("sentry", {"data": {"issue": {"id": "1", "firstSeen": "2026-01-02T03:04:05Z", "count": "many"}}}),
    ("sentry", sentry_event(timestamp="NaN")),
]


@pytest.mark.parametrize(("sender", "document"), MALFORMED)
def test_what_is_malformed_is_one_clear_error(sender: str, document: Any) -> None:
    with pytest.raises(InputError) as caught:
        read(sender, document)
    assert caught.value.what
    assert caught.value.where


def test_what_a_database_cannot_keep_is_cut_and_cleaned() -> None:
    labels = {"alertname": "a\0b" * 1000, "service": "s" * 10_000}
    found = alert("alertmanager", group(alerts=[{**group()["alerts"][0], "labels": labels}]))
    assert "\0" not in found.name
    assert len(found.name) <= 300
    assert len(found.service) <= 300
    other = alert(
        "alertmanager", group(alerts=[{**group()["alerts"][0], "labels": {**labels, "service": "s" * 9_999}}])
    )
    assert other.service != found.service


@pytest.mark.parametrize("number", [2**63, 2**64, 10**400, 10**4200, -(10**400)])
def test_numbers_may_be_of_any_size(number: int) -> None:
    status = {"phase": "Healthy", "canary": {"weights": {"canary": {"weight": number}}}}
    assert deployment("argo", {"rollout": {"metadata": {"name": "a"}, "status": status}}).share is None
    made = {"id": number, "sha": COMMIT, "environment": "e", "created_at": "2026-01-02T03:04:05Z"}
    assert len(deployment("github", {"deployment": made}).deployment) <= 300
    for sender, document in (
        ("plain", {"type": "deployment", "deployment": "1", "status": "started", "at": number}),
        ("plain", {"type": "error", "kind": "x", "count": number}),
        ("sentry", sentry_event(timestamp=number)),
    ):
        with pytest.raises(InputError):
            read(sender, document)


def test_times_as_senders_write_them() -> None:
    for written in (
        "2026-01-02T03:04:05Z",
        "2026-01-02 03:04:05 UTC",
        "2026-01-02 05:04:05 +0200",
        "2026-01-02T03:04:05.000000000+00:00",
    ):
        assert moment(written, "x") == 1767323045.0
    for bad in ("", "now", "1e3", "9999-12-31T23:59:59Z", float("nan"), float("inf"), -1.0, None):
        with pytest.raises(InputError, match="x: "):
            moment(bad, "x")


def test_an_artifact_may_name_its_commit() -> None:
    assert revision_of(f"registry.test:5000/acme/pay:{COMMIT}") == COMMIT
    assert revision_of(f"pay:sha-{COMMIT}@sha256:{'a' * 64}") == COMMIT
    assert revision_of("pay:1.2.3") == ""
    assert revision_of(f"registry.test:5000/{COMMIT}") == ""


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type status alerts event data context subject app rollout kind metadata deployment".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(document=documents)
def test_any_document_is_read_or_refused(document: Any) -> None:
    for sender in READERS:
        with contextlib.suppress(InputError):
            read(sender, document)


@given(data=st.data())
def test_a_damaged_message_is_read_or_refused(data: st.DataObject) -> None:
    good: Mapping[str, Callable[[], Any]] = {
        "alertmanager": group,
        "pagerduty": lambda: webhook("incident.triggered"),
        "sentry": sentry_event,
        "argo": lambda: rollout("Healthy", 5),
    }
    sender = data.draw(st.sampled_from(sorted(good)))
    body = bytearray(json.dumps(good[sender]()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        for found in READERS[sender](bytes(body), {}):
            assert "\0" not in found.key


def test_every_sender_of_deployments_is_read_here_too() -> None:
    assert set(DEPLOYMENTS) <= set(READERS)
    assert set(SIGNED) <= set(READERS)


def test_the_examples_of_the_page_are_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "production-events.md").read_text(encoding="utf-8")
    examples = re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)
    found = [read("plain", example.encode())[0] for example in examples]
    assert [type(each) for each in found] == [DeploymentEvent, Alert, ErrorReport]
    assert isinstance(found[2], ErrorReport)
    assert found[2].frames == (Frame(file="pay/bank.py", line=40, function="charge"),)
    assert set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)) == set(READERS)
