"""How often somebody tried to sign in and failed, and how long the next try waits.

An account is never locked as such: whoever knows a name could then keep its owner out. What waits is an account from
one network; while an account is tried from many, each further network has one free try instead of five. A browser that
somebody signed in with before has a count of its own, which nobody else can use up. All counts are in the database, so
that they hold across processes and restarts, and of two tries at once each counts.
"""

from __future__ import annotations

import hashlib

from msgspec import Struct, json
from sqlalchemy import Connection

from tidegate.server.auth.addresses import network_of
from tidegate.store import values
from tidegate.store.clock import later, seconds_between

FAILURES = "failures/"
DEVICE = "device/"
FORGOTTEN_AFTER = 24 * 3600.0
DEVICE_SECONDS = 90 * 86400.0
MOST_DEVICES = 20
_FREE, _FREE_WHILE_TRIED, _FREE_OF_NETWORK = 5, 1, 50
_MANY = 50
"""Failures of an account, from wherever, after which it is being tried."""
_LONGEST_DELAY = 15 * 60.0


class Failures(Struct, frozen=True):
    """How often, and when the last time."""

    count: int = 0
    at: str = ""


class Try(Struct, frozen=True):
    """Who somebody says they are, and from where. `device` is the digest of a browser that this person used, or ""."""

    name: str
    address: str
    device: str = ""


def begin(connection: Connection, made: Try, now: str) -> float:
    """Seconds that must pass before the next try; 0, and then this one counts as failed until it succeeds."""
    tried = _read(connection, _account(made), now).count >= _MANY
    free = {_place(made): _FREE} if made.device else {
        _place(made): _FREE_WHILE_TRIED if tried else _FREE,
        _network(made): _FREE_OF_NETWORK,
    }  # fmt: skip
    found = {mark: _read(connection, mark, now) for mark in free}
    wait = max(_wait(each, now, free[mark]) for mark, each in found.items())
    if wait <= 0:
        for mark in (*free, *(() if made.device else (_account(made),))):
            _write(connection, mark, Failures(_read(connection, mark, now).count + 1, now), now)
    return wait


def succeed(connection: Connection, made: Try, now: str) -> None:
    """Forgets what was counted of the account from there; of the rest this try alone.

    Otherwise one account of one's own would set a network free to guess at others.
    """
    _write(connection, _place(made), Failures(), now)
    for mark in () if made.device else (_network(made), _account(made)):
        known = _read(connection, mark, now)
        _write(connection, mark, Failures(max(0, known.count - 1), known.at), now)


def is_known(connection: Connection, person: int, device: str, now: str) -> bool:
    """Whether this person signed in with this browser lately."""
    at = values.read(connection, _device(person, device)) if device else None
    return at is not None and seconds_between(at, now) < DEVICE_SECONDS


def know(connection: Connection, person: int, device: str, now: str) -> None:
    """From now on it is one of theirs; of too many the one that was not used for the longest time is forgotten."""
    values.write(connection, _device(person, device), now, now)
    values.keep_newest(connection, f"{DEVICE}{person}/", MOST_DEVICES)


# Private


def _place(made: Try) -> str:
    """The account from there. Names only as digests: people type passwords into the wrong field."""
    where = f"device {made.device}" if made.device else network_of(made.address)
    return f"{FAILURES}place/{_digest(made.name.casefold(), where)}"


def _account(made: Try) -> str:
    return f"{FAILURES}name/{_digest(made.name.casefold())}"


def _network(made: Try) -> str:
    return f"{FAILURES}address/{network_of(made.address)}"


def _device(person: int, device: str) -> str:
    return f"{DEVICE}{person}/{device}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _read(connection: Connection, mark: str, now: str) -> Failures:
    text = values.read(connection, mark)
    found = json.decode(text, type=Failures) if text else Failures()
    return Failures() if found.at and seconds_between(found.at, now) > FORGOTTEN_AFTER else found


def _write(connection: Connection, mark: str, failures: Failures, now: str) -> None:
    values.write(connection, mark, json.encode(failures).decode(), now)


def _wait(failures: Failures, now: str, free: int) -> float:
    over = failures.count - free
    if over < 0 or not failures.at:
        return 0.0
    return seconds_between(now, later(failures.at, min(_LONGEST_DELAY, 2.0 ** min(over, 20))))
