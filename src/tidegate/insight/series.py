"""Figures over time: by week or month without gaps, and how the later half differs from the earlier one.

No slope is fitted: a line through points that each are uncertain says more than they do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tidegate.errors import InputError
from tidegate.insight.intervals import difference, median, rate
from tidegate.insight.measures import DEBT, REPAIRED, SCRUTINY, UPKEEP, WRITTEN, Columns, Measure, figures_of
from tidegate.insight.ratios import shares, sums_a_day
from tidegate.insight.values import WRITERS, Change, Every, Figure, Ran, Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]
    Codes: TypeAlias = NDArray[np.int64]

MOST_POINTS = 1200
LAST_YEAR = 9000
SPLIT = (REPAIRED, *UPKEEP[:1], *DEBT)
"""Of these there is a series for each writer too."""


class Buckets(Struct, frozen=True):
    """Weeks (from Monday) or months in UTC: where each begins in Unix seconds, and its days within the period."""

    labels: tuple[str, ...]
    starts: tuple[float, ...]
    days: tuple[float, ...]


def buckets_of(since: float, until: float, every: Every) -> Buckets:
    """Those that the period touches. InputError where there are too many, or a time is none of a calendar."""
    try:
        first = datetime.fromtimestamp(max(since, 0.0), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        last = datetime.fromtimestamp(until, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise InputError(f"{since!r} or {until!r} is no moment", where="since") from error
    if last.year > LAST_YEAR:
        raise InputError("the time ends in a year that no calendar here has", where="until")
    at = first - timedelta(days=first.weekday()) if every == "week" else first.replace(day=1)
    labels, starts, days = [], [], []
    while at.timestamp() < until:
        after = at + timedelta(days=7) if every == "week" else (at + timedelta(days=32)).replace(day=1)
        year, week, _ = at.isocalendar()
        labels.append(f"{year}-W{week:02d}" if every == "week" else f"{at.year}-{at.month:02d}")
        starts.append(at.timestamp())
        days.append((min(after.timestamp(), until) - max(at.timestamp(), since)) / 86400)
        at = after
        if len(labels) > MOST_POINTS:
            raise InputError(f"more than {MOST_POINTS} {every}s", mend="ask for a shorter time, or by month")
    if not labels:
        raise InputError("the time ends before 1970, or before it begins", where="until")
    return Buckets(tuple(labels), tuple(starts), tuple(days))


def series_of(columns: Columns, ran: Sequence[Ran], since: float, until: float, every: Every) -> tuple[Series, ...]:
    """Delivery, scrutiny, upkeep and debt over time; what nothing is known of is left out."""
    import numpy as np

    over = _Over(buckets_of(since, until, every), since, until)
    at = np.array([one.at for one in ran], dtype=np.float64)
    failed = np.array([np.nan if one.failed is None else float(one.failed) for one in ran], dtype=np.float64)
    landed, lead, lines = columns["landed"], columns["lead"], columns["effort"]
    found = [
        over.draw("deployment frequency", "a day", at, _Counted("deployment frequency", at), at if len(at) else None),
        over.draw("lead time", "seconds", landed, _Median("lead time", lead), landed[~np.isnan(lead)]),
        over.draw("change failure rate", "share", at, _Share("change failure rate", failed), at[~np.isnan(failed)]),
        over.draw("lines merged", "lines a day", landed, _Sum("lines merged", lines), np.array([since, until])),
    ]
    found += [_measured(over, each, columns) for each in (REPAIRED, *SCRUTINY, *UPKEEP, *DEBT, *WRITTEN)]
    for number, writer in enumerate(WRITERS):
        mine = columns["writer"] == number
        if mine.any() and not mine.all():
            some = {name: values[mine] for name, values in columns.items()}
            found += [replace(_measured(over, each, some), group=writer) for each in SPLIT]
    return tuple(one for one in found if any(point.value is not None for point in one.points))


# Private


class _Counted(Struct, frozen=True):
    """Events a day. Before the first that is known nobody reported any: those days say nothing."""

    name: str
    at: Array

    def __call__(self, groups: Codes, days: Array) -> list[Figure]:
        import numpy as np

        counts = np.bincount(groups[groups >= 0], minlength=len(days))
        begun = np.cumsum(counts) > 0
        pairs = zip(counts, np.where(begun, days, 0.0), strict=True)
        return [rate(self.name, int(count), float(each)) for count, each in pairs]


class _Median(Struct, frozen=True):
    name: str
    values: Array

    def __call__(self, groups: Codes, days: Array) -> list[Figure]:
        import numpy as np

        known = (groups >= 0) & ~np.isnan(self.values)
        order = np.argsort(groups[known], kind="stable")
        ordered, values = groups[known][order], self.values[known][order]
        parts = np.split(values, np.searchsorted(ordered, np.arange(1, len(days))))
        whole = np.bincount(groups[groups >= 0], minlength=len(days))
        return [
            median(self.name, part.tolist(), "seconds", left_out=int(whole[number]) - len(part))
            for number, part in enumerate(parts)
        ]


class _Share(Struct, frozen=True):
    name: str
    values: Array

    def __call__(self, groups: Codes, days: Array) -> list[Figure]:
        import numpy as np

        known = (groups >= 0) & ~np.isnan(self.values)
        left = np.bincount(groups[(groups >= 0) & ~known], minlength=len(days))
        return shares(self.name, self.values[known], groups[known], left)


class _Sum(Struct, frozen=True):
    name: str
    values: Array

    def __call__(self, groups: Codes, days: Array) -> list[Figure]:
        inside = groups >= 0
        return sums_a_day(self.name, "lines a day", self.values[inside], groups[inside], days)


class _Measured(Struct, frozen=True):
    measure: Measure
    columns: Columns

    def __call__(self, groups: Codes, days: Array) -> list[Figure]:
        return figures_of(self.measure, self.columns, groups, len(days))


_Draw: TypeAlias = "Callable[[Codes, Array], list[Figure]]"
"""The figures of groups: which group everything is in, below 0 in none, and how many days each has."""


class _Over(Struct, frozen=True):
    buckets: Buckets
    since: float
    until: float

    def draw(self, name: str, unit: str, at: Array, figures: _Draw, known: Array | None) -> Series:
        """`known`: when something was that says anything. The halves are those of the time from the first to the last
        of them, as young changes are not judged yet; of what is counted by the day, to the end of the period."""
        import numpy as np

        starts = np.array(self.buckets.starts)
        groups = np.searchsorted(starts, at, side="right").astype(np.int64) - 1
        points = figures(groups, np.array(self.buckets.days))
        labelled = tuple(replace(one, name=label) for one, label in zip(points, self.buckets.labels, strict=True))
        change = None
        if known is not None and len(known):
            last = self.until if isinstance(figures, _Counted) else float(known.max())
            change = _change(figures, at, float(known.min()), last)
        return Series(name=name, unit=unit, group="all", points=labelled, starts=self.buckets.starts, change=change)


def _measured(over: _Over, measure: Measure, columns: Columns) -> Series:
    import numpy as np

    known = ~(np.isnan(columns[measure.top]) | np.isnan(columns[measure.bottom]))
    landed = columns["landed"]
    return over.draw(measure.name, measure.unit, landed, _Measured(measure, columns), landed[known])


def _change(figures: _Draw, at: Array, first: float, last: float) -> Change | None:
    import numpy as np

    halves = np.where(at < (first + last) / 2, 0, 1)
    halves[(at < first) | (at > last)] = -1
    before, after = figures(halves.astype(np.int64), np.full(2, (last - first) / 2 / 86400))
    between = difference(before, after)
    return Change(before=before, after=after, difference=between) if between is not None else None
