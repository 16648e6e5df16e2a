"""What monitoring and error trackers said, as all their messages tell; and to which incident each belongs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, Select, and_, func, or_, select, update

from tidegate.store.folding import fold_in
from tidegate.store.rows import changed, every, one, select_as
from tidegate.store.tables import alerts, errors

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
MOST = 100


class ToldAlert(Struct, frozen=True, kw_only=True):
    """An alert as it is told now. Times are Unix seconds; `labels` is a JSON object of text."""

    name: str
    started: float
    ended: float | None
    environment: str
    service: str
    severity: Severity
    summary: str
    labels: str
    revision: str
    url: str
    state: bytes


class Alert(Struct, frozen=True):
    id: int
    sender: str
    key: str
    name: str
    started: float
    ended: float | None
    environment: str
    service: str
    severity: Severity
    summary: str
    labels: str
    revision: str
    url: str
    incident: int | None
    changed_at: str


class ToldError(Struct, frozen=True, kw_only=True):
    """A group of errors as it is told now. `frames` is JSON, the innermost call last."""

    kind: str
    message: str
    first: float
    last: float | None
    count: int
    frames: bytes
    environment: str
    service: str
    revision: str
    url: str
    state: bytes


class Error(Struct, frozen=True):
    id: int
    sender: str
    key: str
    kind: str
    message: str
    first: float
    last: float | None
    count: int
    frames: bytes
    environment: str
    service: str
    revision: str
    url: str
    incident: int | None
    changed_at: str


def fold_alerts(
    connection: Connection,
    sender: str,
    first: Mapping[str, ToldAlert],
    again: Callable[[str, bytes], ToldAlert],
    at: str,
) -> int:
    """Takes in what new messages say, by the alert's key; how many alerts are new. See `deployments.fold`."""
    made = {key: _values(told, at) for key, told in first.items()}
    return fold_in(connection, alerts, sender, made, lambda key, state: _values(again(key, state), at))


def fold_errors(
    connection: Connection,
    sender: str,
    first: Mapping[str, ToldError],
    again: Callable[[str, bytes], ToldError],
    at: str,
) -> int:
    """The same for groups of errors."""
    made = {key: _values(told, at) for key, told in first.items()}
    return fold_in(connection, errors, sender, made, lambda key, state: _values(again(key, state), at))


def get(connection: Connection, identifier: int) -> Alert | None:
    return one(connection, Alert, select_as(Alert, alerts).where(alerts.c.id == identifier))


def find(connection: Connection, sender: str, key: str) -> Alert | None:
    return one(connection, Alert, select_as(Alert, alerts).where(alerts.c.sender == sender, alerts.c.key == key))


def get_error(connection: Connection, identifier: int) -> Error | None:
    return one(connection, Error, select_as(Error, errors).where(errors.c.id == identifier))


def find_error(connection: Connection, sender: str, key: str) -> Error | None:
    return one(connection, Error, select_as(Error, errors).where(errors.c.sender == sender, errors.c.key == key))


def firing(connection: Connection, *, most: int = MOST) -> tuple[Alert, ...]:
    """Those that are not over, the last first."""
    return every(connection, Alert, _newest().where(alerts.c.ended.is_(None)).limit(most))


def alerts_between(connection: Connection, since: float, until: float, *, most: int = 1000) -> tuple[Alert, ...]:
    """Those that fired in that time, the last first."""
    lasting = or_(alerts.c.ended.is_(None), alerts.c.ended >= since)
    return every(connection, Alert, _newest().where(alerts.c.started < until, lasting).limit(most))


def loose(connection: Connection, since: float, until: float, *, most: int = 200) -> tuple[Alert, ...]:
    """Those that fired in that time and belong to no incident: the first of each sender."""
    lasting = or_(alerts.c.ended.is_(None), alerts.c.ended >= since)
    free = and_(alerts.c.incident.is_(None), alerts.c.started < until, lasting)
    senders = connection.execute(select(alerts.c.sender).where(free).distinct()).scalars().all()
    oldest = select_as(Alert, alerts).order_by(alerts.c.started, alerts.c.id).limit(most)
    found = [
        one for name in sorted(senders) for one in every(connection, Alert, oldest.where(free, alerts.c.sender == name))
    ]
    return tuple(sorted(found, key=lambda one: (one.started, one.id)))


def services_of(connection: Connection, of: Collection[int]) -> dict[int, frozenset[str]]:
    """By incident the services of its alerts."""
    rows = select(alerts.c.incident, alerts.c.service).where(alerts.c.incident.in_(of)).distinct()
    found: dict[int, set[str]] = {}
    for incident, service in connection.execute(rows):
        found.setdefault(incident, set()).add(service)
    return {incident: frozenset(services) for incident, services in found.items()}


def errors_between(connection: Connection, since: float, until: float, *, most: int = 1000) -> tuple[Error, ...]:
    """Those that happened in that time, the last that began first."""
    during = and_(errors.c.first < until, func.coalesce(errors.c.last, errors.c.first) >= since)
    query = select_as(Error, errors).where(during).order_by(errors.c.first.desc(), errors.c.id.desc())
    return every(connection, Error, query.limit(most))


def of_incident(connection: Connection, incident: int) -> tuple[tuple[Alert, ...], tuple[Error, ...]]:
    """Its alerts and its errors, the first that began first."""
    mine = select_as(Alert, alerts).where(alerts.c.incident == incident).order_by(alerts.c.started, alerts.c.id)
    theirs = select_as(Error, errors).where(errors.c.incident == incident).order_by(errors.c.first, errors.c.id)
    return every(connection, Alert, mine), every(connection, Error, theirs)


def join(connection: Connection, incident: int, *, of: Collection[int] = (), errors_of: Collection[int] = ()) -> int:
    """Puts alerts and errors that belong to no incident into this one; how many."""
    done = 0
    for table, identifiers in ((alerts, of), (errors, errors_of)):
        if identifiers:
            free = update(table).where(table.c.id.in_(identifiers), table.c.incident.is_(None))
            done += changed(connection, free.values(incident=incident))
    return done


# Private


def _values(told: ToldAlert | ToldError, at: str) -> dict[str, Any]:
    return {**structs.asdict(told), "changed_at": at}


def _newest() -> Select[Any]:
    return select_as(Alert, alerts).order_by(alerts.c.started.desc(), alerts.c.id.desc())
