"""An event of a calendar as RFC 5545 has it: once, by a rule, or on days of its own; and when it holds.

In doubt it is longer, as in freeze.py. Moments are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

if TYPE_CHECKING:
    from dateutil.rrule import rrule

FIRST, LAST = 0.0, 250_000_000_000.0
"""Moments that a calendar can name, with room for time zones."""
LONGEST_AGAIN = timedelta(days=366)
"""How long an event that comes again may last."""
_MARGIN = timedelta(days=2)


class Event(Struct, frozen=True, kw_only=True):
    """`begins` and `rule` (an RRULE that has an occurrence at `begins`, UNTIL among it) are in the clock of `zone`.

    `also` are more starts with how long each lasts, `never` the moments of starts that were taken out. `exact`: whether
    it may also last exactly `lasts`, where the change to summer time makes its clock times closer.
    """

    name: str
    begins: datetime
    lasts: timedelta
    zone: str
    rule: str = ""
    also: tuple[tuple[datetime, timedelta], ...] = ()
    never: frozenset[float] = frozenset()
    exact: bool = False

    def holds(self, early: float, late: float) -> float | None:
        """The end of the last occurrence that any moment of [early, late] lies in; None where none does."""
        early, late = max(early, FIRST), min(late, LAST)
        zone = ZoneInfo(self.zone)
        ends = [
            end
            for start, lasts in self._starts(_local(early, zone) - self.lasts - _MARGIN, _local(late, zone) + _MARGIN)
            if (end := self._end(start, lasts, early, late, zone)) is not None
        ]
        return max(ends, default=None)

    def walked(self) -> int:
        """How many occurrences may have to be gone through for a moment of this century."""
        parts = parts_of(self.rule) if self.rule else {"FREQ": "DAILY"}
        if parts["FREQ"] in _UNIT_DAYS and "COUNT" not in parts:
            return 0
        last = min(_LAST_YEAR, int(parts["UNTIL"][:4])) if "UNTIL" in parts else _LAST_YEAR
        dense = len(make_rule(self.rule, self.begins).between(self.begins, self.begins + LONGEST_AGAIN, inc=True))
        return min(int(parts.get("COUNT", _MOST)), dense * max(1, last - self.begins.year + 1))

    # Private

    def _starts(self, low: datetime, high: datetime) -> Iterator[tuple[datetime, timedelta]]:
        if not self.rule:
            yield self.begins, self.lasts
        else:
            for start in make_rule(self.rule, _near(self.rule, self.begins, low)).between(low, high, inc=True):
                yield start, self.lasts
        yield from self.also

    def _end(self, start: datetime, lasts: timedelta, early: float, late: float, zone: ZoneInfo) -> float | None:
        begins = moments(start, zone)
        if not self.never.isdisjoint(begins):
            return None
        ends = max(moments(start + lasts, zone))
        if self.exact:
            ends = max(ends, max(begins) + lasts.total_seconds())
        return ends if min(begins) <= late and early < ends else None


def moments(local: datetime, zone: ZoneInfo) -> tuple[float, float]:
    """Both moments that a clock time can mean; one and the same on most days."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC).timestamp() for fold in (0, 1))
    return first, second


def make_rule(rule: str, begins: datetime) -> rrule:
    """The occurrences of a rule, all in one clock. Raises ValueError for what is none."""
    from dateutil.rrule import rrule, rrulestr

    made = rrulestr(rule, dtstart=begins)
    if not isinstance(made, rrule):
        raise ValueError(rule)
    return made


def parts_of(rule: str) -> dict[str, str]:
    """The parts of a rule by their names, in capitals. Raises ValueError where one is missing or there twice."""
    found: dict[str, str] = {}
    for part in rule.upper().split(";"):
        name, said, value = part.partition("=")
        if not (name and said and value) or name in found:
            raise ValueError(part)
        found[name] = value
    return found


# Private

_LAST_YEAR = 2100
_MOST = 1_000_000
_UNIT_DAYS = {"DAILY": 1, "WEEKLY": 7}


def _local(at: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def _near(rule: str, begins: datetime, low: datetime) -> datetime:
    """A later beginning with the same occurrences from `low` on, so that a rule of many years is not walked through."""
    parts = parts_of(rule)
    unit = _UNIT_DAYS.get(parts["FREQ"])
    if unit is None or "COUNT" in parts:
        return begins
    days = unit * int(parts.get("INTERVAL", "1"))
    return begins + timedelta(days=max(0, (low - begins).days // days - 1) * days)
