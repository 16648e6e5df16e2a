"""What was learnt of a repository, for a person who must decide whether to believe it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from tidegate.facts import to_json
from tidegate.report.agent_words import say_effect
from tidegate.report.escape import json_line, terminal
from tidegate.report.layout import grouped, paint, wrap
from tidegate.report.style import Style
from tidegate.risk.knowledge import Knowledge
from tidegate.risk.model.figures import Captured, Evaluation, TableRow

KINDS = {
    "prior": "the shipped prior: too few changes are known to have been repaired here",
    "adapted": "what was repaired here and the shipped prior, which weighs less the more is known",
    "own": "what was repaired here, with a small voice for the shipped prior",
}
_WIDEST_BAR = 20


def render_knowledge(knowledge: Knowledge, style: Style) -> str:
    """From how many changes it learnt, how good it is, how each agent fared."""
    figures = knowledge.figures
    share = f" ({figures.repaired / figures.matured:.0%})" if figures.matured else ""
    since = f" since {_day(figures.since)}" if figures.changes else ""
    learnt = (
        f"{grouped(figures.changes, 'change')}{since}; {figures.matured:,} have matured, "
        f"{figures.repaired:,} of them had to be repaired{share}, {figures.reverted:,} were reverted"
    )
    blocks = (
        [
            *_titled("Learnt from", learnt, style),
            *_titled("Up to", f"{knowledge.until[:12]} of {_day(knowledge.at)}", style),
            *_titled("Model", f"{KINDS[knowledge.model.kind]}, {knowledge.digest[:12]}", style),
        ],
        _evaluation(knowledge.evaluation, style),
        _agents(knowledge, style),
        _remarks(knowledge.remarks, style),
    )
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


def render_knowledge_json(knowledge: Knowledge) -> str:
    """The same for machines, without the trees of the model and without the single labels."""
    document = {
        "schema": "tidegate.risk-knowledge/1",
        "until": knowledge.until,
        "at": knowledge.at,
        "digest": knowledge.digest,
        "model": {
            "kind": knowledge.model.kind,
            "digest": knowledge.model.digest,
            "calibrated": knowledge.model.calibrated,
            "features": knowledge.model.names,
        },
        "figures": knowledge.figures,
        "evaluation": knowledge.evaluation,
        "agents": knowledge.agents,
        "remarks": knowledge.remarks,
    }
    return json_line(to_json(document).decode()) + "\n"


def render_evaluation(evaluation: Evaluation, style: Style) -> str:
    """How good the answers were on changes that the models had not seen."""
    return "\n".join(line.rstrip() for line in _evaluation(evaluation, style)) + "\n"


def render_evaluation_json(evaluation: Evaluation) -> str:
    """The same for machines."""
    document = {"schema": "tidegate.risk-evaluation/1", **msgspec.to_builtins(evaluation)}
    return json_line(to_json(document).decode()) + "\n"


# Private


def _say(text: str, style: Style) -> str:
    return terminal(text, unicode=style.unicode)


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return "a time that no calendar has"


def _titled(title: str, text: str, style: Style) -> list[str]:
    lines = wrap(_say(text, style), style.width, f"{title:<13}")
    return [paint(title, style, "bold") + lines[0][len(title) :], *lines[1:]]


def _evaluation(found: Evaluation, style: Style) -> list[str]:
    head = paint("How good it would have been", style, "bold")
    if found.auc is None:
        why = (
            f"not known: {grouped(found.changes, 'change')} could be judged afterwards, "
            f"{found.repaired:,} of them had to be repaired; that is too few"
        )
        return [head, *wrap(_say(why, style), style.width, "  ")]
    lines = [head]
    for text in _figures(found):
        lines += wrap(_say(text, style), style.width, "  ")
    return [*lines, *_captures(found.captures, style), *_table(found.table, style)]


def _figures(found: Evaluation) -> Iterable[str]:
    yield (
        f"on {grouped(found.changes, 'change')} from {_day(found.since)} to {_day(found.until)}, each scored by a "
        f"model that knew only what was known before it; {found.repaired:,} had to be repaired"
    )
    compared = ""
    if found.lines_added_auc is not None:
        compared = f"; lines added alone: {found.lines_added_auc:.3f}"
        if found.gain_low is not None and found.gain_low <= 0:
            compared += ", which this does not clearly beat"
    yield f"ranking (AUC): {found.auc:.3f} [{found.auc_low:.3f} to {found.auc_high:.3f}]{compared}"
    if found.calibration_error is None:
        yield "probability: none was said, too few changes had matured; only a rank and a band"
        return
    yield (
        f"probability: off by {found.calibration_error:.3f} on average ({found.calibration_floor:.3f} would be chance "
        f"alone); Brier {found.brier:.3f}, {found.constant_brier:.3f} for saying the same of every change"
    )


def _captures(captures: Iterable[Captured], style: Style) -> list[str]:
    lines = ["", "  riskiest   hold of what had to be repaired"]
    for one in captures:
        bar = ("█" if style.unicode else "#") * round(one.captured * _WIDEST_BAR)
        lines.append(f"  {one.share:>7.0%}    {one.captured:>4.0%}  [{one.low:.0%} to {one.high:.0%}]  {bar}")
    return lines


def _table(table: Iterable[TableRow], style: Style) -> list[str]:  # noqa: ARG001 one signature with the others
    rows = [f"  {row.said:>6.1%}  {row.came:>7.1%}  {row.changes:>8,}" for row in table]
    return ["", "    said     came   changes", *rows] if rows else []


def _agents(knowledge: Knowledge, style: Style) -> list[str]:
    figures = knowledge.figures
    usual = figures.repaired / figures.matured if figures.matured else 0.0
    lines = [paint("How changes by agents fared", style, "bold")] if knowledge.agents else []
    for agent in knowledge.agents:
        lines += wrap(_say(say_effect(agent, usual), style), style.width, "  ", "    ")
    caution = "Observed, not tried: people choose what they give to an agent, and this may be the reason."
    return [*lines, *(wrap(_say(caution, style), style.width, "  ", "    ") if lines else [])]


def _remarks(remarks: Iterable[str], style: Style) -> list[str]:
    lines = [line for remark in remarks for line in wrap(_say(remark, style), style.width, "  ", "    ")]
    return [paint("Worth knowing", style, "bold"), *lines] if lines else []
