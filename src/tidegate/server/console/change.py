"""A change: the verdict, what must still happen, and its hunks in the order in which they deserve to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from tidegate.policy.verdict import Obligation, Verdict
from tidegate.report.words import (
    OUTCOMES,
    Group,
    Step,
    advice,
    because,
    due_later,
    headline,
    on_trial,
    satisfied,
    steps,
    stopping,
)
from tidegate.server.api import changes as api_changes
from tidegate.server.api import reviewing as api
from tidegate.server.api.endpoint import Ask, Nothing
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.console.aftermath import aftermath_of
from tidegate.server.console.glance import glance
from tidegate.server.console.kept import Opened, is_one_of, makers_of, marks_of, open_change, read_hunks
from tidegate.server.console.visit import Visit, get, post, see
from tidegate.server.hunks import ReadHunk
from tidegate.server.scrutiny import Scrutiny, scrutinise
from tidegate.server.service import Service
from tidegate.store import accounts, looks, questions
from tidegate.store.looks import Look
from tidegate.store.questions import Question

T = TypeVar("T")
PAGE = 60
"""Hunks on one page."""


class Asked(Struct, frozen=True):
    """A question with the names of who asked and who answered."""

    question: Question
    by: str
    answered_by: str


class Reader(Struct, frozen=True):
    """Somebody who read the change at this head, and how closely."""

    name: str
    me: bool
    scrutiny: Scrutiny


class Shown(Struct, frozen=True):
    """A hunk with its place in the order, what I did with it, and what was asked."""

    number: int
    hunk: ReadHunk
    look: Look | None
    asked: tuple[Asked, ...]


class Duty(Struct, frozen=True):
    """An obligation, with its next step taken apart into words and commands."""

    obligation: Obligation
    steps: tuple[Step, ...]


class Rule(Struct, frozen=True):
    """A rule that speaks, why it applies, and what it still asks for."""

    id: str
    title: str
    outcome: str
    reason: str
    because: tuple[str, ...]
    duties: tuple[Duty, ...]


def routes(service: Service) -> list[Route]:
    return [
        get("/changes/{change}", service, "changes:read", show),
        post("/changes/{change}/assess", service, "changes:assess", _assess),
        post("/changes/{change}/understood", service, "reviews:write", _understand),
        post("/changes/{change}/questions", service, "reviews:write", _ask),
        post("/questions/{question}/answer", service, "reviews:write", _answer),
    ]


def show(visit: Visit) -> Response:
    """The page of one change."""
    with visit.service.database.read() as connection:
        opened = open_change(visit.service.cache, connection, visit.number("change"))
        after = aftermath_of(visit.service, connection, opened)
        seen = looks.of_change(connection, opened.change.id, head=opened.change.head)
        asked = _asked_of(connection, opened)
        names = {look.person: _name(connection, look.person) for look in seen}
        mine = opened.document is not None and is_one_of(
            marks_of(connection, visit.who.person), makers_of(opened.document.facts)
        )
    hunks = read_hunks(visit.service, opened)
    begin = _begin(visit.query.get("from", ""), len(hunks))
    return visit.page(
        "change.html",
        f"{opened.change.title} · {opened.repository.slug}",
        opened=opened,
        after=after,
        verdict=opened.document and verdict_context(opened.document.verdict),
        glance=glance(opened.document.facts) if opened.document else (),
        hunks=_shown(hunks, begin, seen, asked, visit.who.person),
        outline=tuple((number, hunk) for number, hunk in enumerate(hunks, 1)),
        pages=_pages(len(hunks), begin),
        readers=_readers(hunks, seen, names, visit.who.person),
        mine=mine,
        loose=tuple(each for each in asked if each.question.hunk not in {hunk.id for hunk in hunks}),
        page_size=PAGE,
        may_review=visit.may("reviews:write") and opened.current and opened.change.state == "open",
        may_assess=visit.may("changes:assess") and opened.change.state == "open",
        may_approve=visit.may("approvals:write") and opened.current and opened.change.state == "open",
    )


def verdict_context(verdict: Verdict) -> Mapping[str, object]:
    """The verdict as the template shows it."""
    return {
        "outcome": verdict.outcome,
        "word": OUTCOMES[verdict.outcome],
        "headline": headline(verdict),
        "stage": verdict.stage,
        "policy": verdict.policy,
        "digest": verdict.policy_digest,
        "stopping": tuple(map(_rule, stopping(verdict))),
        "later": tuple(map(_rule, due_later(verdict))),
        "advice": tuple(map(_rule, advice(verdict))),
        "trial": on_trial(verdict),
        "satisfied": satisfied(verdict),
        "findings": verdict.findings,
    }


# Private


def _rule(group: Group) -> Rule:
    rule = group.rule
    duties = tuple(Duty(each, steps(each.next_step)) for each in group.unmet)
    return Rule(rule.id, rule.title, rule.outcome, rule.reason, because(rule), duties)


def _begin(text: str, total: int) -> int:
    """From which hunk on the page shows them: a whole page before it is left out."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    return number // PAGE * PAGE if number < total else 0


