"""The answer for a terminal. A figure stands with its interval and its n, or with why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from tidegate.insight.answer import Insight
from tidegate.insight.spend import ALL, Return, Spending
from tidegate.insight.values import Change, Copies, Figure, Load, Series, Suite, Table, Written
from tidegate.insight.words import cannot_join, money_of
from tidegate.report.escape import terminal
from tidegate.report.layout import grouped, pad, paint, wrap
from tidegate.report.style import PLAIN, Style

_NAME, _VALUE, _RANGE = 34, 11, 24
SEVERAL = 4
FAMILIES = 3
_OVER_TIME = "How the later half differs from the earlier one"
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def render_insight(found: Insight, style: Style = PLAIN) -> str:
    """Text, at most as wide as the style says."""
    return "\n".join(_rows(found, style)) + "\n"


def shown(figure: Figure, number: float | None) -> str:
    """A number of this figure in its unit."""
    if number is None:
        return "-"
    if figure.unit == "share":
        return f"{number:.1%}".replace("%", " %")
    if figure.unit == "seconds":
        size, word = next((unit for unit in _UNITS if abs(number) >= 2 * unit[0]), _UNITS[-1])
        return f"{number / size:.1f} {word}"
    if figure.unit == "times":
        return f"{number:.2f} x"
    if figure.unit == "index":
        return f"{number:.2f}"
    return f"{number:.2f} {figure.unit}"


# Private


def _rows(found: Insight, style: Style) -> Iterator[str]:
    since, until = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") for at in (found.since, found.until))
    yield paint(f"{grouped(found.changes, 'change')} landed from {since} to {until}", style, "bold")
    if found.pending:
        yield f"{found.pending} of them are too young to be judged"
    if any(count for _, count in found.written):
        yield _lines(found.written)
    for number, table in enumerate(found.tables):
        title = f"By {table.by}" if number else f"All, and by {table.by}"
        groups = {one.group: one for one in found.written_by if one.by == table.by}
        yield from ("", paint(title, style, "bold"), *_table(table, groups, style, whole=not number))
    yield from ("", "Repairs, like with like (same repository, about the same size)")
    for figure in found.compared:
        yield from _figure(figure, style)
    if (several := sum(figure.value is not None for figure in found.compared)) > SEVERAL:
        yield from wrap(f"of {several} such ranges one in twenty misses by chance alone", style.width, "  ", "  ")
    yield from _beside(found, style)
    if found.spending is not None:
        yield from ("", *_spending(found.spending, style))
    if found.notes:
        yield from ("", "Not known")
        for note in found.notes:
            yield from wrap(terminal(note), style.width, "  ", "  ")
    yield from (
        "",
        *wrap("Between brackets stands where the truth lies with 95 %; n is what it rests on.", style.width),
    )


def _beside(found: Insight, style: Style) -> Iterator[str]:
    """What is not delivery: scrutiny, tests, debt, survival, and how all of it changed."""
    for title, split in (
        ("Is scrutiny keeping up", found.scrutiny),
        ("What tests cost", found.upkeep),
        ("What is left to pay later", found.debt),
        ("How long lines live", found.survival),
    ):
        if split is not None:
            yield from ("", title, *_split(split, style))
    if found.load is not None and found.load.reviews:
        yield from ("", "Who reviews", *_load(found.load, style))
    if found.suite is not None:
        yield from ("", f"Tests, by {grouped(found.suite.reports, 'report')} of runs", *_suite(found.suite, style))
    if found.copies is not None:
        yield from ("", "Tests, as they are written", *_copies(found.copies, style))
    trends = [one for one in found.series if one.change is not None and one.group == "all"]
    if trends:
        yield from ("", _OVER_TIME, *_trends(trends, style))


def _copies(copies: Copies, style: Style) -> Iterator[str]:
    yield from _figure(copies.share, style)
    for family in copies.families[:FAMILIES]:
        first, more = terminal(family.names[0], 100), family.tests - 1
        yield from wrap(f"{first} and {more} more like it, {family.lines} lines in all", style.width, "    ", "      ")
    if copies.families_total > FAMILIES:
        yield f"    and {copies.families_total - FAMILIES} more such groups"
    if copies.unread:
        yield f"  {grouped(copies.unread, 'file')} of tests could not be read, or came after the first 12 MB"


def _lines(written: Sequence[tuple[str, int]]) -> str:
    whole = sum(count for _, count in written)
    return "lines  " + "   ".join(f"{writer} {count / whole:.0%}" for writer, count in written)


def _table(table: Table, written: Mapping[str, Written], style: Style, *, whole: bool) -> Iterator[str]:
    """All changes once, where `whole` says so, and each group where there are several."""
    known = {figure.name for figure in table.whole.figures if figure.n}
    rows = table.rows if len(table.rows) > 1 else ()
    if whole:
        for figure in table.whole.figures:
            if figure.name in known:
                yield from _figure(figure, style)
    elif not rows:
        yield f"  all are of {table.by} {terminal(table.rows[0].group, 40)}" if table.rows else "  none"
    for number, row in enumerate(rows):
        if whole or number:
            yield ""
        yield paint(f"{table.by}: {terminal(row.group, 40)}", style, "bold")
        if row.group in written and any(count for _, count in written[row.group].lines):
            yield f"  {_lines(written[row.group].lines)}"
        for figure in row.figures:
            if figure.name in known:
                yield from _figure(figure, style)
    missing = [figure.name for figure in table.whole.figures if figure.name not in known]
    if missing and whole:
        yield from ("", *wrap(f"nothing to count for: {', '.join(missing)}", style.width, "  ", "  "))


def _split(table: Table, style: Style) -> Iterator[str]:
    """Each figure of all, and under it those of the writers of whom it can be told."""
    for place, figure in enumerate(table.whole.figures):
        if not figure.n:
            continue
        yield from _figure(figure, style)
        rows = [(row.group, row.figures[place]) for row in table.rows]
        told = [(group, one) for group, one in rows if one.value is not None]
        for group, one in told if len(rows) > 1 else ():
            yield from _figure(replace(one, name=f"  {group}"), style)


def _load(load: Load, style: Style) -> Iterator[str]:
    people = "1 person" if load.people_total == 1 else f"{load.people_total:,} people"
    yield f"  {grouped(load.reviews, 'review')} by {people}"
    yield from _figure(load.top, style)
    yield from _figure(load.gini, style)
    yield from wrap(load.warning, style.width, "  ", "  ")


def _suite(suite: Suite, style: Style) -> Iterator[str]:
    for figure in suite.figures:
        yield from _figure(figure, style)
    for test in suite.worst[:5]:
        yield from wrap(f"{terminal(test.name, 100)}: {test.why}", style.width, "  ", "    ")


def _trends(every: Sequence[Series], style: Style) -> Iterator[str]:
    chance = []
    for series in every:
        change = series.change
        if change is None:
            continue
        low, high = change.difference.low or 0.0, change.difference.high or 0.0
        if low <= 0 <= high:
            chance.append(terminal(series.name))
            continue
        name = pad(f"  {terminal(series.name, _NAME - 3)}", _NAME)
        yield from wrap(_moved(change), style.width, name, " " * _NAME)
    if chance:
        yield from wrap(f"may be chance: {', '.join(chance)}", style.width, "  ", "    ")


def _moved(change: Change) -> str:
    """`70.8 % to 98.0 %, +27.2 points (+14.8 to +37.5)`: the unit of the difference once."""
    one = change.difference
    size, word = 1.0, one.unit
    if one.unit == "share":
        size, word = 0.01, "points"
    elif one.unit == "seconds":
        largest = max(abs(number or 0.0) for number in (one.value, one.low, one.high))
        size, word = next((unit for unit in _UNITS if largest >= 2 * unit[0]), _UNITS[-1])
    value, low, high = (f"{(number or 0.0) / size:+.1f}" for number in (one.value, one.low, one.high))
    before, after = shown(change.before, change.before.value), shown(change.after, change.after.value)
    short = before.removesuffix(f" {one.unit}")
    return f"{short} to {after}, {value} {word} ({low} to {high})"


def _spending(found: Spending, style: Style) -> Iterator[str]:
    money = f" {found.currency}" if found.currency else ""
    when = f", from {found.first} to {found.last}" if found.first else " in this time"
    yield paint(f"Spent {found.cost:,.2f}{money}{when}", style, "bold")
    for one in (*((found.whole,) if found.whole and len(found.returns) > 1 else ()), *found.returns):
        yield from _return(one, money, style)
    for said in cannot_join(found):
        yield from wrap(terminal(said), style.width, "  ", "    ")


def _return(one: Return, money: str, style: Style) -> Iterator[str]:
    name = "all of them" if one.tool == ALL else terminal(one.tool, 20)
    yield f"  {pad(name, 21)}{one.cost:,.2f}{money} for {grouped(one.changes, 'change')}: {_judged(one)}"
    indent = " " * 23
    for what, cost in (("a change", one.per_change), ("a line by agents", one.per_line)):
        if cost is not None:
            yield f"{indent}{pad(money_of(cost), 12)} {what}"
    figures = (("a line that lasts 90 days", one.per_lasting), ("a repaired change", one.per_failure))
    for what, figure in figures:
        if figure.value is None:
            yield from wrap(f"{what}: {figure.says}", style.width, indent, indent)
            continue
        low, high = money_of(figure.low or 0.0), money_of(figure.high or 0.0)
        yield f"{indent}{pad(money_of(figure.value), 12)} {what} ({low} to {high}), n {figure.n:,}"
    if one.young and one.per_lasting.value is not None:
        young = f"{one.young:,} lines are younger than 90 days: counted for as long as they were seen"
        yield from wrap(young, style.width, indent, indent)


def _judged(one: Return) -> str:
    return f"{one.sound} sound, {one.failures} repaired, {one.pending} not judged"


def _figure(figure: Figure, style: Style) -> Sequence[str]:
    name = pad(f"  {terminal(figure.name, _NAME - 3)}", _NAME)
    if figure.value is None:
        return wrap(f"{figure.says or 'not known'}", style.width, name, " " * _NAME)
    between = f"({shown(figure, figure.low)} to {shown(figure, figure.high)})"
    left = f", {figure.left_out} left out" if figure.left_out else ""
    return [f"{name}{pad(shown(figure, figure.value), _VALUE)}{pad(between, _RANGE)} n {figure.n}{left}"]
