"""Statements of the service itself in its ledger: signed with the ledger's key, about people by their pseudonyms."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.ledger import bodies
from tidegate.ledger.bodies import Body
from tidegate.ledger.commitments import Commitment, new_pseudonym
from tidegate.ledger.keys import read_software_key
from tidegate.ledger.log import NewEntry
from tidegate.ledger.statements import Statement, sign_statement
from tidegate.server.service import Service
from tidegate.store import values
from tidegate.store.clock import moment_of, seconds_between, text_of
from tidegate.store.erasure import PSEUDONYM

LATE_SECONDS = 60.0


def append(service: Service, key: str, statement: Statement, subject: str) -> int:
    """The index of the entry; the same `key` again answers the same one. `subject` is for looking it up.

    What happened a while ago is recorded now, and says so.
    """
    _, _, signer = read_software_key(service.config.data / "ledger.key")
    envelope = sign_statement(recorded(statement, service.now()), [signer])
    return service.log.append(NewEntry(key, statement.predicate_type, subject, envelope))


def recorded(statement: Statement, now: str) -> Statement:
    """The statement as it is written down now: with this time in it where it tells of an earlier one."""
    says = statement.predicate
    if says.recorded or not says.time or seconds_between(says.time, now) <= LATE_SECONDS:
        return statement
    return replace(statement, predicate=replace(says, recorded=time_of(now)))


def pseudonym_of(connection: Connection, person: int, name: str, at: str) -> str:
    """How statements call this person. Whose it is stands in a body that can be erased, and in one row."""
    row = f"{PSEUDONYM}{person}"
    found = values.read(connection, row)
    if found is not None:
        return found
    found = values.write_once(connection, row, new_pseudonym(), at)
    bodies.keep(connection, Body(found, "person", name.encode()), at)
    return found


def keep_body(connection: Connection, owner: str, kind: str, data: bytes, at: str) -> Commitment:
    """What a leaf holds in the place of this body of the person."""
    return bodies.keep(connection, Body(owner, kind, data), at)


def past_of(text: str, now: str) -> str:
    """A time that somebody else wrote, in our form: never after now, nor before 1970; now where it is none."""
    try:
        moment = min(moment_of(text), moment_of(now))
    except (ValueError, OverflowError):
        return time_of(now)
    return time_of(text_of(max(moment, datetime.fromtimestamp(0, UTC))))


def time_at(seconds: float) -> str:
    """A moment in Unix seconds as statements write it."""
    return time_of(text_of(datetime.fromtimestamp(seconds, UTC)))


def name_of(text: str) -> str:
    """What somebody else calls a place, as statements can hold it."""
    return re.sub(r"[^A-Za-z0-9._/:@+\-]+", "-", text).lstrip("._/:@+-")[:128] or "unnamed"


def time_of(at: str) -> str:
    """A time of the tables as statements write it: to the second."""
    return moment_of(at).strftime("%Y-%m-%dT%H:%M:%SZ")
