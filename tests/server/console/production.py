"""Production as the service is told of it, around the shop of the console's house: deployments, alerts, an incident."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np
from msgspec import Struct
from sqlalchemy import Connection

from tests.server.console.house import House
from tidegate.operate.culprit import Change
from tidegate.operate.detect.regression import Regression
from tidegate.operate.draft import draft_review
from tidegate.operate.investigate import Case, investigate
from tidegate.operate.investigate.values import Moment, Past, Signal
from tidegate.operate.lines import Decided, WrittenLines
from tidegate.operate.values import ErrorReport as Report
from tidegate.operate.values import Evidence, Hypothesis, Ranking, Suspect
from tidegate.rollout.canary import sequential
from tidegate.rollout.canary.courses import judgement_with_courses
from tidegate.rollout.canary.values import Measured, Metric
from tidegate.rollout.gate import Decision, Obligation, Question, Sums
from tidegate.server.production.document import Kept
from tidegate.server.production.intake import take
from tidegate.server.production.measured import take_spans
from tidegate.server.production.opening import join_evidence, open_incidents
from tidegate.server.production.watching import deployment_of
from tidegate.server.service import Service
from tidegate.store import canaries, deployments, gates, incidents, regressions
from tidegate.store.canaries import NewCanary
from tidegate.store.clock import later, moment_of, now
from tidegate.store.deployments import Told
from tidegate.store.gates import NewGate
from tidegate.store.incidents import Finding, NewIncident
from tidegate.store.regressions import NewRegression
from tidegate.telemetry.series import Series

PEOPLE = "Alice Example <alice@example.com>"


class Story(Struct, frozen=True):
    """What was told: the deployments by name, the open incident, and when it began in Unix seconds."""

    good: int
    bad: int
    incident: int
    past: int
    began: float
    head: str
    main: str


def tell(house: House) -> Story:
    """A good deployment of the shop, a bad one with the feature branch, an alert, and what was found."""
    service = house.service
    began = moment_of(now()).timestamp() - 900
    head, main = house.repo.head("feature"), house.repo.head("main")
    first = house.repo.git("rev-list", "--max-parents=0", main).split()[0]
    good = deploy(service, "run-1", main, first, began - 5400, actor="alice")
    bad = deploy(
        service, "run-2", head, main, began - 240, actor="deploy-bot", url="https://ci.example.com/runs/2?a=1&b=2"
    )
    deploy(service, "run-3", main, "", began - 9000, name="search")
    with service.database.write() as connection:
        past = _past(connection, began, good)
        ask_gate(connection, head, main)
        judge(connection, head, began)
        notice(connection, bad, began)
    call(service, began, ("storefront", "checkout", "payments"), ("storefront", "search"), ("payments", "ledger"))
    alert(service, "payments", began)
    (incident,) = open_incidents(service, began + 60)
    with service.database.read() as connection:
        opened = incidents.get(connection, incident)
    assert opened is not None
    join_evidence(service, opened, began + 60)
    found(service, incident, head, bad)
    return Story(good, bad, incident, past, began, head, main)


def deploy(
    service: Service,
    run: str,
    revision: str,
    previous: str,
    at: float,
    *,
    name: str = "payments",
    status: str = "succeeded",
    environment: str = "production",
    **more: str,
) -> int:
    """Tells of a deployment as its pipeline does; its number."""
    event = {"type": "deployment", "deployment": run, "status": "started", "environment": environment, "service": name}
    event |= {"repository": "acme/shop", "revision": revision, "previous": previous, **more}
    take(service, "plain", json.dumps({**event, "at": at}).encode(), {})
    if status != "started":
        take(service, "plain", json.dumps({**event, "status": status, "at": at + 45}).encode(), {})
    with service.database.read() as connection:
        (mine, *_) = deployments.page(connection, environment=environment, service=name, most=1)
    return mine.id


def alert(service: Service, name: str, at: float, ended: float | None = None) -> None:
    """What Alertmanager sends."""
    labels = {"alertname": "ErrorRatioHigh", "service": name, "severity": "page", "environment": "production"}
    one = {
        "status": "firing" if ended is None else "resolved",
        "labels": labels,
        "annotations": {"summary": f"more than 5 % of the requests of {name} fail"},
        "startsAt": datetime.fromtimestamp(at, UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z" if ended is None else datetime.fromtimestamp(ended, UTC).isoformat(),
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


def call(service: Service, at: float, *chains: Sequence[str]) -> None:
    """What OTLP tells of one request along each chain of services."""
    resources = []
    for number, chain in enumerate(chains, 1):
        for place, name in enumerate(chain, 1):
            span = {
                "traceId": f"{number:032x}",
                "spanId": f"{number:08x}{place:08x}",
                "parentSpanId": f"{number:08x}{place - 1:08x}" if place > 1 else "",
                "name": f"/{chain[-1]}",
                "kind": 2,
                "startTimeUnixNano": str(int(at * 1e9)),
                "endTimeUnixNano": str(int((at + 0.1) * 1e9)),
            }
            about = {"service.name": name, "deployment.environment.name": "production"}
            attributes = [{"key": key, "value": {"stringValue": value}} for key, value in about.items()]
            resources.append({"resource": {"attributes": attributes}, "scopeSpans": [{"spans": [span]}]})
    body = json.dumps({"resourceSpans": resources}).encode()
    take_spans(service, body, {"content-type": "application/json"})


def notice(connection: Connection, deployment: int, began: float) -> None:
    """The watch raised a regression two minutes before the alert."""
    said = Regression(
        status="suspected",
        deployment=str(deployment),
        service="payments",
        metric="errors",
        sure=0.993,
        before=0.004,
        after=0.31,
        moved=began - 170,
        earliest=began - 180,
        latest=began - 165,
        raised_at=began - 120,
        evidence=(Evidence(kind="moved", weight=4.1, says="errors rose from 0.4 % to 31 %", source="Prometheus"),),
    )
    points = [
        [began - 2000 + 15 * n, 0.31 if began - 2000 + 15 * n > began - 170 else 0.002 + n % 5 / 1000]
        for n in range(126)
    ]
    document = msgspec.json.encode({**msgspec.structs.asdict(said), "points": points})
    new = NewRegression(
        deployment=deployment,
        service="payments",
        metric="errors",
        moved=began - 170,
        raised=began - 120,
        sure=0.993,
        document=document,
    )
    assert regressions.notice(connection, new, now())


def ask_gate(connection: Connection, revision: str, previous: str) -> None:
    """The gate lets the revision pass, with one demand that two people set aside."""
    question = Question(environment="production", service="payments", revision=revision, previous=previous)
    obligations = (
        Obligation(kind="freeze", text="no freeze is in force", state="met", why="the next begins on Friday"),
        Obligation(kind="approvals", text="two people approve", state="set aside", why="erin and dave, until noon"),
    )
    decision = Decision(
        outcome="pass", question=question, direction="forward", obligations=obligations, sums=Sums(), at=0.0
    )
    gates.put(
        connection,
        NewGate(
            question="q",
            answer="a",
            sender="plain",
            environment="production",
            service="payments",
            repository=None,
            revision=revision,
            previous=previous,
            share=None,
            outcome="pass",
            document=msgspec.json.encode(decision),
            asked_by="deploy-bot",
        ),
        later(now(), -1800),
    )


def judge(connection: Connection, revision: str, began: float) -> None:
    """The sequential judge's word on a canary whose errors are what its baseline's are."""
    start, end = began - 900, began - 300
    times = np.arange(start - 600, end, 10.0)
    noise = np.random.default_rng(7)

    def series(level: float) -> tuple[Series, ...]:
        values = level * (1 + 0.05 * noise.standard_normal(len(times)))
        return (Series(name="latency", labels={}, times=times, values=values),)

    measured = (Measured(metric=Metric(name="latency"), canary=series(0.21), baseline=series(0.2)),)
    judged = sequential.judge(measured, start, end, 0.02)
    canaries.put(
        connection,
        NewCanary(
            repository=1,
            name="payments",
            environment="production",
            service="payments",
            revision=revision,
            rules="main",
            verdict="roll_back" if judged.decision == "roll back" else judged.decision,
            since=start,
            until=end,
            document=judgement_with_courses(judged, measured),
            asked_by="argo",
        ),
        now(),
    )


def found(service: Service, incident: int, head: str, bad: int) -> Kept:
    """What an investigation of it keeps: the real one, of a ranking that is made here."""
    with service.database.read() as connection:
        opened = incidents.get(connection, incident)
        told = [deployment_of(one) for one in deployments.page(connection, environment="production")]
    assert opened is not None
    ranking = Ranking(
        suspects=(
            Suspect(change=head, probability=0.87, evidence=_EVIDENCE, deployment=str(bad)),
            Suspect(change="4" * 40, probability=0.04, evidence=_EVIDENCE[2:], deployment=str(bad)),
        ),
        hypotheses=(
            Hypothesis(kind="load", probability=0.06, evidence=(_evidence("load", 0.7, "requests rose by a third"),)),
            Hypothesis(kind="older-code", probability=0.03, evidence=()),
        ),
        none=0.09,
        unknowns=("who wrote shop/old.py:3 could not be told: it is gone",),
    )
    began = opened.started
    case = Case(
        id=str(incident),
        title=opened.title,
        severity=opened.severity,
        environment=opened.environment,
        service=opened.service,
        started=began,
        now=began + 120,
        ranking=ranking,
        deployments=tuple(told),
        errors=(Report(key="e", sender="sentry", kind="ValueError", message="the bank takes cents", first=began - 30),),
        signals=(
            Signal(
                service="payments",
                metric="errors",
                onset=began - 170,
                before=0.004,
                after=0.31,
                source="regression 1",
                spread=15,
                sure=0.993,
            ),
            Signal(
                service="checkout",
                metric="latency",
                onset=began - 60,
                before=0.2,
                after=1.4,
                source="regression 2",
                sure=0.9,
            ),
        ),
        calls=(("checkout", "payments"),),
        past=(
            Past(
                id="1",
                title="ErrorRatioHigh of payments",
                service="payments",
                started=began - 86400 * 9,
                words="ErrorRatioHigh more than 5 % of the requests of payments fail",
                cause="certificate",
                resolution="none",
            ),
        ),
        effects=((head, "migrates the table charges: what it wrote cannot be read by what ran before"),),
        others=(
            Moment(
                at=began - 300,
                kind="flag",
                says="Flag fast-pay was turned on for everybody",
                source="https://flags.example.com/1",
            ),
        ),
        unknowns=("Prometheus answered for 2 of 3 services",),
    )
    answer = investigate(case)
    kept = Kept(
        investigation=answer,
        changes=(
            Change(
                commit=head,
                title="Take payments twice as fast",
                author=PEOPLE,
                at=began - 4000,
                deployment=str(bad),
                services=("payments",),
            ),
        ),
        lines=(
            WrittenLines(
                path="shop/payments/charge.py",
                line=10,
                end_line=13,
                lines=(
                    "def charge(amount):",
                    "    cents = amount * 100",
                    "    return ask_bank(cents / 1)",
                    "    # pays",
                ),
                meant=(12,),
                commit=head,
                writer="ai",
                evidence="E4",
                tool="claude",
                model="claude-opus-4-6",
                session="0b8f0f5e-6b7e-4b6b-9a3e-1a5e1f6f2d11",
                prompt="sha256:4f2a9d1c7be0a1",
                human=PEOPLE,
                source="note ai",
            ),
            WrittenLines(
                path="shop/payments/charge.py",
                line=14,
                end_line=14,
                lines=("    log(cents)",),
                meant=(),
                commit=head,
                writer="human",
                evidence="E1",
                human=PEOPLE,
            ),
        ),
        decided={head: Decided(approvers=("Erin", "Dave"), gate="hold", waived=("two people approve AI lines",))},
        draft=draft_review(case, answer, None),
        made_at=now(),
        digest="d",
    )
    finding = Finding(document=msgspec.json.encode(kept), deployment=bad, revision=head, probability=0.87)
    service.database.change(lambda connection: incidents.record(connection, incident, finding, now()))
    return kept


def fill(connection: Connection, count: int, open_: int, ended: int) -> None:
    """So many deployments of sixty services in three environments, and so many incidents."""
    base = moment_of(now()).timestamp() - 86400.0 * 90
    step = 86400.0 * 89 / count
    revision: dict[tuple[str, str], str] = {}
    told: dict[str, Told] = {}
    for number in range(count):
        environment, name = ("production", "staging", "dev")[number % 3], f"service-{number * 7 % 60:02d}"
        oid = f"{number + 1:040x}"
        began = base + number * step
        told[f"bulk/{number}"] = Told(
            environment=environment,
            service=name,
            status="failed" if number % 41 == 0 else "succeeded",
            action="deploy",
            started=began,
            finished=began + 60,
            repository="acme/shop",
            revision=oid,
            previous=revision.get((environment, name), ""),
            artifact="",
            share=None,
            actor=f"person-{number % 9}",
            url=f"https://ci.example.com/{number}",
            chain="",
            state=b"{}",
        )
        revision[environment, name] = oid
    deployments.fold(connection, "bulk", told, lambda key, state: told[key], now())
    for number in range(open_ + ended):
        began = base + number * 3600.0
        new = NewIncident(
            key=f"bulk/{number}",
            title=f"LatencyHigh of service-{number % 60:02d}",
            severity=("low", "medium", "high", "critical")[number % 4],
            started=began,
            environment="production",
            service=f"service-{number % 60:02d}",
        )
        opened = incidents.open_incident(connection, new, now()).incident.id
        if number >= open_:
            incidents.resolve(connection, opened, began + 900, "forward_fix", now())


# Private


def _evidence(kind: str, weight: float, says: str, source: str = "") -> Evidence:
    return Evidence(kind=kind, weight=weight, says=says, source=source)


_EVIDENCE = (
    _evidence("line", 5.2, "the innermost frame is line 12 of shop/payments/charge.py", "error 1"),
    _evidence("place", 1.8, "it changed payments, where it began", "https://ci.example.com/runs/2"),
    _evidence("time", 0.9, "it was deployed 4 min before"),
    _evidence("size", -0.4, "few lines were changed"),
)


def _past(connection: Connection, began: float, deployment: int) -> int:
    new = NewIncident(
        key="past/1",
        title="ErrorRatioHigh of payments",
        severity="high",
        started=began - 86400 * 9,
        environment="production",
        service="payments",
    )
    opened = incidents.open_incident(connection, new, now()).incident.id
    incidents.resolve(connection, opened, began - 86400 * 9 + 1800, "roll_back", now(), by=deployment)
    return opened
