"""A person says what caused an incident: a commit, or a word for a cause that is no change.

The ledger keeps every word once, also one that a later word replaced.
"""

from __future__ import annotations

import hashlib
import re

from sqlalchemy import Connection

from tidegate.errors import TidegateError
from tidegate.ledger.fields import EntryRef, Subject
from tidegate.ledger.predicates.cause import Cause as CauseStatement
from tidegate.ledger.statements import Statement
from tidegate.server.api.endpoint import Who
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.entries import append, keep_body, pseudonym_of, time_of
from tidegate.server.logs import log, log_failure
from tidegate.server.service import Service
from tidegate.store import accounts, causes, incidents
from tidegate.store.causes import Cause, NewCause
from tidegate.store.incidents import Incident

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WORD = re.compile(r"[a-z][a-z0-9_-]{1,39}")


def confirm_cause(service: Service, who: Who, identifier: int, cause: str) -> Incident:
    """The incident with its cause as this person says; the last word stands. Problem 404, or 422 for no such cause.

    Whoever asks has been found to have `incidents:write`.
    """
    wanted = cause.strip().lower()
    if not _COMMIT.fullmatch(wanted) and not _WORD.fullmatch(wanted):
        raise Problem(
            422,
            "this names no cause",
            mend="give the commit in full, or one word for what is no change: load, certificate, dependency",
        )

    now = service.now()
    new = NewCause(incident=identifier, person=who.person, through="session" if who.session else "token", cause=wanted)

    def work(connection: Connection) -> Incident | None:
        if incidents.confirm(connection, identifier, wanted, who.person, now):
            causes.put(connection, new, now)
        return incidents.get(connection, identifier)

    confirmed = found(service.database.change(work), "incident")
    log("cause", incident=identifier, person=who.person, cause=wanted)
    try:
        put_causes(service)
    except TidegateError as error:  # it waits in its row until the worker's next look
        log_failure(error, f"cause of incident {identifier}")
    return confirmed


def put_causes(service: Service) -> int:
    """Enters what people said into the ledger, each word once, in the order in which they said it; how many."""
    with service.database.read() as connection:
        waiting = causes.unrecorded(connection)
    for one in waiting:
        _enter(service, one)
    return len(waiting)


def is_commit(cause: str) -> bool:
    """Whether a cause that was confirmed is a change."""
    return _COMMIT.fullmatch(cause) is not None


# Private


def _enter(service: Service, one: Cause) -> None:
    key = f"cause/{one.id}"
    known = service.log.find(key)
    entry = known.index if known is not None else _append(service, one, key)
    service.database.change(lambda connection: causes.set_entry(connection, one.id, entry))


def _append(service: Service, one: Cause, key: str) -> int:
    commit = one.cause if is_commit(one.cause) else ""
    now = service.now()

    def work(connection: Connection) -> tuple[str, str, Incident | None]:
        person = accounts.person(connection, one.person)
        known_as = pseudonym_of(connection, one.person, person.name if person is not None else "", now)
        word = "" if commit else keep_body(connection, known_as, "cause", one.cause.encode(), now)
        return known_as, word, incidents.get(connection, one.incident)

    person, word, incident = service.database.change(work)
    opened = service.log.entry(incident.entry) if incident is not None and incident.entry is not None else None
    said = CauseStatement(
        incident=f"incident-{one.incident}",
        person=person,
        through=one.through,
        at=time_of(one.said_at),
        commit=commit,
        word=word,
        opened=EntryRef(index=opened.index, leaf=opened.leaf.hex()) if opened is not None else None,
    )
    about = hashlib.sha256((incident.key if incident is not None else "").encode()).hexdigest()
    subject = Subject(digest={"gitCommit": commit} if commit else {"sha256": about})
    return append(service, key, Statement((subject,), said), f"incident-{one.incident}")
