"""When nothing is deployed: periods of a calendar, once or again and again, in a time zone with its summer time.

In doubt a period is longer: a clock time that comes twice begins it at the first and ends it at the second, and one
that is left out begins it before the gap and ends it behind. Moments are Unix seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.rollout.calendars.events import FIRST, LAST, Event, moments

Every: TypeAlias = Literal["", "day", "week", "month", "year"]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Edge(Struct, frozen=True):
    """One end of a period as it is written: `day` is an ISO date, a weekday (0 Monday), a day of the month (negative:
    from its end) or month and day, by what repeats; `clock` the time of day, "" for a whole day."""

    day: tuple[int, ...]
    clock: str
    offset: str = ""


class Period(Struct, frozen=True):
    """A period, or one that comes again every day, week, month or year. The end is not included."""

    every: Every
    starts: Edge
    ends: Edge
    zone: str

    def holds(self, early: float, late: float) -> float | None:
        """The end of the period that any moment of [early, late] lies in; None where none does."""
        for start, end in self.near(early):
            if start <= late and early < end:
                return end
        return None

    def near(self, at: float) -> Iterator[tuple[float, float]]:
        """The periods that can hold a moment, or begin within hours of it, as long as they may be."""
        zone = ZoneInfo(self.zone)
        if not self.every:
            yield self._moments(date(*self.starts.day), zone)
            return
        today = datetime.fromtimestamp(min(max(at, FIRST), LAST), zone).date()
        for start in _starts(self.every, self.starts.day, today):
            yield self._moments(start, zone)

    def inner(self) -> tuple[float, float]:
        """The one period without what is in doubt: for what gives leave. Empty where nothing is left."""
        zone = ZoneInfo(self.zone)
        starts, ends = self._local(date(*self.starts.day))
        return max(_instants(starts, zone, self.starts)), min(_instants(ends, zone, self.ends))

    # Private

    def _moments(self, start: date, zone: ZoneInfo) -> tuple[float, float]:
        starts, ends = self._local(start)
        return min(_instants(starts, zone, self.starts)), max(_instants(ends, zone, self.ends))

    def _local(self, start: date) -> tuple[datetime, datetime]:
        begins = datetime.combine(start, _clock(self.starts.clock))
        day = _end_day(self.every, self.ends.day, start)
        if not self.ends.clock:
            return begins, datetime.combine(day + timedelta(days=1), time())
        ends = datetime.combine(day, _clock(self.ends.clock))
        if self.every and ends <= begins:
            ends = datetime.combine(_end_day(self.every, self.ends.day, start, again=True), _clock(self.ends.clock))
        return begins, ends


class Freeze(Struct, frozen=True):
    """Periods, and events of a calendar, in which nothing is deployed to these environments; empty: to any of them.

    `problem` is why its calendar cannot be read, and `mend` what to do: then it holds, whatever is in it. `note` is
    what else is to be said of a calendar, such as its age.
    """

    name: str
    environments: tuple[str, ...]
    periods: tuple[Period, ...]
    events: tuple[Event, ...] = ()
    problem: str = ""
    mend: str = ""
    note: str = ""

    def is_of(self, environment: str) -> bool:
        return not self.environments or environment in self.environments

    def ends(self, environment: str, early: float, late: float) -> float | None:
        """When the freeze that holds at any moment of [early, late] is over; None where none holds."""
        if not self.is_of(environment):
            return None
        all_of_them: tuple[Period | Event, ...] = (*self.periods, *self.events)
        return max((end for one in all_of_them if (end := one.holds(early, late)) is not None), default=None)

    def event(self, early: float, late: float) -> str:
        """The name of the event that holds for longest, "" where none does."""
        held = [(end, one.name) for one in self.events if (end := one.holds(early, late)) is not None]
        return max(held)[1] if held else ""


def check_zone(zone: str, where: str) -> None:
    """Raises InputError where there is no such time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"there is no time zone {zone!r} here", where=where, mend="write it like Europe/Berlin"
        ) from error


def make_period(every: Every, starts: str, until: str, zone: str, where: str) -> Period:
    """A period as it is written. Raises InputError that names the key for what means nothing."""
    check_zone(zone, f"{where}.time_zone")
    period = Period(every, _edge(every, starts, f"{where}.from"), _edge(every, until, f"{where}.until"), zone)
    if every and bool(period.starts.clock) != bool(period.ends.clock):
        raise InputError(
            "one end has a time of day and the other has none", where=f"{where}.until", mend="write both, or neither"
        )
    if not every:
        begin, end = period.inner()
        if not FIRST <= begin < end <= LAST:
            raise InputError("it ends before it begins", where=f"{where}.until", mend="write a later until")
    return period


