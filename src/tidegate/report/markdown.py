"""The check as Markdown: a comment on a pull request, and the summary of a step in GitHub Actions.

Both are the same page. A page that is too long loses items from its end; the marker and the verdict always stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tidegate.facts import Facts, is_known
from tidegate.policy.verdict import Obligation, Verdict
from tidegate.report.escape import code, html, markdown
from tidegate.report.infra_markdown import infra_items
from tidegate.report.layout import shares
from tidegate.report.order import reading_order
from tidegate.report.reach_brief import render_reach
from tidegate.report.risk_brief import render_risk
from tidegate.report.style import Style
from tidegate.report.verify_brief import render_verify_brief
from tidegate.report.words import (
    EVIDENCE,
    OUTCOMES,
    Group,
    Step,
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

MARKER = "<!-- tidegate:check -->"
"""How the comment is found again, to be edited instead of repeated."""
COMMENT_LIMIT = 65_536
"""Characters that GitHub takes in a comment."""
SUMMARY_LIMIT = 1_048_576
"""Bytes that GitHub takes in GITHUB_STEP_SUMMARY."""


def render_markdown(facts: Facts, verdict: Verdict, style: Style) -> str:  # noqa: ARG001 every format has one signature
    """For a comment on a pull request: begins with the hidden marker, at most 65,536 characters."""
    return _fit(f"{MARKER}\n{_verdict(verdict)}", _blocks(facts, verdict), COMMENT_LIMIT)


def render_summary(facts: Facts, verdict: Verdict, style: Style) -> str:  # noqa: ARG001 every format has one signature
    """For GITHUB_STEP_SUMMARY: at most 1 MiB."""
    return _fit(_verdict(verdict), _blocks(facts, verdict), SUMMARY_LIMIT)


# Private

_WIDE = Style(width=600)
_CUT = "\n_The rest did not fit; `tidegate check` shows all of it._\n"


class _Block(Struct, frozen=True):
    """A part of the page. `items` may be left out from the end; a block without any is not written."""

    head: str
    items: tuple[str, ...]
    tail: str = ""


def _fit(top: str, blocks: Sequence[_Block], limit: int) -> str:
    """The page within the limit. Counted in bytes of UTF-8, which is never less than characters."""
    room = limit - _size(top) - _size(_CUT)
    page = [top]
    for block in blocks:
        if not block.items:
            continue
        room -= _size(block.head) + _size(block.tail)
        kept = []
        for item in block.items:
            room -= _size(item)
            if room < 0:
                break
            kept.append(item)
        if kept:
            page += [block.head, *kept, block.tail]
        if room < 0:
            return "".join([*page, _CUT])
    return "".join(page)


def _size(text: str) -> int:
    return len(text.encode("utf-8"))


def _blocks(facts: Facts, verdict: Verdict) -> list[_Block]:
    return [
        _Block("\n**What must still happen**\n\n", _groups(stopping(verdict))),
        _Block("\n**Due later**\n\n", _groups(due_later(verdict))),
        _Block("\n**Worth knowing**\n\n", _advice(verdict)),
        _details("Findings", _findings(facts, verdict)),
        _details("Where to look first", _looks(facts)),
        *_writers(facts),
        _Block("\n", _brief(render_reach(facts, _WIDE))),
        _Block("", infra_items(facts.infra)),
        _Block("\n", _brief(render_verify_brief(facts.verification, _WIDE))),
        _Block("\n", _brief(render_risk(facts, _WIDE))),
        _details("Domains", _domains(facts)),
        _details("Not known", _unknowns(facts)),
        _Block("\n", _last(facts, verdict)),
    ]


def _details(title: str, items: tuple[str, ...]) -> _Block:
    summary = html(f"{title} ({len(items)})" if len(items) > 1 else title)
    return _Block(f"\n<details><summary>{summary}</summary>\n\n", items, "\n</details>\n")


def _verdict(verdict: Verdict) -> str:
    met = satisfied(verdict)
    lines = f"### Tidegate: {OUTCOMES[verdict.outcome]}\n\n{markdown(headline(verdict))}\n"
    return lines + (f"Met: {markdown(', '.join(met), 1000)}\n" if met else "")


def _groups(groups: Sequence[Group]) -> tuple[str, ...]:
    return tuple(_group(group) for group in groups)


def _group(group: Group) -> str:
    strict = " (blocks)" if group.rule.outcome == "block" else ""
    lines = [f"- **{markdown(group.rule.id, 80)}**: {_said(group.rule.title, 300)}{strict}"]
    lines += [_obligation(obligation) for obligation in group.unmet]
    if not group.unmet:
        lines += [f"  - found: {_said(reason, 300)}" for reason in because(group.rule)[:4]]
        lines.append(f"  - next: {code(explain_command(group.rule.id), 200)}")
    return "\n".join(lines) + "\n"


def _obligation(obligation: Obligation) -> str:
    why = f": {markdown(obligation.why, 600)}" if obligation.why else ""
    line = f"  - {_said(obligation.text, 300)}{why}"
    return "\n".join([line, *(f"    - {_next(step)}" for step in steps(obligation.next_step))])


def _said(text: str, limit: int) -> str:
    """A text that may stand alone on a line: Markdown reads a line of a dash alone as an underline."""
    return markdown(text, limit) or "not said"


def _next(step: Step) -> str:
    if not step.command:
        return f"next: {markdown(step.words, 600)}"
    purpose = f", {markdown(step.words, 600)}" if step.words else ""
    return f"next{purpose}: {code(step.command, 600)}"


def _advice(verdict: Verdict) -> tuple[str, ...]:
    items = []
    for group in advice(verdict):
        asked = "; ".join(o.next_step or o.why for o in group.unmet) or f"found: {'; '.join(because(group.rule)[:3])}"
        word = "warning" if group.rule.outcome == "warn" else "note"
        title = f"**{markdown(group.rule.id, 80)}**: {markdown(group.rule.title, 300)}"
        items.append(f"- {word} {title}: {markdown(asked, 600)}\n")
    for rule in on_trial(verdict):
        would = {"block": "would block", "hold": "would hold"}.get(rule.outcome, "would speak")
        items.append(f"- on trial **{markdown(rule.id, 80)}** {would}; it is not obeyed yet\n")
    return tuple(items)


def _findings(facts: Facts, verdict: Verdict) -> tuple[str, ...]:
    return tuple(
        f"- {finding.severity} {code(str(finding.place), 300)} {markdown(finding.message, 600)}"
        f" ({markdown(finding.rule, 80)})" + "".join(f"; {_next(step)}" for step in steps(finding.mend)) + "\n"
        for finding in other_findings(facts, verdict)
    )


def _looks(facts: Facts) -> tuple[str, ...]:
    return tuple(
        f"{number}. {code(str(look.place), 300)} {markdown('; '.join(look.reasons), 300)}\n"
        for number, look in enumerate(reading_order(facts), 1)
    )


def _writers(facts: Facts) -> tuple[_Block, ...]:
    provenance = facts.provenance
    if provenance.status == "unknown":
        reasons = "; ".join(dict.fromkeys(unknown.reason for unknown in provenance.unknowns))
        return (_Block("\n**Who wrote it**\n\n", (f"unknown: {markdown(reasons, 600)}\n",)),)
    if not is_known(provenance, "lines") or not provenance.lines.added:
        return ()
    lines = provenance.lines
    counts = (lines.ai, lines.mixed, lines.human, lines.unknown)
    words = zip(("AI", "mixed", "human", "unknown"), counts, shares(counts, 100), strict=True)
    parts = [f"{word} {count} ({percent} %)" for word, count, percent in words if count]
    summary = html(f"Who wrote the {lines.added} added lines: {', '.join(parts)}")
    items = (*_agents(facts), *_accountable(facts), *_conflicts(facts))
    head = f"\n<details><summary>{summary}</summary>\n\n"
    return (_Block(head, items or ("No agent is named.\n",), "\n</details>\n"),)


def _brief(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that a terminal shows, as one list item each below the first."""
    if not any(line.strip() for line in lines):
        return ()
    items: list[str] = []
    for line in lines:
        title, gap, totals = line.partition("  ")
        if gap and title:
            items.append(f"{chr(10) if items else ''}**{title}** {markdown(totals, 600)}\n")
        else:
            items.append(f"- {markdown(line.strip(), 600)}\n")
    return tuple(items)


