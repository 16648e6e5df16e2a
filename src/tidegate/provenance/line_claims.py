"""What notes and traces say about single lines of commits, graded by their audit.

A claim that passes its audit is E4. What fails it is a suspicion: lines that it gives to an agent are still read as the
agent's, by E1, because caution costs little there; lines that it gives to a person are not believed at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.facts import Evidence, Finding, Unknown
from tidegate.provenance.accountable import Persons
from tidegate.provenance.gitai import Claim, NoteError, note_claims, parse_note
from tidegate.provenance.notes import read_notes
from tidegate.provenance.signatures import Signatures, shown_model
from tidegate.provenance.values import LineClaim, Origin, Session
from tidegate.settings import Settings

LinesOfCommit = dict[bytes, list[LineClaim]]


class Claims(NamedTuple):
    """Claims about lines by commit and path, what the audit found, and what could not be told."""

    lines: Mapping[str, Mapping[bytes, Sequence[LineClaim]]]
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()


class Readers(NamedTuple):
    """How names in notes are read: people, and tools."""

    persons: Persons
    signatures: Signatures


def read_line_claims(repository: Repository, settings: Settings, commits: Sequence[Commit], readers: Readers) -> Claims:
    """The claims of all notes and traces about these commits, in a constant number of processes for each ref."""
    oids = [commit.oid for commit in commits]
    lines: dict[str, LinesOfCommit] = {}
    for ref in settings.provenance.notes:
        for commit, text in read_notes(repository, ref, oids):
            try:
                claims = note_claims(parse_note(text))
            except NoteError:
                continue
            place = lines.setdefault(commit, {})
            for path, of_path in claims.items():
                place.setdefault(path, []).extend(_line_claims(of_path, ref, commit, readers))
    return Claims(lines)


# Private


def _line_claims(claims: Sequence[Claim], ref: str, commit: str, readers: Readers) -> list[LineClaim]:
    found: list[LineClaim] = []
    for first, last, session, entry in claims:
        evidence: Evidence = "E4" if session is not None else "E1"
        origin = _origin(session, entry.key, f"note {ref.removeprefix('refs/notes/')}", commit, evidence, readers)
        if origin is not None:
            found.append(LineClaim(first, last, origin))
    return found


def _origin(
    session: Session | None, key: str, source: str, commit: str, evidence: Evidence, readers: Readers
) -> Origin | None:
    if (session is not None and session.kind == "human") or key.startswith("h_") or key == "human":
        if session is None or evidence == "E1":
            return None
        name = readers.persons.text(session.human)
        return Origin(writer="human", evidence=evidence, human=name, role="author", source=source, commit=commit)
    if session is None:
        return Origin(writer="ai", evidence="E1", role="author", source=f"{source} (orphan key)", commit=commit)
    return Origin(
        writer="ai",
        evidence=evidence,
        tool=readers.signatures.tool_of(session.tool),
        model=shown_model(session.model),
        session=session.id,
        prompt=session.prompt,
        human=readers.persons.text(session.human) if session.human else "",
        role="author",
        source=source,
        commit=commit,
    )
