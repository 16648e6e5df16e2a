"""Questions about a hunk, from a reviewer to whoever answers for the change."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select, update

from tidegate.store.rows import changed, every, one, present, select_as
from tidegate.store.tables import questions


class NewQuestion(Struct, frozen=True):
    change: int
    person: int
    head: str
    hunk: str
    text: str


class Question(Struct, frozen=True):
    id: int
    change: int
    person: int
    head: str
    hunk: str
    text: str
    asked_at: str
    answer: str | None
    answered_by: int | None
    answered_at: str | None


def ask(connection: Connection, question: NewQuestion, at: str) -> Question:
    values = {name: getattr(question, name) for name in question.__struct_fields__}
    new = insert(questions).values(**values, asked_at=at).returning(questions.c.id)
    return present(get(connection, connection.execute(new).scalar_one()))


def get(connection: Connection, identifier: int) -> Question | None:
    return one(connection, Question, select_as(Question, questions).where(questions.c.id == identifier))


def answer(connection: Connection, identifier: int, text: str, by: int, at: str) -> bool:
    """Whether this answered it: the first answer stands."""
    open_ = update(questions).where(questions.c.id == identifier, questions.c.answered_at.is_(None))
    return changed(connection, open_.values(answer=text, answered_by=by, answered_at=at)) == 1


def count_open(connection: Connection, person: int) -> int:
    """How many of this person's wait for an answer, wherever they were asked."""
    open_ = (questions.c.person == person, questions.c.answered_at.is_(None))
    return connection.execute(select(func.count()).where(*open_)).scalar_one()


def count_of_change(connection: Connection, change: int) -> int:
    return connection.execute(select(func.count()).where(questions.c.change == change)).scalar_one()


def of_change(connection: Connection, change: int, *, unanswered: bool = False) -> tuple[Question, ...]:
    """In the order in which they were asked."""
    query = select_as(Question, questions).where(questions.c.change == change)
    if unanswered:
        query = query.where(questions.c.answered_at.is_(None))
    return every(connection, Question, query.order_by("id"))
