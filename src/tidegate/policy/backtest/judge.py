"""What rules say of a change of the past, thousands of times: `decide` without the explanation.

The same conditions are answered by the same evaluator from the same facts, and the same obligations are judged; but
only the facts that some rule reads are made plain, equal conditions are answered once, and nothing is put into words.
tests/policy/test_backtest.py holds both against each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tidegate.facts import SECTIONS, Facts, Section, Unknown
from tidegate.policy.backtest.values import Held
from tidegate.policy.case import Case
from tidegate.policy.conditions import Compiled, Question, ask, evaluate
from tidegate.policy.document import why_unknown
from tidegate.policy.obligations import Requirement, judge
from tidegate.policy.rules import Policy, Rule
from tidegate.policy.verdict import Truth


class Judged(NamedTuple):
    """What one rule would have done. `asking`: held only by what could not be known. `missing`: facts that it lacks."""

    held: Held
    asking: bool = False
    missing: tuple[tuple[str, str], ...] = ()


class Judge:
    """A policy, ready for the facts of many changes.

    Dates and modes are not looked at: a draft and a rule of tomorrow are asked what they would have done.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        conditions = {c.text: c for rule in policy.rules for c in rule.conditions}
        self._conditions: Sequence[Compiled] = tuple(conditions.values())
        places = {text: place for place, text in enumerate(conditions)}
        self._rules = [(rule, [places[c.text] for c in rule.conditions]) for rule in policy.rules]
        self._fields = _fields_read(self._conditions)
        self._sections = [_sections_read(condition) for condition in self._conditions]
        self._unread: dict[int, Truth] = {}
        self._plain: dict[str, tuple[Section, dict[str, Any]]] = {}
        self._missing: dict[tuple[int, tuple[tuple[Unknown, ...], ...]], tuple[tuple[str, str], ...]] = {}

    def judge(self, facts: Facts) -> tuple[Judged, ...]:
        """What each rule would have done, in the order of the policy."""
        document = self._document(facts)
        question = ask(self.policy.language, document)
        unknown = frozenset(name for name in SECTIONS if document[name]["status"] == "unknown")
        answers = [self._answer(place, question, unknown) for place in range(len(self._conditions))]
        case = _LazyCase(self.policy, facts)
        return tuple(
            self._judge_rule(rule, {place: answers[place] for place in places}, case, document)
            for rule, places in self._rules
        )

    # Private

    def _document(self, facts: Facts) -> dict[str, Any]:
        """The conformed document, with no more fields than conditions read.

        Facts are typed already: there is nothing to take out. Sections that are unknown as a whole are mostly the same
        for every change, and then made plain once.
        """
        document: dict[str, Any] = {"now": facts.now}
        for name in SECTIONS:
            section: Section = getattr(facts, name)
            known = self._plain.get(name)
            if known is not None and known[0] is section:
                document[name] = known[1]
                continue
            lost = lost_fields(name, section)
            plain: dict[str, Any] = {"status": section.status, "unknowns": _plain(section.unknowns)}
            if lost is None:
                plain["status"] = "unknown"
                self._plain[name] = (section, plain)
            else:
                wanted = (f for f in self._fields.get(name, ()) if f not in lost)
                plain |= {field: _plain(getattr(section, field)) for field in wanted}
            document[name] = plain
        return document

    def _answer(self, place: int, question: Question, unknown: frozenset[str]) -> Truth:
        """The answer of one condition; given once where all that it reads is unknown, as it is then always the same."""
        sections = self._sections[place]
        if not sections or not unknown.issuperset(sections):
            return evaluate(self._conditions[place], question)[0]
        if place not in self._unread:
            self._unread[place] = evaluate(self._conditions[place], question)[0]
        return self._unread[place]

    def _judge_rule(
        self, rule: Rule, answers: Mapping[int, Truth], case: _LazyCase, document: Mapping[str, Any]
    ) -> Judged:
        truths = answers.values()
        settles: Truth = "false" if rule.quantifier == "all" else "true"
        truth: Truth = settles if settles in truths else "unknown" if "unknown" in truths else _other(settles)
        if truth == "false":
            return _IDLE
        states = [case.state(requirement) for requirement in rule.requirements]
        if states and all(state == "met" for state in states):
            return _MET
        if truth == "unknown":
            unknown = [place for place, answer in answers.items() if answer == "unknown"]
            missing = (fact for place in unknown for fact in self._lacking(place, document, case.facts))
            return Judged("unjudged", missing=tuple(dict.fromkeys(missing)))
        return _ASKING if states and "unmet" not in states else _HELD

    def _lacking(self, place: int, document: Mapping[str, Any], facts: Facts) -> tuple[tuple[str, str], ...]:
        """The facts that a condition lacks, each with the reason."""
        key = (place, tuple(getattr(facts, name).unknowns for name in self._sections[place]))
        if key not in self._missing:
            condition = self._conditions[place]
            reasons = [(path, why_unknown(document, path)) for path in condition.reading.paths]
            lacking = tuple((path, reason) for path, reason in reasons if reason)
            if len(self._missing) > _MOST_REMEMBERED:
                self._missing.clear()
            self._missing[key] = lacking or ((condition.text, "it could not be computed"),)
        return self._missing[key]


