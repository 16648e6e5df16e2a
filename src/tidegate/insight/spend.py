"""What AI costs and what came of it: spending by tool and model joined to the changes that shipped.

A generic CSV: `day,tool,model,person,cost,currency`; `model`, `person` and `currency` may be left out. Vendors' exports
are brought into that form; a column that is not known is refused, so that no cost is read from the wrong one.
"""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.insight.values import Shipped

COLUMNS = ("day", "tool", "model", "person", "cost", "currency")
LARGEST_BYTES = 64 << 20


class Cost(Struct, frozen=True, kw_only=True):
    """What was spent on a day."""

    day: date
    tool: str
    amount: float
    model: str = ""
    person: str = ""
    currency: str = ""


class Return(Struct, frozen=True, kw_only=True):
    """What one tool cost and what shipped with it. A cost per something is None where there is none of it.

    `sound` are changes that were not repaired, of those old enough to be judged; `pending` are not judged yet.
    """

    tool: str
    cost: float
    changes: int
    lines: int
    sound: int
    failures: int
    pending: int
    per_change: float | None
    per_line: float | None
    per_failure: float | None


class Spending(Struct, frozen=True, kw_only=True):
    """`unjoined` was spent on tools that no shipped change names: nobody can say what became of it."""

    currency: str
    cost: float
    unjoined: float
    returns: tuple[Return, ...]
    unpaid: tuple[str, ...]
    """Tools that changes name and no cost does."""


def read_costs(path: Path) -> tuple[Cost, ...]:
    """The rows of a CSV. InputError with the line for what does not fit; nothing is guessed."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError("is too large", where=str(path), mend="keep it under 64 MB")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError("is no UTF-8 text", where=str(path)) from error
    try:
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise InputError(f"is no CSV: {error}", where=str(path)) from error
    names = [name.strip().lower() for name in rows[0]] if rows else []
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in ("day", "tool", "cost") if name not in names]
    if unknown or missing or len(set(names)) != len(names):
        what = f"{unknown[0]!r} is no column" if unknown else f"no column {missing[0]}" if missing else "a column twice"
        raise InputError(what, where=f"{path}, line 1", mend=f"the columns are {', '.join(COLUMNS)}")
    return tuple(_cost(names, row, f"{path}, line {number}") for number, row in _of(rows))


def join_spending(costs: Iterable[Cost], shipped: Sequence[Shipped], since: float, until: float) -> Spending:
    """What was spent from `since` to `until` (Unix seconds) and what shipped then, by tool.

    InputError where two currencies are in it: they are not added up.
    """
    first, last = (datetime.fromtimestamp(at, UTC).date() for at in (since, until))
    mine = [cost for cost in costs if first <= cost.day <= last]
    currencies = {cost.currency for cost in mine}
    if len(currencies) > 1:
        raise InputError(f"costs in {' and '.join(sorted(currencies))}", mend="convert them to one currency")
    by_tool: dict[str, list[Shipped]] = defaultdict(list)
    for one in shipped:
        if one.tool and since <= one.landed < until:
            by_tool[_plain(one.tool)].append(one)
    spent: dict[str, float] = defaultdict(float)
    for cost in mine:
        spent[_plain(cost.tool)] += cost.amount
    returns = tuple(_return(tool, spent[tool], by_tool[tool]) for tool in sorted(spent.keys() & by_tool.keys()))
    whole = math.fsum(spent.values())
    return Spending(
        currency=next(iter(currencies), ""),
        cost=whole,
        unjoined=math.fsum(amount for tool, amount in spent.items() if tool not in by_tool),
        returns=returns,
        unpaid=tuple(sorted(by_tool.keys() - spent.keys())),
    )


# Private


def _of(rows: list[list[str]]) -> Iterable[tuple[int, list[str]]]:
    return ((number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row))


def _cost(names: Sequence[str], row: list[str], where: str) -> Cost:
    if len(row) != len(names):
        raise InputError(f"{len(row)} cells under {len(names)} columns", where=where)
    given = dict(zip(names, row, strict=True))
    try:
        day = date.fromisoformat(given["day"].strip())
    except ValueError as error:
        raise InputError(f"{given['day']!r:.40} is no day", where=where, mend="write it like 2026-11-21") from error
    try:
        amount = float(given["cost"])
    except ValueError:
        amount = math.nan
    if not 0 <= amount < 1e12:
        raise InputError(f"{given['cost']!r:.40} is no cost", where=where, mend="write it like 12.50")
    if not given["tool"].strip():
        raise InputError("a cost of no tool", where=where)
    return Cost(
        day=day,
        tool=given["tool"].strip(),
        amount=amount,
        model=given.get("model", "").strip(),
        person=given.get("person", "").strip(),
        currency=given.get("currency", "").strip().upper(),
    )


def _return(tool: str, cost: float, shipped: Sequence[Shipped]) -> Return:
    judged = [one for one in shipped if one.fate != "pending"]
    failures = sum(one.fate != "clean" for one in judged)
    lines = sum(one.lines.get("ai", 0) for one in shipped)
    return Return(
        tool=tool,
        cost=cost,
        changes=len(shipped),
        lines=lines,
        sound=len(judged) - failures,
        failures=failures,
        pending=len(shipped) - len(judged),
        per_change=cost / len(shipped) if shipped else None,
        per_line=cost / lines if lines else None,
        per_failure=cost / failures if failures else None,
    )


def _plain(tool: str) -> str:
    """`Claude Code` and `claude-code` are one tool."""
    return "".join(letter for letter in tool.lower() if letter.isalnum()).removesuffix("code") or tool.lower()
