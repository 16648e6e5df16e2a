"""What the ledger says of exercises: each decision as it is taken, and the result once it is over. Once each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import msgspec
from sqlalchemy import Connection

from tidegate.drill.after import UNCHECKED
from tidegate.drill.record import drill_of, statement_of
from tidegate.drill.score import option_of
from tidegate.drill.values import Given, Report, Scenario
from tidegate.errors import TidegateError
from tidegate.ledger.fields import Subject
from tidegate.ledger.predicates.drill_decision import DrillDecision
from tidegate.ledger.statements import Statement
from tidegate.server.drill.course import course_of, seconds_of
from tidegate.server.drill.view import leads
from tidegate.server.entries import append, name_of, pseudonym_of, time_of
from tidegate.server.logs import log_failure
from tidegate.server.service import Service
from tidegate.store import accounts, drills, repositories
from tidegate.store.drills import Drill, Event


def put_decisions(service: Service) -> int:
    """Enters decisions that the ledger does not hold yet, in the order in which they were taken; how many went in."""
    with service.database.read() as connection:
        waiting = drills.unrecorded_answers(connection)
    return sum(_entered(partial(_enter_decision, service, one), f"drill {one.drill}") for one in waiting)


def put_results(service: Service) -> int:
    """Enters the results of exercises that have a report; how many went in."""
    with service.database.read() as connection:
        waiting = drills.unrecorded(connection)
    return sum(_entered(partial(_enter_result, service, one), f"drill {one.id}") for one in waiting)


def answers_of(scenario: Scenario, events: tuple[Event, ...]) -> dict[str, Given]:
    """What was decided, as a score takes it: with the seconds in which people could act since they were asked."""
    course = course_of(events)
    minutes = {one.id: one.minute for one in scenario.decisions}
    return {
        one.about: Given(one.about, one.said, _seconds(course.acted(seconds_of(one.at)), came))
        for one in events
        if one.kind == "answer" and one.about in minutes
        for came in [course.came(minutes[one.about], seconds_of(one.at))]
    }


# Private


def _entered(enter: Callable[[], None], about: str) -> bool:
    """Whether it went in. One that does not waits in its row for the next look, and stops no other."""
    try:
        enter()
    except TidegateError as error:
        log_failure(error, about)
        return False
    return True


def _seconds(acted: float, came: float | None) -> float:
    return min(86_400.0, max(0.0, acted - (came or 0.0)))


def _enter_decision(service: Service, one: Event) -> None:
    key = f"drill/{one.drill}/{one.key}"
    known = service.log.find(key)
    entry = known.index if known is not None else _append_decision(service, one, key)
    service.database.change(lambda connection: drills.set_event_entry(connection, one.id, entry))


def _append_decision(service: Service, one: Event, key: str) -> int:
    now = service.now()

    def work(connection: Connection) -> tuple[str, Drill | None, Scenario, tuple[Event, ...]]:
        person = accounts.person(connection, one.person)
        known_as = pseudonym_of(connection, one.person, person.name if person is not None else "", now)
        scenario = msgspec.json.decode(drills.scenario(connection, one.drill), type=Scenario)
        return known_as, drills.get(connection, one.drill), scenario, drills.events(connection, one.drill)

    person, drill, scenario, events = service.database.change(work)
    decision = next(each for each in scenario.decisions if each.id == one.about)
    option = option_of(decision, one.said)
    said = DrillDecision(
        drill=f"drill-{one.drill}",
        commit=scenario.revision,
        decision=one.about,
        option=option.id if option is not None else "free",
        person=person,
        by="facilitator" if drill is not None and leads(drill, events, one.person) else "role",
        through=one.through,
        at=time_of(one.at),
        seconds=int(answers_of(scenario, events)[one.about].seconds),
    )
    subject = Subject(digest={"gitCommit": scenario.revision})
    return append(service, key, Statement((subject,), said), f"drill-{one.drill}")


def _enter_result(service: Service, one: Drill) -> None:
    key = f"drill/{one.id}/result"
    known = service.log.find(key)
    entry = known.index if known is not None else _append_result(service, one, key)
    service.database.change(lambda connection: drills.set_entry(connection, one.id, entry))


def _append_result(service: Service, one: Drill, key: str) -> int:
    with service.database.read() as connection:
        scenario = msgspec.json.decode(drills.scenario(connection, one.id), type=Scenario)
        report = msgspec.json.decode(drills.report(connection, one.id), type=Report)
        events = drills.events(connection, one.id)
        repository = repositories.get(connection, one.repository)
    ended = next((each.at for each in reversed(events) if each.kind == "end"), one.changed_at)
    checked = report.checked != UNCHECKED
    said = drill_of(scenario, report, answers_of(scenario, events), time_of(ended), checked=checked)
    name = name_of(repository.slug) if repository is not None else hashlib.sha256(key.encode()).hexdigest()
    return append(service, key, statement_of(said, name), f"drill-{one.id}")
