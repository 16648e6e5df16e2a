"""Decisions of gates: each answer to a question once, for as long as the answer stays the same."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, Select, select, update

from tidegate.store.packed import pack, unpack
from tidegate.store.rows import changed, every, one, select_as
from tidegate.store.tables import gates

Outcome: TypeAlias = Literal["pass", "hold", "block"]
MOST = 100


class NewGate(Struct, frozen=True, kw_only=True):
    """`question` and `answer` are digests: of who asks what, and of the outcome and every demand with its state.

    `document` is the JSON of the decision. `repository` None: the question names none that is known.
    """

    question: str
    answer: str
    sender: str
    environment: str
    service: str
    repository: int | None
    revision: str
    previous: str
    share: float | None
    outcome: Outcome
    document: bytes
    asked_by: str


class Gate(Struct, frozen=True):
    """`times` that the same answer was given, the last at `again_at`. `entry` None: the ledger does not hold it yet."""

    id: int
    question: str
    answer: str
    sender: str
    environment: str
    service: str
    repository: int | None
    revision: str
    previous: str
    share: float | None
    outcome: Outcome
    asked_by: str
    asked_at: str
    again_at: str
    times: int
    entry: int | None


def put(connection: Connection, given: NewGate, at: str, *, not_before: str = "") -> Gate:
    """Writes an answer; where the last one to this question is the same, it is counted there.

    One that was first given before `not_before` is not counted on: a new row is written.
    """
    last = of_question(connection, given.question)
    if last is not None and last.answer == given.answer and last.asked_at >= not_before:
        again = update(gates).where(gates.c.id == last.id)
        connection.execute(again.values(again_at=at, times=gates.c.times + 1))
        return structs.replace(last, again_at=at, times=last.times + 1)
    values = structs.asdict(given) | {"document": pack(given.document)}
    written = {**values, "asked_at": at, "again_at": at, "times": 1}
    identifier = connection.execute(gates.insert().values(**written).returning(gates.c.id)).scalar_one()
    kept = {name: value for name, value in written.items() if name in Gate.__struct_fields__}
    return Gate(id=identifier, entry=None, **kept)


def get(connection: Connection, identifier: int) -> Gate | None:
    return one(connection, Gate, _all().where(gates.c.id == identifier))


def of_question(connection: Connection, question: str) -> Gate | None:
    """The last answer to it."""
    return one(connection, Gate, _all().where(gates.c.question == question).order_by(gates.c.id.desc()).limit(1))


def document(connection: Connection, identifier: int) -> bytes:
    """The JSON of the decision, `{}` where there is none with this id."""
    packed = connection.execute(select(gates.c.document).where(gates.c.id == identifier)).scalar()
    return b"{}" if packed is None else unpack(packed, f"gate {identifier}")


def page(
    connection: Connection,
    *,
    environment: str | None = None,
    service: str | None = None,
    revision: str | None = None,
    outcome: Outcome | None = None,
    before: int | None = None,
    most: int = MOST,
) -> tuple[Gate, ...]:
    """The last that was asked first, from before the one with id `before`."""
    query = _all().order_by(gates.c.id.desc()).limit(most)
    wanted = {"environment": environment, "service": service, "revision": revision, "outcome": outcome}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(gates.c[name] == value)
    if before is not None:
        query = query.where(gates.c.id < before)
    return every(connection, Gate, query)


def passed(
    connection: Connection, environment: str, service: str, revision: str, *, most: int = 10
) -> tuple[Gate, ...]:
    """The answers that let this revision go there and that the ledger holds, the last first."""
    here = (gates.c.environment == environment, gates.c.service == service, gates.c.revision == revision)
    let = (gates.c.outcome == "pass", gates.c.entry.is_not(None))
    return every(connection, Gate, _all().where(*here, *let).order_by(gates.c.id.desc()).limit(most))


def passed_there(connection: Connection, environment: str, service: str, *, most: int = 2000) -> tuple[Gate, ...]:
    """The same of every revision."""
    here = (gates.c.environment == environment, gates.c.service == service)
    let = (gates.c.outcome == "pass", gates.c.entry.is_not(None))
    return every(connection, Gate, _all().where(*here, *let).order_by(gates.c.id.desc()).limit(most))


def unrecorded(connection: Connection, older_than: str, *, most: int = MOST) -> tuple[Gate, ...]:
    """Those of a known repository and commit that no entry of the ledger is said for."""
    about = (gates.c.repository.is_not(None), gates.c.revision != "")
    waiting = (gates.c.entry.is_(None), gates.c.asked_at < older_than, *about)
    return every(connection, Gate, _all().where(*waiting).order_by(gates.c.id).limit(most))


def set_entry(connection: Connection, identifier: int, entry: int) -> bool:
    """Says where the ledger holds it; whether it is there."""
    return changed(connection, update(gates).where(gates.c.id == identifier).values(entry=entry)) == 1


# Private


def _all() -> Select[Any]:
    return select_as(Gate, gates)
