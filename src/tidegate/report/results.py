"""Findings and rules that fired as one list of located results: what SARIF, GitHub and GitLab are made of."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from tidegate.facts import Facts, Finding, Place, Severity, SpanFact, is_known
from tidegate.policy.verdict import RuleResult, Verdict
from tidegate.report.order import reading_order
from tidegate.report.words import Group, advice, all_findings, because, explain_command, stopping

Level = Literal["block", "error", "warning", "note"]
_LEVELS: tuple[Level, ...] = ("block", "error", "warning", "note")


class Result(Struct, frozen=True):
    """One finding, or one rule that fired, at the best place known. `place` has no path where there is none.

    `identity` tells a result from all others of this run and stays what it is when lines move: it is made of the rule,
    the path and the message without its numbers. Nothing is escaped yet.
    """

    rule: str
    title: str
    level: Level
    message: str
    mend: str
    place: Place
    identity: str


def results(facts: Facts, verdict: Verdict) -> tuple[Result, ...]:
    """All results, the strictest first, then as the verdict and the facts have them."""
    else_at = _most_worth_a_look(facts)
    fired = [_of_rule(group, facts, else_at) for group in (*stopping(verdict), *advice(verdict))]
    found = [_of_finding(finding) for finding in all_findings(facts, verdict)]
    ordered = sorted([*fired, *found], key=lambda result: _LEVELS.index(result.level))
    return _identified(ordered)


# Private

_BY_SEVERITY: Mapping[Severity, Level] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "warning",
    "note": "note",
}
_BY_OUTCOME: Mapping[str, Level] = {"block": "block", "hold": "error", "warn": "warning", "note": "note"}


def _of_finding(finding: Finding) -> Result:
    level = _BY_SEVERITY[finding.severity]
    message = finding.message if finding.message.strip() else finding.rule
    return Result(finding.rule, message, level, message, finding.mend, finding.place, "")


def _of_rule(group: Group, facts: Facts, else_at: Place) -> Result:
    rule = group.rule
    asked = [f"{o.text}: {o.why}" if o.why else o.text for o in group.unmet]
    steps = [o.next_step for o in group.unmet if o.next_step]
    return Result(
        rule=rule.id,
        title=rule.title,
        level=_BY_OUTCOME[rule.outcome],
        message=". ".join((rule.title or rule.id, *(asked or because(rule)[:3]))),
        mend="; ".join(dict.fromkeys(steps)) or explain_command(rule.id),
        place=_place(rule, facts) or else_at,
        identity="",
    )


def _place(rule: RuleResult, facts: Facts) -> Place | None:
    """Where the facts that made the rule fire lie."""
    read = [fact.path for condition in rule.conditions if condition.truth != "false" for fact in condition.facts]
    read += [_KIND_PATHS.get(o.kind, "") for o in rule.obligations if o.state != "met"]
    for path in read:
        for prefix, find in _FINDERS:
            if path.startswith(prefix):
                found = find(facts)
                if found is not None:
                    return found
    return None


def _most_worth_a_look(facts: Facts) -> Place:
    """Where to look first, else the first changed file that still exists, else nowhere."""
    looks = reading_order(facts, 1)
    if looks:
        return looks[0].place
    files = [f.path for f in facts.change.files if f.status != "deleted"] or [f.path for f in facts.change.files]
    return Place(files[0]) if files else Place("")


def _unknown_span(facts: Facts) -> Place | None:
    return _span(facts, lambda span: span.writer == "unknown")


def _ai_span(facts: Facts) -> Place | None:
    return _span(facts, lambda span: span.writer in ("ai", "mixed"))


def _critical_span(facts: Facts) -> Place | None:
    critical = {file.path for file in facts.change.files if file.critical}
    return _span(facts, lambda span: span.path in critical and span.writer != "human")


def _span(facts: Facts, wanted: Callable[[SpanFact], bool]) -> Place | None:
    """The first run that is wanted, in source written by hand where there is one."""
    if not is_known(facts.provenance, "spans"):
        return None
    source = {f.path for f in facts.change.files if f.kind == "source" and not f.generated and not f.vendored}
    places = [(span.path not in source, span) for span in facts.provenance.spans if wanted(span)]
    if not places:
        return None
    _, span = min(places, key=lambda place: place[0])
    return Place(span.path, span.line, span.end_line)


def _conflict(facts: Facts) -> Place | None:
    return next((Place(c.path, c.line, c.end_line) for c in facts.provenance.conflicts), None)


def _critical_domain(facts: Facts) -> Place | None:
    critical = set(facts.change.critical_domains)
    return next((Place(h.path, h.line) for h in facts.change.domain_hits if h.domain in critical), None)


def _domain(facts: Facts) -> Place | None:
    return next((Place(hit.path, hit.line) for hit in facts.change.domain_hits), None)


def _policy_file(facts: Facts) -> Place | None:
    return next((Place(path) for path in facts.change.policy_files), None)


def _owners_file(facts: Facts) -> Place | None:
    return next((Place(path) for path in facts.change.owners_files), None)


_FINDERS: tuple[tuple[str, Callable[[Facts], Place | None]], ...] = (
    ("provenance.critical_lines", _critical_span),
    ("provenance.source_lines.unknown", _unknown_span),
    ("provenance.lines.unknown", _unknown_span),
    ("provenance.unknown_share", _unknown_span),
    ("provenance.conflicts", _conflict),
    ("provenance.source_lines.added", _unknown_span),
    ("provenance", _ai_span),
    ("change.critical_domains", _critical_domain),
    ("change.domain", _domain),
    ("change.breadth", _domain),
    ("change.policy_files", _policy_file),
    ("change.owners_files", _owners_file),
)
"""Paths of facts, longest first, and the place that stands for them."""

_KIND_PATHS: Mapping[str, str] = {
    "annotation": "provenance.source_lines.unknown",
    "tests": "provenance.source_lines.ai",
    "split": "change.breadth",
}


def _identified(ordered: list[Result]) -> tuple[Result, ...]:
    seen: Counter[str] = Counter()
    named = []
    for result in ordered:
        key = "\0".join((result.rule, result.place.path, _still(result)))
        seen[key] += 1
        digest = hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "backslashreplace")).hexdigest()
        named.append(
            Result(result.rule, result.title, result.level, result.message, result.mend, result.place, digest[:32])
        )
    return tuple(named)


def _still(result: Result) -> str:
    """The message without what moves: object ids, line numbers, counts. Of a rule, nothing: it fires once."""
    if result.message != result.title:
        return ""
    return re.sub(r"\d+", "0", re.sub(r"\b[0-9a-f]{7,64}\b", "0", result.message))
