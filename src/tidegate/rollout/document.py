"""The rollout document: what an environment asks before anything is deployed to it.

It is `.tidegate/rollout.toml` of the protected branch's tree, never that of the change. docs/gates.md is the guide.
Times of day and dates without an offset are those of a named time zone; freeze.py says when they hold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.rollout.freeze import Freeze, Period, check_zone, make_period
from tidegate.settings import convert, nearest, read_toml

PATH = ".tidegate/rollout.toml"
LARGEST_BYTES = 1 << 20
MOST_ENTRIES = 1_000
LONGEST_EXCEPTION_DAYS = 14

Tier: TypeAlias = Literal["critical", "high", "medium", "low"]
TIERS: tuple[Tier, ...] = ("low", "medium", "high", "critical")
APPROVALS_OF_TIER: Mapping[Tier, int] = {"critical": 2, "high": 1, "medium": 0, "low": 0}
"""Approvals that are asked where the environment does not say how many."""

Covers: TypeAlias = Literal["freeze", "blast", "budget", "bake", "order", "reversal"]
COVERABLE: tuple[Covers, ...] = ("freeze", "blast", "budget", "bake", "order", "reversal")
"""What two people may set aside. Policy, facts, what cannot be joined, and approvals are not among it."""

Number = Annotated[int, Meta(ge=0, le=1_000_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]


class Blast(Struct, frozen=True, forbid_unknown_fields=True):
    """The most that one step may hit, all changes of the deployment together. What is not said is not bounded.

    `share` is the part of the traffic up to which this step goes; `risk` the probability that any of the changes needs
    repair.
    """

    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    changes: Number | None = None
    lines: Number | None = None
    services: Number | None = None
    critical_services: Number | None = None
    entry_points: Number | None = None
    risk: Share | None = None
    infra: Literal["none", "note", "low", "medium", "high", "critical"] | None = None


class ErrorBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """A query that gives the part of the error budget that is left (1: all of it), and how much must be."""

    query: Text
    at_least: Share = 0.1


class Environment(Struct, frozen=True, forbid_unknown_fields=True):
    """One environment. `after` must run what is to be deployed since `bake_minutes`; `approvers` are people or teams.

    Without a tier it is critical; without `approvals` its tier says how many. `step` are in the order of their share.
    """

    tier: Tier = "critical"
    after: tuple[str, ...] = ()
    bake_minutes: Annotated[int, Meta(ge=0, le=60 * 24 * 90)] = 0
    approvals: Annotated[int, Meta(ge=0, le=20)] | None = None
    approvers: tuple[str, ...] = ()
    step: tuple[Blast, ...] = ()
    error_budget: ErrorBudget | None = None

    @property
    def approvals_asked(self) -> int:
        return APPROVALS_OF_TIER[self.tier] if self.approvals is None else self.approvals

    def limits(self, share: float | None) -> tuple[Blast, ...]:
        """The bounds of a step to this part of the traffic: where nobody says how much it gets, it gets all.

        Those of the first step that goes so far; beyond the last, those of all steps hold.
        """
        wanted = 1.0 if share is None else share
        fitting = [step for step in self.step if step.share >= wanted]
        return (fitting[0],) if fitting else self.step


class Leave(Struct, frozen=True, kw_only=True):
    """What sets one demand of one environment aside for a while: given by two people, for a reason, with an end.

    `freeze` names one window, empty: any. `revision` is the one commit that it is for, empty: whatever is deployed.
    """

    covers: Covers
    environment: str
    people: tuple[str, ...]
    reason: str
    starts: float
    ends: float
    freeze: str = ""
    revision: str = ""
    origin: str = ""


class Rollout(Struct, frozen=True, kw_only=True):
    """The document, ready to be asked. `origin` says where it was read; `digest` changes with anything in it."""

    environments: Mapping[str, Environment]
    freezes: tuple[Freeze, ...]
    leaves: tuple[Leave, ...]
    origin: str
    digest: str


class Unreadable(Struct, frozen=True):
    """A document that is not there or not right: nothing may be deployed by it."""

    reason: str
    mend: str


def read_rollout(repository: Repository, revision: str) -> Rollout | Unreadable:
    """The document in the tree of a revision of the protected branch, or why there is none."""
    name = f"{PATH} at {revision[:12]}"
    try:
        listed = repository.run("ls-tree", "-z", "--full-tree", "--end-of-options", revision, "--", PATH)
        described = listed.partition(b"\t")[0].decode("ascii", "replace").split(" ")
        if not listed:
            return Unreadable(f"there is no {name}", "write one: docs/gates.md has an example")
        if described[0] not in ("100644", "100755"):
            return Unreadable(f"{name} is a link or a folder", "put a plain file in its place")
        (blob,) = repository.read_blobs([described[2]], limit=LARGEST_BYTES)
        if blob.kind != "blob":
            return Unreadable(f"{name} is {blob.kind.replace('-', ' ')}", "make it smaller than 1 MiB")
        return parse_rollout(blob.content, name)
    except InputError as error:
        return Unreadable(f"{error.where}: {error.what}" if error.where else error.what, error.mend)


def parse_rollout(text: bytes, origin: str = PATH) -> Rollout:
    """The document of a text. Raises InputError with the line, what is wrong there, and how to mend it."""
    table = _plain(read_toml(text, origin))
    try:
        raw = convert(table, _Document, origin)
        return _checked(raw, origin)
    except InputError as error:
        place = _place(error.what) if error.where == origin else error.where
        line = _line_of(text, place)
        mend = "correct it; docs/gates.md lists every key" if "docs/settings.md" in error.mend else error.mend
        what = error.what.replace(_NO_SUCH, "there is no key ")
        raise InputError(
            f"{error.where}: {what}" if error.where not in ("", origin) else what,
            where=f"{origin}, line {line}" if line else origin,
            mend=mend,
        ) from error


# Private


class _FreezeTable(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    environments: tuple[str, ...] = ()
    calendar: str = ""
    every: Literal["", "day", "week", "month", "year"] = ""
    starts: str = field(name="from", default="")
    until: str = ""
    time_zone: str = ""


class _Calendar(Struct, frozen=True, forbid_unknown_fields=True):
    days: tuple[str, ...]
    time_zone: str = ""


class _LeaveTable(Struct, frozen=True, forbid_unknown_fields=True):
    covers: Covers
    environment: str
    people: tuple[str, ...]
    reason: Text
    starts: str = field(name="from")
    until: str
    freeze: str = ""
    revision: str = ""


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    time_zone: str = "UTC"
    environments: dict[str, Environment] = {}
    calendars: dict[str, _Calendar] = {}
    freeze: tuple[_FreezeTable, ...] = ()
    exception: tuple[_LeaveTable, ...] = ()


def _checked(raw: _Document, origin: str) -> Rollout:
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


def _check_environment(name: str, environment: Environment, raw: _Document) -> None:
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


def _check_circle(name: str, raw: _Document) -> None:
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


def _freeze(place: int, table: _FreezeTable, raw: _Document) -> Freeze:
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


def _leave(place: int, table: _LeaveTable, raw: _Document, origin: str) -> Leave:
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


_NO_SUCH = "there is no setting "
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*=")


def _near(name: str, raw: _Document) -> str:
    return nearest(name, list(raw.environments))


def _plain(value: Any) -> Any:
    """Dates of TOML as the texts that they are written as: what they mean depends on the time zone."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, (datetime, date, time)) else value


def _line_of(text: bytes, place: str) -> int:
    """The line at which a path such as `freeze[1].until` is written, else that of its table; 0 where neither is found.

    Of a text that TOML could read; a table that is written within another's line is that line.
    """
    wanted = re.sub(r"[^A-Za-z0-9_.\[\]/-].*", "", place).rstrip(".")
    table, best, best_length = "", 0, 0
    counts: dict[str, int] = {}
    for number, line in enumerate(text.decode("utf-8", "replace").split("\n"), 1):
        if header := _HEADER.fullmatch(line):
            name = _unquoted(header[2])
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                name = f"{name}[{counts[name]}]"
            path = table = name
        elif key := _KEY.match(line):
            path = f"{table}.{_unquoted(key[1])}".lstrip(".")
        else:
            continue
        if (wanted == path or wanted.startswith((f"{path}.", f"{path}["))) and len(path) > best_length:
            best, best_length = number, len(path)
    return best


def _place(what: str) -> str:
    """The path that a complaint of `convert` begins with, or names as not there."""
    return what.removeprefix(_NO_SUCH) if what.startswith(_NO_SUCH) else what.partition(": ")[0]


def _unquoted(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
