"""The text of an iCalendar file: what it says of each of its events, property by property. Bounded in every way."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

from tidegate.errors import InputError
from tidegate.policy.case import one_line

MOST_EVENTS = 5_000
MOST_RULES = 200
EXPORT = "export it again as iCalendar (.ics)"


class Property(Struct, frozen=True):
    params: Mapping[str, str]
    value: str


class Component(Struct):
    once: dict[str, Property] = field(default_factory=dict)
    again: list[tuple[str, Property]] = field(default_factory=list)

    @property
    def name(self) -> str:
        said = self.once.get("SUMMARY") or self.once.get("UID")
        return one_line(said.value, 60) if said else "an event without a name"


def read_components(text: str) -> tuple[str, list[Component]]:
    """The calendar's own time zone, "" where it says none, and what it says of each event."""
    from icalendar.parser import Contentlines

    own, found, inside, rules = "", [], [], 0
    calendars = 0
    lines = Contentlines.from_ical(text)  # type: ignore[no-untyped-call]
    for number, line in enumerate(filter(None, lines), 1):
        named = _NAME.match(line)
        if named is None:
            raise InputError(f"its property {number} cannot be read: {one_line(line, 40)!r}", mend=EXPORT)
        name = named[1].upper()
        if name == "BEGIN":
            inside.append(line.partition(":")[2].strip().upper())
            calendars += inside == ["VCALENDAR"]
            if len(inside) > 10 or inside[0] != "VCALENDAR":
                raise InputError("it is no calendar", mend=EXPORT)
            if inside[-1] == "VEVENT":
                found.append(Component())
        elif name == "END":
            if not inside or inside.pop() != line.partition(":")[2].strip().upper():
                raise InputError("a part of it ends that did not begin", mend=EXPORT)
        elif name == "X-WR-TIMEZONE" and inside == ["VCALENDAR"]:
            own = line.partition(":")[2].strip()
        elif inside and inside[-1] == "VEVENT" and name in (*_ONCE, *_AGAIN):
            rules += name == "RRULE"
            _put(found[-1], name, _property(line))
        if len(found) > MOST_EVENTS or rules > MOST_RULES:
            most = f"{MOST_EVENTS} events, or {MOST_RULES} that come again"
            raise InputError(f"it has more than {most}", mend="leave out what is long past")
    if inside or not calendars:
        raise InputError("it ends in the middle" if inside else "it is no calendar", mend=EXPORT)
    return own, found


def wrong(component: Component, what: str, mend: str = EXPORT) -> InputError:
    return InputError(f"event {component.name!r}: {what}", mend=mend)


# Private

_ONCE = ("DTSTART", "DTEND", "DURATION", "RRULE", "UID", "RECURRENCE-ID", "STATUS", "SUMMARY")
_AGAIN = ("EXDATE", "RDATE", "EXRULE")
_NAME = re.compile(r"([A-Za-z0-9-]+)[;:]")


def _property(line: str) -> Property:
    from icalendar.parser import Contentline

    try:
        _, params, value = Contentline(line).parts()
    except ValueError as error:
        raise InputError(f"this cannot be read: {one_line(line, 60)!r}", mend=EXPORT) from error
    return Property({name.upper(): str(said) for name, said in params.items()}, str(value).strip())


def _put(component: Component, name: str, given: Property) -> None:
    if name == "EXRULE":
        raise wrong(component, "it has an EXRULE", "use EXDATE")
    if name in _AGAIN:
        component.again.append((name, given))
    elif name in component.once:
        raise wrong(component, f"it has two of {name}", "make two events of it")
    else:
        component.once[name] = given
