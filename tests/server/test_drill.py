"""Drills by several people: what each may see and when, decisions that count once, a clock that no process keeps."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from tests.server.conftest import Made, bearer
from tests.server.drills import HIDDEN, Played, place, ready, short
from tidegate.drill.score import mark_all
from tidegate.drill.values import Marked, Report
from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.ledger.predicates.drill import Drill as Recorded
from tidegate.ledger.predicates.drill_decision import DrillDecision
from tidegate.ledger.statements import read_statement
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.drill import acts
from tidegate.server.drill.acts import Wanted
from tidegate.server.drill.making import attend
from tidegate.server.drill.record import answers_of
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import drills
from tidegate.store.clock import later, now

T = TypeVar("T")


class Hand:
    """A service whose clock stands until somebody moves it. `other()` is a second process on the same database."""

    def __init__(self, made: Made, played: Played) -> None:
        self.at = later(now(), -300)  # of what is still to come the ledger holds nothing
        self.made = made
        self.service = self.other()
        place(self.service, played)
        self.number = ready(self.service, short(played.scenario), made.people["reviewer"])

    def other(self) -> Service:
        return replace(self.made.service, now=lambda: self.at)

    def who(self, role: str) -> Who:
        return Who(self.made.people[role], role, role, None, "session")

    def wait(self, seconds: float) -> None:
        self.at = later(self.at, seconds)

    def see(self, role: str) -> str:
        """Every byte of what this person is told."""
        _, view = acts.look(self.other(), self.who(role), self.number)
        return msgspec.json.encode(view).decode()

    def turn(self, word: acts.Turn) -> None:
        acts.turn(self.other(), self.who("reviewer"), self.number, word)

    def join(self, role: str, *roles: str) -> None:
        acts.join(self.other(), self.who(role), self.number, roles)

    def decide(self, role: str, decision: str, given: str) -> None:
        acts.decide(self.other(), self.who(role), self.number, decision, given)

    def refused(self, role: str, decision: str, given: str) -> int:
        with pytest.raises(Problem) as raised:
            self.decide(role, decision, given)
        return raised.value.status


@pytest.fixture
def hand(made: Made, played: Played) -> Hand:
    return Hand(made, played)


def test_a_role_sees_what_is_its_own_and_only_when_it_comes(hand: Hand) -> None:
    hand.join("viewer", "on-call")
    hand.join("approver", "support")
    before = hand.see("viewer")
    for word in ("inject-", "question-", "choice", "leads-", *HIDDEN):
        assert word not in before
    hand.turn("start")
    hand.wait(30)
    assert "inject-on-call-0" in hand.see("viewer")
    assert "inject-support-0" in hand.see("approver")
    for role, words in (("viewer", "inject-support"), ("approver", "inject-on-call"), ("admin", "inject-")):
        assert words not in hand.see(role)
    for role in ("viewer", "approver", "admin"):
        for word in ("inject-on-call-2", "inject-support-3", "question-", "leads-", *HIDDEN):
            assert word not in hand.see(role), (role, word)
    hand.wait(29.9)
    assert "question-on-call-1" not in hand.see("viewer")
    hand.wait(0.1)
    assert "question-on-call-1" in hand.see("viewer")
    assert "leads-" not in hand.see("viewer")
    assert "question-" not in hand.see("approver")
    hand.decide("viewer", "first", "a")
    assert "leads-a" in hand.see("viewer")
    assert "leads-b" not in hand.see("viewer")
    assert "inject-support-3" in hand.see("reviewer")  # who leads it sees what will come


def test_who_leads_takes_no_role_and_who_takes_a_role_does_not_lead(hand: Hand) -> None:
    with pytest.raises(Problem, match="knows what is hidden"):
        hand.join("reviewer", "on-call")
    hand.join("approver", "on-call")
    with pytest.raises(Problem, match="does not learn what is hidden"):
        acts.take_over(hand.service, hand.who("approver"), hand.number)
    with pytest.raises(Problem, match="you have your roles"):
        hand.join("approver", "support")
    assert "inject-support" not in hand.see("approver")
    with pytest.raises(Problem) as raised:
        acts.take_over(hand.service, hand.who("viewer"), hand.number)
    assert raised.value.status == 403
    acts.take_over(hand.service, hand.who("admin"), hand.number)
    assert "inject-support-3" in hand.see("admin")
    acts.turn(hand.service, hand.who("admin"), hand.number, "start")
    for odd in ((), ("king",), ("on-call", "king")):
        with pytest.raises(Problem) as raised:
            hand.join("viewer", *odd)
        assert raised.value.status == 422


def test_a_token_with_less_than_its_person_does_not_see_what_is_hidden(hand: Hand) -> None:
    token = Who(hand.made.people["reviewer"], "reviewer", "reviewer", ("changes:read", "drills:join"))
    drill, view = acts.look(hand.service, token, hand.number)
    assert view is not None
    assert not view.leads
    assert "inject-support-3" not in msgspec.json.encode(view).decode()
    with pytest.raises(Problem):
        acts.turn(hand.service, token, drill.id, "start")


def test_the_first_answer_counts_whoever_was_asked_or_leads(hand: Hand) -> None:
    hand.join("viewer", "on-call")
    hand.join("approver", "incident lead")
    hand.turn("start")
    hand.wait(60)
    assert hand.refused("approver", "first", "a") == 404  # another's
    assert hand.refused("viewer", "second", "a") == 404  # not asked yet, and another's
    assert hand.refused("viewer", "nothing", "a") == 404  # there is none
    assert hand.refused("viewer", "first", "z") == 422
    assert hand.refused("viewer", "first", "\x00" * 400) == 422
    hand.decide("viewer", "first", "b")
    assert hand.refused("viewer", "first", "a") == 409
    assert hand.refused("reviewer", "first", "a") == 409
    hand.wait(60)
    hand.decide("reviewer", "second", "a")
    assert hand.refused("approver", "second", "b") == 409
    kept = [one.said for one in _events(hand, "answer")]
    assert kept == ["b", "a"]


def test_of_many_who_decide_at_once_one_does(hand: Hand) -> None:
    hand.join("viewer", "on-call")
    hand.turn("start")
    hand.wait(61)
    told: list[int] = []

    def decide(letter: str) -> None:
        try:
            hand.decide("viewer", "first", letter)
            told.append(200)
        except Problem as problem:
            told.append(problem.status)

    threads = [threading.Thread(target=decide, args=("ab"[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [200] + [409] * 7
    assert len(_events(hand, "answer")) == 1
    assert len(_entries(hand.service, DrillDecision)) == 1


def test_a_pause_stands_still_and_the_next_comes_now_without_making_anybody_late(hand: Hand) -> None:
    hand.join("viewer", "on-call")
    hand.join("approver", "incident lead")
    hand.turn("start")
    hand.wait(60)
    hand.turn("pause")
    hand.wait(3_600)
    assert hand.refused("viewer", "first", "a") == 409
    assert '"second":60.0' in hand.see("viewer")
    hand.turn("resume")
    hand.wait(50)
    hand.turn("skip")  # to minute 2
    assert "question-lead-2" in hand.see("approver")
    hand.decide("viewer", "first", "a")  # 50 of its 60 seconds
    hand.wait(61)
    hand.decide("approver", "second", "a")  # late by one
    hand.turn("end")
    marked = {one.decision: one for one in _marked(hand)}
    assert (marked["first"].points, marked["first"].late) == (3.0, False)
    assert (marked["second"].points, marked["second"].late) == (1.5, True)


def test_the_clock_turns_only_where_that_makes_sense(hand: Hand) -> None:
    def refused(word: acts.Turn) -> bool:
        try:
            hand.turn(word)
        except Problem as problem:
            return problem.status == 409
        return False

    assert all(refused(word) for word in ("pause", "resume", "skip", "end"))
    hand.turn("start")
    assert all(refused(word) for word in ("start", "resume"))
    hand.turn("pause")
    assert all(refused(word) for word in ("start", "pause"))
    for _ in range(3):
        hand.turn("skip")
    assert refused("skip")
    assert '"second":180.0' in hand.see("reviewer")
    hand.turn("end")
    assert all(refused(word) for word in ("start", "pause", "resume", "skip", "end"))
    assert hand.refused("reviewer", "first", "a") == 409
    with pytest.raises(Problem):
        hand.join("viewer", "on-call")


def test_the_end_has_a_report_and_everything_is_on_record_once(hand: Hand) -> None:
    hand.join("viewer", "on-call")
    hand.turn("start")
    hand.wait(70)
    hand.decide("viewer", "first", "a")
    hand.turn("end")
    assert "inject-support-3" not in hand.see("viewer")
    report = _judged(hand)
    assert report.tested, "each rule was tried on the past"
    assert report.checked.startswith("Owners, revisions and the gate were asked of the repository")
    attend(hand.other())
    attend(hand.other())
    (decision,) = _entries(hand.service, DrillDecision)
    (result,) = _entries(hand.service, Recorded)
    assert (decision.option, decision.by, decision.through, decision.seconds) == ("a", "role", "session", 10)
    assert decision.person.startswith("person:")
    assert result.checked
    assert result.half_points == round(2 * report.points)
    assert [one.option for one in result.decisions] == ["a", "none", "none"]
    assert b"iewer" not in b"".join(_payloads(hand.service))
    with hand.service.database.read() as connection:
        drill = drills.get(connection, hand.number)
    assert drill is not None
    assert drill.entry is not None


def test_a_restart_in_the_middle_loses_nothing(made: Made, played: Played) -> None:
    hand = Hand(made, played)
    hand.join("viewer", "on-call")
    hand.turn("start")
    hand.wait(60)
    hand.decide("viewer", "first", "b")
    hand.turn("pause")
    before = hand.see("viewer"), hand.see("reviewer")
    config = made.service.config
    made.service.log.close()
    made.service.database.close()
    with open_service(config) as again:
        hand.made = replace(made, service=again)
        hand.wait(500)
        assert (hand.see("viewer"), hand.see("reviewer")) == before
        hand.turn("resume")
        hand.wait(60)
        assert "inject-on-call-2" in hand.see("viewer")
        assert hand.refused("viewer", "first", "a") == 409


def test_what_cannot_be_asked_of_the_repository_is_said(hand: Hand, tmp_path: Path) -> None:
    hand.turn("start")
    hand.turn("end")
    (hand.service.config.data / "mirrors").rename(tmp_path / "gone")
    assert _judged(hand).checked.startswith("No repository was at hand")


def test_a_worker_makes_it_and_a_broken_child_is_tried_again_and_given_up(hand: Hand, played: Played) -> None:
    new = acts.make(hand.service, hand.who("reviewer"), Wanted(repository=1, pattern="confident-wrong-migration"))
    assert new.state == "making"
    _, view = acts.look(hand.service, hand.who("reviewer"), new.id)
    assert view is None
    for _ in range(3):
        attend(hand.other(), ("/bin/false",))
    assert _state(hand, new.id) == ("making", "")
    attend(hand.other(), ("/bin/false",))
    assert _state(hand, new.id)[0] == "failed"
    with pytest.raises(InputError):
        acts.make(hand.service, hand.who("reviewer"), Wanted(repository=1, pattern="no-such-pattern"))
    with pytest.raises(Problem):
        acts.make(hand.service, hand.who("reviewer"), Wanted(repository=99))


def test_a_file_from_elsewhere_is_checked_beside_the_repository(hand: Hand, played: Played) -> None:
    lied = replace(played.scenario, gate=replace(played.scenario.gate, outcome="pass", held=()), criteria=())
    good = acts.make(hand.service, hand.who("reviewer"), Wanted(repository=1, scenario=to_json(lied).decode()))
    diff = played.scenario.truth.diff.replace("-", "~")
    foreign = replace(played.scenario, truth=replace(played.scenario.truth, diff=diff))
    bad = acts.make(hand.service, hand.who("reviewer"), Wanted(repository=1, scenario=to_json(foreign).decode()))
    attend(hand.other())
    with hand.service.database.read() as connection:
        kept = acts.read_kept(drills.scenario(connection, good.id), good.id)
    assert kept.gate == played.scenario.gate
    assert kept.criteria
    state, problem = _state(hand, bad.id)
    assert state == "failed"
    assert "cannot be applied" in problem
    for odd in ("{}", "[", "null", '{"schema": "tidegate.drill/1"}', "x" * (3 << 20)):
        with pytest.raises(InputError):
            acts.make(hand.service, hand.who("reviewer"), Wanted(repository=1, scenario=odd))


def test_few_are_made_at_once(hand: Hand) -> None:
    for _ in range(acts.MOST_MAKING):
        acts.make(hand.service, hand.who("reviewer"), Wanted(repository=1))
    with pytest.raises(Problem) as raised:
        acts.make(hand.service, hand.who("reviewer"), Wanted(repository=1))
    assert raised.value.status == 503


@pytest.fixture
def asked(client: TestClient, made: Made, played: Played) -> tuple[TestClient, int]:
    place(made.service, played)
    return client, ready(made.service, short(played.scenario), made.people["reviewer"])


def test_the_api_tells_no_more_than_the_view(asked: tuple[TestClient, int], made: Made) -> None:
    client, number = asked
    path = f"/api/v1/drills/{number}"
    as_viewer, as_leader = bearer(made.tokens["viewer"]), bearer(made.tokens["reviewer"])
    joined = client.post(f"{path}/roles", json={"roles": ["on-call"]}, headers=as_viewer)
    assert joined.status_code == 200
    assert client.post(f"{path}/clock", json={"turn": "start"}, headers=as_viewer).status_code == 403
    assert client.post(f"{path}/clock", json={"turn": "start"}, headers=as_leader).status_code == 200
    for _ in range(1):
        client.post(f"{path}/clock", json={"turn": "skip"}, headers=as_leader)
    told = client.get(path, headers=as_viewer)
    assert "question-on-call-1" in told.text
    for word in ("inject-on-call-2", "inject-support", "question-lead", "leads-", "migration", *HIDDEN):
        assert word not in told.text, word
    assert told.json()["scenario"] == {}
    assert client.get(path, headers=as_leader).json()["scenario"]["title"] == "SECRET-TITLE (shop)"
    listed = client.get("/api/v1/drills", headers=as_viewer)
    assert "SECRET" not in listed.text
    assert "migration" not in listed.text
    assert "seed" not in listed.text
    given = {"decision": "first", "given": "a"}
    assert client.post(f"{path}/decisions", json=given, headers=as_viewer).status_code == 200
    assert client.post(f"{path}/decisions", json=given, headers=as_viewer).status_code == 409
    agent = bearer(made.tokens["agent"])
    assert client.post(f"{path}/roles", json={"roles": ["on-call"]}, headers=agent).status_code == 403
    assert client.get(f"{path}/report", headers=as_viewer).status_code == 409
    entries = client.get("/api/v1/ledger/entries", headers=as_viewer).text
    for word in HIDDEN:
        assert word not in entries


def test_odd_input_is_refused_and_never_our_failure(asked: tuple[TestClient, int], made: Made) -> None:
    client, number = asked
    leader = bearer(made.tokens["reviewer"])
    roles: tuple[Any, ...] = ({}, {"roles": []}, {"roles": ["x"] * 9}, {"roles": "on-call"}, {"roles": ["\x00"]}, [])
    for body in roles:
        assert client.post(f"/api/v1/drills/{number}/roles", json=body, headers=leader).status_code == 422
    turns: tuple[Any, ...] = ({"turn": "back"}, {"turn": None}, {"turn": ["start"]})
    for body in turns:
        assert client.post(f"/api/v1/drills/{number}/clock", json=body, headers=leader).status_code == 422
    deep = "[" * 100_000
    made_of: tuple[Any, ...] = ({"repository": 1, "scenario": deep}, {"repository": -1}, {"pattern": "../x"})
    for body in made_of:
        assert client.post("/api/v1/drills", json=body, headers=leader).status_code == 422
    assert client.post("/api/v1/drills", json={"repository": 77}, headers=leader).status_code == 404
    assert client.get("/api/v1/drills/77", headers=leader).status_code == 404


# Private


def _events(hand: Hand, kind: str) -> list[drills.Event]:
    with hand.service.database.read() as connection:
        return [one for one in drills.events(connection, hand.number) if one.kind == kind]


def _state(hand: Hand, number: int) -> tuple[str, str]:
    with hand.service.database.read() as connection:
        drill = drills.get(connection, number)
    assert drill is not None
    return drill.state, drill.problem


def _marked(hand: Hand) -> tuple[Marked, ...]:
    """As the report marks them, without asking the repository."""
    with hand.service.database.read() as connection:
        scenario = acts.read_kept(drills.scenario(connection, hand.number), hand.number)
        return mark_all(
            scenario.decisions, answers_of(scenario, drills.events(connection, hand.number)), lambda *_: None
        )


def _judged(hand: Hand) -> Report:
    attend(hand.other())
    with hand.service.database.read() as connection:
        return msgspec.json.decode(drills.report(connection, hand.number), type=Report)


def _payloads(service: Service) -> list[bytes]:
    found = [service.log.entry(index) for index in range(service.log.size())]
    return [base64.b64decode(json.loads(one.envelope)["payload"]) for one in found if one is not None]


def _entries(service: Service, kind: type[T]) -> list[T]:
    said = [read_statement(each).predicate for each in _payloads(service)]
    return [one for one in said if isinstance(one, kind)]