def _pages(total: int, begin: int) -> tuple[tuple[int, int, bool], ...]:
    """First and last hunk of each page, and whether it is this one; none where one page is enough."""
    if total <= PAGE:
        return ()
    return tuple((first + 1, min(first + PAGE, total), first == begin) for first in range(0, total, PAGE))


def _shown(
    hunks: Sequence[ReadHunk], begin: int, seen: Sequence[Look], asked: Sequence[Asked], person: int
) -> tuple[Shown, ...]:
    mine = {look.hunk: look for look in seen if look.person == person}
    return tuple(
        Shown(
            number,
            hunk,
            mine.get(hunk.id),
            tuple(each for each in asked if each.question.hunk == hunk.id),
        )
        for number, hunk in enumerate(hunks[begin : begin + PAGE], begin + 1)
    )


def _readers(
    hunks: Sequence[ReadHunk], seen: Sequence[Look], names: Mapping[int, str], person: int
) -> tuple[Reader, ...]:
    """Whoever looks first, then the others by name."""
    people = sorted({*names, person}, key=lambda each: (each != person, names.get(each, "")))
    return tuple(
        Reader(names.get(each, ""), each == person, scrutinise(hunks, [look for look in seen if look.person == each]))
        for each in people
    )


def _asked_of(connection: Connection, opened: Opened) -> tuple[Asked, ...]:
    return tuple(
        Asked(each, _name(connection, each.person), _name(connection, each.answered_by) if each.answered_by else "")
        for each in questions.of_change(connection, opened.change.id)
    )


def _name(connection: Connection, person: int) -> str:
    known = accounts.person(connection, person)
    return known.shown or known.name if known else "somebody who is gone"


def _assess(visit: Visit) -> Response:
    number = visit.number("change")
    api_changes.assess(Ask(visit.service, visit.who, {"change": number}, Nothing(), Nothing()))
    return see(f"/changes/{number}?asked=1")


def _understand(visit: Visit) -> Response:
    number = visit.number("change")
    body = _body(visit, api.Understood)
    api.understand(Ask(visit.service, visit.who, {"change": number}, Nothing(), body))
    return see(_back(visit, number))


def _ask(visit: Visit) -> Response:
    number = visit.number("change")
    api.put_question(Ask(visit.service, visit.who, {"change": number}, Nothing(), _body(visit, api.Asking)))
    return see(_back(visit, number))


def _answer(visit: Visit) -> Response:
    number = visit.number("question")
    with visit.service.database.read() as connection:
        question = found(questions.get(connection, number), "question")
    body = _body(visit, api.Answering)
    api.answer(Ask(visit.service, visit.who, {"question": number}, Nothing(), body))
    return see(_back(visit, question.change))


def _body(visit: Visit, kind: type[T]) -> T:
    """What the form says, held to the same types as the API's bodies."""
    fields = {name: visit.form.get(name, "") for name in getattr(kind, "__struct_fields__", ())}
    fields = {name: text.replace("\r\n", "\n").strip() if name == "text" else text for name, text in fields.items()}
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise Problem(
            422, "the form is not filled in as expected", detail=str(error), mend="go back and try again"
        ) from error


def _back(visit: Visit, change: int) -> str:
    """To the hunk that the form stands at."""
    place = visit.form.get("place", "")
    number = place if place.isascii() and place.isdigit() and len(place) < 9 else ""
    page = f"?from={int(number) - 1}" if number and int(number) > PAGE else ""
    return f"/changes/{change}{page}" + (f"#hunk-{number}" if number else "")
