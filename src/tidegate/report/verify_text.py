"""What was verified of a change and what it leaves behind, for a person at a terminal."""

from __future__ import annotations

from tidegate.facts import Facts, Finding
from tidegate.report.escape import terminal
from tidegate.report.layout import paint, wrap
from tidegate.report.style import Style
from tidegate.report.verify_brief import render_verify_brief
from tidegate.report.words import SEVERITIES

_MOST = 40


def render_verify_text(facts: Facts, style: Style) -> str:
    """The totals, then every finding, the most severe first."""
    findings = sorted(facts.verification.findings, key=lambda one: (SEVERITIES.index(one.severity), str(one.place)))
    blocks = [render_verify_brief(facts.verification, style) or ["Nothing to say: the change adds no code."]]
    lines: list[str] = []
    for finding in findings[:_MOST]:
        lines += _finding(finding, style)
    if len(findings) > _MOST:
        lines.append(f"  and {len(findings) - _MOST} more: --format json")
    if lines:
        blocks.append([paint("Findings", style, "bold"), *lines])
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks) + "\n"


# Private


def _finding(finding: Finding, style: Style) -> list[str]:
    text = terminal(f"{finding.place}: {finding.message} ({finding.rule})", unicode=style.unicode)
    lines = wrap(text, style.width, f"  {finding.severity:8}  ")
    if finding.mend:
        lines += wrap(terminal(finding.mend, unicode=style.unicode), style.width, "            next: ", " " * 18)
    return lines
