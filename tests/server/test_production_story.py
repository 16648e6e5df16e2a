"""The way of an incident through the service, with a real Prometheus that holds a past: watched, traced, ended."""

from __future__ import annotations

import base64
import json
import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from demo.incident.changes import BAD, GOOD
from demo.incident.repository import SERVICES, Shop, Written
from msgspec import Struct

from tests.telemetry.real_prometheus import run_prometheus
from tidegate.ledger.log import Log
from tidegate.ledger.predicates.incident import Incident as IncidentStatement
from tidegate.ledger.statements import read_statement
from tidegate.server.console.chains import cycles_of
from tidegate.server.mirrors import Mirrors
from tidegate.server.production.document import Kept, read_kept
from tidegate.server.production.intake import take
from tidegate.server.production.landed import Lookup
from tidegate.server.production.loop import Lookout
from tidegate.server.production.measured import take_spans
from tidegate.server.production.setup import Production
from tidegate.server.service import Service
from tidegate.server.work.journey import Way
from tidegate.store import deployments, incidents, regressions, repositories
from tidegate.store.repositories import NewRepository

STEP = 5
PAST = 1200
DEPLOYED = math.floor(time.time()) - 1800
"""When the bad revision came; what was measured ends ten minutes later."""


class Told(Struct):
    """A service that was told of deployments of the shop, and a clock that the test turns."""

    way: Way
    shop: Shop
    bad: Written
    lookout: Lookout
    now: list[float]

    def look(self, seconds: float) -> None:
        """So many seconds after the deployment."""
        self.now[0] = DEPLOYED + seconds
        self.lookout.look()

    def incident(self) -> tuple[incidents.Incident, Kept]:
        with self.way.service.database.read() as connection:
            (found,) = incidents.page(connection)
            return found, read_kept(incidents.document(connection, found.id))

    def raised(self) -> list[tuple[str, str]]:
        with self.way.service.database.read() as connection:
            found = regressions.of_deployments(connection, range(1, 20))
        return [(one.service, one.metric) for one in found]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_prometheus(tmp_path_factory.mktemp("prometheus"), "\n".join(_measured()) + "\n") as url:
        yield url


@pytest.fixture
def told(service: Service, tmp_path: Path, prometheus: str) -> Told:
    shop = Shop(tmp_path / "shop", 5)
    first = shop.head()
    edits = [GOOD[1], BAD[3], GOOD[3], GOOD[2]]
    written = [shop.write(edit, agent=edit is BAD[3]) for edit in edits]
    mirrors = Mirrors(service.config.data / "mirrors")
    mirror = mirrors.path_of("github", "acme/shop")
    subprocess.run(["git", "clone", "-q", "--mirror", str(shop.path), str(mirror)], check=True)
    with service.database.write() as connection:
        repositories.add(
            connection, NewRepository("github", "acme/shop", "https://example.com/shop", "main"), service.now()
        )
    clock = [0.0]
    way = Way(service, mirrors)
    setup = Production(prometheus=prometheus, step=STEP, history=900, watch=900)
    found = Told(way, shop, written[1], Lookout(way, setup, lambda: clock[0]), clock)
    for name in SERVICES:
        _deploy(service, f"first-{name}", name, first, "", -1000)
    _spans(service, -500, {})
    _deploy(service, "bad", "payments", shop.head(), first, 0)
    return found


def test_an_incident_goes_its_whole_way(told: Told) -> None:
    service = told.way.service
    told.look(10)
    assert told.raised() == []  # nothing has happened yet

    told.look(60)
    assert ("payments", "errors") in told.raised()
    assert {name for name, _ in told.raised()} <= {"payments", "checkout", "storefront"}  # none out of its reach

    _spans(service, 30, {"payments": _trace(told)})
    _alert(service, 70, None)
    told.look(80)
    incident, kept = told.incident()
    assert (incident.state, incident.service, incident.revision) == ("open", "payments", told.bad.commit)
    assert kept.investigation.ranking.suspects[0].change == told.bad.commit
    assert incident.probability is not None
    assert incident.probability > 0.5
    wrote = next(line for line in kept.lines if line.commit == told.bad.commit)
    assert (wrote.path, wrote.tool, wrote.model) == ("shop/payments.py", told.bad.tool, told.bad.model)
    assert told.bad.person in wrote.human
    target = kept.investigation.target
    assert target is not None
    assert target.revision == told.shop.git("rev-parse", "main~4")
    assert [one.kind for one in kept.investigation.timeline][-3:] == ["signal", "error", "alert"]
    assert kept.investigation.movers[0].signals[0].service in ("payments", "checkout")

    made_at = kept.made_at
    told.look(85)
    assert told.incident()[1].made_at == made_at  # nothing is new: nothing is traced again

    _deploy(service, "back", "payments", target.revision, told.shop.head(), 120)
    _alert(service, 70, 150)
    told.look(160)
    assert told.incident()[0].state == "open"  # not yet calm for long enough
    told.look(240)
    ended, kept = told.incident()
    assert (ended.state, ended.resolution, ended.ended) == ("resolved", "roll_back", DEPLOYED + 150.0)
    assert "Ended by" in kept.draft
    assert _recorded(service.log) == [("opened", ()), ("resolved", (told.bad.commit,))]


