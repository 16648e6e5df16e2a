"""Local accounts: argon2id, the same work whether the name is known or not, and a growing delay after failures.

Failures are counted in the database, by account and by address, so that they hold across processes and restarts.
"""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct, json
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.server.api.problems import Problem
from tidegate.store import accounts, values
from tidegate.store.accounts import Person
from tidegate.store.clock import later, seconds_between
from tidegate.store.engine import Database

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 1024
_FREE_TRIES = 5
_LONGEST_DELAY = 15 * 60.0
_FORGOTTEN_AFTER = 24 * 3600.0
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
# The hash of a secret that nobody has: an unknown name costs what a wrong password costs.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$m0d0yQmCw0dMHvO9nS0EnO8Hh7EJQ1Qh4oUwHXQm0Zo"


class Failures(Struct, frozen=True):
    """How often in a row, and when the last time."""

    count: int = 0
    at: str = ""


def hash_password(password: str) -> str:
    """Argon2id in its text form. InputError for one that is too short, or so long that it is no password."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise InputError(f"a password has {LEAST_CHARACTERS} characters at least, {MOST_CHARACTERS} at most")
    return _HASHER.hash(password)


def make_password() -> str:
    """One for a first admin: 120 bits in words of five, easy to type."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(6)) for _ in range(4))


def sign_in(database: Database, name: str, password: str, address: str, now: str) -> Person:
    """The person of this name and password. Problem 401 that does not say which was wrong; 429 while it must wait.

    Of two who ask at once for one account each counts: the failures are written before the work is done and taken
    back where the password was right, so that asking in parallel gains nothing.
    """
    marks = (f"failures/name/{name.casefold()[:200]}", f"failures/address/{address[:64]}")
    before = database.change(lambda connection: _count(connection, marks, now))
    if before > 0:
        raise Problem(
            429,
            "too many failed attempts",
            mend=f"try again in {max(1, round(before))} seconds",
            retry_after=max(1, round(before)),
        )
    with database.read() as connection:
        found = accounts.person_named(connection, name)
        known = accounts.password_hash(connection, found.id) if found and _may_sign_in(found) else None
    right = _verify(known or _NOBODYS, password[:MOST_CHARACTERS])
    if not right or found is None or known is None:
        raise Problem(401, "the name or the password is wrong")
    database.change(lambda connection: _forget(connection, marks, now))
    if _HASHER.check_needs_rehash(known):
        fresh = _HASHER.hash(password)
        database.change(lambda connection: accounts.set_password(connection, found.id, fresh, now))
    return found


# Private


def _may_sign_in(person: Person) -> bool:
    """An agent works by tokens, and never holds a human's session."""
    return person.disabled_at is None and person.role != "agent"


def _verify(known: str, password: str) -> bool:
    try:
        return _HASHER.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False


def _count(connection: Connection, marks: tuple[str, ...], now: str) -> float:
    """Seconds that must pass before the next try; 0, and then this try is counted as failed until it succeeds."""
    failures = {mark: _read(values.read(connection, mark), now) for mark in marks}
    wait = max(_wait(each, now, 1 if "/name/" in mark else 10) for mark, each in failures.items())
    if wait <= 0:
        for mark, each in failures.items():
            values.write(connection, mark, json.encode(Failures(each.count + 1, now)).decode(), now)
    return wait


def _forget(connection: Connection, marks: tuple[str, str], now: str) -> None:
    """All of the account; of the address this try alone, or one account of one's own would set others free to guess."""
    account, address = marks
    values.write(connection, account, json.encode(Failures()).decode(), now)
    others = _read(values.read(connection, address), now)
    values.write(connection, address, json.encode(Failures(max(0, others.count - 1), others.at)).decode(), now)


def _read(text: str | None, now: str) -> Failures:
    found = json.decode(text, type=Failures) if text else Failures()
    if found.at and seconds_between(found.at, now) > _FORGOTTEN_AFTER:
        return Failures()
    return found


def _wait(failures: Failures, now: str, patience: int) -> float:
    over = failures.count - _FREE_TRIES * patience
    if over < 0 or not failures.at:
        return 0.0
    return seconds_between(now, later(failures.at, min(_LONGEST_DELAY, 2.0 ** min(over, 20))))
