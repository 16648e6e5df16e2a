"""Local accounts: argon2id, and the same work whether the name is known or not. See tries.py for who waits."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.server.api.problems import Problem
from tidegate.server.auth import tries
from tidegate.server.auth.tries import Try
from tidegate.store import accounts
from tidegate.store.accounts import Person
from tidegate.store.engine import Database

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 1024
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
# The hash of a secret that nobody has: an unknown name costs what a wrong password costs.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$m0d0yQmCw0dMHvO9nS0EnO8Hh7EJQ1Qh4oUwHXQm0Zo"


def hash_password(password: str) -> str:
    """Argon2id in its text form. InputError for one that is too short, or so long that it is no password."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise InputError(f"a password has {LEAST_CHARACTERS} characters at least, {MOST_CHARACTERS} at most")
    return _HASHER.hash(password)


def make_password() -> str:
    """One for a first admin: 120 bits in words of five, easy to type."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(6)) for _ in range(4))


def sign_in(database: Database, made: Try, password: str, now: str) -> Person:
    """The person of this name and password. Problem 401 that does not say which was wrong; 429 while it must wait.

    Of two who ask at once for one account each counts: the failures are written before the work is done and taken
    back where the password was right, so that asking in parallel gains nothing.
    """

    def begin(connection: Connection) -> tuple[Person | None, Try, float]:
        found = accounts.person_named(connection, made.name)
        known = found is not None and tries.is_known(connection, found.id, made.device, now)
        counted = made if known else Try(made.name, made.address)
        return found, counted, tries.begin(connection, counted, now)

    found, counted, wait = database.change(begin)
    if wait > 0:
        seconds = max(1, round(wait))
        raise Problem(429, "too many failed attempts", mend=f"try again in {seconds} seconds", retry_after=seconds)
    with database.read() as connection:
        known = accounts.password_hash(connection, found.id) if found and _may_sign_in(found) else None
    right = _verify(known or _NOBODYS, password[:MOST_CHARACTERS])
    if not right or found is None or known is None:
        raise Problem(401, "the name or the password is wrong")
    database.change(lambda connection: tries.succeed(connection, counted, now))
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
