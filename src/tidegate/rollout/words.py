"""A decision as a person reads it on a terminal, and as JSON."""

from __future__ import annotations

from tidegate.facts import to_json
from tidegate.policy.case import count, short
from tidegate.report.escape import terminal
from tidegate.report.layout import paint, wrap
from tidegate.report.style import Style
from tidegate.rollout.bench import moment
from tidegate.rollout.gate import Decision, Obligation

_WORDS = {"pass": ("PASS", "green"), "hold": ("HELD", "yellow"), "block": ("BLOCKED", "red")}
_SIGNS = {"met": ("✓", "ok"), "set aside": ("~", "~"), "unmet": ("✗", "x"), "unknown": ("?", "?")}


def render_decision(decision: Decision, style: Style) -> str:
    """The answer first, then what is in the way with what to do about it, then the rest on one line each."""
    question = decision.question
    word, colour = _WORDS[decision.outcome]
    where = f"{question.service} to {question.environment}" if question.service else question.environment
    lines = [f"{paint(word, style, 'bold', colour)}  {terminal(_headline(decision, where))}"]
    lines += [f"      {terminal(_span(decision))}", ""]
    for one in decision.open:
        lines += _open(one, style)
    rest = [one for one in decision.obligations if one not in decision.open]
    if decision.open and rest:
        lines.append("")
    for one in rest:
        lines += wrap(terminal(f"{one.text}: {one.why}"), style.width, f"  {_sign(one, style)} ", "    ")
    return "\n".join(lines)


def render_decision_json(decision: Decision) -> bytes:
    return to_json(decision)


# Private


def _headline(decision: Decision, where: str) -> str:
    if decision.outcome == "pass":
        return f"{where}: nothing is in the way"
    return f"{where}: {count(len(decision.open), 'thing')} in the way"


def _span(decision: Decision) -> str:
    question = decision.question
    ends = f"{short(question.previous) or 'nothing known'} to {short(question.revision)}"
    if decision.direction == "backward":
        return f"a roll-back, {ends}"
    changes = count(decision.sums.changes, "change") if decision.direction else "changes unknown"
    return f"{changes}, {ends}, at {moment(decision.at)}"


def _open(one: Obligation, style: Style) -> list[str]:
    lead = f"  {_sign(one, style)} "
    lines = wrap(terminal(one.text), style.width, lead, "    ")
    lines += wrap(terminal(one.why), style.width, "    ")
    if one.next_step:
        lines += wrap(terminal(one.next_step), style.width, "    -> ", "       ")
    return lines


def _sign(one: Obligation, style: Style) -> str:
    sign = _SIGNS[one.state][0 if style.unicode else 1]
    return paint(sign, style, {"met": "green", "set aside": "cyan", "unmet": "red", "unknown": "yellow"}[one.state])
