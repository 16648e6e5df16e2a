"""What production says, kept on both databases: each thing once, in whatever order its messages come."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec import structs
from sqlalchemy import Connection, text

from tests.store.world import at, small_world
from tidegate.errors import InternalError
from tidegate.store import alerts, causes, deployments, incidents, measurements, production_events
from tidegate.store.alerts import ToldAlert, ToldError
from tidegate.store.causes import NewCause
from tidegate.store.deployments import Told
from tidegate.store.engine import Database
from tidegate.store.incidents import Finding, NewIncident
from tidegate.store.measurements import Edge, Put, Sampled, Span
from tidegate.store.production_events import NewEvent, NewMessage


def event(key: str, *, subject: str = "github/1", seconds: float = 1.0, document: bytes = b"{}") -> NewEvent:
    return NewEvent("github", key, "deployment", subject, seconds, document)


def told(state: bytes = b"1", **changed: object) -> Told:
    usual = Told(
        environment="production",
        service="pay",
        status="succeeded",
        action="deploy",
        started=100.0,
        finished=160.5,
        repository="acme/shop",
        revision="a" * 40,
        previous="",
        artifact="",
        share=None,
        actor="ada",
        url="",
        chain="",
        state=state,
    )
    return structs.replace(usual, **changed)


def alert(state: bytes = b"1", **changed: object) -> ToldAlert:
    usual = ToldAlert(
        name="HighErrorRatio",
        started=100.0,
        ended=None,
        environment="production",
        service="pay",
        severity="high",
        summary="",
        labels="{}",
        revision="",
        url="",
        state=state,
    )
    return structs.replace(usual, **changed)


def never(key: str, state: bytes) -> Told:
    raise AssertionError("nothing was there before")


def put(connection: Connection, key: str, **changed: object) -> None:
    made = structs.replace(told(), **changed)
    assert deployments.fold(connection, "github", {key: made}, never, at(1)) == 1


def keep_message(connection: Connection, sender: str, body: bytes, when: str) -> int | None:
    (number,) = production_events.keep_messages(connection, [NewMessage(sender, body)], when)
    return number


def test_a_message_is_kept_once_as_it_came_and_its_body_for_a_while(database: Database) -> None:
    with database.write() as connection:
        first = keep_message(connection, "github", b"\0whole\xff", at(1))
        assert first is not None
        assert keep_message(connection, "github", b"\0whole\xff", at(2)) is None
        assert keep_message(connection, "gitlab", b"\0whole\xff", at(2)) not in (None, first)
        assert production_events.message(connection, first) == b"\0whole\xff"
        large = keep_message(connection, "x", b"." * (production_events.MOST_KEPT + 1), at(3))
        assert large is not None
        assert production_events.message(connection, large) is None
        assert production_events.forget_messages(connection, at(1.5)) == 1
        assert production_events.message(connection, first) is None
        assert keep_message(connection, "github", b"\0whole\xff", at(9)) is None


def test_an_event_is_kept_once_by_its_senders_key(database: Database) -> None:
    with database.write() as connection:
        a, b = event("a", seconds=5), event("b", seconds=3)
        assert production_events.keep(connection, [a, b, a], at(1)) == (a, b)
        again = [event("b", document=b"changed"), event("c", subject="github/2")]
        assert production_events.keep(connection, again, at(2)) == (again[1],)
        assert production_events.keep(connection, [], at(2)) == ()
        found = production_events.of_subject(connection, "deployment", "github/1")
        assert [(each.key, each.at, each.document, each.received_at) for each in found] == [
            ("a", 5.0, b"{}", at(1)),
            ("b", 3.0, b"{}", at(1)),
        ]
        assert [each.key for each in production_events.page(connection, most=2)] == ["c", "b"]
        assert production_events.counts(connection) == {("github", "deployment"): 3}


def test_the_first_message_makes_a_deployment_and_the_next_adds_to_it(database: Database) -> None:
    with database.write() as connection:
        put(connection, "github/1", state=b"1")
        seen: list[tuple[str, bytes]] = []

        def again(key: str, state: bytes) -> Told:
            seen.append((key, state))
            return told(state + b"2", status="rolled_back", finished=200.25)

        both = {"github/1": told(), "github/2": told(service="web")}
        assert deployments.fold(connection, "github", both, again, at(2)) == 1
        assert seen == [("github/1", b"1")]
        kept = deployments.by_key(connection, "github/1")
        assert kept is not None
        assert (kept.status, kept.finished, kept.changed_at, kept.sender) == ("rolled_back", 200.25, at(2), "github")
        state = connection.execute(text("SELECT state FROM deployments WHERE key = 'github/1'")).scalar_one()
        assert bytes(state) == b"12"
        assert deployments.get(connection, kept.id) == kept
        deployments.set_entry(connection, kept.id, 7)
        assert [each.entry for each in deployments.of_revision(connection, "a" * 40)] == [None, 7]


def test_of_two_that_write_at_once_both_count(database: Database) -> None:
    def write(number: int) -> None:
        first = {f"github/{name}": told(b"x") for name in range(4)}
        again = lambda _, state: told(state + b"x")  # noqa: E731  as short as it can be
        database.change(lambda connection: deployments.fold(connection, "github", first, again, at(number)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    with database.read() as connection:
        states = connection.execute(text("SELECT state FROM deployments")).scalars().all()
    assert [bytes(state) for state in states] == [b"x" * 12] * 4


def test_what_ran_before_and_what_runs_now(database: Database) -> None:
    with database.write() as connection:
        put(connection, "github/1", started=100, finished=110, revision="1" * 40)
        put(connection, "github/2", started=200, finished=210, revision="2" * 40)
        put(connection, "github/3", started=300, finished=310, revision="3" * 40, status="failed")
        put(connection, "github/4", started=300, finished=None, revision="4" * 40, status="started")
        put(connection, "github/5", started=50, finished=60, service="web", environment="staging")
        put(connection, "github/6", started=70, finished=80, service="old", action="remove")
        before = deployments.ran_before(connection, "production", "pay", 200)
        assert before is not None
        assert before.revision == "1" * 40
        assert deployments.ran_before(connection, "production", "pay", 110) is None
        assert [each.revision[:1] for each in deployments.running(connection, "production")] == ["2"]
        assert [each.key[-1] for each in deployments.page(connection, most=3)] == ["4", "3", "2"]
        assert [each.key[-1] for each in deployments.page(connection, service="web")] == ["5"]
        assert [each.key[-1] for each in deployments.page(connection, environment="production", before=100)] == ["6"]
        assert [each.key[-1] for each in deployments.between(connection, 205, 300)] == ["2"]
        assert [each.key[-1] for each in deployments.between(connection, 305, 400)] == ["3"]


def test_alerts_and_errors_are_folded_and_joined_to_one_incident(database: Database) -> None:
    with database.write() as connection:
        opened = incidents.open_incident(connection, incident("i1"), at(1)).incident
        other = incidents.open_incident(connection, incident("i2"), at(1)).incident
        first = {"f1": alert(), "f2": alert(started=50.0, ended=90.0)}
        assert alerts.fold_alerts(connection, "alertmanager", first, never_alert, at(1)) == 2
        over = alert(b"2", ended=130.0)
        assert alerts.fold_alerts(connection, "alertmanager", {"f1": alert()}, lambda _, __: over, at(2)) == 0
        found = alerts.find(connection, "alertmanager", "f1")
        assert found is not None
        assert (found.ended, found.incident, found.changed_at) == (130.0, None, at(2))
        assert alerts.firing(connection) == ()
        assert [each.key for each in alerts.alerts_between(connection, 95, 200)] == ["f1"]
        assert [each.key for each in alerts.alerts_between(connection, 60, 200)] == ["f1", "f2"]
        made = {"e1": error(count=3, frames=b'[{"file":"a.py"}]')}
        assert alerts.fold_errors(connection, "sentry", made, lambda _, __: error(), at(3)) == 1
        bad = alerts.find_error(connection, "sentry", "e1")
        assert bad is not None
        assert (bad.count, bad.frames, bad.last) == (3, b'[{"file":"a.py"}]', None)
        assert alerts.errors_between(connection, 0, 1000) == (bad,)
        assert alerts.join(connection, opened.id, of=[found.id], errors_of=[bad.id]) == 2
        assert alerts.join(connection, other.id, of=[found.id], errors_of=[bad.id]) == 0
        mine, theirs = alerts.of_incident(connection, opened.id)
        assert ([each.key for each in mine], [each.key for each in theirs]) == (["f1"], ["e1"])
        assert alerts.get(connection, found.id) == mine[0]
        assert alerts.get_error(connection, bad.id) == theirs[0]


def test_an_incident_is_opened_once_investigated_and_resolved_once(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        put(connection, "github/1")
        deployment = deployments.by_key(connection, "github/1")
        assert deployment is not None
        opened = incidents.open_incident(connection, incident("i1"), at(1))
        assert opened.new
        again = incidents.open_incident(connection, incident("i1", title="other"), at(2))
        assert (again.new, again.incident) == (False, opened.incident)
        number = opened.incident.id
        assert incidents.document(connection, number) == b"{}"
        found = Finding(document=b'{"suspects":[]}' * 50, deployment=deployment.id, revision="a" * 40, probability=0.75)
        assert incidents.record(connection, number, found, at(3))
        assert not incidents.record(connection, number + 1, found, at(3))
        assert incidents.document(connection, number) == b'{"suspects":[]}' * 50
        assert incidents.lasting(connection, "production", "pay", 99) is None
        now = incidents.lasting(connection, "production", "pay", 500)
        assert now is not None
        assert (now.probability, now.deployment, now.state) == (0.75, deployment.id, "open")
        assert incidents.resolve(connection, number, 400.0, "roll_back", at(4), by=deployment.id)
        assert not incidents.resolve(connection, number, 500.0, "none", at(5))
        assert incidents.lasting(connection, "production", "pay", 401) is None
        assert incidents.lasting(connection, "production", "pay", 399) is not None
        assert incidents.confirm(connection, number, "a" * 40, world.ada, at(6))
        done = incidents.get(connection, number)
        assert done is not None
        assert (done.state, done.ended, done.resolution, done.cause) == ("resolved", 400.0, "roll_back", "a" * 40)
        assert incidents.page(connection, state="open") == ()
        assert incidents.reopen(connection, number, at(7))
        assert not incidents.reopen(connection, number, at(7))
        incidents.set_entry(connection, number, 9)
        assert [(each.entry, each.ended) for each in incidents.page(connection, state="open")] == [(9, None)]


def test_each_word_on_a_cause_is_kept_once_and_put_on_record_once(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        number = incidents.open_incident(connection, incident("i1"), at(1)).incident.id
        words = [(world.ada, "load"), (world.ada, "load"), (world.ben, "load"), (world.ada, "a" * 40)]
        new = [NewCause(incident=number, person=person, through="token", cause=cause) for person, cause in words]
        assert [causes.put(connection, each, at(2)) for each in new] == [True, False, True, True]
        said = causes.of_incident(connection, number)
        assert [(each.person, each.cause) for each in said] == [words[0], *words[2:]]
        assert causes.set_entry(connection, said[0].id, 4)
        assert not causes.set_entry(connection, said[-1].id + 1, 5)
        assert causes.unrecorded(connection, most=1) == said[1:2]


def test_a_damaged_investigation_is_said_to_be_damaged(database: Database) -> None:
    with database.write() as connection:
        number = incidents.open_incident(connection, incident("i1"), at(1)).incident.id
        connection.execute(text("UPDATE incidents SET document = :bad"), {"bad": b"x\x9c\x01"})
        with pytest.raises(InternalError, match="damaged"):
            incidents.document(connection, number)


def test_spans_are_kept_once_and_know_their_kin(database: Database) -> None:
    root, child, other = span("1", ""), span("2", "1", service="pay", failed=True), span("9", "8", trace="t2")
    with database.write() as connection:
        assert measurements.put_spans(connection, [root, root]) == (root,)
        assert measurements.put_spans(connection, [child, other, root]) == (child, other)
        assert set(measurements.kin(connection, [child])) == {root, child}
        assert set(measurements.kin(connection, [root])) == {root, child}
        assert measurements.spans_of(connection, 0, 1000, service="pay") == (child,)
        assert len(measurements.spans_of(connection, 0, 1000)) == 3


def test_edges_in_whatever_order_are_seen_from_the_first_to_the_last(database: Database) -> None:
    given = [edge(first=first, last=first + 1) for first in (5.0, 1.0, 3.0)]
    for order in itertools.permutations(given):
        with database.write() as connection:
            connection.execute(text("DELETE FROM service_edges"))
            for one in order:
                measurements.put_edges(connection, [one])
            measurements.put_edges(connection, [])
            assert measurements.edges(connection) == (edge(first=1.0, last=6.0),)
            assert measurements.edges(connection, since=7) == ()
            assert measurements.edges(connection, environment="staging") == ()


def test_samples_are_kept_once_and_read_in_order(database: Database) -> None:
    pay = {"service": "pay", "code": "500"}
    with database.write() as connection:
        assert measurements.put_samples(connection, [Sampled("requests", pay, ((2.0, 5.0), (1.0, 4.0)))]) == Put(2, 0)
        more = [Sampled("requests", pay, ((2.0, 9.0), (3.0, 6.5))), Sampled("requests", {}, ((2.0, 1.0),))]
        assert measurements.put_samples(connection, more) == Put(2, 0)
        full = [Sampled("other", pay, ((1.0, 1.0), (2.0, 1.0))), Sampled("requests", pay, ((4.0, 1.0),))]
        assert measurements.put_samples(connection, full, most_series=2) == Put(1, 2)
        found = measurements.read_samples(connection, "requests", 1, 3)
        assert {(tuple(one.labels.items()), one.samples) for one in found} == {
            ((), ((2.0, 1.0),)),
            ((("code", "500"), ("service", "pay")), ((1.0, 4.0), (2.0, 5.0))),
        }
        assert len(measurements.read_samples(connection, "requests", 0, 9, service="pay")) == 1
        measurements.put_spans(connection, [span("1", "")])
        measurements.forget(connection, spans_before=3.0, samples_before=3.0)
        assert len(measurements.spans_of(connection, 0, 99)) == 1
        measurements.forget(connection, spans_before=11.0, samples_before=3.0)
        assert measurements.spans_of(connection, 0, 99) == ()
        (left,) = measurements.read_samples(connection, "requests", 0, 9)
        assert left.samples == ((3.0, 6.5), (4.0, 1.0))
        assert connection.execute(text("SELECT count(*) FROM series")).scalar_one() == 1


# Private


def never_alert(key: str, state: bytes) -> ToldAlert:
    raise AssertionError("nothing was there before")


def incident(key: str, *, title: str = "pay: errors") -> NewIncident:
    return NewIncident(key=key, title=title, severity="high", started=100.0, environment="production", service="pay")


def error(*, count: int = 1, frames: bytes = b"[]") -> ToldError:
    return ToldError(
        kind="KeyError",
        message="'id'",
        first=100.0,
        last=None,
        count=count,
        frames=frames,
        environment="production",
        service="pay",
        revision="",
        url="",
        state=b"1",
    )


def span(name: str, parent: str, *, trace: str = "t1", service: str = "web", failed: bool = False) -> Span:
    return Span(
        trace=trace,
        span=name,
        parent=parent,
        environment="production",
        service=service,
        operation="GET /",
        kind="server",
        peer="",
        started=10.0,
        seconds=0.25,
        failed=failed,
        revision="",
    )


def edge(*, first: float, last: float) -> Edge:
    return Edge(environment="production", caller="web", callee="pay", kind="call", first=first, last=last)
