"""The week on one page: what changed since the week before, and the three things to look at.

Deterministic: the same three answers make the same page. No word of judgement stands without the number it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

from tidegate.insight.answer import Insight
from tidegate.insight.headlines import UP_IS_WORSE, Headline, headlines, side_of
from tidegate.insight.intervals import difference
from tidegate.insight.values import Figure, Table
from tidegate.insight.words import moved, said

THINGS = 3
LEAST_SHARE = 0.05
"""Of lines without a record: less is not worth one of three places."""


class Weeks(Struct, frozen=True):
    """The last whole week from Monday to Monday in UTC and the week before; Unix seconds."""

    before: float
    since: float
    until: float

    @property
    def label(self) -> str:
        year, week, _ = datetime.fromtimestamp(self.since, UTC).isocalendar()
        return f"{year}-W{week:02d}"


class Moved(Struct, frozen=True, kw_only=True):
    """A figure of this week beside the week before. `difference` None where one of them says nothing."""

    name: str
    before: Figure
    after: Figure
    difference: Figure | None


class Thing(Struct, frozen=True, kw_only=True):
    """Something to look at: in one sentence what, the numbers, and where to begin."""

    what: str
    said: str
    look: str


class Briefing(Struct, frozen=True, kw_only=True):
    """`things` are at most three. `looked` figures were looked at for them: of that many one in forty lies on the worse
    side by chance alone. `changes` landed in the week before and in this one; `since` is where the period begins."""

    schema: Literal["tidegate.briefing/1"] = "tidegate.briefing/1"
    scope: str
    week: str
    weeks: Weeks
    since: float
    changes: tuple[int, int]
    headlines: tuple[Headline, ...]
    moved: tuple[Moved, ...]
    silent: tuple[str, ...]
    things: tuple[Thing, ...]
    looked: int
    notes: tuple[str, ...]


def weeks_of(now: float) -> Weeks:
    """Of a moment in Unix seconds."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    return Weeks(*((monday - timedelta(days=days)).timestamp() for days in (14, 7, 0)))


def brief(scope: str, weeks: Weeks, week: Insight, before: Insight, period: Insight) -> Briefing:
    """Of the answers for the week, for the week before, and for the longer period that ends with the week.

    `scope` is what it is about: a repository, a team, or all.
    """
    now, then = _figures(week), _figures(before)
    pairs = [
        Moved(name=name, before=then[name], after=figure, difference=difference(then[name], figure))
        for name, figure in now.items()
        if name in then
    ]
    told = [one for one in pairs if one.before.value is not None or one.after.value is not None]
    spoken = {one.name for one in told}
    tests, things = _things(told, period)
    return Briefing(
        scope=scope,
        week=weeks.label,
        weeks=weeks,
        since=period.since,
        changes=(before.changes, week.changes),
        headlines=headlines(period),
        moved=tuple(told),
        silent=tuple(name for name in UP_IS_WORSE if name in now and name not in spoken),
        things=tuple(things),
        looked=tests,
        notes=period.notes,
    )


# Private


class _Found(Struct, frozen=True):
    """`weight`: by how many half-widths of its interval a figure lies beyond what would be nothing to tell."""

    topic: str
    weight: float
    thing: Thing


def _figures(found: Insight) -> dict[str, Figure]:
    """Those of all changes together, by name."""
    tables = (found.tables[0] if found.tables else None, found.scrutiny, found.upkeep, found.debt)
    return {figure.name: figure for table in tables if table is not None for figure in table.whole.figures}


def _things(told: list[Moved], period: Insight) -> tuple[int, list[Thing]]:
    """How many figures were looked at; what stands out of each topic, the farthest first; then what should be known."""
    found: list[_Found] = []
    looked = 0
    for one in told:
        if one.difference is not None and one.name in UP_IS_WORSE:
            looked += 1
            found += _of_week(one)
    for figure in period.compared:
        if figure.value is not None:
            looked += 1
            found += _of_ratio(figure)
    for course in period.series:
        if course.change is not None and course.group == "all" and course.name in UP_IS_WORSE:
            looked += 1
            found += _of_halves(course.name, course.change.before, course.change.after, course.change.difference)
    ordered = sorted(found, key=lambda each: (-each.weight, each.thing.what))
    farthest = {each.topic: each.thing for each in reversed(ordered)}
    ranked = [each.thing for each in ordered if farthest[each.topic] is each.thing]
    return looked, [*ranked, *_unknown(period)][:THINGS]


