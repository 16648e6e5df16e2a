"""What one person may see of an exercise now. Nothing else of it is handed to a page, an answer or a stream.

The facilitator sees everything. Others see what their roles see, from the minute on which it comes: not the pattern,
not what an answer is worth, not what other roles see, before it is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from msgspec import Struct

from tidegate.drill.score import option_of
from tidegate.drill.values import Decision, Inject, Role, Scenario
from tidegate.server.drill.course import Course, next_minute, seconds_of
from tidegate.store.drills import Drill, Event, State

FREE = ("call", "rollback")
"""What may be answered by a name instead of an option."""


class Present(Struct, frozen=True):
    """Somebody who takes part, by the name that they go by here."""

    name: str
    roles: tuple[str, ...]
    joined_at: str
    decided: int


class Seen(Struct, frozen=True):
    """What came. `minute` of the exercise."""

    minute: int
    role: str
    kind: str
    text: str


class Choice(Struct, frozen=True):
    id: str
    text: str


class Question(Struct, frozen=True):
    """A decision that was asked. `left`: seconds in which an answer counts whole, below 0 where they are over.

    `given` is what was decided, `leads` where it leads, `by` who decided; "" while nobody did.
    """

    id: str
    minute: int
    minutes: int
    role: str
    question: str
    options: tuple[Choice, ...]
    free: bool
    left: float
    given: str
    leads: str
    by: str
    late: bool


class Coming(Struct, frozen=True):
    """What will come: for the facilitator alone."""

    minute: int
    role: str
    kind: str
    text: str


class View(Struct, frozen=True):
    """`leads`: whether this person is its facilitator, who alone has `coming` and `left`: minutes of the next.

    `second` of the exercise, `state` as its events have it. `roles` can be taken, `mine` are taken by this person.
    """

    id: int
    state: State
    leads: bool
    second: float
    length: int
    story: str
    roles: tuple[str, ...]
    mine: tuple[str, ...]
    people: tuple[Present, ...]
    seen: tuple[Seen, ...]
    asked: tuple[Question, ...]
    coming: tuple[Coming, ...] = ()
    next: int | None = None


class Viewed(Struct, frozen=True):
    """All that a view is made from: `now` in Unix seconds, `names` of people by their ids."""

    drill: Drill
    scenario: Scenario
    events: Sequence[Event]
    course: Course
    names: Mapping[int, str]
    now: float


def view(all_: Viewed, person: int, *, leads: bool) -> View:
    """What this person may see."""
    mine = roles_of(all_.events, person)
    state = all_.drill.state if all_.drill.state == "reported" else all_.course.state
    begun = state != "ready"
    shown = frozenset(get_args(Role)) if leads else frozenset(mine)
    course, scenario = all_.course, all_.scenario
    came = [one for one in _beats(scenario) if one.role in shown and course.came(one.minute, all_.now) is not None]
    return View(
        id=all_.drill.id,
        state=state,
        leads=leads,
        second=course.second(all_.now),
        length=length_of(scenario),
        story=scenario.story if begun or leads else "",
        roles=roles_in(scenario),
        mine=mine,
        people=_people(all_),
        seen=tuple(Seen(one.minute, one.role, one.kind, one.text) for one in came if isinstance(one, Inject)),
        asked=tuple(_question(all_, one) for one in came if isinstance(one, Decision)),
        coming=_coming(all_) if leads else (),
        next=next_minute(scenario, course, all_.now) if leads and state in ("running", "paused") else None,
    )


def leads(drill: Drill, events: Sequence[Event], person: int) -> bool:
    """Whether this person made it, or took it over."""
    return drill.facilitator == person or any(one.kind == "lead" and one.person == person for one in events)


def roles_of(events: Sequence[Event], person: int) -> tuple[str, ...]:
    """The roles that this person took."""
    taken = next((one.about for one in events if one.kind == "join" and one.person == person), "")
    return tuple(taken.split(",")) if taken else ()


def roles_in(scenario: Scenario) -> tuple[str, ...]:
    """The roles that see or decide something, in the order of the document's kind."""
    used = {one.role for one in _beats(scenario)}
    return tuple(role for role in get_args(Role) if role in used)


def length_of(scenario: Scenario) -> int:
    """Minutes until everything was seen and asked, and every time to decide is up."""
    return max(one.minute + (one.minutes if isinstance(one, Decision) else 0) for one in _beats(scenario))


def answer_of(events: Sequence[Event], decision: str) -> Event | None:
    return next((one for one in events if one.kind == "answer" and one.about == decision), None)


# Private


def _beats(scenario: Scenario) -> list[Inject | Decision]:
    """What is seen comes before what is asked in the same minute."""
    every: list[Inject | Decision] = [*scenario.injects, *scenario.decisions]
    return sorted(every, key=lambda one: (one.minute, isinstance(one, Decision)))


def _people(all_: Viewed) -> tuple[Present, ...]:
    decided = [one.person for one in all_.events if one.kind == "answer"]
    return tuple(
        Present(all_.names.get(one.person, "somebody"), tuple(one.about.split(",")), one.at, decided.count(one.person))
        for one in all_.events
        if one.kind == "join"
    )


def _question(all_: Viewed, one: Decision) -> Question:
    event = answer_of(all_.events, one.id)
    asked = all_.course.came(one.minute, all_.now) or 0.0
    at = all_.now if event is None else seconds_of(event.at)
    left = one.minutes * 60 - (all_.course.acted(at) - asked)
    option = option_of(one, event.said) if event is not None else None
    told = "It is written down." if event is not None else ""
    return Question(
        id=one.id,
        minute=one.minute,
        minutes=one.minutes,
        role=one.role,
        question=one.question,
        options=tuple(Choice(each.id, each.text) for each in one.options),
        free=one.asks in FREE,
        left=left,
        given=option.text if option is not None else event.said if event is not None else "",
        leads=option.leads if option is not None else told,
        by=all_.names.get(event.person, "somebody") if event is not None else "",
        late=left < 0,
    )


def _coming(all_: Viewed) -> tuple[Coming, ...]:
    waiting = [one for one in _beats(all_.scenario) if all_.course.came(one.minute, all_.now) is None]
    return tuple(
        Coming(one.minute, one.role, one.kind, one.text)
        if isinstance(one, Inject)
        else Coming(one.minute, one.role, "decision", one.question)
        for one in waiting
    )
