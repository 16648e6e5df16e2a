"""What came of what AI cost: costs by tool joined to the changes that shipped, and what cannot be joined."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.insight.costs import Cost, day_of
from tidegate.insight.intervals import share
from tidegate.insight.survival import Lines, lasting
from tidegate.insight.values import Figure, Shipped

WITHIN_DAYS = 90.0
ALL = "all"
SILENT = "how long lines live is not known here"


class Return(Struct, frozen=True, kw_only=True):
    """What one tool cost and what shipped with it in the months that it has costs of.

    `lines` are those by agents. `sound` are changes that were not repaired, of those old enough to be judged; `pending`
    are not judged yet. `unpaid` changes landed in months without a cost and are not counted. A cost per change and per
    line is a division of what is known; of a repaired change and of a line that lasts it rests on a rate, and has its
    interval. `young` lines are younger than 90 days: they count for as long as they were seen.
    """

    tool: str
    cost: float
    changes: int
    lines: int
    sound: int
    failures: int
    pending: int
    unpaid: int
    young: int
    per_change: float | None
    per_line: float | None
    per_failure: Figure
    per_lasting: Figure


class Month(Struct, frozen=True):
    """What tools cost that changes name, and what shipped with them, in a month such as 2026-03."""

    label: str
    cost: float
    changes: int


class Spending(Struct, frozen=True, kw_only=True):
    """`first` and `last`: days of the first and the last cost. `unjoined` was spent on tools that no shipped change
    names: nobody can say what became of it. `nameless` changes name no tool: what agents had in them is not known."""

    currency: str
    cost: float
    first: str
    last: str
    unjoined: tuple[tuple[str, float], ...]
    whole: Return | None
    returns: tuple[Return, ...]
    unpaid: tuple[str, ...]
    """Tools that changes name and no cost does."""
    nameless: int
    months: tuple[Month, ...] = ()
    notes: tuple[str, ...] = ()


def join_spending(
    costs: Iterable[Cost], shipped: Sequence[Shipped], since: float, until: float, lines: Sequence[Lines] | None = None
) -> Spending:
    """What was spent from `since` to before `until` (Unix seconds) and what shipped then, by tool.

    `lines`: how long the lines of the changes lived, None where nobody knows. InputError where two currencies are in
    the costs: they are not added up.
    """
    first, last = day_of(since), day_of(until - 1)
    mine = [cost for cost in costs if first <= cost.day <= last]
    currencies = {cost.currency for cost in mine}
    if len(currencies) > 1:
        named = " and ".join(sorted(each or "no currency" for each in currencies))
        raise InputError(f"costs in {named}", mend="convert them to one currency")
    currency = next(iter(currencies), "")
    here = [one for one in shipped if since <= one.landed < until]
    by_tool: dict[str, list[Shipped]] = defaultdict(list)
    for one in here:
        if one.tool:
            by_tool[_plain(one.tool)].append(one)
    bills: dict[str, list[Cost]] = defaultdict(list)
    for cost in mine:
        bills[_plain(cost.tool)].append(cost)
    joined = sorted(bills.keys() & by_tool.keys())
    counting = _Counting(currency, None if lines is None else _by_change(lines))
    paid = {tool: _paid(bills[tool], by_tool[tool]) for tool in joined}
    returns = tuple(counting.count(bills[tool][0].tool, bills[tool], paid[tool], len(by_tool[tool])) for tool in joined)
    whole = counting.count(
        ALL,
        [cost for tool in joined for cost in bills[tool]],
        [one for tool in joined for one in paid[tool]],
        sum(len(by_tool[tool]) for tool in joined),
    )
    days = sorted(cost.day for cost in mine)
    return Spending(
        currency=currency,
        cost=math.fsum(cost.amount for cost in mine),
        first=days[0].isoformat() if days else "",
        last=days[-1].isoformat() if days else "",
        unjoined=tuple((bills[tool][0].tool, _sum(bills[tool])) for tool in sorted(bills.keys() - by_tool.keys())),
        whole=whole if joined else None,
        returns=returns,
        unpaid=tuple(by_tool[tool][0].tool for tool in sorted(by_tool.keys() - bills.keys())),
        nameless=sum(not one.tool and one.writer != "human" for one in here),
        months=_months(
            [cost for tool in joined for cost in bills[tool]], [one for tool in joined for one in by_tool[tool]]
        ),
    )


# Private


class _Counting(Struct, frozen=True):
    currency: str
    lines: Mapping[str, Sequence[Lines]] | None

    def count(self, tool: str, costs: Sequence[Cost], paid: Sequence[Shipped], landed: int) -> Return:
        cost = _sum(costs)
        judged = [one for one in paid if one.fate != "pending"]
        failures = sum(one.fate != "clean" for one in judged)
        lines = sum(one.lines.get("ai", 0) for one in paid)
        lived = [each for one in paid for each in self.lines.get(one.commit, ())] if self.lines is not None else []
        each = cost / len(paid) if paid else None
        return Return(
            tool=tool,
            cost=cost,
            changes=len(paid),
            lines=lines,
            sound=len(judged) - failures,
            failures=failures,
            pending=len(paid) - len(judged),
            unpaid=landed - len(paid),
            young=sum(one.count for one in lived if one.end == "alive" and one.days < WITHIN_DAYS),
            per_change=each,
            per_line=cost / lines if lines else None,
            per_failure=self._divided(
                "cost a repaired change",
                each,
                share("", failures, len(judged), left_out=len(paid) - len(judged)),
                "was repaired",
            ),
            per_lasting=self._divided(
                "cost a line that lasts 90 days",
                cost / lines if lines else None,
                lasting(lived, WITHIN_DAYS) if self.lines is not None else _silent(SILENT),
                "lasted",
            ),
        )

    # Private

    def _divided(self, name: str, cost: float | None, rate: Figure, what: str) -> Figure:
        """What one costs of which only a share is that: the cost over the share, and over the ends of its interval."""
        unit = self.currency or "cost"
        if cost is None or rate.value is None or not rate.high:
            says = rate.says or "nothing to count"
            if rate.left_out and not rate.n:
                says = f"none of {rate.left_out:,} is old enough to be judged"
            return Figure(name=name, unit=unit, value=None, low=None, high=None, n=rate.n, says=says)
        if not rate.value or not rate.low:
            says = f"none of {rate.n:,} {what}: at least {cost / rate.high:,.2f} {self.currency}".strip()
            if rate.value:
                says = f"at least {cost / rate.high:,.2f} {self.currency}".strip()
            return Figure(name=name, unit=unit, value=None, low=None, high=None, n=rate.n, says=says)
        return Figure(
            name=name,
            unit=unit,
            value=cost / rate.value,
            low=cost / rate.high,
            high=cost / rate.low,
            n=rate.n,
            left_out=rate.left_out,
        )


def _silent(says: str) -> Figure:
    return Figure(name="", unit="share", value=None, low=None, high=None, n=0, says=says)


def _paid(costs: Sequence[Cost], shipped: Sequence[Shipped]) -> list[Shipped]:
    """The changes of the months that there are costs of: without them the others would make each look cheap."""
    months = {(cost.day.year, cost.day.month) for cost in costs}
    return [one for one in shipped if _month(one.landed) in months]


def _month(at: float) -> tuple[int, int]:
    day = datetime.fromtimestamp(at, UTC)
    return day.year, day.month


def _months(costs: Sequence[Cost], shipped: Sequence[Shipped]) -> tuple[Month, ...]:
    """Those that have a cost."""
    spent: dict[tuple[int, int], list[Cost]] = defaultdict(list)
    for cost in costs:
        spent[cost.day.year, cost.day.month].append(cost)
    landed = Counter(_month(one.landed) for one in shipped)
    return tuple(
        Month(f"{year}-{month:02d}", _sum(spent[year, month]), landed[year, month]) for year, month in sorted(spent)
    )


def _by_change(lines: Sequence[Lines]) -> dict[str, list[Lines]]:
    found: dict[str, list[Lines]] = defaultdict(list)
    for one in lines:
        found[one.change].append(one)
    return found


def _sum(costs: Sequence[Cost]) -> float:
    return math.fsum(cost.amount for cost in costs)


def _plain(tool: str) -> str:
    """`Claude Code` and `claude-code` are one tool, and so are `GitHub Copilot` and `copilot`."""
    plain = "".join(letter for letter in tool.lower() if letter.isalnum())
    return "claude" if plain == "claudecode" else plain.removeprefix("github") or tool.lower()
