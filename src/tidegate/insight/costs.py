"""What AI cost, read from a CSV: the generic form, or an export of a vendor that is recognised by its columns.

The generic form is `day,tool,model,person,cost,currency`; `model`, `person` and `currency` may be left out. A file that
is none of the forms is refused, so that no cost is read from the wrong column.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tidegate.errors import InputError

Form = Literal["generic", "anthropic", "openai", "copilot", "cursor"]
COLUMNS = ("day", "tool", "model", "person", "cost", "currency")
LARGEST_BYTES = 64 << 20
LONGEST = 200
"""Characters of a name."""


class Cost(Struct, frozen=True, kw_only=True):
    """What was spent on a day."""

    day: date
    tool: str
    amount: float
    model: str = ""
    person: str = ""
    currency: str = ""


class Bill(Struct, frozen=True):
    """The costs of one file, and what was left out of it, in words."""

    form: Form
    costs: tuple[Cost, ...]
    notes: tuple[str, ...] = ()


def read_bill(path: Path, tool: str = "") -> Bill:
    """The costs of a file. Errors as of `parse_bill`, and InputError for what cannot be read or is too large."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError("is too large", where=str(path), mend="keep it under 64 MB")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    return parse_bill(data, str(path), tool)


def parse_bill(data: bytes, where: str, tool: str = "") -> Bill:
    """The costs of a CSV. `tool` is what rows pay for where an export does not say.

    InputError with the line for what does not fit; nothing is guessed.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("is no UTF-8 text", where=where) from error
    try:
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise InputError(f"is no CSV: {error}", where=where) from error
    names = [name.strip().lower() for name in rows[0]] if rows else []
    if len(set(names)) != len(names):
        raise InputError("a column twice", where=f"{where}, line 1")
    form = _form_of(names)
    if form == "generic":
        _check_generic(names, where)
    read = _Reading(form, tool.strip())
    for number, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row):
            if len(row) != len(names):
                raise InputError(f"{len(row)} cells under {len(names)} columns", where=f"{where}, line {number}")
            read.take(dict(zip(names, row, strict=True)), f"{where}, line {number}")
    return Bill(form, tuple(read.costs), tuple(read.notes()))


def day_of(at: float) -> date:
    """The day in UTC of a moment in Unix seconds; the first or the last day of this calendar where it is none of it."""
    return datetime.fromtimestamp(min(max(at, 0.0), _LAST_MOMENT), UTC).date()


# Private

_LAST_MOMENT = 221_845_392_000.0
"""The year 9000."""
_MARKS: Mapping[Form, frozenset[str]] = {
    # Claude Console, Cost, export: one row a day, model, key and kind of token.
    "anthropic": frozenset(("usage_date_utc", "model", "workspace", "api_key", "token_type", "cost_usd")),
    # OpenAI Platform, Usage, export of costs: the fields of GET /v1/organization/costs, one row a bucket.
    "openai": frozenset(("start_time", "end_time", "amount_value", "amount_currency")),
    # GitHub, usage report: docs.github.com/billing/reference/billing-reports.
    "copilot": frozenset(("date", "product", "sku", "quantity", "unit_type", "net_amount")),
    # Cursor, Usage, export of events.
    "cursor": frozenset(("date", "kind", "model", "input (w/ cache write)", "output tokens", "cost")),
}
"""By these columns an export is recognised; it may have others beside them."""
_INCLUDED = ("included", "free", "no charge")


class _Reading:
    def __init__(self, form: Form, tool: str) -> None:
        self._row: Callable[[Mapping[str, str], str], Cost | None] = {
            "generic": self._generic,
            "anthropic": self._anthropic,
            "openai": self._openai,
            "copilot": self._copilot,
            "cursor": self._cursor,
        }[form]
        self._tool = tool
        self.costs: list[Cost] = []
        self._foreign = 0
        self._included = 0
        self._unnamed = 0

    def take(self, given: Mapping[str, str], where: str) -> None:
        found = self._row(given, where)
        if found is not None:
            self.costs.append(found)

    def notes(self) -> Iterator[str]:
        """What was left out, and what nobody said."""
        if self._foreign:
            yield f"{self._foreign:,} rows are of other products than Copilot and are left out"
        if self._included:
            yield (
                f"{self._included:,} rows cost nothing by themselves: what the subscription costs is not in this export"
            )
        if self._unnamed:
            yield f"{self._unnamed:,} rows do not say which tool they paid for: no change can be joined to them"

    # Private

    def _generic(self, given: Mapping[str, str], where: str) -> Cost:
        if not given["tool"].strip():
            raise InputError("a cost of no tool", where=where)
        return Cost(
            day=_day(given["day"], where),
            tool=_name(given["tool"], where),
            amount=_amount(given["cost"], where),
            model=_name(given.get("model", ""), where),
            person=_name(given.get("person", ""), where),
            currency=_currency(given.get("currency", ""), where),
        )

    def _anthropic(self, given: Mapping[str, str], where: str) -> Cost:
        """Claude Code makes keys of its own in a workspace of its own; other keys may be used by anything."""
        key = given["api_key"].strip()
        own = given["workspace"].strip().lower() == "claude code" or key.startswith("claude_code_key_")
        return Cost(
            day=_day(given["usage_date_utc"], where),
            tool="claude-code" if own else self._or("anthropic-api"),
            amount=_amount(given["cost_usd"], where),
            model=_name(given["model"], where),
            person=_name(key if own else "", where),
            currency="USD",
        )

    def _openai(self, given: Mapping[str, str], where: str) -> Cost | None:
        if not given["amount_value"].strip():
            return None
        try:
            day = datetime.fromtimestamp(int(given["start_time"]), UTC).date()
        except (ValueError, OverflowError, OSError) as error:
            raise InputError(f"{given['start_time']!r:.40} is no Unix time", where=where) from error
        return Cost(
            day=day,
            tool=self._or("openai-api"),
            amount=_amount(given["amount_value"], where),
            model=_name(given.get("line_item", "").partition(",")[0], where),
            person=_name(given.get("user_email", ""), where),
            currency=_currency(given["amount_currency"], where),
        )

    def _copilot(self, given: Mapping[str, str], where: str) -> Cost | None:
        """What was charged after discounts. The report has rows of every product of GitHub."""
        if given["product"].strip().lower() != "copilot":
            self._foreign += 1
            return None
        return Cost(
            day=_day(given["date"], where),
            tool="copilot",
            amount=_amount(given["net_amount"], where),
            model=_name(given.get("model", ""), where),
            person=_account(_name(given.get("username", ""), where)),
            currency="USD",
        )

    def _cursor(self, given: Mapping[str, str], where: str) -> Cost | None:
        """What an event is worth stands in Cost also where the subscription pays for it: that is no cost again."""
        kind, cost = given["kind"].strip().lower(), given.get("cost to you", given["cost"]).strip()
        if any(word in kind or word in cost.lower() for word in _INCLUDED) or cost in ("", "-"):
            self._included += 1
            return None
        return Cost(
            day=_day(given["date"][:10], where),
            tool="cursor",
            amount=_amount(cost.removeprefix("$"), where),
            model=_name(given["model"], where),
            person=_name(given.get("user", ""), where),
            currency="USD",
        )

    def _or(self, unnamed: str) -> str:
        self._unnamed += not self._tool
        return self._tool or unnamed


def _form_of(names: Sequence[str]) -> Form:
    return next((form for form, marks in _MARKS.items() if marks <= set(names)), "generic")


def _check_generic(names: Sequence[str], where: str) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in ("day", "tool", "cost") if name not in names]
    if unknown or missing:
        what = f"{unknown[0]!r:.60} is no column" if unknown else f"no column {missing[0]}"
        mend = f"the columns are {', '.join(COLUMNS)}; exports of Claude, OpenAI, GitHub and Cursor are read too"
        raise InputError(what, where=f"{where}, line 1", mend=mend)


def _day(text: str, where: str) -> date:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text!r:.40} is no day", where=where, mend="write it like 2026-11-21") from error
    if not 1970 <= found.year <= 9000:
        raise InputError(f"{text!r:.40} is no day of this calendar", where=where)
    return found


def _amount(text: str, where: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount < 1e12:
        raise InputError(f"{text!r:.40} is no cost", where=where, mend="write it like 12.50")
    return amount


def _currency(text: str, where: str) -> str:
    found = text.strip().upper()
    if found and not (len(found) == 3 and found.isascii() and found.isalpha()):
        raise InputError(f"{text!r:.40} is no currency", where=where, mend="write it like EUR")
    return found


def _name(text: str, where: str) -> str:
    found = text.strip()
    if len(found) > LONGEST or any(ord(letter) < 32 or ord(letter) == 127 for letter in found):
        raise InputError(f"{text!r:.40} is no name", where=where, mend=f"at most {LONGEST} characters on one line")
    return found


def _account(name: str) -> str:
    return f"@{name.removeprefix('@')}" if name else ""
