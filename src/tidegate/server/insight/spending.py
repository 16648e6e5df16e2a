"""What AI cost as the service is told it: taken from bills, under pseudonyms, and read for what it is joined to."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import date

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.insight.costs import Cost, Form, day_of, parse_bill
from tidegate.server.insight.reading import Wanted
from tidegate.server.pseudonyms import marks_of_payee, pseudonym_of_marks
from tidegate.server.service import Service
from tidegate.store import costs
from tidegate.store.costs import Spent

MOST_ROWS = 100_000
"""Of one bill, where each is a day, a tool, a model and a person."""
MOST_PEOPLE = 20_000


class Taken(Struct, frozen=True):
    """`form`: as what the bill was recognised. Amounts of a day, a tool, a model and a person are added up to one row;
    `replaced` are rows of which the source had said another amount. `notes` say what was left out."""

    source: str
    form: Form
    rows: int
    added: int
    replaced: int
    same: int
    first: str
    last: str
    notes: tuple[str, ...]


class SpentThen(Struct, frozen=True):
    """Costs in one currency; `notes` say what is left out."""

    costs: tuple[Cost, ...] = ()
    notes: tuple[str, ...] = ()


def take_bill(service: Service, data: bytes, source: str, tool: str) -> Taken:
    """Keeps the costs of a CSV. The same bill again changes nothing; what a source says of a day holds until it says
    something else of it. `source` "": the form. InputError with the line for what does not fit: nothing is kept then.
    """
    bill = parse_bill(data, "the bill", tool)
    name = source or bill.form
    amounts: dict[tuple[str, str, str, str, str], list[float]] = defaultdict(list)
    for cost in bill.costs:
        amounts[cost.day.isoformat(), cost.tool, cost.model, cost.person, cost.currency].append(cost.amount)
    people = sorted({person for _, _, _, person, _ in amounts if person})
    if len(amounts) > MOST_ROWS or len(people) > MOST_PEOPLE:
        raise InputError(
            f"more than {MOST_ROWS:,} rows or {MOST_PEOPLE:,} people", where="the bill", mend="send it month by month"
        )
    now = service.now()

    def work(connection: Connection) -> costs.Kept:
        called = {each: pseudonym_of_marks(connection, marks_of_payee(each), each, now) for each in people}
        summed: dict[tuple[str, str, str, str, str], float] = defaultdict(float)
        for (day, of_tool, model, person, currency), parts in amounts.items():
            summed[day, of_tool, model, called.get(person, ""), currency] += math.fsum(parts)
        return costs.keep(connection, [Spent(name, *key, amount) for key, amount in summed.items()], now)

    kept = service.database.change(work)
    days = sorted(day for day, *_ in amounts)
    return Taken(
        source=name,
        form=bill.form,
        rows=kept.added + kept.replaced + kept.same,
        added=kept.added,
        replaced=kept.replaced,
        same=kept.same,
        first=days[0] if days else "",
        last=days[-1] if days else "",
        notes=bill.notes,
    )


def read_spent(connection: Connection, wanted: Wanted) -> SpentThen:
    """What was spent in the time, in the currency that most of it is in: currencies are not added up. Of a repository
    or a team nothing: no bill says for which of them a tool worked."""
    first, last = (day_of(at).isoformat() for at in (wanted.since, wanted.until - 1))
    rows = costs.between(connection, first, last)
    if not rows:
        return SpentThen()
    if wanted.repository or wanted.team:
        return SpentThen(notes=("no bill says for which repository or team a tool worked",))
    counted = Counter(row.currency for row in rows)
    usual = min(counted, key=lambda each: (-counted[each], each))
    notes = []
    for other in sorted(counted.keys() - {usual}):
        amount = math.fsum(row.amount for row in rows if row.currency == other)
        words = other or "no currency"
        notes.append(f"{amount:,.2f} in {words} are left out: currencies are not added up")
    if len(rows) >= costs.MOST:
        notes.append(f"only {costs.MOST:,} rows of costs are counted: ask for a shorter time")
    mine = [row for row in rows if row.currency == usual]
    found = tuple(
        Cost(day=date.fromisoformat(row.day), tool=row.tool, amount=row.amount, currency=usual) for row in mine
    )
    return SpentThen(found, tuple(notes))
