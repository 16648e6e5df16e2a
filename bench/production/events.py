"""Intake of what production says: what is accepted of what senders publish, and how fast it is read, folded and kept.

python -m bench.production.events [--events 30000] [--seed 1]

Bars: every conformance file and example accepted; 3,000 events a second on one core. CPU seconds of this process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.telemetry.test_otlp import JSON, PROTOBUF, as_json, resource, traces, wire

from tidegate.operate.folding import fold_alerts, fold_errors
from tidegate.operate.intake.listing import READERS, Said
from tidegate.operate.values import Alert, ErrorReport
from tidegate.rollout.deployments import fold
from tidegate.rollout.values import DeploymentEvent, NotUsed
from tidegate.server.production.intake import keep, keep_said, key_of, read
from tidegate.server.production.measured import keep_spans
from tidegate.store.migrate import prepare_database
from tidegate.telemetry.otlp import read_spans

BAR = 3_000
BATCH = 500
NOW = "2026-11-21T12:00:00.000000Z"
Message = tuple[str, bytes, dict[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    data = Path(os.environ.get("TIDEGATE_DATA") or "../shared/data") / "prod"
    accepted(data)
    messages = make(options.events, random.Random(options.seed))
    said = pure(messages)
    same(said, random.Random(options.seed))
    kept(messages, said)
    spans()


def accepted(data: Path) -> None:
    """What senders publish, read: all of it is to be accepted."""
    counts: dict[str, list[int]] = {}
    for name, sender, body, headers in _published(data):
        found = READERS[sender](body, headers)  # raises for what it does not accept
        used = sum(not isinstance(each, NotUsed) for each in found)
        total = counts.setdefault(name, [0, 0])
        counts[name] = [total[0] + 1, total[1] + used]
    for name, (count, used) in counts.items():
        print(f"{name:<34} {count:>6} of {count} accepted, {used} things used")


def pure(messages: Sequence[Message]) -> list[Said]:
    said: list[Said] = []

    def work() -> None:
        for sender, body, headers in messages:
            said.extend(read(sender, body, headers, NOW))

    reading = _cpu(work)
    folding = _cpu(lambda: _fold(said))
    _say("read and checked", len(said), reading)
    _say("read, checked and folded", len(said), reading + folding)
    return said


def same(said: Sequence[Said], chance: random.Random) -> None:
    """Duplicates and disorder, once more at this size."""
    others = [*said, *chance.sample(said, len(said) // 3)]
    chance.shuffle(others)
    assert _fold(others) == _fold(said)
    print(f"{'shuffled, a third of it twice':<34} the same {sum(map(len, _fold(said)))} deployments, alerts and errors")


def kept(messages: Sequence[Message], said: Sequence[Said]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = prepare_database(f"sqlite:///{folder}/tidegate.db")

        def batches() -> None:
            for at in range(0, len(said), BATCH):
                part = [(key_of(each), each) for each in said[at : at + BATCH]]
                database.change(lambda connection, part=part: keep_said(connection, None, part, NOW))

        reading = _cpu(lambda: [read(sender, body, headers, NOW) for sender, body, headers in messages])
        began = time.monotonic()
        storing = _cpu(batches)
        wall = time.monotonic() - began
        _say(f"... and kept, {BATCH} a transaction", len(said), reading + storing, f"keeping alone {wall:.1f} s wall")
        database.close()
    with tempfile.TemporaryDirectory() as folder:
        database = prepare_database(f"sqlite:///{folder}/tidegate.db")
        some = messages[: len(messages) // 10]

        def singly() -> None:
            for sender, body, headers in some:
                found = read(sender, body, headers, NOW)
                database.change(lambda c, s=sender, b=body, f=found: keep(c, s, b, f, NOW))

        began = time.monotonic()
        cpu = _cpu(singly)
        _say("... and kept, each by itself", len(some), cpu, f"{time.monotonic() - began:.1f} s wall", bar=0)
        database.close()


def spans() -> None:
    groups = []
    for service in range(10):
        batch = [wire(service * 1000 + number + 1, service * 1000 + number) for number in range(500)]
        groups.append((resource(f"s{service}"), batch))
    message = traces(*groups)
    for name, body, headers in (("protobuf", message.SerializeToString(), PROTOBUF), ("JSON", as_json(message), JSON)):
        cpu = _cpu(lambda body=body, headers=headers: read_spans(body, headers))
        _say(f"spans read, OTLP/{name}", 5_000, cpu)
    found = read_spans(message.SerializeToString(), PROTOBUF).spans
    with tempfile.TemporaryDirectory() as folder:
        database = prepare_database(f"sqlite:///{folder}/tidegate.db")

        def work() -> None:
            for at in range(0, 5_000, BATCH):
                database.change(lambda connection, at=at: keep_spans(connection, found[at : at + BATCH], NOW))

        _say(f"spans kept with graph, {BATCH} a request", 5_000, _cpu(work), bar=0)
        database.close()


def make(count: int, chance: random.Random) -> list[Message]:
    """Messages of all senders, in about the sizes that they have."""
    made: list[Message] = []
    for number in range(count):
        at = 1_760_000_000 + number
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        service, run = f"service-{number % 97}", 1 + chance.randrange(count // 4 or 1)
        made.append(_MAKERS[number % len(_MAKERS)](service, run, when, number))
    return made


# Private


def _published(data: Path) -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    for file in sorted((data / "cdevents").glob("*/conformance/*.json")):
        yield "CDEvents conformance files", "cdevents", file.read_bytes(), {}
    for file in sorted((data / "webhooks" / "github").glob("*/*.json")):
        yield "GitHub webhook examples", "github", file.read_bytes(), {"x-github-event": file.parent.name}
    for message in json.loads((data / "fixtures" / "alertmanager_webhook_0.25.json").read_bytes()):
        yield "messages of a real Alertmanager", "alertmanager", json.dumps(message).encode(), {}
    described = json.loads((data / "webhooks" / "pagerduty" / "events-v2.openapi.json").read_bytes())
    for path in described["paths"].values():
        for one in path["post"]["requestBody"]["content"]["application/json"]["examples"].values():
            yield "PagerDuty examples", "pagerduty", json.dumps(one["value"]).encode(), {}


def _github(service: str, run: int, when: str, number: int) -> Message:
    state = ("in_progress", "success", "failure")[number % 3]
    links = {f"link_{each}_url": f"https://api.github.com/repos/acme/shop/{each}" for each in range(60)}
    document = {
        "action": "created",
        "deployment_status": {"id": number, "state": state, "environment": "production", "created_at": when},
        "deployment": {
            "id": run,
            "sha": f"{run:040x}",
            "environment": "production",
            "created_at": when,
            "payload": {"service": service},
        },
        "repository": {"full_name": "acme/shop", **links},
    }
    return "github", json.dumps(document).encode(), {"x-github-event": "deployment_status"}


def _cdevents(service: str, run: int, when: str, number: int) -> Message:
    kind = ("service.deployed", "pipelinerun.started", "incident.detected")[number % 3]
    document = {
        "context": {
            "version": "0.4.1",
            "id": str(number),
            "source": "/ci",
            "type": f"dev.cdevents.{kind}.0.2.0",
            "timestamp": when,
        },
        "subject": {
            "id": f"{service}/{run}",
            "content": {"environment": {"id": "production"}, "artifactId": f"pkg:oci/{service}@sha256%3A{run:064x}"},
        },
        "customData": {"revision": f"{run:040x}"},
    }
    return "cdevents", json.dumps(document).encode(), {"content-type": "application/cloudevents+json"}


def _alertmanager(service: str, run: int, when: str, number: int) -> Message:
    alert = {
        "status": ("firing", "resolved")[number % 2],
        "labels": {"alertname": "HighErrorRatio", "service": service, "severity": "page"},
        "annotations": {"summary": "error ratio 0.22"},
        "startsAt": "2025-10-01T00:00:00Z",
        "endsAt": when if number % 2 else "0001-01-01T00:00:00Z",
        "fingerprint": f"{run:016x}",
    }
    return "alertmanager", json.dumps({"version": "4", "groupKey": "{}", "alerts": [alert]}).encode(), {}


def _pagerduty(service: str, run: int, when: str, number: int) -> Message:
    kind = ("triggered", "acknowledged", "resolved")[number % 3]
    data = {
        "id": f"P{run}",
        "type": "incident",
        "status": kind,
        "title": "The server is on fire.",
        "created_at": "2025-10-01T00:00:00Z",
        "service": {"id": "PF", "summary": service},
        "urgency": "high",
    }
    event = {"id": str(number), "event_type": f"incident.{kind}", "occurred_at": when, "data": data}
    return "pagerduty", json.dumps({"event": event}).encode(), {}


def _sentry(service: str, run: int, when: str, number: int) -> Message:
    frames = [
        {"filename": f"app/module_{each}.py", "function": "run", "lineno": each + 1, "in_app": each > 20}
        for each in range(30)
    ]
    event = {
        "event_id": f"{number:032x}",
        "issue_id": str(run),
        "datetime": when,
        "release": f"{run:040x}",
        "tags": [["service", service]],
        "exception": {"values": [{"type": "KeyError", "value": "'id'", "stacktrace": {"frames": frames}}]},
    }
    return "sentry", json.dumps({"action": "triggered", "data": {"event": event}}).encode(), {}


def _plain(service: str, run: int, when: str, number: int) -> Message:
    document = {
        "type": "deployment",
        "deployment": str(run),
        "status": ("started", "succeeded")[number % 2],
        "service": service,
        "environment": "production",
        "at": when,
        "revision": f"{run:040x}",
    }
    return "plain", json.dumps(document).encode(), {}


_MAKERS = (_github, _cdevents, _alertmanager, _pagerduty, _sentry, _plain)


def _fold(said: Sequence[Said]) -> tuple[Any, Any, Any]:
    return (
        fold(each for each in said if isinstance(each, DeploymentEvent)),
        fold_alerts(each for each in said if isinstance(each, Alert)),
        fold_errors(each for each in said if isinstance(each, ErrorReport)),
    )


def _cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _say(what: str, count: int, cpu: float, more: str = "", *, bar: int = BAR) -> None:
    held = f"  bar {bar:,}: {'held' if count / cpu >= bar else 'MISSED'}" if bar else ""
    print(f"{what:<34} {count / cpu:>9,.0f}/s  ({count:,} in {cpu:.2f} CPU s{', ' + more if more else ''}){held}")


if __name__ == "__main__":
    main()
