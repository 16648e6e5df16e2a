"""Judgements of canaries: each with the whole of what it was judged by."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, Select, select, update

from tidegate.store.packed import pack, unpack
from tidegate.store.rows import changed, every, one, select_as
from tidegate.store.tables import canaries

Verdict: TypeAlias = Literal["promote", "hold", "roll_back"]
MOST = 100


class NewCanary(Struct, frozen=True, kw_only=True):
    """`name` is that of the document that says what is compared, `rules` the commit it was read from.

    `since` and `until` are Unix seconds; `document` is the JSON of the judgement.
    """

    repository: int
    name: str
    environment: str
    service: str
    revision: str
    rules: str
    verdict: Verdict
    since: float
    until: float
    document: bytes
    asked_by: str


class Canary(Struct, frozen=True):
    id: int
    repository: int
    name: str
    environment: str
    service: str
    revision: str
    rules: str
    verdict: Verdict
    since: float
    until: float
    asked_by: str
    judged_at: str
    entry: int | None


def put(connection: Connection, given: NewCanary, at: str) -> int:
    """Keeps a judgement; its id."""
    values = structs.asdict(given) | {"document": pack(given.document), "judged_at": at}
    return int(connection.execute(canaries.insert().values(**values).returning(canaries.c.id)).scalar_one())


def get(connection: Connection, identifier: int) -> Canary | None:
    return one(connection, Canary, _all().where(canaries.c.id == identifier))


def document(connection: Connection, identifier: int) -> bytes:
    """The JSON of the judgement, `{}` where there is none with this id."""
    packed = connection.execute(select(canaries.c.document).where(canaries.c.id == identifier)).scalar()
    return b"{}" if packed is None else unpack(packed, f"canary {identifier}")


def page(
    connection: Connection,
    *,
    environment: str | None = None,
    service: str | None = None,
    name: str | None = None,
    revision: str | None = None,
    before: int | None = None,
    most: int = MOST,
) -> tuple[Canary, ...]:
    """The last that was judged first, from before the one with id `before`."""
    query = _all().order_by(canaries.c.id.desc()).limit(most)
    wanted = {"environment": environment, "service": service, "name": name, "revision": revision}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(canaries.c[column] == value)
    if before is not None:
        query = query.where(canaries.c.id < before)
    return every(connection, Canary, query)


def last(connection: Connection, environment: str, service: str, revision: str) -> Canary | None:
    """The last judgement of this very revision there."""
    found = page(connection, environment=environment, service=service, revision=revision, most=1)
    return found[0] if found else None


def unrecorded(connection: Connection, *, most: int = MOST) -> tuple[Canary, ...]:
    """Those that no entry of the ledger is said for, the first judged first."""
    return every(connection, Canary, _all().where(canaries.c.entry.is_(None)).order_by(canaries.c.id).limit(most))


def set_entry(connection: Connection, identifier: int, entry: int) -> bool:
    """Says where the ledger holds it; whether it is there."""
    return changed(connection, update(canaries).where(canaries.c.id == identifier).values(entry=entry)) == 1


# Private


def _all() -> Select[Any]:
    return select_as(Canary, canaries)
