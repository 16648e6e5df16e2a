"""Approvals as they were signed: each is of one merge tree under one policy, and of nothing else."""

from __future__ import annotations

import hashlib

from msgspec import Struct
from sqlalchemy import Connection, or_, select, update

from tidegate.store.rows import changed, every, insert_once, one, present, select_as
from tidegate.store.tables import approvals, keys


class NewApproval(Struct, frozen=True):
    """`with_key` is None where no key of the person signed (a click at the forge)."""

    change: int
    person: int
    with_key: int | None
    evidence: str
    stage: str
    target: str
    base: str
    head: str
    merge_tree: str
    policy: str
    facts: str
    envelope: bytes
    at: str
    expires_at: str


class Approval(Struct, frozen=True):
    id: int
    change: int
    person: int
    with_key: int | None
    evidence: str
    stage: str
    target: str
    base: str
    head: str
    merge_tree: str
    policy: str
    facts: str
    envelope: bytes
    at: str
    expires_at: str
    revoked_at: str | None
    entry: int | None


class Put(Struct, frozen=True):
    approval: Approval
    new: bool


def put(connection: Connection, approval: NewApproval) -> Put:
    """Writes it once: the same envelope again is the same approval, also after it was revoked."""
    values = {name: getattr(approval, name) for name in approval.__struct_fields__}
    digest = hashlib.sha256(approval.envelope).hexdigest()
    new = insert_once(connection, approvals, {**values, "digest": digest})
    found = one(connection, Approval, select_as(Approval, approvals).where(approvals.c.digest == digest))
    return Put(present(found), new)


def get(connection: Connection, identifier: int) -> Approval | None:
    return one(connection, Approval, select_as(Approval, approvals).where(approvals.c.id == identifier))


def of_change(connection: Connection, change: int) -> tuple[Approval, ...]:
    """All that were ever given, in their order."""
    return every(
        connection, Approval, select_as(Approval, approvals).where(approvals.c.change == change).order_by("id")
    )


def live(connection: Connection, change: int, at: str) -> tuple[Approval, ...]:
    """Those that are neither expired nor revoked, and whose key is not. Whether they fit the change as it stands now
    is for the caller."""
    lost = select(keys.c.id).where(keys.c.revoked_at.is_not(None))
    living = (
        approvals.c.change == change,
        approvals.c.revoked_at.is_(None),
        approvals.c.expires_at > at,
        approvals.c.at <= at,
        or_(approvals.c.with_key.is_(None), approvals.c.with_key.not_in(lost)),
    )
    return every(connection, Approval, select_as(Approval, approvals).where(*living).order_by("id"))


def revoke(connection: Connection, identifier: int, at: str) -> bool:
    """False where it was revoked before: the first time stands."""
    living = update(approvals).where(approvals.c.id == identifier, approvals.c.revoked_at.is_(None))
    return changed(connection, living.values(revoked_at=at)) == 1


def revoke_with_key(connection: Connection, key: int, at: str) -> int:
    """Revokes all that a lost key gave; how many."""
    living = update(approvals).where(approvals.c.with_key == key, approvals.c.revoked_at.is_(None))
    return changed(connection, living.values(revoked_at=at))


def set_entry(connection: Connection, identifier: int, entry: int) -> bool:
    """Says where the ledger holds it, once. False where another entry is said already."""
    free = or_(approvals.c.entry.is_(None), approvals.c.entry == entry)
    return changed(connection, update(approvals).where(approvals.c.id == identifier, free).values(entry=entry)) == 1
