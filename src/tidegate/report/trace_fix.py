"""Writes which changes introduced what a fix repaired: for a person, and as `tidegate.trace-fix/1`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from tidegate.facts import Evidence, Writer, to_json
from tidegate.provenance.values import Origin
from tidegate.report.escape import terminal
from tidegate.report.layout import cut, paint, wrap
from tidegate.report.style import Style
from tidegate.report.who import WRITERS
from tidegate.report.words import EVIDENCE
from tidegate.risk.szz.told import Told
from tidegate.risk.values import SuspectLines, Trace

FEW_SUSPECTS = 3
FEW_LINES = 4
MOST_ROWS = 40


class TracedLine(Struct, frozen=True):
    """A line as it stood before the fix, and who or what wrote it."""

    path: str
    line: int
    text: str
    writer: Writer
    tool: str
    model: str
    evidence: Evidence


class TracedSuspect(Struct, frozen=True):
    """One suspect. `writer`, `tool`, `model`, `evidence` and `human` hold for its whole commit; empty: not known."""

    commit: str
    probability: float
    subject: str
    author: str
    authored_at: str
    writer: Writer
    tool: str
    model: str
    evidence: Evidence
    human: str
    reasons: tuple[str, ...]
    places: tuple[SuspectLines, ...]
    lines: tuple[TracedLine, ...]


class TraceDocument(Struct, frozen=True):
    """The answer of `tidegate trace-fix` for machines. Without suspects, `blameless` says why."""

    fix: str
    subject: str
    blameless: str
    suspects: tuple[TracedSuspect, ...]
    schema: Literal["tidegate.trace-fix/1"] = "tidegate.trace-fix/1"


def render_trace_json(trace: Trace, subject: str, told: Sequence[Told]) -> bytes:
    """Canonical JSON, with every suspect."""
    return to_json(TraceDocument(trace.fix, subject, trace.blameless, tuple(map(_suspect, told))))


def render_trace_text(trace: Trace, subject: str, told: Sequence[Told], style: Style, *, verbose: bool) -> str:
    """The likeliest suspects, each with its lines and who wrote them; at most 40 lines unless `verbose`."""
    title = paint(cut(terminal(f"Fix {trace.fix[:12]} {subject}"), style.width, style), style, "bold")
    if not told:
        why = trace.blameless or "nothing speaks for any earlier change"
        return "\n".join([title, "", *wrap(terminal(f"No change is blamed: {why}.", 600), style.width)])
    shown = told if verbose else told[:FEW_SUSPECTS]
    rows = [title]
    for one in shown:
        rows += ["", *_rows(one, style, verbose=verbose)]
    left = len(told) - len(shown)
    missing = max(0.0, 1 - sum(one.suspect.confidence for one in told))
    last = f"{missing:.0%} that it was none of these." + (f" {left} less likely with -v." if left else "")
    rows = rows if verbose else rows[: MOST_ROWS - 2]
    return "\n".join([*rows, "", paint(last, style, "dim")])


# Private


def _suspect(told: Told) -> TracedSuspect:
    origin = told.origin
    return TracedSuspect(
        commit=told.suspect.commit,
        probability=told.suspect.confidence,
        subject=told.subject,
        author=told.author,
        authored_at=told.authored_at,
        writer=origin.writer,
        tool=origin.tool,
        model=origin.model,
        evidence=origin.evidence,
        human=origin.human,
        reasons=told.suspect.reasons,
        places=told.suspect.lines,
        lines=tuple(
            TracedLine(
                path=line.path,
                line=line.line,
                text=line.text,
                writer=line.origin.writer,
                tool=line.origin.tool,
                model=line.origin.model,
                evidence=line.origin.evidence,
            )
            for line in told.lines
        ),
    )


def _rows(told: Told, style: Style, *, verbose: bool) -> list[str]:
    suspect = told.suspect
    head = f"{suspect.confidence:>4.0%}  {suspect.commit[:12]} {told.authored_at[:10]} {told.subject}"
    rows = [paint(cut(terminal(head), style.width, style), style, "bold")]
    reasons = "; ".join(suspect.reasons)
    origin = told.origin
    who = f"{_writer(origin)} ({EVIDENCE[origin.evidence]}), accountable: {origin.human or 'nobody'}"
    for text in (f"by {told.author}", f"{reasons[:1].upper()}{reasons[1:]}", f"Written by {who}"):
        rows += wrap(terminal(text, 600), style.width, "      ", "      ")
    lines = told.lines if verbose else told.lines[:FEW_LINES]
    for line in lines:
        differs = line.origin.evidence != origin.evidence or line.origin.writer != origin.writer
        mark = f"  [{_writer(line.origin)}]" if differs and line.origin.evidence != "E0" else ""
        text = f"      {line.path}:{line.line}: {line.text.expandtabs(4).strip()}{mark}"
        rows.append(cut(terminal(text), style.width, style))
    wrote = sum(len(place.lines) for place in suspect.lines)
    if wrote > len(lines) and lines:
        rows.append(paint(f"      {wrote - len(lines)} more lines", style, "dim"))
    return rows


def _writer(origin: Origin) -> str:
    named = " ".join(part for part in (origin.tool, origin.model) if part)
    return WRITERS[origin.writer] if origin.writer == "human" or not named else named
