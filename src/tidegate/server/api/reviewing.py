"""What reviewers do: read hunks for a time, say that they understand, ask, answer."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct
from sqlalchemy import Connection

from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import Digest, found
from tidegate.server.api.problems import Problem
from tidegate.store import changes, looks, questions
from tidegate.store.changes import Change
from tidegate.store.looks import Look, View
from tidegate.store.questions import NewQuestion, Question

Hunk: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1100, pattern=r"^[^\x00]+:[0-9]{1,9}-[0-9]{1,9}$(?!\n)")]
"""PATH:FIRST-LAST at the head."""
Words: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4000)]
MOST_HUNKS = 5000
"""Of one person at one head: a page that reports more reports what is not there."""

MOST_OPEN, MOST_QUESTIONS = 100, 1000
"""Questions of one person that wait for an answer, and of one change in all."""


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """The head that the page shows; where it is not the head any more, 409."""

    head: Digest


class Seconds(Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds by hunk since the report before, visible and active only."""

    head: Digest
    seconds: Annotated[dict[Hunk, Annotated[float, Meta(gt=0, le=3600)]], Meta(max_length=500)]


class Credited(Struct, frozen=True):
    """What counts of it: never more than the clock allows."""

    seconds: dict[str, float]


class Understood(Struct, frozen=True, forbid_unknown_fields=True):
    head: Digest
    hunk: Hunk


class Looks(Struct, frozen=True):
    items: tuple[Look, ...]


class Questions(Struct, frozen=True):
    items: tuple[Question, ...]


class Asking(Struct, frozen=True, forbid_unknown_fields=True):
    head: Digest
    hunk: Hunk
    text: Words


class Answering(Struct, frozen=True, forbid_unknown_fields=True):
    text: Words


def seen(ask: Ask[Nothing, Nothing]) -> Looks:
    """Who had which hunk before their eyes, at every head."""
    with ask.service.database.read() as connection:
        row = found(changes.get(connection, ask.path["change"]), "change")
        return Looks(looks.of_change(connection, row.id))


def open_page(ask: Ask[Nothing, Page]) -> None:
    """Starts the clock: no time counts that lies before."""

    def work(connection: Connection) -> None:
        row = _at_head(connection, ask.path["change"], ask.body.head)
        looks.open_page(connection, View(row.id, ask.who.person, row.head), ask.service.now())

    ask.service.database.change(work)


def add_seconds(ask: Ask[Nothing, Seconds]) -> Credited:
    """Adds up what a page reports."""

    def work(connection: Connection) -> Credited:
        row = _at_head(connection, ask.path["change"], ask.body.head)
        mine = {look.hunk for look in looks.of_change(connection, row.id, head=row.head) if look.person == who}
        if len(mine | ask.body.seconds.keys()) > MOST_HUNKS:
            raise Problem(422, f"a change has {MOST_HUNKS} hunks at most")
        credited = looks.add_seconds(connection, View(row.id, who, row.head), ask.body.seconds, ask.service.now())
        return Credited(credited)

    who = ask.who.person
    return ask.service.database.change(work)


def understand(ask: Ask[Nothing, Understood]) -> None:
    """ "I have read and understand this". 409 for a hunk that the person never had before their eyes."""

    def work(connection: Connection) -> None:
        row = _at_head(connection, ask.path["change"], ask.body.head)
        view, hunk = View(row.id, ask.who.person, row.head), ask.body.hunk
        if looks.understand(connection, view, hunk, ask.service.now()):
            return
        mine = (look for look in looks.of_change(connection, row.id, head=row.head) if look.person == view.person)
        if not any(look.hunk == hunk and look.understood_at for look in mine):
            raise Problem(409, "this hunk was never open before you", mend="read it first")

    ask.service.database.change(work)


def asked(ask: Ask[Nothing, Nothing]) -> Questions:
    """In the order in which they were asked."""
    with ask.service.database.read() as connection:
        row = found(changes.get(connection, ask.path["change"]), "change")
        return Questions(questions.of_change(connection, row.id))


def put_question(ask: Ask[Nothing, Asking]) -> Question:
    """To whoever answers for the change."""

    def work(connection: Connection) -> Question:
        row = _at_head(connection, ask.path["change"], ask.body.head)
        if questions.count_open(connection, ask.who.person) >= MOST_OPEN:
            raise Problem(409, f"{MOST_OPEN} questions of yours wait for an answer", mend="wait for some of them")
        if questions.count_of_change(connection, row.id) >= MOST_QUESTIONS:
            raise Problem(409, f"a change has {MOST_QUESTIONS} questions at most")
        new = NewQuestion(row.id, ask.who.person, row.head, ask.body.hunk, ask.body.text)
        return questions.ask(connection, new, ask.service.now())

    return ask.service.database.change(work)


def answer(ask: Ask[Nothing, Answering]) -> Question:
    """The first answer stands."""

    def work(connection: Connection) -> Question:
        row = found(questions.get(connection, ask.path["question"]), "question")
        if not questions.answer(connection, row.id, ask.body.text, ask.who.person, ask.service.now()):
            raise Problem(409, "this question was answered before")
        return found(questions.get(connection, row.id), "question")

    return ask.service.database.change(work)


# Private


def _at_head(connection: Connection, change: int, head: str) -> Change:
    row = found(changes.get(connection, change), "change")
    if row.head != head:
        raise Problem(409, "the change has another head now", mend="load the page again")
    return row


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/changes/{change:int}/looks",
        needs="changes:read",
        summary="Who read which hunk for how long",
        handler=seen,
        answer=Looks,
    ),
    Endpoint(
        method="PUT",
        path="/changes/{change:int}/looks",
        needs="reviews:write",
        summary="Say that the page is open from now on",
        handler=open_page,
        body=Page,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/looks",
        needs="reviews:write",
        summary="Add seconds of reading",
        handler=add_seconds,
        body=Seconds,
        answer=Credited,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/understood",
        needs="reviews:write",
        summary="Say that I have read and understand a hunk",
        handler=understand,
        body=Understood,
        problems=(409,),
    ),
    Endpoint(
        method="GET",
        path="/changes/{change:int}/questions",
        needs="changes:read",
        summary="Questions about a change",
        handler=asked,
        answer=Questions,
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/questions",
        needs="reviews:write",
        summary="Ask about a hunk",
        handler=put_question,
        body=Asking,
        answer=Question,
        status=201,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/questions/{question:int}/answer",
        needs="reviews:write",
        summary="Answer a question",
        handler=answer,
        body=Answering,
        answer=Question,
        problems=(409,),
    ),
)
