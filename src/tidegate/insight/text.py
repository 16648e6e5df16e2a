"""The answer for a terminal. A figure stands with its interval and its n, or with why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tidegate.insight.answer import Insight
from tidegate.insight.spend import Spending
from tidegate.insight.values import Figure, Table
from tidegate.report.escape import terminal
from tidegate.report.layout import grouped, pad, paint, wrap
from tidegate.report.style import PLAIN, Style

_NAME, _VALUE, _RANGE = 35, 12, 22
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
        size, word = next((unit for unit in _UNITS if number >= 2 * unit[0]), _UNITS[-1])
        return f"{number / size:.1f} {word}"
    if figure.unit == "times":
        return f"{number:.2f} x"
    return f"{number:.2f} {figure.unit}"


# Private


def _rows(found: Insight, style: Style) -> Iterator[str]:
    since, until = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") for at in (found.since, found.until))
    yield paint(f"{grouped(found.changes, 'change')} landed from {since} to {until}", style, "bold")
    if found.pending:
        yield f"{found.pending} of them are too young to be judged"
    lines = sum(count for _, count in found.written)
    if lines:
        yield "lines  " + "   ".join(f"{writer} {count / lines:.0%}" for writer, count in found.written)
    for table in found.tables:
        yield from ("", paint(f"All, and by {table.by}", style, "bold"), *_table(table, style))
    yield from ("", "Repairs, like with like (same repository, about the same size)")
    for figure in found.compared:
        yield from _figure(figure, style)
    if found.spending is not None:
        yield from ("", *_spending(found.spending))
    if found.notes:
        yield from ("", "Not known")
        for note in found.notes:
            yield from wrap(terminal(note), style.width, "  ", "  ")
    yield from (
        "",
        *wrap("Between brackets stands where the truth lies with 95 %; n is what it rests on.", style.width),
    )


def _table(table: Table, style: Style) -> Iterator[str]:
    known = {figure.name for figure in table.whole.figures if figure.n}
    for number, row in enumerate((table.whole, *(table.rows if len(table.rows) > 1 else ()))):
        if number:
            yield from ("", paint(f"{table.by}: {terminal(row.group, 40)}", style, "bold"))
        for figure in row.figures:
            if figure.name in known:
                yield from _figure(figure, style)
    missing = [figure.name for figure in table.whole.figures if figure.name not in known]
    if missing:
        yield from ("", *wrap(f"nothing to count for: {', '.join(missing)}", style.width, "  ", "  "))


def _spending(found: Spending) -> Iterator[str]:
    money = f" {found.currency}" if found.currency else ""
    yield f"Spent {found.cost:,.2f}{money}"
    for one in found.returns:
        costs = (("a change", one.per_change), ("a line", one.per_line), ("a repaired change", one.per_failure))
        said = ", ".join(f"{cost:,.2f} {what}" for what, cost in costs if cost is not None)
        yield f"  {pad(terminal(one.tool, 20), 21)}{one.cost:,.2f}: {said}"
        shipped = (
            f"{grouped(one.changes, 'change')}, {one.sound} sound, {one.failures} repaired, {one.pending} not judged"
        )
        yield f"  {' ' * 21}{shipped}"
    if found.unjoined:
        yield f"  {found.unjoined:,.2f}{money} went to tools that no shipped change names: what came of it is not known"
    if found.unpaid:
        yield f"  no cost is given for {', '.join(terminal(tool, 20) for tool in found.unpaid)}"


def _figure(figure: Figure, style: Style) -> Sequence[str]:
    name = pad(f"  {terminal(figure.name, _NAME - 3)}", _NAME)
    if figure.value is None:
        return wrap(f"{figure.says or 'not known'}", style.width, name, " " * _NAME)
    between = f"({shown(figure, figure.low)} to {shown(figure, figure.high)})"
    left = f", {figure.left_out} left out" if figure.left_out else ""
    return [f"{name}{pad(shown(figure, figure.value), _VALUE)}{pad(between, _RANGE)} n {figure.n}{left}"]
