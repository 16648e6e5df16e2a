"""Public keys that people sign approvals with. A revoked key stays, so that what it signed can be told."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, and_, literal, or_, update

from tidegate.errors import InputError
from tidegate.store.rows import changed, every, insert_once, one, present, select_as
from tidegate.store.tables import keys

Kind = Literal["ssh", "sk-ssh", "webauthn"]
MOST_LIVE, MOST = 20, 1000
"""Of one person: in use, and ever, because a revoked key stays."""


class Key(Struct, frozen=True):
    id: int
    person: int
    kind: Kind
    fingerprint: str
    public: bytes
    label: str
    uses: int
    added_at: str
    revoked_at: str | None


class NewKey(Struct, frozen=True):
    person: int
    kind: Kind
    fingerprint: str
    public: bytes
    label: str


def add(connection: Connection, key: NewKey, at: str) -> Key:
    """InputError where the key is known: of one person or of two, revoked or not, a key is added once.

    InputError as well where the person has too many.
    """
    mine = of_person(connection, key.person)
    if sum(each.revoked_at is None for each in mine) >= MOST_LIVE:
        raise InputError(f"one person has {MOST_LIVE} keys at most", mend="revoke those that are not used")
    if len(mine) >= MOST:
        raise InputError(f"one person registers {MOST} keys at most, the revoked ones with them")
    values = {name: getattr(key, name) for name in key.__struct_fields__}
    if not insert_once(connection, keys, {**values, "uses": 0, "added_at": at}):
        raise InputError("this key was added before", where=key.fingerprint, mend="make a new key")
    return present(by_fingerprint(connection, key.fingerprint))


def get(connection: Connection, identifier: int) -> Key | None:
    return one(connection, Key, select_as(Key, keys).where(keys.c.id == identifier))


def by_fingerprint(connection: Connection, fingerprint: str) -> Key | None:
    """Revoked or not: see `revoked_at`."""
    return one(connection, Key, select_as(Key, keys).where(keys.c.fingerprint == fingerprint))


def of_person(connection: Connection, person: int) -> tuple[Key, ...]:
    return every(connection, Key, select_as(Key, keys).where(keys.c.person == person).order_by("id"))


def count_use(connection: Connection, identifier: int, uses: int) -> bool:
    """Keeps an authenticator's signature counter. False where it did not grow: the authenticator may be a copy.

    One that has no counter answers 0 for ever (WebAuthn, 6.1.1), and that is no sign of a copy.
    """
    grows = or_(keys.c.uses < uses, and_(keys.c.uses == 0, literal(uses) == 0))
    mine = update(keys).where(keys.c.id == identifier, keys.c.revoked_at.is_(None), grows)
    return changed(connection, mine.values(uses=uses)) == 1


def revoke(connection: Connection, identifier: int, at: str) -> bool:
    """False where it was revoked before: the first time stands."""
    live = update(keys).where(keys.c.id == identifier, keys.c.revoked_at.is_(None))
    return changed(connection, live.values(revoked_at=at)) == 1
