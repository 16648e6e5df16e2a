"""Writes what recovery found: for a person, and as `tidegate.recover/1`."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from msgspec import Struct

from tidegate.change.values import show_path
from tidegate.facts import Unknown, to_json
from tidegate.provenance.attestations import LOSSES, Loss
from tidegate.provenance.recover import RecoveredCommit, Recovery
from tidegate.report.escape import terminal
from tidegate.report.layout import cut, grouped, wrap
from tidegate.report.style import Style

ROWS = 40
"""Commits that are listed for a person; JSON has them all."""


class RecoveredLines(Struct, frozen=True):
    """Attributed lines of a file. `kind` is session, prompt or human, `origin` the commit whose note attests them."""

    path: str
    line: int
    end_line: int
    kind: str
    tool: str
    model: str
    session: str
    human: str
    origin: str


class RecoveredSource(Struct, frozen=True):
    """Where a commit came from: what kind of source, its name (a ref or a commit), and the commit that it leads to."""

    kind: str
    name: str
    head: str


class RecoveredEntry(Struct, frozen=True):
    """One commit that has a source with notes."""

    commit: str
    subject: str
    added: int
    recovered: int
    sources: tuple[RecoveredSource, ...]
    lines: tuple[RecoveredLines, ...]
    losses: dict[str, int]


class RecoverDocument(Struct, frozen=True):
    """The answer of `tidegate provenance recover` for machines. `losses` counts the lines of all commits looked at."""

    commits: tuple[RecoveredEntry, ...]
    looked_at: int
    added: int
    recovered: int
    losses: dict[str, int]
    merges: int
    noted: int
    stray_notes: int
    written: tuple[str, ...]
    unknowns: tuple[Unknown, ...] = ()
    schema: Literal["tidegate.recover/1"] = "tidegate.recover/1"


def render_recover_json(found: Recovery, written: tuple[str, ...]) -> bytes:
    """Canonical JSON. `written` names the refs and files that were written."""
    document = RecoverDocument(
        commits=tuple(_entry(commit) for commit in found.commits if commit.sources),
        looked_at=len(found.commits),
        added=sum(commit.added for commit in found.commits),
        recovered=sum(commit.recovered for commit in found.commits),
        losses={str(loss): lines for loss, lines in _losses(found).items()},
        merges=found.merges,
        noted=found.noted,
        stray_notes=found.stray_notes,
        written=written,
        unknowns=found.unknowns,
    )
    return to_json(document)


def render_recover_text(found: Recovery, written: tuple[str, ...], style: Style) -> str:
    """The sum first, then the commits, then why lines stay unknown, then what was written or how to write it."""
    with_lines = [commit for commit in found.commits if commit.claims]
    added = sum(commit.added for commit in with_lines)
    lines = sum(commit.recovered for commit in with_lines)
    adds = "adds" if len(with_lines) == 1 else "add"
    sentence = (
        f"{grouped(lines, 'line')} of the {added:,} that {grouped(len(with_lines), 'commit')} {adds} can be attributed."
        if with_lines
        else f"Nothing to recover in {grouped(len(found.commits), 'commit')} without a note."
    )
    out = wrap(sentence, style.width)
    if with_lines:
        out += ["", *_rows(with_lines, style)]
    losses = _losses(found)
    if losses:
        out += ["", "Lines that stay unknown, and why"]
        width = len(f"{max(losses.values()):,}")
        for loss, count in sorted(losses.items(), key=lambda item: -item[1]):
            out += wrap(LOSSES[loss], style.width, f"  {count:>{width},}  ")
    for unknown in found.unknowns:
        out += ["", *wrap(terminal(unknown.reason), style.width)]
    if found.stray_notes:
        here = "which is" if found.stray_notes == 1 else "which are"
        out += [
            "",
            *wrap(f"{grouped(found.stray_notes, 'note')} annotate a commit {here} not in this clone.", style.width),
        ]
    out += ["", *_ending(with_lines, written, style)]
    return "\n".join(out)


# Private


def _entry(commit: RecoveredCommit) -> RecoveredEntry:
    return RecoveredEntry(
        commit=commit.commit,
        subject=commit.subject,
        added=commit.added,
        recovered=commit.recovered,
        sources=tuple(RecoveredSource(source.kind, source.name, source.head) for source in commit.sources),
        lines=tuple(
            RecoveredLines(
                path=show_path(claim.path),
                line=claim.first,
                end_line=claim.last,
                kind=claim.session.kind,
                tool=claim.session.tool,
                model=claim.session.model,
                session=claim.session.id,
                human=claim.session.human,
                origin=claim.commit,
            )
            for claim in commit.claims
        ),
        losses={str(loss): lines for loss, lines in commit.losses.items()},
    )


def _losses(found: Recovery) -> dict[Loss, int]:
    losses: Counter[Loss] = Counter()
    for commit in found.commits:
        losses.update(commit.losses)
    return {loss: losses[loss] for loss in LOSSES if losses[loss]}


def _rows(commits: list[RecoveredCommit], style: Style) -> list[str]:
    rows = [
        f"  {commit.commit[:9]}  {commit.recovered:>7,} of {commit.added:>7,}  {terminal(commit.subject)}"
        for commit in commits[:ROWS]
    ]
    if len(commits) > ROWS:
        rows.append(f"  and {grouped(len(commits) - ROWS, 'more commit')}; --format json lists them all")
    return [cut(row, style.width, style) for row in rows]


def _ending(commits: list[RecoveredCommit], written: tuple[str, ...], style: Style) -> list[str]:
    if written:
        return wrap(f"Written to {terminal(', '.join(written))}.", style.width)
    if commits:
        return wrap("Nothing was written. Write it as notes: tidegate provenance recover --write", style.width)
    return wrap("Nothing was written.", style.width)
