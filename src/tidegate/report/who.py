"""Writes who or what wrote the lines of a file: for a person, and as `tidegate.who/1`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Literal

from msgspec import Struct

from tidegate.facts import Claim, Evidence, Role, Writer, to_json
from tidegate.provenance.who import WhoRun
from tidegate.report.escape import terminal
from tidegate.report.layout import cut, paint, wrap
from tidegate.report.style import Style
from tidegate.report.words import EVIDENCE

FEW_LINES = 4
"""Lines of a run that are shown when the whole file was asked for."""

WRITERS = {"ai": "an agent", "human": "a person", "mixed": "an agent and a person", "unknown": "unknown"}
_COLOURS: dict[str, tuple[str, ...]] = {
    "ai": ("cyan",),
    "human": ("green",),
    "mixed": ("cyan",),
    "unknown": ("yellow",),
}


class WhoSpan(Struct, frozen=True):
    """A run of lines with one attribution. `prompt` is a salted digest, `human` who answers; empty: not known."""

    line: int
    end_line: int
    writer: Writer
    tool: str
    model: str
    session: str
    prompt: str
    human: str
    role: Role
    evidence: Evidence
    source: str
    commit: str
    committed_at: str
    subject: str
    lines: tuple[str, ...]
    conflict: tuple[Claim, ...]


class WhoDocument(Struct, frozen=True):
    """The answer of `tidegate who` for machines."""

    path: str
    revision: str
    spans: tuple[WhoSpan, ...]
    schema: Literal["tidegate.who/1"] = "tidegate.who/1"


def render_who_json(path: str, revision: str, runs: Sequence[WhoRun]) -> bytes:
    """Canonical JSON."""
    return to_json(WhoDocument(path, revision, tuple(_span(run) for run in runs)))


def render_who_text(path: str, revision: str, runs: Sequence[WhoRun], style: Style, *, whole: bool) -> str:
    """Runs of lines, each with who wrote it and how that is known. With `whole` long runs are shortened."""
    title = paint(cut(terminal(f"{path} at {revision[:12]}"), style.width, style), style, "bold")
    if not runs:
        return f"{title}\n\nThe file is empty."
    number = len(str(runs[-1].end_line))
    parts = chain.from_iterable(("", *_run(run, number, style, whole=whole)) for run in runs)
    return "\n".join([title, *parts])


# Private


def _span(run: WhoRun) -> WhoSpan:
    origin = run.origin
    return WhoSpan(
        line=run.line,
        end_line=run.end_line,
        writer=origin.writer,
        tool=origin.tool,
        model=origin.model,
        session=origin.session,
        prompt=origin.prompt,
        human=origin.human,
        role=origin.role,
        evidence=origin.evidence,
        source=origin.source,
        commit=origin.commit,
        committed_at=run.committed_at,
        subject=run.subject,
        lines=run.lines,
        conflict=run.conflict,
    )


def _run(run: WhoRun, number: int, style: Style, *, whole: bool) -> list[str]:
    origin = run.origin
    place = f"{run.line}" if run.line == run.end_line else f"{run.line}-{run.end_line}"
    known = EVIDENCE[origin.evidence]
    source = f", {origin.source}" if origin.source else ""
    head = f"{place}  {paint(_writer(run), style, *_COLOURS[origin.writer], 'bold')}"
    lead = " " * (number + 3)
    told = [f"{origin.evidence} {known}{source}"]
    session = [f"session {origin.session}"] if origin.session else []
    prompt = [f"prompt {origin.prompt[:19]}"] if origin.prompt else []
    told += [", ".join(session + prompt)] if session or prompt else []
    told.append(f"accountable: {origin.human or 'nobody'}")
    lines = [head, *chain.from_iterable(_wrapped(text, lead, style) for text in told)]
    commit = f"{origin.commit[:12]} {run.committed_at[:10]} {run.subject}" if origin.commit else "no commit is known"
    lines.append(paint(cut(lead + terminal(commit), style.width, style), style, "dim"))
    if run.conflict:
        lines += _wrapped(f"Sources contradict: {'; '.join(map(_claim, run.conflict))}", lead, style)
    shown = run.lines[: FEW_LINES - 1] if whole and len(run.lines) > FEW_LINES else run.lines
    for line, text in enumerate(shown, run.line):
        lines.append(cut(f"{line:>{number}} | {terminal(text.expandtabs(4))}".rstrip(), style.width, style))
    if len(shown) < len(run.lines):
        lines.append(paint(f"{lead}{len(run.lines) - len(shown)} more lines", style, "dim"))
    return lines


def _writer(run: WhoRun) -> str:
    origin = run.origin
    named = " ".join(part for part in (origin.tool, origin.model) if part)
    if origin.writer == "human" or not named:
        return WRITERS[origin.writer]
    if origin.role == "suggestion" or origin.writer == "mixed":
        return terminal(f"{named}, with a person", 60)
    return terminal(named, 60)


def _claim(claim: Claim) -> str:
    named = " ".join(part for part in (claim.tool, claim.model) if part) or WRITERS[claim.writer]
    return f"{claim.evidence} {claim.source} says {named}"


def _wrapped(text: str, lead: str, style: Style) -> list[str]:
    return wrap(terminal(text, 600), style.width, lead, lead)
