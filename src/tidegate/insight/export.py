"""All figures as one CSV, a row for each with its interval and its n. No spreadsheet reads a cell as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from tidegate.insight.answer import Insight
from tidegate.insight.values import Figure, Table

COLUMNS = ("part", "by", "group", "figure", "when", "unit", "value", "low", "high", "n", "left_out", "says")


def csv_of(found: Insight) -> str:
    """`part` is delivery, compared, written, scrutiny, load, upkeep, suite, debt, survival, spending, series or
    change; `when` is the point of a series. Numbers are as they are counted: shares from 0 to 1, times in seconds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(found))
    return text.getvalue()


def safe_cell(text: str) -> str:
    """As text also where a spreadsheet would compute it (OWASP, CSV injection): an apostrophe goes before it."""
    plain = text.replace("\0", "")
    return f"'{plain}" if _BEFORE.sub("", plain)[:1] in _FORMULA or plain[:1] in _SPACE else plain


# Private

_FORMULA = frozenset("=+-@|%\uff1d\uff0b\uff0d\uff20")
_SPACE = frozenset("\t\r\n")
_BEFORE = re.compile(r"^[\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
"""White space, and what is seen by nobody and dropped by some spreadsheets."""
_Row = tuple[object, ...]


def _rows(found: Insight) -> Iterator[_Row]:
    for table in found.tables:
        yield from _table("delivery", table)
    for one in found.compared:
        yield _row("compared", "", "", one)
    for part, split in (
        ("scrutiny", found.scrutiny),
        ("upkeep", found.upkeep),
        ("debt", found.debt),
        ("survival", found.survival),
    ):
        if split is not None:
            yield from _table(part, split)
    for split_by in found.written_by:
        yield from _written(split_by.by, split_by.group, split_by.lines)
    yield from _written("writer", "all", found.written)
    if found.load is not None:
        yield from (_row("load", "person", "all", one) for one in (found.load.gini, found.load.top))
        yield from (_row("load", "person", person.person, person.share) for person in found.load.people)
    if found.suite is not None:
        yield from (_row("suite", "", "all", one) for one in found.suite.figures)
    if found.copies is not None:
        yield _row("suite", "", "all", found.copies.share)
    yield from _spending(found)
    for series in found.series:
        for point in series.points:
            yield _row("series", "writer", series.group, point, figure=series.name, when=point.name)
        if series.change is not None:
            yield _row("change", "writer", series.group, series.change.difference, figure=series.name)


def _table(part: str, table: Table) -> Iterator[_Row]:
    for row in (table.whole, *table.rows):
        yield from (_row(part, table.by, row.group, one) for one in row.figures)


def _written(by: str, group: str, lines: Sequence[tuple[str, int]]) -> Iterator[_Row]:
    for writer, count in lines:
        figure = Figure(name=f"lines by {writer}", unit="lines", value=count, low=None, high=None, n=count)
        yield _row("written", by, group, figure)


def _spending(found: Insight) -> Iterable[_Row]:
    if found.spending is None:
        return
    unit = found.spending.currency or "cost"
    whole = (found.spending.whole,) if found.spending.whole is not None else ()
    for one in (*whole, *found.spending.returns):
        costs = (("cost", one.cost), ("cost a change", one.per_change), ("cost a line", one.per_line))
        for name, value in costs:
            figure = Figure(name=name, unit=unit, value=value, low=None, high=None, n=one.changes)
            yield _row("spending", "tool", one.tool, figure)
        yield from (_row("spending", "tool", one.tool, figure) for figure in (one.per_failure, one.per_lasting))
    for tool, amount in found.spending.unjoined:
        figure = Figure(name="cost", unit=unit, value=amount, low=None, high=None, n=0, says="no change names it")
        yield _row("spending", "tool", tool, figure)


def _row(part: str, by: str, group: str, one: Figure, *, figure: str = "", when: str = "") -> _Row:
    numbers = tuple("" if value is None else repr(float(value)) for value in (one.value, one.low, one.high))
    words = (part, by, group, figure or one.name, when, one.unit)
    return (*map(safe_cell, words), *numbers, one.n, one.left_out, safe_cell(one.says))
