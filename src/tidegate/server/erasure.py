"""Erasing a person: bodies first, then the entry that says so, then everything that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.ledger import bodies
from tidegate.ledger.evidence.entries import Erased, Ground, erasure_entry
from tidegate.ledger.keys import Signer
from tidegate.store.erasure import forget_person, person_behind

if TYPE_CHECKING:
    from tidegate.ledger.log import Log
    from tidegate.store.engine import Database


class Gone(Struct, frozen=True):
    """How many bodies are gone; `entry` says so in the ledger; `left` names where bytes may be left."""

    count: int
    entry: int
    left: tuple[str, ...]


def erase(database: Database, log: Log, signer: Signer, pseudonym: str, ground: Ground, at: str) -> Gone:
    """Every proof stays valid. Cut short anywhere, it is finished by asking again.

    InputError where the ledger does not sign: nothing is erased that nothing would say.
    """
    if (refusal := log.refusal()) is not None:
        raise InputError(f"the ledger refuses to sign, so nothing was erased: {refusal}")
    with database.read() as connection:
        person = person_behind(connection, pseudonym)
    erased = bodies.erase(database, pseudonym, at)
    said = erasure_entry(signer, Erased(pseudonym, ground, erased.commitments), at, log.public_key().name)
    entry = log.append(said)
    if person is not None:
        database.change(lambda connection: forget_person(connection, person, at))
    return Gone(erased.count, entry, erased.left)
