"""Figures as the pages of insight show them: a picture where there is enough for one, and the same as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup
from msgspec import Struct

from tidegate.insight.headlines import Side, side_of
from tidegate.insight.spend import Spending
from tidegate.insight.values import Figure, Load, Row, Series, Table
from tidegate.insight.words import money_of, moved, said
from tidegate.report.charts import Part, Point, Stack, bar_chart, forest_chart, line_chart, stacked_chart
from tidegate.report.charts.values import LEAST_COURSE

WRITERS = (("ai", "agents"), ("mixed", "both"), ("human", "people"), ("unknown", "no record"))
WRITER_WORDS = {"ai": "agents", "mixed": "both", "human": "people", "unknown": "no record"}
MOST_ROWS = 100


class Numbers(Struct, frozen=True):
    """A row of a table beside a picture: its group or time, and its figures in words. `link` "": it leads nowhere."""

    label: str
    cells: tuple[str, ...]
    link: str = ""


class Drawn(Struct, frozen=True, kw_only=True):
    """A picture with its table. `picture` "" where there is too little for one: `why` says so.

    `change` is how the later half differs from the earlier, and `side` what that means.
    """

    name: str
    picture: Markup
    heads: tuple[str, ...]
    rows: tuple[Numbers, ...]
    why: str = ""
    change: str = ""
    side: Side = "told"


def draw_series(course: Series, every: str) -> Drawn:
    """A course over time. Fewer than LEAST_COURSE points that say something are told and not drawn."""
    points = [_point(one.name, one) for one in course.points]
    known = sum(point.known for point in points)
    name = course.name if course.group == "all" else f"{course.name}, {_group(course.group, 'writer')}"
    enough = known >= LEAST_COURSE
    why = f"{known} of {len(points)} {every}s have enough to say something: too few to draw a course."
    change = course.change
    return Drawn(
        name=name,
        picture=_drawn(line_chart(points, f"{name} by {every}", course.unit)) if enough else Markup(""),
        heads=(every, course.name),
        rows=tuple(Numbers(one.name, (said(one),)) for one in course.points if one.n),
        why="" if enough else why,
        change=moved(change.difference) if change else "",
        side=side_of(course.name, change.difference) if change else "told",
    )


def draw_groups(table: Table, name: str) -> Drawn | None:
    """One figure for each group, as bars; None where no group has a number."""
    found = [(row.group, figure) for row in table.rows for figure in row.figures if figure.name == name]
    points = [_point(_group(group, table.by), figure) for group, figure in found]
    if sum(point.known for point in points) < 1 or len(points) < 2:
        return None
    unit = found[0][1].unit
    return Drawn(
        name=name,
        picture=_drawn(bar_chart(points, f"{name} by {table.by}", unit)),
        heads=(table.by, name),
        rows=tuple(Numbers(_group(group, table.by), (said(figure),)) for group, figure in found),
    )


def draw_ratios(compared: Sequence[Figure]) -> list[Drawn]:
    """How many times as often, like with like: one picture for each thing that may happen to a change."""
    events = tuple(dict.fromkeys(figure.name.partition(" of ")[0] for figure in compared))
    return [_ratios(event, [one for one in compared if one.name.partition(" of ")[0] == event]) for event in events]


def draw_writers(stacks: Iterable[tuple[str, dict[str, int]]]) -> Drawn:
    """Who wrote the changed lines: of each whole by its name."""
    drawn, rows = [], []
    for label, lines in stacks:
        whole = sum(lines.values())
        parts = tuple(Part(writer, lines.get(writer, 0)) for writer, _ in WRITERS)
        ai = f"{lines.get('ai', 0) / whole * 100:.0f} % by agents" if whole else "no line"
        drawn.append(Stack(label=label, parts=parts, said=ai))
        rows.append(Numbers(label, tuple(f"{lines.get(writer, 0):,}" for writer, _ in WRITERS)))
    return Drawn(
        name="changed lines by writer",
        picture=_drawn(stacked_chart(drawn, "Who wrote the changed lines", WRITERS)),
        heads=("of", *(words for _, words in WRITERS)),
        rows=tuple(rows),
    )


def draw_load(load: Load) -> Drawn:
    """Reviews by person, under pseudonyms."""
    points = [_point(one.person, one.share) for one in load.people]
    return Drawn(
        name="share of all reviews",
        picture=_drawn(bar_chart(points, "Share of all reviews by person", "share")),
        heads=("person", "share of all reviews", "reviews", "lines"),
        rows=tuple(Numbers(one.person, (said(one.share), f"{one.reviews:,}", f"{one.lines:,}")) for one in load.people),
    )


def table_of(table: Table, link: Callable[[str], str] = lambda _: "") -> Drawn:
    """All figures of all groups, those left out that nothing is known of."""
    known = [place for place, figure in enumerate(table.whole.figures) if figure.n]
    silent = [figure.name for figure in table.whole.figures if not figure.n]
    groups = table.rows if len(table.rows) > 1 else ()
    more = f" {len(groups) - MOST_ROWS} more are in the export." if len(groups) > MOST_ROWS else ""
    why = f"Nothing to count for: {', '.join(silent)}." if silent else ""

    def cells(row: Row) -> tuple[str, ...]:
        return tuple(said(row.figures[place]) for place in known)

    rows = (Numbers(_group(row.group, table.by), cells(row), link(row.group)) for row in groups[:MOST_ROWS])
    return Drawn(
        name=f"by {table.by}",
        picture=Markup(""),
        heads=(table.by, *(table.whole.figures[place].name for place in known)),
        rows=(Numbers(table.whole.group, cells(table.whole)), *rows),
        why=(why + more).strip(),
    )


class DrawnReturn(Struct, frozen=True):
    """What was spent: pictures, and the table of all tools."""

    figures: tuple[Drawn, ...]
    table: Drawn


def draw_return(spending: Spending) -> DrawnReturn:
    """Cost by tool and by month, with what cannot be joined to any change."""
    tools = spending.returns
    spent: list[tuple[str, float | None, str]] = [(one.tool, one.cost, f"for {one.changes:,} changes") for one in tools]
    spent += [(tool, amount, "and no change names it") for tool, amount in spending.unjoined]
    each = [(one.tool, one.per_change, f"for each of {one.changes:,}") for one in tools]
    months = [
        (one.label, one.cost / one.changes if one.changes else None, f"for each of {one.changes:,}")
        for one in spending.months
    ]
    failed = [
        Point(label=one.tool, value=figure.value, low=figure.low, high=figure.high, said=_money_said(figure))
        for one in tools
        for figure in (one.per_failure,)
    ]
    unit = spending.currency
    drawn = [_costs("spent", unit, "tool", spent), _costs("cost a change", unit, "tool", each)]
    if any(point.known for point in failed):
        title = f"cost a repaired change{_in(unit)}, by tool"
        rows = tuple(Numbers(point.label, (point.said,)) for point in failed)
        picture = _drawn(bar_chart(failed, title, "cost"))
        drawn.append(Drawn(name=title, picture=picture, heads=("tool", "cost a repaired change"), rows=rows))
    if len(months) > 1:
        drawn.append(_costs("cost a change", unit, "month", months))
    return DrawnReturn(tuple(one for one in drawn if one.picture), _table_of_return(spending))


# Private


def _costs(name: str, unit: str, by: str, found: Sequence[tuple[str, float | None, str]]) -> Drawn:
    """Amounts that are divided and not estimated: bars without whiskers."""
    points = [
        Point(label=label, value=value, said=f"{money_of(value)} {why}" if value is not None else f"none: {why}")
        for label, value, why in found
    ]
    title = f"{name}{_in(unit)}, by {by}"
    rows = tuple(Numbers(point.label, (point.said,)) for point in points)
    return Drawn(name=title, picture=_drawn(bar_chart(points, title, "cost")), heads=(by, name), rows=rows)


def _table_of_return(spending: Spending) -> Drawn:
    whole = (spending.whole,) if spending.whole is not None and len(spending.returns) > 1 else ()
    heads = ("spent", "changes", "not judged", "repaired", "a change", "a line by agents", "a repaired change")
    rows = [
        Numbers(
            one.tool,
            (
                money_of(one.cost),
                f"{one.changes:,}",
                f"{one.pending:,}",
                f"{one.failures:,}",
                money_of(one.per_change) if one.per_change is not None else "-",
                money_of(one.per_line) if one.per_line is not None else "-",
                _money_said(one.per_failure),
            ),
        )
        for one in (*whole, *spending.returns)
    ]
    rows += [Numbers(tool, (money_of(amount), "none names it", *("-",) * 5)) for tool, amount in spending.unjoined]
    name = f"by tool{_in(spending.currency)}"
    return Drawn(name=name, picture=Markup(""), heads=("tool", *heads), rows=tuple(rows[:MOST_ROWS]))


def _money_said(figure: Figure) -> str:
    if figure.value is None:
        return figure.says
    return f"{money_of(figure.value)} ({money_of(figure.low or 0.0)} to {money_of(figure.high or 0.0)}), n {figure.n:,}"


def _in(currency: str) -> str:
    return f" in {currency}" if currency else ""


def _ratios(event: str, compared: Sequence[Figure]) -> Drawn:
    named = [(one.name.partition(" of ")[2], one) for one in compared]
    points = [_point(name, one) for name, one in named]
    title = f"{event}: how many times as often"
    picture = _drawn(forest_chart(points, title, "less often", "more often"))
    return Drawn(
        name=title,
        picture=picture,
        heads=("compared", "times", "left out"),
        rows=tuple(Numbers(name, (said(one), f"{one.left_out:,}")) for name, one in named),
        why="" if picture else f"Nothing yet that could be compared: {'; '.join(said(one) for one in compared)}.",
    )


def _point(label: str, figure: Figure) -> Point:
    return Point(label=label, value=figure.value, low=figure.low, high=figure.high, said=said(figure))


def _group(name: str, by: str) -> str:
    return WRITER_WORDS.get(name, name) if by == "writer" else name


def _drawn(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 escaped where it is drawn
