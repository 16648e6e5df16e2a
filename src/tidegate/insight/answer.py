"""The whole answer on one page: delivery, repairs like with like, and what could not be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tidegate.insight.compare import Event, Grouped, compare_in, grouped
from tidegate.insight.costs import Cost
from tidegate.insight.delivery import deliver, written_by
from tidegate.insight.load import load_of
from tidegate.insight.measures import DEBT, SCRUTINY, UPKEEP, by_writer, columns_of
from tidegate.insight.series import series_of
from tidegate.insight.spend import Spending, join_spending
from tidegate.insight.survival import Lines
from tidegate.insight.values import (
    WRITERS,
    Copies,
    Every,
    Figure,
    Load,
    Ran,
    Series,
    Shipped,
    Suite,
    Table,
    Writer,
    Written,
)


class Insight(Struct, frozen=True, kw_only=True):
    """`written` are changed lines by writer; `compared` repairs of AI against human changes, and by model.

    `written_by` are the same lines by group, for each way to split but by writer. `tables` are delivery, one for each
    way to split. `scrutiny`, `upkeep`, `debt` and `survival` are by writer, each
    None where nothing of it is known; `load` is review by person, `suite` what reports say of the tests and `copies`
    what their text does. `series` are figures over time, by `every`.
    """

    schema: Literal["tidegate.insight/1"] = "tidegate.insight/1"
    since: float
    until: float
    changes: int
    pending: int
    written: tuple[tuple[str, int], ...]
    tables: tuple[Table, ...]
    compared: tuple[Figure, ...]
    spending: Spending | None = None
    notes: tuple[str, ...] = ()
    every: Every = "month"
    scrutiny: Table | None = None
    load: Load | None = None
    upkeep: Table | None = None
    suite: Suite | None = None
    copies: Copies | None = None
    debt: Table | None = None
    survival: Table | None = None
    series: tuple[Series, ...] = ()
    written_by: tuple[Written, ...] = ()


class Told(Struct, frozen=True, kw_only=True):
    """What is known beside the changes: of the tests, how long lines live, and how reviewers are called. `bill_notes`
    say what was left out of the costs."""

    suite: Suite | None = None
    copies: Copies | None = None
    survival: Table | None = None
    lines: tuple[Lines, ...] | None = None
    bill_notes: tuple[str, ...] = ()
    pseudonym: Callable[[str], str] | None = None


NOTHING = Told()


def look(
    shipped: Sequence[Shipped],
    ran: Sequence[Ran],
    since: float,
    until: float,
    *,
    by: Sequence[str] = ("writer",),
    costs: Sequence[Cost] = (),
    notes: Sequence[str] = (),
    every: Every = "month",
    told: Told = NOTHING,
) -> Insight:
    """The figures of all that landed from `since` to `until` (Unix seconds), split in each way of `by`.

    InputError where `costs` are in two currencies.
    """
    mine, horizon = _settled([one for one in shipped if since <= one.landed < until], until)
    here = [one for one in ran if since <= one.at < until]
    days = (until - since) / 86400
    models = sorted({one.model for one in mine if one.model and one.writer == "ai"})
    columns = columns_of(mine)
    written = [(writer, sum(one.lines.get(writer, 0) for one in mine)) for writer in WRITERS]
    return Insight(
        since=since,
        until=until,
        changes=len(mine),
        pending=sum(one.fate == "pending" for one in mine),
        written=tuple(written),
        tables=tuple(deliver(mine, here, days, each) for each in by),
        compared=_compared(grouped(mine, columns), models),
        spending=_spending(costs, mine, (since, until), told) if costs else None,
        notes=(*notes, *horizon, *_notes(mine, here)),
        every=every,
        scrutiny=by_writer(columns, SCRUTINY),
        load=load_of(mine, told.pseudonym),
        upkeep=by_writer(columns, UPKEEP),
        suite=told.suite,
        copies=told.copies,
        debt=by_writer(columns, DEBT),
        survival=told.survival,
        series=series_of(columns, here, since, until, every),
        written_by=tuple(one for each in by if each != "writer" for one in written_by(mine, each)),
    )


# Private


def _spending(costs: Sequence[Cost], shipped: Sequence[Shipped], period: tuple[float, float], told: Told) -> Spending:
    return replace(join_spending(costs, shipped, *period, told.lines), notes=told.bill_notes)


LEAST_SECONDS = 86400.0
"""Where changes go out quicker than that, so few are young that leaving them out changes nothing."""
OUT = 0.95
"""So many of the changes have gone out after the time for which lead times are left out."""
OTHERS: tuple[Writer, ...] = ("human", "unknown")
EVENTS: tuple[Event, ...] = ("debugged", "unreviewed")


def _settled(shipped: Sequence[Shipped], until: float) -> tuple[list[Shipped], list[str]]:
    """Takes their lead times from changes so young that the slow ones among them have not gone out yet: the fast ones
    would stand there alone."""
    leads = sorted(one.deployed - one.began for one in shipped if one.deployed is not None and one.began is not None)
    if not leads or leads[0] == leads[-1]:
        return list(shipped), []
    horizon = leads[min(int(len(leads) * OUT), len(leads) - 1)]
    if horizon < LEAST_SECONDS:
        return list(shipped), []
    found = [replace(one, began=None) if one.landed > until - horizon and one.deployed else one for one in shipped]
    dropped = sum(one.began is None and each.began is not None for one, each in zip(found, shipped, strict=True))
    days = f"{horizon / 86400:.0f} days" if horizon >= 2 * 86400 else f"{horizon / 3600:.0f} hours"
    return found, [f"lead times of the last {days} are left out: slow changes of then still go out"] if dropped else []


def _compared(changes: Grouped, models: Sequence[str]) -> tuple[Figure, ...]:
    """Against people, and against changes of which nobody says who wrote them; of models those that can be compared."""
    found = [compare_in(changes), compare_in(changes, "ai", "unknown")]
    found += [compare_in(changes, "ai", other, model=model) for other in OTHERS for model in models]
    found += [compare_in(changes, "ai", other, event=each) for each in EVENTS for other in OTHERS]
    return (found[0], *(one for one in found[1:] if one.value is not None))


def _notes(shipped: Sequence[Shipped], ran: Sequence[Ran]) -> list[str]:
    lines = sum(sum(one.lines.values()) for one in shipped)
    unknown = sum(one.lines.get("unknown", 0) for one in shipped)
    found = []
    if lines and unknown:
        found.append(f"{unknown / lines:.0%} of the changed lines have no record of who wrote them: tidegate annotate")
    if not ran:
        found.append("no deployment is known: tidegate deploy start, or the service")
    return found
