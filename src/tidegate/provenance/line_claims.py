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
from tidegate.provenance.audit import AuditedClaim, read_audits
from tidegate.provenance.signatures import Signatures, shown_model
from tidegate.provenance.values import LineClaim, Origin
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
    findings: list[Finding] = []
    unknowns: list[Unknown] = []
    for ref in settings.provenance.notes:
        for audit in read_audits(repository, ref, settings, oids):
            findings += audit.findings
            if audit.unchecked:
                reason = f"the note of {audit.commit[:12]} was not checked: {audit.unchecked}"
                unknowns.append(Unknown("provenance.evidence", reason))
            place = lines.setdefault(audit.commit, {})
            for claim in audit.claims:
                origin = _origin(claim, f"note {ref.removeprefix('refs/notes/')}", audit.commit, readers)
                if origin is not None:
                    place.setdefault(claim.path, []).append(LineClaim(claim.first, claim.last, origin))
    return Claims(lines, tuple(findings), tuple(unknowns))


# Private


def _origin(claim: AuditedClaim, source: str, commit: str, readers: Readers) -> Origin | None:
    session = claim.session
    evidence: Evidence = "E1" if claim.reason or session is None else "E4"
    if claim.reason:
        source = f"{source}, which fails its audit: {claim.reason}"
    if (session is not None and session.kind == "human") or claim.key.startswith("h_") or claim.key == "human":
        if session is None or evidence == "E1":
            return None
        name = readers.persons.text(session.human)
        return Origin(writer="human", evidence=evidence, human=name, role="author", source=source, commit=commit)
    if session is None:
        return Origin(writer="ai", evidence=evidence, role="author", source=source, commit=commit)
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
