"""Erasing a person: bodies first, then the entry that says so, then everything that names them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.ledger import bodies
from tidegate.ledger.evidence.entries import Erased, Ground, erasure_entry
from tidegate.ledger.keys import Signer
from tidegate.server.pseudonyms import forget, whose
from tidegate.store.erasure import forget_person, person_behind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tidegate.ledger.log import Log
    from tidegate.store.engine import Database


class Gone(Struct, frozen=True):
    """How many bodies are gone; `entry` says so in the ledger; `left` names where bytes may be left."""

    count: int
    entry: int
    left: tuple[str, ...]


class Found(Struct, frozen=True):
    """What would be erased: the bodies of these pseudonyms, or the one of a commitment."""

    whose: tuple[str, ...]
    commitment: str
    count: int


def look(database: Database, text: str) -> Found:
    """What is kept of whoever is meant: see `pseudonyms.whose`; a commitment means its own body."""
    with database.read() as connection:
        if text.startswith("hmac-sha256:"):
            return Found((), text, int(bodies.read(connection, text) is not None))
        found = whose(connection, text)
        return Found(found, "", sum(bodies.count_of(connection, each) for each in found))


def erase_found(database: Database, log: Log, signer: Signer, found: Found, ground: Ground, at: str) -> Gone:
    """As `erase` or `erase_one`, for what was found."""
    if found.commitment:
        return erase_one(database, log, signer, found.commitment, ground, at)
    return erase(database, log, signer, found.whose, ground, at)


def erase(database: Database, log: Log, signer: Signer, owners: Sequence[str], ground: Ground, at: str) -> Gone:
    """All bodies of these pseudonyms; each has an entry that says so, and the last of those is answered.

    Every proof stays valid. Cut short anywhere, it is finished by asking again. InputError where the ledger does not
    sign: nothing is erased that nothing would say.
    """
    _require_signing(log)
    count, entry = 0, 0
    left: list[str] = []
    for pseudonym in owners:
        with database.read() as connection:
            person = person_behind(connection, pseudonym)
        erased = bodies.erase(database, pseudonym, at)
        said = erasure_entry(signer, Erased(pseudonym, ground, erased.commitments), at, log.public_key().name)
        entry = log.append(said)
        database.change(partial(_forget, person=person, pseudonym=pseudonym, at=at))
        count += erased.count
        left += erased.left
    return Gone(count, entry, tuple(dict.fromkeys(left)))


def erase_one(database: Database, log: Log, signer: Signer, commitment: str, ground: Ground, at: str) -> Gone:
    """The one body that this commits to, whoever it is of: also where nobody was named who could be asked for."""
    _require_signing(log)
    erased = bodies.erase_one(database, commitment, at)
    entry = log.append(erasure_entry(signer, Erased("", ground, erased.commitments), at, log.public_key().name))
    return Gone(erased.count, entry, erased.left)


# Private


def _require_signing(log: Log) -> None:
    if (refusal := log.refusal()) is not None:
        raise InputError(f"the ledger refuses to sign, so nothing was erased: {refusal}")


def _forget(connection: Connection, *, person: int | None, pseudonym: str, at: str) -> None:
    if person is not None:
        forget_person(connection, person, at)
    forget(connection, pseudonym)
