"""The check on a terminal: the verdict first, then what must still happen, who wrote it and how far it reaches."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.facts import DomainHit, Facts
from tidegate.policy.verdict import Obligation, Outcome, RuleResult, Verdict
from tidegate.report.escape import terminal
from tidegate.report.infra_text import render_infra_brief
from tidegate.report.layout import columns, pad, paint, wrap
from tidegate.report.order import reading_order
from tidegate.report.reach_brief import render_reach
from tidegate.report.risk_brief import render_risk
from tidegate.report.style import Style
from tidegate.report.text_writers import render_writers
from tidegate.report.verify_brief import render_verify_brief
from tidegate.report.words import (
    OUTCOMES,
    Group,
    advice,
    because,
    due_later,
    explain_command,
    headline,
    not_collected,
    on_trial,
    other_findings,
    satisfied,
    steps,
    stopping,
    unknowns,
    why_command,
)


def render_text(facts: Facts, verdict: Verdict, style: Style) -> str:
    """The check for a person at a terminal. No line is wider than the style, but for commands that must be copied."""
    blocks = (
        _verdict(verdict, style),
        _groups("What must still happen", stopping(verdict), style),
        _groups("Due later", due_later(verdict), style),
        _advice(verdict, style),
        _findings(facts, verdict, style),
        render_writers(facts, style),
        render_reach(facts, style),
        render_infra_brief(facts.infra, style),
        render_verify_brief(facts.verification, style),
        render_risk(facts, style),
        _domains(facts, style),
        _first(facts, style),
        _unknown(facts, style),
        _last(facts, verdict, style),
    )
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


# Private

_COLOURS: dict[Outcome, str] = {"pass": "green", "hold": "yellow", "block": "red"}
_MOST_FINDINGS = 8
_MOST_DOMAINS = 10


def _say(text: str, style: Style, limit: int = 0) -> str:
    return terminal(text, limit, unicode=style.unicode)


def _verdict(verdict: Verdict, style: Style) -> list[str]:
    word = OUTCOMES[verdict.outcome]
    lines = wrap(_say(headline(verdict), style), style.width, f"{word}  ")
    lines[0] = paint(word, style, "bold", _COLOURS[verdict.outcome]) + lines[0][len(word) :]
    met = satisfied(verdict)
    if met:
        lines += wrap(_say(f"met: {', '.join(met)}", style), style.width, " " * (len(word) + 2))
    return lines


def _groups(heading: str, groups: Sequence[Group], style: Style) -> list[str]:
    if not groups:
        return []
    lines = [paint(heading, style, "bold")]
    for group in groups:
        lines += _rule(group.rule, style)
        for obligation in group.unmet:
            lines += _obligation(obligation, group.rule, style)
        if not group.unmet:
            lines += _refusal(group.rule, style)
        met = [o.text for o in group.rule.obligations if o.state == "met"]
        if met:
            lines += wrap(_say(f"met: {'; '.join(met)}", style), style.width, "      ")
    return lines


def _rule(rule: RuleResult, style: Style) -> list[str]:
    name = _say(rule.id, style, 60)
    strict = " (blocks)" if rule.outcome == "block" else ""
    lines = wrap(_say(rule.title, style, 200) + strict, style.width, f"  {name}  ", "    ")
    lines[0] = f"  {paint(name, style, 'bold')}" + lines[0][2 + len(name) :]
    return lines


def _obligation(obligation: Obligation, rule: RuleResult, style: Style) -> list[str]:
    mark = "[?] " if obligation.state == "unknown" else "[ ] "
    due = f" (at {obligation.due})" if rule.state == "later" else ""
    lines = wrap(_say(obligation.text, style, 300) + due, style.width, f"    {mark}", "        ")
    if obligation.why:
        lines += [paint(line, style, "dim") for line in wrap(_say(obligation.why, style, 400), style.width, "        ")]
    return lines + _next(obligation.next_step, style)


def _next(next_step: str, style: Style) -> list[str]:
    lines: list[str] = []
    for number, step in enumerate(steps(next_step)):
        lead = "        or" if number else "        next"
        words, command = _say(step.words, style, 400), _say(step.command, style, 400)
        if not command:
            lines += wrap(words, style.width, f"{lead}: ", "              ")
        elif words:
            lines += [*wrap(f"{words}:", style.width, f"{lead}, "), f"          {command}"]
        else:
            lines.append(f"{lead}: {command}")
    return lines


def _refusal(rule: RuleResult, style: Style) -> list[str]:
    lines: list[str] = []
    for reason in because(rule)[:4]:
        lines += wrap(_say(reason, style, 300), style.width, "    found: ", "      ")
    return lines + _next(explain_command(rule.id), style)


def _advice(verdict: Verdict, style: Style) -> list[str]:
    lines: list[str] = []
    for group in advice(verdict):
        lead = "  warning  " if group.rule.outcome == "warn" else "  note     "
        lines += wrap(_say(f"{group.rule.id}: {group.rule.title}", style, 300), style.width, lead)
        asked = [obligation.next_step or obligation.why for obligation in group.unmet]
        for text in asked or [f"found: {'; '.join(because(group.rule)[:3])}"]:
            lines += wrap(_say(text, style, 300), style.width, " " * len(lead))
    for rule in on_trial(verdict):
        would = {"block": "would block", "hold": "would hold"}.get(rule.outcome, "would speak")
        lines += wrap(_say(f"{rule.id} {would}; it is not obeyed yet", style), style.width, "  on trial ")
    return [paint("Worth knowing", style, "bold"), *lines] if lines else []


def _findings(facts: Facts, verdict: Verdict, style: Style) -> list[str]:
    findings = other_findings(facts, verdict)
    if not findings:
        return []
    lines = [paint("Findings", style, "bold")]
    for finding in findings[:_MOST_FINDINGS]:
        lead = f"  {finding.severity:8}  "
        text = f"{finding.place}: {finding.message} ({finding.rule})"
        lines += wrap(_say(text, style, 400), style.width, lead)
        lines += _next(finding.mend, style)
    return lines + _more(len(findings) - _MOST_FINDINGS, "tidegate check --format json")


def _more(number: int, command: str) -> list[str]:
    return [f"  and {number} more: {command}"] if number > 0 else []


def _domains(facts: Facts, style: Style) -> list[str]:
    change = facts.change
    if not change.domains:
        return []
    critical = set(change.critical_domains)
    names = sorted(change.domains, key=lambda name: (name not in critical, name))
    shown = [_say(name, style, 24) + (" (critical)" if name in critical else "") for name in names[:_MOST_DOMAINS]]
    width = max(columns(text) for text in shown)
    lines = [paint("Domains", style, "bold")]
    for name, text in zip(names, shown, strict=False):
        hits = [hit for hit in change.domain_hits if hit.domain == name]
        files = len({hit.path for hit in hits})
        more = f" (and {files - 1} more files)" if files > 2 else " (and 1 more file)" if files == 2 else ""
        reason = f"{_hit(hits[0])}{more}" if hits else ""
        lines += wrap(_say(reason, style, 300), style.width, f"  {pad(text, width)}  ")
    return lines + _more(len(names) - _MOST_DOMAINS, "tidegate check --format json")


def _hit(hit: DomainHit) -> str:
    """`a.py:50: has this`: the line stands in the place already."""
    if not hit.line:
        return f"{hit.path}: {hit.reason}"
    return f"{hit.path}:{hit.line}: {hit.reason.removeprefix(f'line {hit.line} ')}"


def _first(facts: Facts, style: Style) -> list[str]:
    looks = reading_order(facts)
    lines: list[str] = []
    for number, look in enumerate(looks, 1):
        text = f"{look.place}  {'; '.join(look.reasons)}"
        lines += wrap(_say(text, style, 300), style.width, f"  {number}. ", "     ")
    return [paint("Where to look first", style, "bold"), *lines] if lines else []


def _unknown(facts: Facts, style: Style) -> list[str]:
    lines: list[str] = []
    for name, reason in unknowns(facts):
        lines += wrap(_say(f"{name}: {reason}", style, 300), style.width, "  ", "    ")
    missing = ", ".join(not_collected(facts))
    heading = "Not known"
    if missing and not lines:
        only = wrap(f"{missing} (not collected yet)", style.width, f"{heading}  ")
        return [paint(heading, style, "bold") + only[0][len(heading) :], *only[1:]]
    if missing:
        lines += wrap(f"not collected yet: {missing}", style.width, "  ", "    ")
    return [paint(heading, style, "bold"), *lines] if lines else []


def _last(facts: Facts, verdict: Verdict, style: Style) -> list[str]:
    change = facts.change
    ends = "..".join(end[:12] for end in (change.base, change.head) if end)
    said = not ends or (change.head or change.base)[:7] in change.chosen or change.base[:7] in change.chosen
    compared = change.chosen if said else f"{change.chosen} ({ends})"
    lines = wrap(_say(compared or "nothing", style, 300), style.width, "Compared  ")
    lines += wrap(_say(verdict.policy, style, 300), style.width, "Policy    ")
    lines += [f"Why       {_say(why_command(verdict), style)}"]
    return [paint(line, style, "dim") for line in lines]
