"""Writes the audit of notes and traces: for a person, and as `tidegate.audit/1`."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import to_json
from tidegate.provenance.audit_run import AuditReport, RuleSummary, SourceSummary
from tidegate.report.escape import terminal
from tidegate.report.layout import grouped, paint, wrap
from tidegate.report.style import Style

SHOWN = 5
"""Findings of one id that are shown; `--format json` has them all."""


def render_audit_json(report: AuditReport) -> bytes:
    return to_json(report)


def render_audit_text(report: AuditReport, style: Style) -> str:
    """What was read, then the findings by id with the first of each, then what to ask next."""
    lines: list[str] = []
    for source in report.sources:
        lines += _source(source, style)
    for rule in report.rules:
        lines += ["", *_rule(rule, style)]
    if not any(source.read for source in report.sources):
        lines += ["", "A clone brings no notes; fetch them: git fetch origin 'refs/notes/*:refs/notes/*'"]
    if report.rules:
        lines += ["", "What an id means and how to mend it: tidegate explain ID"]
    return "\n".join(lines)


# Private


def _source(source: SourceSummary, style: Style) -> Iterator[str]:
    head = f"{terminal(source.source, 60, unicode=style.unicode)}: {source.read:,} read"
    if source.read:
        head += f", {source.clean:,} clean, {source.with_findings:,} with findings"
    colour = "yellow" if source.with_findings else "green" if source.clean else "dim"
    yield from (paint(line, style, colour) for line in wrap(head, style.width, rest="  "))
    if source.lines_claimed:
        share = source.lines_passing / source.lines_claimed
        passing = f"{source.lines_passing:,} of {source.lines_claimed:,} claimed lines pass ({share:.1%})"
        yield from wrap(passing, style.width, first="  ")
    for unchecked in source.unchecked:
        yield from wrap(f"{unchecked.count:,} not checked: {unchecked.reason}", style.width, first="  ")


def _rule(rule: RuleSummary, style: Style) -> Iterator[str]:
    severity = rule.findings[0].severity
    yield paint(rule.rule, style, "bold") + f"  {grouped(len(rule.findings), 'place')}, {severity}"
    for finding in rule.findings[:SHOWN]:
        where = "" if finding.place.path == "." else f"{finding.place}: "
        text = terminal(where + finding.message, 400, unicode=style.unicode)
        yield from wrap(text, style.width, first="  ", rest="    ")
    if len(rule.findings) > SHOWN:
        yield f"  {len(rule.findings) - SHOWN:,} more; --format json has them all"
