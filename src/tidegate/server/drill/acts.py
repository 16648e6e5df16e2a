"""What people do in an exercise: make it, lead it, take part, decide. Each deed is one row, written once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tidegate.drill.reading import scenario_of
from tidegate.drill.score import option_of
from tidegate.drill.values import Decision, Scenario
from tidegate.errors import InternalError
from tidegate.server.api.endpoint import Who
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.auth.permissions import allows
from tidegate.server.drill.course import Course, course_of, due, next_minute, seconds_of
from tidegate.server.drill.record import put_decisions
from tidegate.server.drill.view import FREE, View, Viewed, leads, roles_in, roles_of, view
from tidegate.server.logs import log
from tidegate.server.service import Service
from tidegate.store import accounts, drills, repositories
from tidegate.store.drills import Drill, Event, Kind, NewDrill, NewEvent, Through

Turn: TypeAlias = Literal["start", "pause", "resume", "skip", "end"]
LEADS: Literal["drills:write"] = "drills:write"
MOST_MAKING = 5
MOST_PEOPLE = 200
MOST_TURNS = 500
LONGEST = 300


class Wanted(Struct, frozen=True, kw_only=True):
    """`pattern` "": the one that fits best; `seed` None: one that nobody knows; `scenario`: a file, "" to make one."""

    repository: int
    pattern: str = ""
    seed: int | None = None
    scenario: str = ""


def make(service: Service, who: Who, wanted: Wanted) -> Drill:
    """A new exercise, which a worker makes. InputError for a scenario that is none; Problem 404 or 422.

    Nobody else can make the same from its pattern before it is over: its seed is drawn.
    """
    from tidegate.drill.patterns import find_pattern

    given = b""
    if wanted.scenario.strip():
        given = msgspec.json.encode(scenario_of(wanted.scenario.encode("utf-8", "replace"), "the scenario"))
    elif wanted.pattern:
        find_pattern(wanted.pattern)
    seed = wanted.seed if wanted.seed is not None else secrets.randbelow(2**31)
    new = NewDrill(
        repository=wanted.repository,
        facilitator=who.person,
        pattern="" if given else wanted.pattern,
        seed=seed,
        scenario=given,
    )

    def work(connection: Connection) -> Drill:
        found(repositories.get(connection, wanted.repository), "repository")
        if drills.count(connection, "making") >= MOST_MAKING:
            raise Problem(503, f"{MOST_MAKING} drills are being made already", retry_after=30)
        return drills.add(connection, new, service.now())

    made = service.database.change(work)
    log("drill", id=made.id, person=who.person)
    return made


def look(service: Service, who: Who, number: int) -> tuple[Drill, View | None]:
    """What this person may see of it; no view while it is being made, or could not be."""
    with service.database.read() as connection:
        drill = found(drills.get(connection, number), "drill")
        if drill.state in ("making", "failed"):
            return drill, None
        all_ = viewed(connection, drill, service.now())
    return drill, view(all_, who.person, leads=may_lead(who, drill, all_.events))


def viewed(connection: Connection, drill: Drill, now: str) -> Viewed:
    """All that is known of it now. For `view`, and for who leads it."""
    events = drills.events(connection, drill.id)
    names = {}
    for person in {one.person for one in events}:
        known = accounts.person(connection, person)
        names[person] = (known.shown or known.name) if known is not None else "somebody"
    scenario = read_kept(drills.scenario(connection, drill.id), drill.id)
    return Viewed(drill, scenario, events, course_of(events), names, seconds_of(now))


def read_kept(document: bytes, number: int) -> Scenario:
    try:
        return msgspec.json.decode(document, type=Scenario)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InternalError("a kept scenario is damaged", where=f"drill {number}") from error


def may_lead(who: Who, drill: Drill, events: Sequence[Event]) -> bool:
    """Whether this person is its facilitator, and still may be."""
    return _allowed(who) and leads(drill, events, who.person)


def take_over(service: Service, who: Who, number: int) -> None:
    """Who may make drills may lead one, unless they take part. Problem 403 or 409."""

    def work(connection: Connection) -> None:
        drill, events = _taken(connection, service, number)
        _refuse_over(drill)
        if roles_of(events, who.person):
            raise Problem(409, "who takes part does not learn what is hidden", mend="ask somebody else to lead it")
        if not leads(drill, events, who.person):
            _put(connection, service, _event(number, who, f"lead:{who.person}", "lead"))

    _require(who)
    service.database.change(work)


def join(service: Service, who: Who, number: int, roles: tuple[str, ...]) -> None:
    """Takes part in these roles; whoever took some keeps them. Problem 409 or 422."""

    def work(connection: Connection) -> None:
        drill, events = _taken(connection, service, number)
        _refuse_over(drill)
        known = roles_in(read_kept(drills.scenario(connection, number), number))
        wanted = tuple(role for role in known if role in roles)
        if not wanted or len(wanted) != len(set(roles)):
            raise Problem(422, "this is no role of this exercise", mend=f"choose of {', '.join(known)}")
        if leads(drill, events, who.person):
            raise Problem(409, "who leads it knows what is hidden and takes no role")
        if roles_of(events, who.person):
            raise Problem(409, "you have your roles", detail=", ".join(roles_of(events, who.person)))
        if sum(one.kind == "join" for one in events) >= MOST_PEOPLE:
            raise Problem(409, f"{MOST_PEOPLE} people take part already")
        about = ",".join(wanted)
        _put(connection, service, _event(number, who, f"join:{who.person}", "join", about=about))

    service.database.change(work)


def turn(service: Service, who: Who, number: int, wanted: Turn) -> None:
    """Starts, pauses, sets forward to what comes next, or ends. Problem 403, or 409 where that makes no sense now."""

    def work(connection: Connection) -> None:
        drill, events = _taken(connection, service, number)
        if not may_lead(who, drill, events):
            raise Problem(403, "its facilitator turns the clock")
        course, now = course_of(events), service.now()
        turns = sum(one.kind in _FROM for one in events)
        if drill.state not in _FROM[wanted] or turns >= MOST_TURNS:
            raise Problem(409, f"this exercise is {drill.state}: there is nothing to {wanted}")
        scenario = read_kept(drills.scenario(connection, number), number)
        said = ""
        if wanted == "skip":
            minute = next_minute(scenario, course, seconds_of(now))
            if minute is None:
                raise Problem(409, "everything has come already")
            said = str(minute * 60)
        _put(connection, service, _event(number, who, f"turn:{turns}", wanted, said=said), at=now)
        after = course_of(drills.events(connection, number))
        drills.set_state(connection, number, after.state)
        drills.set_beats(connection, number, due(scenario, after, now))

    service.database.change(work)
    log("drill", id=number, turn=wanted, person=who.person)


def decide(service: Service, who: Who, number: int, decision: str, given: str) -> None:
    """The first answer is the one: of somebody with the role that is asked, or of the facilitator.

    Problem 404 for what this person was not asked, alike whether it will come, is another's, or does not exist.
    """
    text = given.strip()

    def work(connection: Connection) -> None:
        drill, events = _taken(connection, service, number)
        now, course = service.now(), course_of(events)
        scenario = read_kept(drills.scenario(connection, number), number)
        asked = _asked(scenario, course, decision, seconds_of(now))
        led = may_lead(who, drill, events)
        if asked is None or (not led and asked.role not in roles_of(events, who.person)):
            raise Problem(404, "there is no such decision")
        if drill.state != "running":
            raise Problem(409, f"this exercise is {drill.state}: nothing is decided now")
        kept = _kept(asked, text)
        new = _event(number, who, f"answer:{decision}", "answer", about=decision, said=kept)
        if not drills.put(connection, new, now):
            raise Problem(409, "this was decided already")

    service.database.change(work)
    put_decisions(service)


def rule_of(service: Service, number: int, repository: int, action: str) -> str:
    """The rule that an exercise of this repository proposes, once it has a report; "" where there is none."""
    with service.database.read() as connection:
        drill = drills.get(connection, number)
        if drill is None or drill.state != "reported" or drill.repository != repository:
            return ""
        scenario = read_kept(drills.scenario(connection, number), number)
    return next((one.rule for one in scenario.actions if one.id == action), "")


# Private

_FROM: dict[Kind, tuple[str, ...]] = {
    "start": ("ready",),
    "pause": ("running",),
    "resume": ("paused",),
    "skip": ("running", "paused"),
    "end": ("running", "paused"),
}


def _allowed(who: Who) -> bool:
    return allows(who.role, who.scopes, LEADS)


def _require(who: Who) -> None:
    if not _allowed(who):
        raise Problem(403, "your role does not reach this far", detail=f"{who.name} is {who.role}; it takes {LEADS}")


def _taken(connection: Connection, service: Service, number: int) -> tuple[Drill, tuple[Event, ...]]:
    """The exercise, ours alone until the transaction ends. Problem 404, or 409 for one that was not made."""
    drill = found(drills.take(connection, number, service.now()), "drill")
    if drill.state in ("making", "failed"):
        raise Problem(409, "this exercise is not made yet" if drill.state == "making" else "it could not be made")
    return drill, drills.events(connection, number)


def _refuse_over(drill: Drill) -> None:
    if drill.state in ("over", "reported"):
        raise Problem(409, "this exercise is over")


def _event(number: int, who: Who, key: str, kind: Kind, *, about: str = "", said: str = "") -> NewEvent:
    through: Through = "session" if who.session else "token"
    return NewEvent(drill=number, key=key, kind=kind, person=who.person, through=through, about=about, said=said)


def _put(connection: Connection, service: Service, new: NewEvent, at: str = "") -> None:
    if not drills.put(connection, new, at or service.now()):
        raise Problem(409, "that was done already")


def _asked(scenario: Scenario, course: Course, decision: str, at: float) -> Decision | None:
    """The decision, where its minute has come."""
    one = next((each for each in scenario.decisions if each.id == decision), None)
    return one if one is not None and course.came(one.minute, at) is not None else None


def _kept(asked: Decision, text: str) -> str:
    option = option_of(asked, text)
    if option is not None:
        return option.id
    free = asked.asks in FREE and 1 < len(text) <= LONGEST and text.isprintable()
    if not free:
        letters = ", ".join(one.id for one in asked.options)
        raise Problem(422, "this is none of the answers", mend=f"give one of {letters}")
    return text
