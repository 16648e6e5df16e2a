"""The rollout document as it is written, and what must be true of it before it is asked."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from msgspec import Struct, field

from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.rollout.document import LONGEST_EXCEPTION_DAYS, Covers, Environment, Leave, Rollout, Text
from tidegate.rollout.freeze import Freeze, Period, check_zone, make_period
from tidegate.settings import nearest

MOST_ENTRIES = 1_000


class FreezeTable(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    environments: tuple[str, ...] = ()
    calendar: str = ""
    every: Literal["", "day", "week", "month", "year"] = ""
    starts: str = field(name="from", default="")
    until: str = ""
    time_zone: str = ""


class CalendarTable(Struct, frozen=True, forbid_unknown_fields=True):
    days: tuple[str, ...]
    time_zone: str = ""


class LeaveTable(Struct, frozen=True, forbid_unknown_fields=True):
    covers: Covers
    environment: str
    people: tuple[str, ...]
    reason: Text
    starts: str = field(name="from")
    until: str
    freeze: str = ""
    revision: str = ""


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    time_zone: str = "UTC"
    environments: dict[str, Environment] = {}
    calendars: dict[str, CalendarTable] = {}
    freeze: tuple[FreezeTable, ...] = ()
    exception: tuple[LeaveTable, ...] = ()


def checked(raw: Document, origin: str) -> Rollout:
    """The document ready to be asked. Raises InputError whose `where` is the path of what is wrong."""
    check_zone(raw.time_zone, "time_zone")
    if not raw.environments:
        raise InputError("it names no environment", where=origin, mend="write [environments.production] and its tier")
    counted = len(raw.environments) + len(raw.freeze) + len(raw.exception)
    if counted + sum(len(calendar.days) for calendar in raw.calendars.values()) > MOST_ENTRIES:
        raise InputError(f"it has more than {MOST_ENTRIES} entries", where=origin, mend="take out what is over")
    for name, environment in raw.environments.items():
        _check_environment(name, environment, raw)
    names = [table.name for table in raw.freeze]
    for place, table in enumerate(raw.freeze):
        if table.name in names[:place]:
            raise InputError(f"two freezes are called {table.name}", where=f"freeze[{place}].name", mend="rename one")
    freezes = tuple(_freeze(place, table, raw) for place, table in enumerate(raw.freeze))
    leaves = tuple(_leave(place, table, raw, origin) for place, table in enumerate(raw.exception))
    digest = hashlib.sha256(to_json(raw)).hexdigest()
    return Rollout(environments=raw.environments, freezes=freezes, leaves=leaves, origin=origin, digest=digest)


# Private

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def _check_environment(name: str, environment: Environment, raw: Document) -> None:
    where = f"environments.{name}"
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name of an environment", where=where, mend="letters, figures, - _ . /")
    for other in environment.after:
        if other not in raw.environments:
            raise InputError(
                f"after names {other}, which is no environment", where=f"{where}.after", mend=_near(other, raw)
            )
    _check_circle(name, raw)
    if environment.bake_minutes and not environment.after:
        raise InputError(
            "bake_minutes says how long it ran elsewhere, and after names no environment",
            where=f"{where}.bake_minutes",
            mend='add after = ["staging"]',
        )
    shares = [step.share for step in environment.step]
    for place, (share, before) in enumerate(zip(shares[1:], shares, strict=False), 1):
        if share <= before:
            raise InputError(
                "the steps are not in the order of their share",
                where=f"{where}.step[{place}]",
                mend="write the smallest first",
            )


def _check_circle(name: str, raw: Document) -> None:
    seen: set[str] = set()
    ahead = list(raw.environments[name].after)
    while ahead:
        other = ahead.pop()
        if other == name:
            raise InputError(
                f"{name} comes after itself", where=f"environments.{name}.after", mend="take one out of the circle"
            )
        if other in raw.environments and other not in seen:
            seen.add(other)
            ahead += raw.environments[other].after


def _freeze(place: int, table: FreezeTable, raw: Document) -> Freeze:
    where = f"freeze[{place}]"
    for name in table.environments:
        if name not in raw.environments:
            raise InputError(
                f"it names {name}, which is no environment", where=f"{where}.environments", mend=_near(name, raw)
            )
    if table.calendar:
        if table.every or table.starts or table.until:
            raise InputError(
                "a freeze has either a calendar or from and until", where=f"{where}.calendar", mend="make two of it"
            )
        calendar = raw.calendars.get(table.calendar)
        if calendar is None:
            raise InputError(
                f"there is no calendar {table.calendar}",
                where=f"{where}.calendar",
                mend=nearest(table.calendar, list(raw.calendars)) if raw.calendars else "write [calendars.NAME]",
            )
        zone = table.time_zone or calendar.time_zone or raw.time_zone
        days = [make_period("", day, day, zone, f"calendars.{table.calendar}.days") for day in calendar.days]
        return Freeze(table.name, table.environments, tuple(days))
    period: Period = make_period(table.every, table.starts, table.until, table.time_zone or raw.time_zone, where)
    return Freeze(table.name, table.environments, (period,))


def _leave(place: int, table: LeaveTable, raw: Document, origin: str) -> Leave:
    where = f"exception[{place}]"
    if table.environment not in raw.environments:
        raise InputError(
            f"it names {table.environment}, which is no environment",
            where=f"{where}.environment",
            mend=_near(table.environment, raw),
        )
    if table.freeze and table.freeze not in [entry.name for entry in raw.freeze]:
        known = [entry.name for entry in raw.freeze]
        raise InputError(
            f"there is no freeze {table.freeze}", where=f"{where}.freeze", mend=nearest(table.freeze, known)
        )
    if len(set(table.people)) < 2:
        raise InputError("an exception is given by two people", where=f"{where}.people", mend='people = ["a", "b"]')
    if table.revision and not _OID.fullmatch(table.revision):
        raise InputError(
            "the revision is no whole object id", where=f"{where}.revision", mend="write all digits: git rev-parse"
        )
    period = make_period("", table.starts, table.until, raw.time_zone, where)
    starts, ends = period.inner()
    if ends - starts > LONGEST_EXCEPTION_DAYS * 86400:
        raise InputError(
            f"it lasts longer than {LONGEST_EXCEPTION_DAYS} days", where=f"{where}.until", mend="let it end earlier"
        )
    return Leave(
        covers=table.covers,
        environment=table.environment,
        people=table.people,
        reason=table.reason,
        starts=starts,
        ends=ends,
        freeze=table.freeze,
        revision=table.revision,
        origin=origin,
    )


def _near(name: str, raw: Document) -> str:
    return nearest(name, list(raw.environments))
