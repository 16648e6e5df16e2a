"""Forgetting a person: what the tables hold of them beside the bodies of the ledger."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, update

from tidegate.store import accounts
from tidegate.store.tables import (
    approvals,
    drill_events,
    identities,
    keys,
    passwords,
    people,
    questions,
    tokens,
    values,
)

PSEUDONYM = "pseudonym/"
"""The row of `values` that says by which pseudonym statements call a person."""


def person_behind(connection: Connection, pseudonym: str) -> int | None:
    """The id of the person whom statements call so; None where nobody is, or nobody any more."""
    query = values.select().where(values.c.value == pseudonym, values.c.name.like(f"{PSEUDONYM}%"))
    row = connection.execute(query).first()
    number = row.name.removeprefix(PSEUDONYM) if row else ""
    return int(number) if number.isdigit() else None


def forget_person(connection: Connection, person: int, at: str) -> None:
    """Takes name, accounts, password, labels and words of the person away; they may never sign in again.

    Keys stay by their fingerprint and are revoked, so that nobody adds one again; which pseudonym was theirs is gone.
    What the history of a repository says of its authors is not ours to change.
    """
    found = accounts.person(connection, person)
    accounts.disable(connection, person, at)
    for table in (identities, passwords):
        connection.execute(delete(table).where(table.c.person == person))
    connection.execute(update(tokens).where(tokens.c.person == person).values(label=""))
    connection.execute(update(keys).where(keys.c.person == person).values(label=""))
    connection.execute(update(keys).where(keys.c.person == person, keys.c.revoked_at.is_(None)).values(revoked_at=at))
    connection.execute(update(approvals).where(approvals.c.person == person).values(envelope=b""))
    connection.execute(update(questions).where(questions.c.person == person).values(text=""))
    connection.execute(update(questions).where(questions.c.answered_by == person).values(answer=""))
    free = (drill_events.c.person == person, drill_events.c.kind == "answer", func.length(drill_events.c.said) > 1)
    connection.execute(update(drill_events).where(*free).values(said="(erased)"))
    connection.execute(delete(values).where(values.c.name == f"{PSEUDONYM}{person}"))
    if found is not None:
        connection.execute(delete(values).where(values.c.name == f"failures/name/{found.name.casefold()[:200]}"))
    connection.execute(update(people).where(people.c.id == person).values(name=f"erased-{person}", shown=""))
