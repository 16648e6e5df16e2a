"""Who or what wrote the change, on a terminal: a bar, a table, who answers, and where sources contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tidegate.facts import AgentFact, ChangeFacts, Conflict, Facts, Lines, ProvenanceFacts, is_known
from tidegate.policy.case import count
from tidegate.report.escape import terminal
from tidegate.report.layout import columns, cut, pad, paint, shares, wrap
from tidegate.report.style import Style
from tidegate.report.words import EVIDENCE


def render_writers(facts: Facts, style: Style) -> list[str]:
    """The lines of this part; none for a change that adds no line."""
    provenance = facts.provenance
    if provenance.status == "unknown":
        return _unknown(provenance, style)
    if not is_known(provenance, "lines") or not provenance.lines.added:
        return []
    lines = [paint("Who wrote it", style, "bold") + f"  {_size(provenance.lines, facts.change)}"]
    lines += _bar(provenance.lines, style)
    lines += _agents(provenance.agents, style) if is_known(provenance, "agents") else []
    lines += _accountable(provenance, style)
    lines += _conflicts(provenance.conflicts, style) if is_known(provenance, "conflicts") else []
    return lines


# Private

_BAR = 40
_MOST = 5
_WRITERS = (
    ("ai", "AI", "█", "#"),
    ("mixed", "mixed", "▓", "%"),
    ("human", "human", "░", "-"),
    ("unknown", "unknown", "·", "."),
)
_TINTS = {"ai": "cyan", "mixed": "cyan", "human": "green", "unknown": "yellow"}


def _say(text: str, style: Style, limit: int = 0) -> str:
    return terminal(text, limit, unicode=style.unicode)


def _unknown(provenance: ProvenanceFacts, style: Style) -> list[str]:
    if [u.reason for u in provenance.unknowns] == ["not collected"]:
        return []
    reason = "; ".join(dict.fromkeys(unknown.reason for unknown in provenance.unknowns)) or "no reason given"
    return [
        paint("Who wrote it", style, "bold"),
        *wrap(_say(f"unknown: {reason}", style, 300), style.width, "  ", "    "),
    ]


def _size(lines: Lines, change: ChangeFacts) -> str:
    files = f" in {count(change.files_total, 'file')}" if is_known(change, "files_total") else ""
    return f"{count(lines.added, 'added line')}{files}"


def _bar(lines: Lines, style: Style) -> list[str]:
    counts = [getattr(lines, name) for name, *_ in _WRITERS]
    cells = shares(counts, min(_BAR, style.width - 4))
    percents = shares(counts, 100)
    bar, legend = "", []
    for (name, word, block, mark), number, cell, percent in zip(_WRITERS, counts, cells, percents, strict=True):
        glyph = block if style.unicode else mark
        bar += paint(glyph * cell, style, _TINTS[name])
        if number:
            legend.append(f"{glyph} {word} {number} ({percent} %)")
    words = wrap("  ".join(legend), style.width, "  ")
    return [f"  {bar}", *words] if len(legend) > 1 else words


def _agents(agents: Sequence[AgentFact], style: Style) -> list[str]:
    if not agents:
        return []
    rows = [["tool", "model", "lines", "sessions", "evidence"]]
    for agent in agents[:_MOST]:
        tool, model = agent.tool or "not named", agent.model or "not named"
        rows.append(
            [
                _say(tool, style, 60),
                _say(model, style, 60),
                str(agent.lines),
                str(agent.sessions or "-"),
                EVIDENCE[agent.evidence],
            ]
        )
    widths = [max(columns(row[i]) for row in rows) for i in range(5)]
    spare = style.width - 2 - 2 * 4 - sum(widths[2:])
    widths[0] = min(widths[0], max(8, spare - min(widths[1], spare // 2)))
    widths[1] = min(widths[1], max(8, spare - widths[0]))
    lines = []
    for number, row in enumerate(rows):
        cells = [pad(cut(cell, widths[i], style), widths[i]) for i, cell in enumerate(row)]
        cells[2], cells[3] = row[2].rjust(widths[2]), row[3].rjust(widths[3])
        line = "  " + "  ".join(cells).rstrip()
        lines.append(line if number else paint(line, style, "dim"))
    return lines + ([f"  and {len(agents) - _MOST} more"] if len(agents) > _MOST else [])


def _accountable(provenance: ProvenanceFacts, style: Style) -> list[str]:
    if not is_known(provenance, "accountable"):
        return []
    named = [
        f"{fact.person} for {count(fact.lines, 'line')}" + (f" ({fact.ai_lines} by AI)" if fact.ai_lines else "")
        for fact in provenance.accountable[:_MOST]
    ]
    if len(provenance.accountable) > _MOST:
        named.append(f"{len(provenance.accountable) - _MOST} more")
    if is_known(provenance, "unaccountable_lines") and provenance.unaccountable_lines:
        named.append(f"nobody for {count(provenance.unaccountable_lines, 'line')} by AI")
    return wrap(_say("; ".join(named), style), style.width, "  who answers: ", "    ") if named else []


def _conflicts(conflicts: Sequence[Conflict], style: Style) -> list[str]:
    lines: list[str] = []
    for path, group in groupby(conflicts[:_MOST], key=lambda conflict: conflict.path):
        for conflict in group:
            sides = " against ".join(f"{claim.tool or claim.writer} ({claim.source})" for claim in conflict.claims[:3])
            place = f"{path}:{conflict.line}-{conflict.end_line}"
            lines += wrap(_say(f"{place}: {sides}", style, 300), style.width, "  sources disagree: ", "    ")
    return lines + ([f"  and {len(conflicts) - _MOST} more"] if len(conflicts) > _MOST else [])
