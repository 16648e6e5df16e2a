"""Replays changes of the past through the rules of a policy, once, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from tidegate.policy.backtest.curves import curve_of
from tidegate.policy.backtest.effort import Effort, reading_hours, readings
from tidegate.policy.backtest.figures import Row, Tally, figures_of
from tidegate.policy.backtest.judge import Judge, Judged
from tidegate.policy.backtest.measures import SIZE, Measure, lines_of, measures_of, values_of
from tidegate.policy.backtest.statistics import share
from tidegate.policy.backtest.values import (
    Backtest,
    Comparison,
    Curve,
    Month,
    Named,
    PastChange,
    Period,
    RuleFigures,
    Unjudged,
)
from tidegate.policy.rules import Policy, Rule
from tidegate.policy.verdict import STRICTNESS

ALWAYS_SHARE = 0.95
FEWEST_FOR_ALWAYS = 20
MOST_EXAMPLES = 5
MOST_NAMED = 50


def backtest(policy: Policy, past: Iterable[PastChange], effort: Effort = Effort()) -> Backtest:  # noqa: B008
    """What the policy would have done to changes of the past, the oldest first. They are looked at one by one.

    Memory grows by a few hundred bytes a change.
    """
    book = _Book(policy, effort)
    for change in past:
        book.add(change)
    return book.close()


def compare(
    first: Policy,
    second: Policy,
    past: Iterable[PastChange],
    effort: Effort = Effort(),  # noqa: B008
) -> Comparison:
    """The same of two policies over the same changes, and what only one of them would have held."""
    books = (_Book(first, effort), _Book(second, effort))
    for change in past:
        for book in books:
            book.add(change)
    one, other = books
    pairs = list(zip(one.rows, other.rows, one.hours_held(), other.hours_held(), strict=True))
    caught_by_first = [row.named() for row, _, a, b in pairs if row.repaired and a is not None and b is None]
    caught_by_second = [row.named() for row, _, a, b in pairs if row.repaired and a is None and b is not None]
    return Comparison(
        first=one.close(),
        second=other.close(),
        more=figures_of((row, b if a is None else None) for row, _, a, b in pairs),
        fewer=figures_of((row, a if b is None else None) for row, _, a, b in pairs),
        only_first=tuple(reversed(caught_by_first)),
        only_second=tuple(reversed(caught_by_second)),
        always_differs=tuple(sorted(one.always_ids() ^ other.always_ids())),
    )


# Private


class _RuleBook(Struct):
    """What is counted of one rule."""

    rule: Rule
    readings: int
    stops: bool
    tally: Tally = field(default_factory=Tally)
    satisfied: int = 0
    asking: int = 0
    unjudged: int = 0
    incidents: int = 0
    incidents_held: int = 0
    missing: Counter[tuple[str, str]] = field(default_factory=Counter)
    caught: list[Named] = field(default_factory=list)

    def add(self, judged: Judged, row: Row, least: float) -> None:
        if judged.held == "unjudged":
            self.unjudged += 1
            self.missing.update(set(judged.missing))
            return
        held = judged.held == "held"
        self.tally.add(repaired=row.repaired, held=held, hours=self.hours(row, least))
        self.satisfied += judged.held == "met"
        self.asking += judged.asking
        if held and row.repaired:
            self.caught = [*self.caught[1 - MOST_EXAMPLES :], row.named()]

    def add_incident(self, judged: Judged) -> None:
        """Counts a change that caused an incident; one that could not be judged is in no figure."""
        self.incidents += judged.held != "unjudged"
        self.incidents_held += judged.held == "held"

    def hours(self, row: Row, least: float) -> float:
        return row.hours * self.readings if self.readings else least

    def always(self) -> bool:
        return self.tally.total >= FEWEST_FOR_ALWAYS and self.tally.held >= ALWAYS_SHARE * self.tally.total

    def close(self) -> RuleFigures:
        rule = self.rule
        reasons = sorted(self.missing.items(), key=lambda item: (-item[1], item[0]))
        return RuleFigures(
            id=rule.id,
            title=rule.title,
            effect=rule.effect,
            mode=rule.mode,
            figures=self.tally.figures(),
            satisfied=self.satisfied,
            asking=self.asking,
            unjudged=self.unjudged,
            reasons=tuple(Unjudged(path, number, reason) for (path, reason), number in reasons[:MOST_EXAMPLES]),
            always=self.always(),
            examples=tuple(reversed(self.caught)),
            incidents=share(self.incidents_held, self.incidents),
        )


class _Book:
    """Everything that is counted of one policy."""

    def __init__(self, policy: Policy, effort: Effort) -> None:
        self.rows: list[Row] = []
        self._incidents: list[Row] = []
        self._policy = policy
        self._effort = effort
        self._judge = Judge(policy)
        self._rules = [_RuleBook(rule, readings(rule), _stops(rule)) for rule in policy.rules]
        self._lines = lines_of(policy.rules)
        self._measures: Sequence[Measure] = measures_of(self._lines)
        self._young = 0

    def add(self, change: PastChange) -> None:
        self._young += not change.fate.matured
        if not change.fate.matured and not change.fate.incident:
            return
        judged = self._judge.judge(change.facts)
        stopped = sum(1 << place for place, one in enumerate(judged) if one.held == "held" and self._rules[place].stops)
        row = Row(
            oid=change.oid,
            landed_at=change.landed_at,
            subject=change.subject,
            source=change.fate.source,
            repaired=change.fate.repaired,
            hours=reading_hours(change.facts.change, self._effort),
            stopped=stopped,
            measures=values_of(self._measures, change.facts),
        )
        if change.fate.incident:
            self._incidents.append(row)
            for book, one in zip(self._rules, judged, strict=True):
                book.add_incident(one)
        if not change.fate.matured:
            return
        self.rows.append(row)
        for book, one in zip(self._rules, judged, strict=True):
            book.add(one, row, self._effort.least)

    def always_ids(self) -> frozenset[str]:
        return frozenset(book.rule.id for book in self._rules if book.always())

    def hours_held(self, *, always: bool = False) -> list[float | None]:
        """For each change the hours that holding it costs, None where the policy lets it pass.

        Whoever reads a change for two rules reads it once: the rule that asks most counts.
        """
        mask = self._mask(always=always)
        least = self._effort.least
        return [
            max(book.hours(row, least) for place, book in enumerate(self._rules) if row.stopped & mask & (1 << place))
            if row.stopped & mask
            else None
            for row in self.rows
        ]

    def close(self) -> Backtest:
        hours = self.hours_held()
        pairs = list(zip(self.rows, hours, strict=True))
        missed = [row.named() for row, cost in pairs if row.repaired and cost is None]
        repaired = [row for row in self.rows if row.repaired]
        mask = self._mask()
        through = [row for row in self._incidents if not row.stopped & mask]
        period = Period(
            first_at=min((row.landed_at for row in self.rows), default=0),
            last_at=max((row.landed_at for row in self.rows), default=0),
            changes=len(self.rows),
            young=self._young,
            repaired=share(len(repaired), len(self.rows)),
            sources=dict(sorted(Counter(row.source for row in repaired).items())),
        )
        return Backtest(
            policy=self._policy.origin,
            policy_digest=self._policy.digest,
            period=period,
            rules=tuple(book.close() for book in self._rules),
            whole=figures_of(pairs),
            whole_with_always=figures_of(zip(self.rows, self.hours_held(always=True), strict=True)),
            missed=tuple(reversed(missed[-MOST_NAMED:])),
            curves=tuple(self._curves()),
            months=_months(pairs),
            incidents=share(len(self._incidents) - len(through), len(self._incidents)),
            let_through=tuple(row.named() for row in reversed(through[-MOST_NAMED:])),
        )

    # Private

    def _mask(self, *, always: bool = False) -> int:
        """The rules that count in the whole, one bit for each."""
        return sum(1 << place for place, book in enumerate(self._rules) if always or not book.always())

    def _curves(self) -> list[Curve]:
        rows = sorted(self.rows, key=lambda row: row.landed_at)
        at_size = next(place for place, measure in enumerate(self._measures) if measure.text == SIZE)
        sizes = [row.measures[at_size] for row in rows]
        curves = []
        for place, measure in enumerate(self._measures):
            used = {line.rule: line.above for line in self._lines if line.measure == measure}
            values = [row.measures[place] for row in rows]
            if len({value for value in values if value is not None}) > 1:  # what never varies cannot choose
                curves.append(curve_of(measure.text, values, rows, sizes, used))
        return curves


def _stops(rule: Rule) -> bool:
    return rule.mode == "enforce" and STRICTNESS[rule.effect] > 0


def _months(pairs: Sequence[tuple[Row, float | None]]) -> tuple[Month, ...]:
    found: dict[str, Tally] = {}
    for row, cost in pairs:
        moment = datetime.fromtimestamp(max(0, min(row.landed_at, _LAST_SECOND)), UTC)
        found.setdefault(moment.strftime("%Y-%m"), Tally()).add(repaired=row.repaired, held=cost is not None)
    return tuple(Month(m, t.total, t.repaired, t.held, t.caught) for m, t in sorted(found.items()))


_LAST_SECOND = 253_402_300_799