def _agents(facts: Facts) -> tuple[str, ...]:
    if not is_known(facts.provenance, "agents") or not facts.provenance.agents:
        return ()
    rows = ["| tool | model | lines | sessions | evidence |\n| --- | --- | ---: | ---: | --- |\n"]
    for agent in facts.provenance.agents[:20]:
        tool, model = markdown(agent.tool, 80) or "not named", markdown(agent.model, 80) or "not named"
        rows.append(f"| {tool} | {model} | {agent.lines} | {agent.sessions or '-'} | {EVIDENCE[agent.evidence]} |\n")
    return (*rows, "\n")


def _accountable(facts: Facts) -> tuple[str, ...]:
    if not is_known(facts.provenance, "accountable"):
        return ()
    items = [
        f"- {markdown(fact.person, 120)} answers for {fact.lines} lines, {fact.ai_lines} of them by AI\n"
        for fact in facts.provenance.accountable[:20]
    ]
    if is_known(facts.provenance, "unaccountable_lines") and facts.provenance.unaccountable_lines:
        items.append(f"- nobody answers for {facts.provenance.unaccountable_lines} lines by AI\n")
    return tuple(items)


def _conflicts(facts: Facts) -> tuple[str, ...]:
    if not is_known(facts.provenance, "conflicts"):
        return ()
    items = []
    for conflict in facts.provenance.conflicts[:20]:
        sides = " against ".join(f"{claim.tool or claim.writer} ({claim.source})" for claim in conflict.claims[:3])
        place = f"{conflict.path}:{conflict.line}-{conflict.end_line}"
        items.append(f"- sources disagree on {code(place, 300)}: {markdown(sides, 400)}\n")
    return tuple(items)


def _domains(facts: Facts) -> tuple[str, ...]:
    critical = set(facts.change.critical_domains)
    items = []
    for name in sorted(facts.change.domains, key=lambda name: (name not in critical, name)):
        hit = next((hit for hit in facts.change.domain_hits if hit.domain == name), None)
        why = f": {code(str(hit.path), 300)} {markdown(hit.reason, 300)}" if hit else ""
        items.append(f"- {markdown(name, 80)}{' (critical)' if name in critical else ''}{why}\n")
    return tuple(items)


def _unknowns(facts: Facts) -> tuple[str, ...]:
    items = [f"- {markdown(name, 200)}: {markdown(reason, 300)}\n" for name, reason in unknowns(facts)]
    missing = not_collected(facts)
    return (*items, f"- not collected yet: {', '.join(missing)}\n") if missing else tuple(items)


def _last(facts: Facts, verdict: Verdict) -> tuple[str, ...]:
    change = facts.change
    head = f" at {code(change.head[:12])}" if change.head else ""
    compared = markdown(change.chosen or "nothing", 300)
    why = code(why_command(verdict), 200)
    return (f"Compared {compared}{head}. Policy: {markdown(verdict.policy, 300)}. Why: {why}\n",)
