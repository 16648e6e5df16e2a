"""The rollout document as it is written, and what must be true of it before it is asked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.rollout.document import LONGEST_EXCEPTION_DAYS, Covers, Environment, Leave, Rollout, Text
from tidegate.rollout.freeze import Freeze, Period, check_zone, make_period
from tidegate.settings import nearest

MOST_ENTRIES = 1_000
MOST_CALENDARS = 20


class FreezeTable(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    environments: tuple[str, ...] = ()
    calendar: str = ""
    every: Literal["", "day", "week", "month", "year"] = ""
    starts: str = field(name="from", default="")
    until: str = ""
    time_zone: str = ""


class CalendarTable(Struct, frozen=True, forbid_unknown_fields=True):
    days: tuple[str, ...] | None = None
    file: str = ""
    url: str = ""
    time_zone: str = ""


class Loaded(Struct, frozen=True):
    """A calendar's content as it was had, and what is to be said of that."""

    content: bytes
    note: str = ""


Load: TypeAlias = Callable[[CalendarTable], Loaded]
"""Brings the calendar of a file or a URL. Raises InputError where it cannot be had."""


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


def checked(raw: Document, origin: str, load: Load) -> Rollout:
    """The document ready to be asked. Raises InputError whose `where` is the path of what is wrong.

    A calendar that cannot be brought or read is no error: the freezes of it hold, with the reason.
    """
    check_zone(raw.time_zone, "time_zone")
    if not raw.environments:
        raise InputError("it names no environment", where=origin, mend="write [environments.production] and its tier")
    counted = len(raw.environments) + len(raw.freeze) + len(raw.exception)
    if counted + sum(len(calendar.days or ()) for calendar in raw.calendars.values()) > MOST_ENTRIES:
        raise InputError(f"it has more than {MOST_ENTRIES} entries", where=origin, mend="take out what is over")
    for name, environment in raw.environments.items():
        _check_environment(name, environment, raw)
    names = [table.name for table in raw.freeze]
    for place, table in enumerate(raw.freeze):
        if table.name in names[:place]:
            raise InputError(f"two freezes are called {table.name}", where=f"freeze[{place}].name", mend="rename one")
    for name, calendar in raw.calendars.items():
        _check_calendar(name, calendar)
    brought = _bring(raw, load)
    freezes = tuple(_freeze(place, table, raw, brought) for place, table in enumerate(raw.freeze))
    leaves = tuple(_leave(place, table, raw, origin) for place, table in enumerate(raw.exception))
    digest = hashlib.sha256(to_json(raw))
    for name, found in brought.items():
        digest.update(f"\0{name}\0".encode() + hashlib.sha256(found.content).digest())
    return Rollout(
        environments=raw.environments, freezes=freezes, leaves=leaves, origin=origin, digest=digest.hexdigest()
    )


# Private


class _Brought(Struct, frozen=True, kw_only=True):
    """The content of a calendar, or why there is none."""

    content: bytes = b""
    note: str = ""
    problem: str = ""
    mend: str = ""


_URL = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?/)[!-~]{1,2000}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}")
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


def _check_calendar(name: str, calendar: CalendarTable) -> None:
    where = f"calendars.{name}"
    if (calendar.days is not None) + bool(calendar.file) + bool(calendar.url) != 1:
        raise InputError("a calendar has either days, or a file, or a url", where=where, mend="make two of it")
    if calendar.file and (not _FILE.fullmatch(calendar.file) or ".." in calendar.file):
        raise InputError(
            "the file is none beside this document", where=f"{where}.file", mend="write it like freezes.ics"
        )
    if calendar.url and not _URL.fullmatch(calendar.url):
        raise InputError("the address is none of https", where=f"{where}.url", mend="write it like https://...")
    if calendar.time_zone:
        check_zone(calendar.time_zone, f"{where}.time_zone")


def _bring(raw: Document, load: Load) -> Mapping[str, _Brought]:
    """What every calendar of a file or a URL gave that a freeze names."""
    used = [table.calendar for table in raw.freeze if table.calendar in raw.calendars]
    outside = [name for name in used if raw.calendars[name].days is None]
    if len(outside) > MOST_CALENDARS:
        raise InputError(
            f"more than {MOST_CALENDARS} freezes are of calendars in files", where="freeze", mend="join some of them"
        )
    found = {}
    for name in dict.fromkeys(outside):
        try:
            loaded = load(raw.calendars[name])
            found[name] = _Brought(content=loaded.content, note=loaded.note)
        except InputError as error:
            found[name] = _Brought(problem=error.what, mend=error.mend)
    return found


def _freeze(place: int, table: FreezeTable, raw: Document, brought: Mapping[str, _Brought]) -> Freeze:
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
        if table.calendar in brought:
            return _freeze_of(table, brought[table.calendar], table.time_zone or calendar.time_zone, raw.time_zone)
        zone = table.time_zone or calendar.time_zone or raw.time_zone
        days = [make_period("", day, day, zone, f"calendars.{table.calendar}.days") for day in calendar.days or ()]
        return Freeze(table.name, table.environments, tuple(days))
    period: Period = make_period(table.every, table.starts, table.until, table.time_zone or raw.time_zone, where)
    return Freeze(table.name, table.environments, (period,))


def _freeze_of(table: FreezeTable, brought: _Brought, zone: str, usual: str) -> Freeze:
    from tidegate.rollout.calendars.read import read_events

    found = Freeze(table.name, table.environments, (), note=brought.note)
    if brought.problem:
        return replace(found, problem=brought.problem, mend=brought.mend)
    if zone:
        check_zone(zone, "freeze")
    try:
        return replace(found, events=read_events(brought.content, zone, usual))
    except InputError as error:
        return replace(found, problem=error.what, mend=error.mend)


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