def test_a_roll_forward_that_reverts_the_culprit_takes_it_back(told: Told) -> None:
    """The revert goes on with all else that was deployed: a patch that is the opposite, in a commit of its own."""
    service, shop = told.way.service, told.shop
    _spans(service, 30, {"payments": _trace(told)})
    _alert(service, 70, None)
    told.look(80)
    assert told.incident()[0].revision == told.bad.commit
    ran = shop.git("rev-parse", "main")
    shop.git("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "revert", "--no-edit", told.bad.commit)
    _deploy(service, "forward", "payments", shop.git("rev-parse", "main"), ran, 120)
    mirror = told.way.mirrors.path_of("github", "acme/shop")
    subprocess.run(["git", "-C", str(mirror), "fetch", "-q"], check=True)
    _alert(service, 70, 150)
    told.look(240)
    incident, kept = told.incident()
    assert (incident.state, incident.resolution) == ("resolved", "roll_back")
    assert incident.resolved_by is not None
    assert "deployment" in kept.draft
    with service.database.read() as connection, ExitStack() as stack:
        back = deployments.get(connection, incident.resolved_by)
        assert back is not None
        near = deployments.around(connection, back, before=2, after=6)
        cycles = cycles_of(service, Lookup(service, connection, stack, 5), back, near)
    assert cycles is not None
    ((tie,),) = [[tie for tie in cycle.ties if tie.kind == "reverts"] for cycle in cycles]
    assert (tie.of, tie.commit) == (told.bad.commit, back.revision)


def test_a_good_deployment_is_left_alone(told: Told) -> None:
    _deploy(told.way.service, "good", "catalog", told.shop.head(), told.shop.git("rev-parse", "main~4"), 0)

    told.look(300)

    assert not [name for name, _ in told.raised() if name == "catalog"]


def test_alerts_of_services_that_call_each_other_are_one_incident(told: Told) -> None:
    _alert(told.way.service, 70, None)
    _alert(told.way.service, 75, None, "checkout")
    _alert(told.way.service, 75, None, "search")

    told.look(80)

    with told.way.service.database.read() as connection:
        found = incidents.page(connection)
    assert sorted(one.service for one in found) == ["payments", "search"]


def test_what_was_taken_back_before_is_no_suspect(told: Told) -> None:
    service, first, bad = told.way.service, told.shop.git("rev-parse", "main~4"), told.shop.head()
    _deploy(service, "back", "payments", first, bad, 30)
    _spans(service, 30, {"payments": _trace(told)})
    _alert(service, 70, None)

    told.look(80)

    incident, kept = told.incident()
    assert told.bad.commit not in {one.change for one in kept.investigation.ranking.suspects}
    assert incident.revision == ""


def test_without_prometheus_the_alert_alone_is_traced(told: Told) -> None:
    lost = Production(prometheus="http://127.0.0.1:9", step=STEP)
    lookout = Lookout(told.way, lost, lambda: DEPLOYED + 80.0)
    _spans(told.way.service, 30, {"payments": _trace(told)})
    _alert(told.way.service, 70, None)

    lookout.look()

    incident, kept = told.incident()
    assert incident.revision == told.bad.commit
    assert any("could not be read" in one for one in kept.investigation.unknowns)


def test_a_mirror_that_is_gone_is_said_and_accuses_nobody(told: Told) -> None:
    shutil.rmtree(told.way.mirrors.path_of("github", "acme/shop"))
    _alert(told.way.service, 70, None)

    told.look(80)

    incident, kept = told.incident()
    assert incident.revision == ""
    assert kept.investigation.ranking.suspects == ()
    assert any("acme/shop could not be brought up to date" in one for one in kept.investigation.unknowns)


# Private


def _measured() -> Iterator[str]:
    """Counters as the shop's services have them: payments and who calls it fail from 20 s after the deployment on."""
    served = dict.fromkeys(SERVICES, 0)
    failed = dict.fromkeys(SERVICES, 0)
    lines: dict[str, list[str]] = {"http_requests": [], "http_request_duration_seconds": []}
    for name in SERVICES:
        for at in range(DEPLOYED - PAST, DEPLOYED + 600, STEP):
            noise = (at * 2654435761 + len(name) * 40503) % 97
            served[name] += 40 + noise % 11
            share = {"payments": 0.5, "checkout": 0.2, "storefront": 0.06}.get(name, 0.0)
            failed[name] += round(share * 40) if DEPLOYED + 20 <= at < DEPLOYED + 125 else int(noise == 5)
            lines["http_requests"] += [
                f'http_requests_total{{service="{name}",code="200"}} {served[name]} {at}',
                f'http_requests_total{{service="{name}",code="500"}} {failed[name]} {at}',
            ]
            total = served[name] + failed[name]
            lines["http_request_duration_seconds"] += [
                f'http_request_duration_seconds_bucket{{service="{name}",le="0.01"}} {total * 80 // 100} {at}',
                f'http_request_duration_seconds_bucket{{service="{name}",le="0.1"}} {total * 99 // 100} {at}',
                f'http_request_duration_seconds_bucket{{service="{name}",le="+Inf"}} {total} {at}',
            ]
    for family, kind in (("http_requests", "counter"), ("http_request_duration_seconds", "histogram")):
        yield f"# TYPE {family} {kind}"
        yield from lines[family]


def _deploy(service: Service, run: str, name: str, revision: str, previous: str, after: float) -> None:
    event = {
        "type": "deployment",
        "deployment": run,
        "status": "succeeded",
        "environment": "production",
        "service": name,
        "at": DEPLOYED + after,
        "repository": "acme/shop",
        "revision": revision,
        "previous": previous,
    }
    assert take(service, "plain", json.dumps(event).encode(), {}).new == 1


def _alert(service: Service, after: float, ended: float | None, name: str = "payments") -> None:
    def moment(seconds: float) -> str:
        return datetime.fromtimestamp(DEPLOYED + seconds, UTC).isoformat()

    labels = {"alertname": "ErrorRatioHigh", "service": name, "severity": "page", "environment": "production"}
    one = {
        "status": "firing" if ended is None else "resolved",
        "labels": labels,
        "annotations": {"summary": f"errors of {name} are high"},
        "startsAt": moment(after),
        "endsAt": "0001-01-01T00:00:00Z" if ended is None else moment(ended),
        "generatorURL": "http://127.0.0.1/graph",
        "fingerprint": f"{sum(name.encode()):016x}",
    }
    message = {
        "version": "4",
        "groupKey": "{}",
        "status": one["status"],
        "receiver": "tidegate",
        "groupLabels": {},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://127.0.0.1",
        "alerts": [one],
    }
    take(service, "alertmanager", json.dumps(message).encode(), {})


def _trace(told: Told) -> str:
    text = told.shop.git("show", "main:shop/payments.py").splitlines()
    inner = next(number for number, line in enumerate(text, 1) if "raise ValueError" in line)
    outer = next(number for number, line in enumerate(text, 1) if "ask_bank(round" in line)
    return (
        "Traceback (most recent call last):\n"
        f'  File "/srv/shop/payments.py", line {outer}, in charge\n    ...\n'
        f'  File "/srv/shop/payments.py", line {inner}, in ask_bank\n    ...\n'
        "ValueError: the bank takes cents, not 12.0\n"
    )


def _spans(service: Service, after: float, traces: dict[str, str]) -> None:
    """One request from the storefront down to the bank; a service in `traces` fails with that stack trace."""
    at = DEPLOYED + after
    resources = []
    for number, name in enumerate(("storefront", "checkout", "payments")):
        events = []
        if name in traces:
            kinds = {"exception.type": "ValueError", "exception.message": "the bank takes cents, not 12.0"}
            events.append(
                {
                    "name": "exception",
                    "timeUnixNano": str(int(at * 1e9)),
                    "attributes": _attributes({**kinds, "exception.stacktrace": traces[name]}),
                }
            )
        span = {
            "traceId": f"{int(at):032x}",
            "spanId": f"{number + 1:016x}",
            "parentSpanId": f"{number:016x}" if number else "",
            "name": "/pay",
            "kind": 2,
            "startTimeUnixNano": str(int(at * 1e9)),
            "endTimeUnixNano": str(int((at + 0.1) * 1e9)),
            "events": events,
            "status": {"code": 2 if events else 1},
        }
        about = {"service.name": name, "deployment.environment.name": "production"}
        resources.append({"resource": {"attributes": _attributes(about)}, "scopeSpans": [{"spans": [span]}]})
    body = json.dumps({"resourceSpans": resources}).encode()
    take_spans(service, body, {"content-type": "application/json"})


def _attributes(values: dict[str, str]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def _recorded(log: Log) -> list[tuple[str, tuple[str, ...]]]:
    """State and causes of the incident's entries."""
    found = []
    for entry in log.entries(most=1000):
        said = read_statement(base64.b64decode(json.loads(entry.envelope)["payload"])).predicate
        if isinstance(said, IncidentStatement):
            found.append((said.state, said.causes))
    return found
