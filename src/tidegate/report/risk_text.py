"""The risk of one change for a person at a terminal: two numbers, what moved them, and where to look first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tidegate.facts import Facts, Risk, RiskFactor, is_known
from tidegate.report.agent_words import say_effect
from tidegate.report.escape import terminal
from tidegate.report.layout import paint, wrap
from tidegate.report.risk_brief import impact, is_outside, likelihood
from tidegate.report.style import Style

_MOST_UNKNOWN = 4


def render_risk_text(facts: Facts, style: Style) -> str:
    """Probability and impact, never mixed, each with its reasons; then lines, agents and what is not known."""
    blocks = (
        _head(facts, style),
        _moved(facts.risk, "What raised it", 1, style),
        _moved(facts.risk, "What lowered it", -1, style),
        _factors("What the impact is made of", facts.risk.impact_factors, style),
        _lines(facts, style),
        _agents(facts, style),
        _past(facts, style),
        _unknown(facts, style),
    )
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


# Private


def _say(text: str, style: Style) -> str:
    return terminal(text, unicode=style.unicode)


def _head(facts: Facts, style: Style) -> list[str]:
    risk = facts.risk
    return [
        *_titled(_title(risk), likelihood(risk, facts.history), style),
        *_titled(
            "Impact", impact(risk).removeprefix("impact ") + (f" ({_floor(risk.impact)})" if risk.impact else ""), style
        ),
    ]


def _title(risk: Risk) -> str:
    """A rank alone never stands under the word probability."""
    only_ranked = not is_known(risk, "probability") and is_known(risk, "percentile") and not is_outside(risk)
    return "Rank" if only_ranked else "Probability"


def _floor(value: float) -> str:
    """Two digits that never reach into the next band."""
    return f"{math.floor(value * 100 + 1e-9) / 100:.2f}"


def _moved(risk: Risk, title: str, way: int, style: Style) -> list[str]:
    """The factors of one direction: no reader should have to find a sign to know which way a sentence points."""
    if not is_known(risk, "factors"):
        return []
    if is_outside(risk):
        return _titled("Why not", risk.factors[0].words.partition(": ")[2], style) if way > 0 else []
    if not risk.factors:
        return _titled("Moved by", "nothing by itself: no figure is far from the usual", style) if way > 0 else []
    return _factors(title, [factor for factor in risk.factors if factor.weight * way > 0], style)


def _titled(title: str, text: str, style: Style) -> list[str]:
    lead = f"{title:<13}"
    lines = wrap(_say(text, style), style.width, lead)
    return [paint(title, style, "bold") + lines[0][len(title) :], *lines[1:]]


def _factors(title: str, factors: Sequence[RiskFactor], style: Style) -> list[str]:
    if not factors:
        return []
    lines = [paint(title, style, "bold")]
    for factor in factors:
        lines += wrap(_say(factor.words, style), style.width, f"  {factor.weight:+.2f}  ")
    return lines


def _lines(facts: Facts, style: Style) -> list[str]:
    if not facts.risk.lines or not is_known(facts.risk, "lines"):
        return []
    lines = [paint("Look first at", style, "bold")]
    for line in facts.risk.lines:
        lines += wrap(_say(f"{line.path}:{line.line}  {line.words}", style), style.width, "  ", "      ")
    return lines


def _agents(facts: Facts, style: Style) -> list[str]:
    """How the agents fared that had a part in this change; those of others say nothing of it (`risk show` has them)."""
    provenance = facts.provenance
    found = {agent.tool for agent in provenance.agents} | {mark.tool for mark in provenance.declarations}
    agents = [agent for agent in facts.history.agents if agent.tool in found]
    usual = facts.history.repaired_share
    lines = [paint("How changes by agents fared here", style, "bold")] if agents else []
    for agent in agents:
        lines += wrap(_say(say_effect(agent, usual), style), style.width, "  ", "    ")
    return lines


def _past(facts: Facts, style: Style) -> list[str]:
    history = facts.history
    if history.status == "unknown" or not history.matured:
        return []
    share = f"{history.repaired:,} of {history.matured:,} matured changes since {history.since[:10]} had to be repaired"
    more = f"; {history.reverted:,} were reverted" if history.reverted else ""
    return _titled("History", share + more, style)


def _unknown(facts: Facts, style: Style) -> list[str]:
    said = likelihood(facts.risk, facts.history)
    found = dict.fromkeys(
        one.reason
        for one in (*facts.risk.unknowns, *facts.history.unknowns)
        if one.path != "risk.impact_band" and not (said.startswith("unknown: ") and one.reason in said)
    )
    if not found:
        return []
    lines = [paint("Not known", style, "bold")]
    for reason in list(found)[:_MOST_UNKNOWN]:
        lines += wrap(_say(reason, style), style.width, "  ")
    more = len(found) - _MOST_UNKNOWN
    return [*lines, f"  and {more} more"] if more > 0 else lines
