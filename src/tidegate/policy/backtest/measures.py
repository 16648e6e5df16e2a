"""The numbers of the facts that could choose which changes to hold, and where the rules draw the line now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from tidegate.facts import Facts
from tidegate.policy.backtest.judge import lost_fields
from tidegate.policy.fields import catalogue
from tidegate.policy.rules import Rule

SIZE = "change.lines_added"
ALWAYS = ("risk.percentile", "risk.probability", SIZE, "change.files_total", "change.breadth")
"""Looked at whatever the rules say."""


Lost: TypeAlias = Mapping[str, frozenset[str] | None]
"""Section to the fields that do not hold; None for all of them."""


class Measure(Struct, frozen=True):
    """A sum of facts, as a condition writes it: `change.lines_added + change.lines_deleted`, `size(change.domains)`."""

    text: str
    terms: tuple[tuple[str, bool], ...]

    def of(self, facts: Facts, lost: Lost) -> float | None:
        """Its value; None where a fact is not known."""
        total = 0.0
        for path, is_size in self.terms:
            section, *names = path.split(".")
            unknown = lost[section]
            if unknown is None or names[0] in unknown:
                return None
            value: object = getattr(facts, section)
            for name in names:
                value = getattr(value, name)
            total += len(value) if is_size else value  # type: ignore[arg-type,operator]
        return total


def values_of(measures: Sequence[Measure], facts: Facts) -> tuple[float | None, ...]:
    """The value of each measure."""
    sections = dict.fromkeys(path.partition(".")[0] for measure in measures for path, _ in measure.terms)
    lost = {name: lost_fields(name, getattr(facts, name)) for name in sections}
    return tuple(measure.of(facts, lost) for measure in measures)


class Line(Struct, frozen=True):
    """Where a rule draws the line: what it measures, and the number above which it applies."""

    rule: str
    measure: Measure
    above: float


def measures_of(lines: Sequence[Line]) -> tuple[Measure, ...]:
    """Everything that is looked at, each once."""
    found = {text: Measure(text, ((text, False),)) for text in ALWAYS}
    return tuple({**found, **{line.measure.text: line.measure for line in lines}}.values())


def lines_of(rules: Sequence[Rule]) -> tuple[Line, ...]:
    """Every comparison of such a sum with a number that a condition of these rules holds."""
    return tuple(
        Line(rule.id, measure, above)
        for rule in rules
        for condition in rule.conditions
        for measure, above in _comparisons(condition.text)
    )


# Private

_TERM = r"(?:size\([a-z_]+\.[a-z_.]+\)|[a-z_]+\.[a-z_.]+)"
_COMPARISON = re.compile(
    rf"(?<![\w.*/+\-\])])({_TERM}(?:\s*\+\s*{_TERM})*)\s*(>=|>)\s*(\d+(?:\.\d+)?)(?!\s*[\w.*/+\-])"
)


def _comparisons(text: str) -> list[tuple[Measure, float]]:
    found = []
    for match in _COMPARISON.finditer(text):
        if re.search(r"[*/+\-]\s*$", text[: match.start()]):
            continue
        terms = [_term(term.strip()) for term in match[1].split("+")]
        known = [term for term in terms if term is not None]
        if len(known) == len(terms):
            number, whole = float(match[3]), "." not in match[3]
            above = number - 1 if match[2] == ">=" and whole else number
            found.append((Measure(" + ".join(match[1].replace("+", " ").split()), tuple(known)), above))
    return found


def _term(text: str) -> tuple[str, bool] | None:
    """Path and whether its length is meant; None for what is no number of the facts."""
    is_size = text.startswith("size(")
    path = text[5:-1] if is_size else text
    field = catalogue().get(path)
    if field is None or field.kind not in (("list",) if is_size else ("count", "number")):
        return None
    return path, is_size
