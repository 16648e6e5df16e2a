"""Reads the events of an iCalendar file (RFC 5545). What is not understood is refused whole: a freeze then holds.

Every VEVENT counts, also one that shows its time as free, except what its STATUS cancels. Time zones are those of the
IANA by name (and Windows' names for them); what a VTIMEZONE says of another is not taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from tidegate.errors import InputError
from tidegate.policy.case import one_line
from tidegate.rollout.calendars.components import EXPORT, Component, Property, read_components, wrong
from tidegate.rollout.calendars.events import LONGEST_AGAIN, Event, make_rule, moments, parts_of
from tidegate.rollout.freeze import check_zone

LARGEST_BYTES = 1 << 20
MOST_DATES = 20_000
MOST_WALKED = 500_000
"""Occurrences of all rules until the end of this century: a gate goes through them while it is asked."""
LONGEST_RULE = 500
LONGEST_INTERVAL = 1_000


def read_events(content: bytes, zone: str, usual: str) -> tuple[Event, ...]:
    """The events. Clock times without a time zone are of `zone`, else of the file's own, else of `usual`.

    Raises InputError for what is no whole calendar, is too large, or cannot be understood to the letter.
    """
    if len(content) > LARGEST_BYTES:
        raise InputError("it is larger than 1 MiB", mend="leave out what is long past")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("it is not UTF-8", mend=EXPORT) from error
    own, found = read_components(text)
    floating = zone or (_zone(own) if own else usual)
    drafts = [_draft(one, floating) for one in found]
    if sum(len(one.never) + len(one.event.also) for one in drafts) > MOST_DATES:
        raise InputError(f"it has more than {MOST_DATES} dates", mend="leave out what is long past")
    events = tuple(_joined(drafts))
    if sum(one.walked() for one in events) > MOST_WALKED:
        raise InputError("its rules began too long ago", mend="let those that come on many days begin later")
    return events


# Private

_RULE_PARTS = frozenset("FREQ INTERVAL COUNT UNTIL WKST BYMONTH BYMONTHDAY BYDAY BYSETPOS BYYEARDAY BYWEEKNO".split())
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_ONE_PERIOD = ";INTERVAL=600000"
"""So long an interval that only the period of the beginning is left before the end of all years."""


class _When(Struct, frozen=True):
    """A date or a time as it is written: in the clock of `zone`, without it."""

    local: datetime
    zone: str
    whole: bool


class _Draft(Struct, frozen=True, kw_only=True):
    """An event before what replaces single occurrences of it is known. `instead` is the occurrence that it replaces."""

    event: Event
    uid: str
    cancelled: bool
    never: frozenset[float]
    instead: frozenset[float] = frozenset()


def _draft(component: Component, floating: str) -> _Draft:
    once = component.once
    if "DTSTART" not in once:
        raise wrong(component, "nobody says when it begins")
    start = _when(component, once["DTSTART"], floating)
    lasts = _lasts(component, start, floating)
    rule = _rule(component, start, lasts) if "RRULE" in once else ""
    never: set[float] = set()
    also: list[tuple[datetime, timedelta]] = []
    for name, given in component.again:
        for value in given.value.split(","):
            if name == "EXDATE":
                when = _when(component, replace(given, value=value), floating)
                never.update(moments(when.local, ZoneInfo(when.zone)))
            else:
                also.append(_more(component, replace(given, value=value), start, lasts, floating))
    instead: tuple[float, ...] = ()
    if "RECURRENCE-ID" in once:
        if "UID" not in once or "RANGE" in once["RECURRENCE-ID"].params or rule:
            raise wrong(component, "it replaces more than one occurrence", "end the rule, and begin another")
        when = _when(component, once["RECURRENCE-ID"], floating)
        instead = moments(when.local, ZoneInfo(when.zone))
    event = Event(
        name=component.name,
        begins=start.local,
        lasts=lasts,
        zone=start.zone,
        rule=rule,
        also=tuple(also),
        exact=not start.whole and bool(rule or also or "DURATION" in once),
    )
    return _Draft(
        event=event,
        uid=once["UID"].value if "UID" in once else "",
        cancelled="STATUS" in once and once["STATUS"].value.upper() == "CANCELLED",
        never=frozenset(never),
        instead=frozenset(instead),
    )


def _joined(drafts: Sequence[_Draft]) -> Iterator[Event]:
    replaced: dict[str, set[float]] = {}
    for one in drafts:
        replaced.setdefault(one.uid, set()).update(one.instead)
    for one in drafts:
        if one.cancelled:
            continue
        gone = one.never if one.instead else one.never | replaced[one.uid]
        yield replace(one.event, never=gone)


def _when(component: Component, given: Property, floating: str) -> _When:
    from icalendar.prop import vDDDTypes

    try:
        value = vDDDTypes.from_ical(given.value.strip())
    except (ValueError, OverflowError) as error:
        raise wrong(component, f"{one_line(given.value, 40)!r} is no time") from error
    if isinstance(value, datetime):
        zone = "UTC" if value.tzinfo is not None else ""
        whole, local = False, value.replace(tzinfo=None)
        if not zone:
            zone = _zone(given.params["TZID"]) if "TZID" in given.params else floating
    elif isinstance(value, date):
        whole, local, zone = True, datetime.combine(value, time()), floating
    else:
        raise wrong(component, f"{one_line(given.value, 40)!r} is no time")
    if not 1600 <= local.year <= 9000:
        raise wrong(component, f"the year {local.year} is none of a calendar")
    return _When(local, zone, whole)


def _lasts(component: Component, start: _When, floating: str) -> timedelta:
    once = component.once
    if "DTEND" in once and "DURATION" in once:
        raise wrong(component, "it has both an end and a duration", "leave one out")
    if "DURATION" in once:
        lasts = _duration(component, once["DURATION"].value)
    elif "DTEND" in once:
        end = _when(component, once["DTEND"], floating)
        if end.whole is not start.whole:
            raise wrong(component, "one end has a time of day and the other has none", "write both, or neither")
        lasts = _local_to(start.zone, end) - start.local
    else:
        lasts = timedelta(days=1) if start.whole else timedelta()
    if lasts < timedelta() or start.local.year + lasts.days / 365 > 9000:
        raise wrong(component, "it ends before it begins, or never", "write a later DTEND")
    return lasts


def _duration(component: Component, text: str) -> timedelta:
    from icalendar.prop import vDuration

    try:
        found = vDuration.from_ical(text.strip())
    except (ValueError, OverflowError) as error:
        raise wrong(component, f"{one_line(text, 40)!r} is no duration") from error
    if not isinstance(found, timedelta):
        raise wrong(component, f"{one_line(text, 40)!r} is no duration")
    return found


def _more(
    component: Component, given: Property, start: _When, lasts: timedelta, floating: str
) -> tuple[datetime, timedelta]:
    """One more start, in the clock of the event, and how long it lasts: a period says that itself."""
    begins, slash, ends = given.value.partition("/")
    when = _when(component, replace(given, value=begins), floating)
    local = _local_to(start.zone, when)
    if slash:
        if ends.lstrip("+").startswith("P"):
            lasts = _duration(component, ends)
        else:
            lasts = _local_to(start.zone, _when(component, replace(given, value=ends), floating)) - local
    if lasts < timedelta() or local.year + lasts.days / 365 > 9000:
        raise wrong(component, "a period ends before it begins, or never", "write a later end")
    return local, lasts


def _rule(component: Component, start: _When, lasts: timedelta) -> str:
    """The rule with its UNTIL in the clock of the event. Refused is what comes more often than daily or cannot be
    bounded: one that has no occurrence at its DTSTART, which RFC 5545 leaves undefined, may have none at all."""
    text = component.once["RRULE"].value
    shown = one_line(text, 60)
    try:
        parts = parts_of(text) if len(text) <= LONGEST_RULE else {}
        unknown = sorted(set(parts) - _RULE_PARTS)
        if parts.get("FREQ") not in _FREQUENCIES or unknown or ("COUNT" in parts and "UNTIL" in parts):
            raise wrong(
                component, f"the rule {shown!r} cannot be followed", "let it come daily, weekly, or more rarely"
            )
        if not 1 <= int(parts.get("INTERVAL", "1")) <= LONGEST_INTERVAL or int(parts.get("COUNT", "1")) < 1:
            raise ValueError(text)
        if lasts > LONGEST_AGAIN:
            raise wrong(component, "it comes again and lasts longer than a year", "make several events of it")
        if "UNTIL" in parts:
            until = _when(component, Property({}, parts["UNTIL"]), start.zone)
            last = until.local + timedelta(days=1, seconds=-1) if until.whole else _local_to(start.zone, until)
            parts["UNTIL"] = last.strftime("%Y%m%dT%H%M%S")
        kept = {name: value for name, value in parts.items() if name not in ("INTERVAL", "COUNT", "UNTIL")}
        first = next(iter(make_rule(_text(kept) + _ONE_PERIOD, start.local)), None)
        make_rule(_text(parts), start.local)
    except (ValueError, OverflowError) as error:
        raise wrong(component, f"{shown!r} is no rule") from error
    if first != start.local:
        raise wrong(component, "its rule does not fit its DTSTART", "let it begin on a day that its rule names")
    return _text(parts)


def _text(parts: Mapping[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _local_to(zone: str, when: _When) -> datetime:
    """The same moment in the clock of another zone."""
    if zone == when.zone or when.whole:
        return when.local
    return when.local.replace(tzinfo=ZoneInfo(when.zone)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _zone(named: str) -> str:
    """The IANA's name of a time zone. Raises InputError for one that has none."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    name = WINDOWS_TO_OLSON.get(named, named)
    if name.startswith("/"):  # /example.org/Europe/Berlin: whoever made it, and then the name
        name = "/".join(name.split("/")[-2:])
    try:
        check_zone(name, "")
    except InputError as error:
        raise InputError(
            f"there is no time zone {one_line(named, 60)!r} here", mend="write it like TZID=Europe/Berlin"
        ) from error
    return name