# Private

_MOST_REMEMBERED = 10_000

_IDLE, _MET, _HELD, _ASKING = Judged("idle"), Judged("met"), Judged("held"), Judged("held", asking=True)


def _other(truth: Truth) -> Truth:
    return "true" if truth == "false" else "false"


def _fields_read(conditions: Sequence[Compiled]) -> Mapping[str, tuple[str, ...]]:
    """The fields of each section that some condition reads."""
    found: dict[str, dict[str, None]] = {}
    for condition in conditions:
        for path in (*condition.reading.paths, *condition.reading.loops):
            section, _, rest = path.partition(".")
            if section in SECTIONS and rest:
                found.setdefault(section, {})[rest.partition(".")[0].partition("[")[0]] = None
    return {section: tuple(fields) for section, fields in found.items()}


def _sections_read(condition: Compiled) -> tuple[str, ...]:
    """The sections that a condition reads; () for one that reads the moment, or nothing."""
    paths = condition.reading.paths
    if "now" in paths:
        return ()
    return tuple(dict.fromkeys(path.partition(".")[0] for path in (*paths, *condition.reading.loops) if path))


def _plain(value: object) -> Any:
    """The value as JSON holds it: tables and lists, no tuple, which a condition could not read."""
    return value if isinstance(value, (int, float, str)) else _DECODER.decode(_ENCODER.encode(value))


_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder()


def lost_fields(name: str, section: Section) -> frozenset[str] | None:
    """The fields that do not hold; None for all of them, as `conform` decides it."""
    if section.status == "unknown" or (section.status == "partial" and not section.unknowns):
        return None
    lost = frozenset(_field(u.path) if u.path.startswith(f"{name}.") else "" for u in section.unknowns)
    return lost if lost.issubset(section.__struct_fields__) else None


def _field(path: str) -> str:
    return path.partition(".")[2].partition(".")[0].partition("[")[0]


class _LazyCase:
    """What obligations of one change are judged on. A fact is made plain when the first of them asks for it."""

    def __init__(self, policy: Policy, facts: Facts) -> None:
        self.facts = facts
        self._case = Case(_LazyDocument(facts), policy.owners, policy.settings, policy.digest)
        self._states: dict[int, str] = {}

    def state(self, requirement: Requirement) -> str:
        if requirement.kind == "approvals" and self.facts.review.status == "unknown":
            return "unknown"  # nobody can be counted, whatever else is known
        key = id(requirement)
        if key not in self._states:
            self._states[key] = judge(requirement, self._case).state
        return self._states[key]


class _LazyDocument(Mapping[str, Any]):
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._sections: dict[str, _LazySection] = {}

    def __getitem__(self, name: str) -> Any:
        if name in ("schema", "now"):
            return getattr(self._facts, name)
        if name not in SECTIONS:
            raise KeyError(name)
        if name not in self._sections:
            self._sections[name] = _LazySection(name, getattr(self._facts, name))
        return self._sections[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("schema", "now", *SECTIONS))

    def __len__(self) -> int:
        return 2 + len(SECTIONS)


class _LazySection(Mapping[str, Any]):
    def __init__(self, name: str, section: Section) -> None:
        lost = lost_fields(name, section)
        kept = [] if lost is None else [f for f in section.__struct_fields__ if f not in lost]
        self._names = dict.fromkeys(("status", "unknowns", *kept))
        self._section = section
        self._whole = lost is not None
        self._plain: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._plain:
            if name not in self._names:
                raise KeyError(name)
            plain = _plain(getattr(self._section, name))
            self._plain[name] = plain if name != "status" or self._whole else "unknown"
        return self._plain[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
