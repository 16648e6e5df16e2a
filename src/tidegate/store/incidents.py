"""Incidents: opened once for what they are about, with the suspect as it is known now, and how they ended."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, Select, and_, func, or_, select, update

from tidegate.errors import InternalError
from tidegate.store.rows import changed, every, insert_once, one, present, select_as
from tidegate.store.tables import incidents

State: TypeAlias = Literal["open", "resolved"]
Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
Resolution: TypeAlias = Literal["", "roll_back", "hot_fix", "forward_fix", "none"]
MOST = 100
MOST_DOCUMENT = 64 << 20


class NewIncident(Struct, frozen=True, kw_only=True):
    """`key`: what it is opened for. `started` in Unix seconds."""

    key: str
    title: str
    severity: Severity
    started: float
    environment: str = ""
    service: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """What an investigation found, as JSON, and its suspect. `probability` 0 to 1; None: nobody could tell."""

    document: bytes
    deployment: int | None = None
    revision: str = ""
    probability: float | None = None


class Incident(Struct, frozen=True):
    id: int
    key: str
    title: str
    severity: Severity
    state: State
    environment: str
    service: str
    started: float
    ended: float | None
    deployment: int | None
    revision: str
    probability: float | None
    resolution: Resolution
    resolved_by: int | None
    cause: str
    confirmed_by: int | None
    opened_at: str
    changed_at: str
    entry: int | None


class Opened(Struct, frozen=True):
    incident: Incident
    new: bool


def open_incident(connection: Connection, given: NewIncident, at: str) -> Opened:
    """Opens it once: where its key is there, what is there is answered, also when it is resolved."""
    values = structs.asdict(given) | {"state": "open", "revision": "", "resolution": "", "cause": ""}
    new = insert_once(
        connection, incidents, {**values, "document": zlib.compress(b"{}"), "opened_at": at, "changed_at": at}
    )
    return Opened(present(by_key(connection, given.key)), new)


def get(connection: Connection, identifier: int) -> Incident | None:
    return one(connection, Incident, _all().where(incidents.c.id == identifier))


def by_key(connection: Connection, key: str) -> Incident | None:
    return one(connection, Incident, _all().where(incidents.c.key == key))


def page(
    connection: Connection,
    *,
    state: State | None = None,
    environment: str | None = None,
    service: str | None = None,
    before: int | None = None,
    most: int = MOST,
) -> tuple[Incident, ...]:
    """The last that was opened first, from before the one with id `before`."""
    query = _all().order_by(incidents.c.id.desc()).limit(most)
    for column, value in ((incidents.c.environment, environment), (incidents.c.service, service)):
        if value is not None:
            query = query.where(column == value)
    if state is not None:
        query = query.where(incidents.c.state == state)
    if before is not None:
        query = query.where(incidents.c.id < before)
    return every(connection, Incident, query)


def count_open(connection: Connection) -> int:
    return connection.execute(select(func.count()).where(incidents.c.state == "open")).scalar_one()


def of_deployments(connection: Connection, deployments: Collection[int]) -> tuple[Incident, ...]:
    """Those that a deployment of these is suspected of, or ended, the last first."""
    about = or_(incidents.c.deployment.in_(deployments), incidents.c.resolved_by.in_(deployments))
    return every(connection, Incident, _all().where(about).order_by(incidents.c.id.desc()).limit(MOST))


def of_causes(connection: Connection, commits: Collection[str]) -> tuple[Incident, ...]:
    """Those that a commit of these is suspected of, or that a person said it caused, the last first."""
    about = or_(incidents.c.revision.in_(commits), incidents.c.cause.in_(commits))
    return every(connection, Incident, _all().where(about).order_by(incidents.c.id.desc()).limit(MOST))


def lasting(connection: Connection, environment: str, service: str, at: float) -> Incident | None:
    """The incident there that had begun by `at` and was not over then: what a new alert belongs to."""
    here = and_(incidents.c.environment == environment, incidents.c.service == service)
    then = and_(incidents.c.started <= at, or_(incidents.c.ended.is_(None), incidents.c.ended > at))
    last = _all().where(here, then).order_by(incidents.c.started.desc(), incidents.c.id.desc()).limit(1)
    return one(connection, Incident, last)


def record(connection: Connection, identifier: int, found: Finding, at: str) -> bool:
    """Writes what an investigation found over what the one before did; whether the incident is there."""
    values = {"deployment": found.deployment, "revision": found.revision, "probability": found.probability}
    packed = zlib.compress(found.document, 1)
    mine = update(incidents).where(incidents.c.id == identifier)
    return changed(connection, mine.values(**values, document=packed, changed_at=at)) == 1


def document(connection: Connection, identifier: int) -> bytes:
    """What the last investigation found: JSON, `{}` before any. InternalError where what is kept is damaged."""
    packed = connection.execute(select(incidents.c.document).where(incidents.c.id == identifier)).scalar()
    if packed is None:
        return b"{}"
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, MOST_DOCUMENT)
    except zlib.error as error:
        raise InternalError("a kept investigation is damaged", where=f"incident {identifier}") from error
    if not unpacker.eof:
        raise InternalError("a kept investigation is damaged", where=f"incident {identifier}")
    return plain


def resolve(
    connection: Connection, identifier: int, ended: float, resolution: Resolution, at: str, *, by: int | None = None
) -> bool:
    """Whether this ended it: one that is resolved stays as it was resolved first. `by`: the deployment that did."""
    open_ = update(incidents).where(incidents.c.id == identifier, incidents.c.state == "open")
    values = {"state": "resolved", "ended": ended, "resolution": resolution, "resolved_by": by, "changed_at": at}
    return changed(connection, open_.values(**values)) == 1


def reopen(connection: Connection, identifier: int, at: str) -> bool:
    """Whether it was resolved until now."""
    over = update(incidents).where(incidents.c.id == identifier, incidents.c.state == "resolved")
    values = {"state": "open", "ended": None, "resolution": "", "resolved_by": None, "changed_at": at}
    return changed(connection, over.values(**values)) == 1


def confirm(connection: Connection, identifier: int, cause: str, person: int, at: str) -> bool:
    """A person says what it was: a commit, or a word for what is no change. The last word stands."""
    mine = update(incidents).where(incidents.c.id == identifier)
    return changed(connection, mine.values(cause=cause, confirmed_by=person, changed_at=at)) == 1


def set_entry(connection: Connection, identifier: int, entry: int) -> None:
    """Says where the ledger holds it."""
    connection.execute(update(incidents).where(incidents.c.id == identifier).values(entry=entry))


# Private


def _all() -> Select[Any]:
    return select_as(Incident, incidents)