def _of_week(one: Moved) -> Iterator[_Found]:
    between = one.difference
    if between is None or side_of(one.name, between) != "worse":
        return
    yield _Found(
        _topic(one.name),
        _weight(between, 0.0),
        Thing(
            what=f"{one.name}: worse than the week before",
            said=f"{said(one.before)}, now {said(one.after)}; difference {moved(between)}",
            look=_LOOK.get(one.name, one.name),
        ),
    )


def _of_halves(name: str, before: Figure, after: Figure, between: Figure) -> Iterator[_Found]:
    if side_of(name, between) == "worse":
        numbers = f"{said(before)}, then {said(after)}; difference {moved(between)}"
        what = f"{name}: worse in the second half of the period"
        yield _Found(_topic(name), _weight(between, 0.0), Thing(what=what, said=numbers, look=_LOOK.get(name, name)))


def _of_ratio(figure: Figure) -> Iterator[_Found]:
    if figure.low is not None and figure.low > 1:
        what = f"{figure.name}: more often, like with like"
        yield _Found(
            "agents",
            _weight(figure, 1.0),
            Thing(what=what, said=said(figure), look=f"the changes behind the {figure.name.partition(' of ')[0]}"),
        )


def _topic(name: str) -> str:
    return next((topic for topic, names in _TOPICS.items() if name in names), name)


def _weight(figure: Figure, nothing: float) -> float:
    if figure.value is None or figure.low is None or figure.high is None:
        return 0.0
    near = figure.low if figure.value > nothing else figure.high
    return abs(figure.value - nothing) / max(abs(figure.value - near), 1e-12)


def _unknown(period: Insight) -> Iterator[Thing]:
    """What nobody can tell, where a person could change that."""
    lines = dict(period.written)
    whole, dark = sum(lines.values()), lines.get("unknown", 0)
    if whole and dark / whole >= LEAST_SHARE:
        yield Thing(
            what="lines without a record of who wrote them",
            said=f"{dark / whole * 100:.1f} % of {whole:,} changed lines",
            look="tidegate annotate, and the hooks of the agents in use",
        )
    if period.scrutiny is None and period.changes:
        yield Thing(
            what="nobody wrote down who reviewed what",
            said=f"of none of {period.changes:,} changes",
            look="the service reads reviews from the forge and looks from its own pages",
        )
    known = _deployed(period.tables[0]) if period.tables else None
    if known is not None and not known.n and period.changes:
        yield Thing(
            what="no deployment is known",
            said=f"{period.changes:,} changes landed, 0 deployments told",
            look="tidegate deploy start, or deployment events to the service",
        )


def _deployed(table: Table) -> Figure | None:
    return next((figure for figure in table.whole.figures if figure.name == "deployment frequency"), None)


_TOPICS: Mapping[str, tuple[str, ...]] = {
    "pace": ("deployment frequency", "lead time"),
    "failures": ("change failure rate", "failed deployment recovery time", "rework rate"),
    "repairs": ("changes repaired", "redeploys a repaired change", "changes debugged in production"),
    "scrutiny": ("lines reviewed", "review per 100 lines", "landed without a review", "merged by the author"),
    "tests": ("test lines of all lines", "changes that touch tests"),
    "debt": ("complexity added", "duplicated lines", "notes to do added"),
}
"""One thing of each is enough: its figures move together."""
_LOOK: Mapping[str, str] = {
    "deployment frequency": "what waits to be deployed",
    "lead time": "the changes that waited longest between merge and deployment",
    "change failure rate": "the deployments that failed, and the changes in them",
    "failed deployment recovery time": "the incidents that took longest to end",
    "rework rate": "the deployments that nobody planned",
    "changes repaired": "the changes that were repaired, and what would have held them",
    "redeploys a repaired change": "the repairs that did not hold at once",
    "changes debugged in production": "the changes whose fault was looked for in production",
    "lines reviewed": "the changes that landed without being opened",
    "review per 100 lines": "the large changes that were read fastest",
    "landed without a review": "the changes that landed without a review",
    "merged by the author": "the changes that their authors merged",
    "test lines of all lines": "the changes that brought code and no tests",
    "changes that touch tests": "the changes that brought code and no tests",
    "complexity added": "the functions that grew",
    "duplicated lines": "the copies that were added",
    "notes to do added": "the notes to do that were added",
    "lines of unknown writers": "the tools that leave no record",
}