# Private

_CLOCK = r"(?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
_FORMS: dict[str, tuple[re.Pattern[str], str]] = {
    "": (
        re.compile(
            rf"(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[T ]{_CLOCK}(?P<offset>Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?"
        ),
        "2026-12-20 or 2026-12-20T16:00",
    ),
    "day": (re.compile(_CLOCK), "16:00"),
    "week": (re.compile(rf"(?P<day>[A-Za-z]{{3}})(?: {_CLOCK})?"), "Fri 16:00"),
    "month": (re.compile(rf"(?P<day>-?[0-9]{{1,2}})(?: {_CLOCK})?"), "28 16:00, or -1 for the last day"),
    "year": (re.compile(rf"(?P<day>[0-9]{{2}}-[0-9]{{2}})(?: {_CLOCK})?"), "12-20 or 12-20 16:00"),
}


def _edge(every: Every, text: str, where: str) -> Edge:
    form, example = _FORMS[every]
    match = form.fullmatch(text.strip())
    wrong = InputError(f"{text!r} says no moment", where=where, mend=f"write it like {example}")
    if match is None:
        raise wrong
    parts = match.groupdict()
    clock, word, offset = parts.get("clock") or "", parts.get("day") or "", parts.get("offset") or ""
    try:
        if clock:
            time.fromisoformat(clock)
        if offset:
            datetime.fromisoformat(f"2000-01-01T00:00:00{offset}")
        day = _day(every, word)
    except ValueError as error:
        raise wrong from error
    return Edge(day, clock, offset)


def _day(every: Every, word: str) -> tuple[int, ...]:
    """The figures of a day. Raises ValueError for one that no calendar has."""
    if every == "":
        named = date.fromisoformat(word)
        if not 1971 <= named.year <= 9000:
            raise ValueError(word)
        return named.year, named.month, named.day
    if every == "week":
        return (WEEKDAYS.index(word.lower()),)
    if every == "month":
        number = int(word)
        if number == 0 or not -28 <= number <= 31:
            raise ValueError(word)
        return (number,)
    if every == "year":
        month, day = (int(part) for part in word.split("-"))
        date(2000, month, day)
        return month, day
    return ()


def _clock(text: str) -> time:
    return time.fromisoformat(text) if text else time()


def _instants(local: datetime, zone: ZoneInfo, edge: Edge) -> tuple[float, float]:
    """Both moments that a clock time can mean; one and the same on most days."""
    if edge.offset:
        exact = datetime.fromisoformat(f"{local.isoformat()}{edge.offset}").timestamp()
        return exact, exact
    return moments(local, zone)


def _starts(every: Every, day: tuple[int, ...], today: date) -> Iterator[date]:
    """The days at which a period can have begun that a moment of today, or tomorrow, lies in."""
    if every == "day":
        yield from (today + timedelta(days=shift) for shift in (-2, -1, 0, 1))
    elif every == "week":
        monday = today - timedelta(days=today.weekday())
        yield from (monday + timedelta(days=day[0] + 7 * shift) for shift in (-2, -1, 0, 1))
    elif every == "month":
        for shift in (-2, -1, 0, 1):
            months = today.year * 12 + today.month - 1 + shift
            yield _in_month(months // 12, months % 12 + 1, day[0])
    else:
        yield from (_in_month(today.year + shift, *day) for shift in (-2, -1, 0, 1))


def _end_day(every: Every, day: tuple[int, ...], start: date, *, again: bool = False) -> date:
    """The day of the end that belongs to a start: the first of its kind from that day on, or after it."""
    if every == "":
        return date(*day)
    if every == "day":
        return start + timedelta(days=1 if again else 0)
    if every == "week":
        return start + timedelta(days=(day[0] - start.weekday()) % 7 + (7 if again else 0))
    if every == "month":
        for shift in (0, 1, 2):
            months = start.year * 12 + start.month - 1 + shift
            end = _in_month(months // 12, months % 12 + 1, day[0])
            if end > start or (end == start and not again):
                return end
    for shift in (0, 1, 2):
        end = _in_month(start.year + shift, *(day if every == "year" else (1, 1)))
        if end > start or (end == start and not again):
            return end
    return start + timedelta(days=366)


def _in_month(year: int, month: int, day: int) -> date:
    """A day of a month, counted from its end where it is negative; the last one where the month is shorter."""
    after = date(year + month // 12, month % 12 + 1, 1)
    length = (after - timedelta(days=1)).day
    return date(year, month, min(day, length) if day > 0 else max(1, length + 1 + day))
