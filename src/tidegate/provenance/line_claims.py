"""What notes and traces say about single lines of commits, graded by their audit.

A claim that passes its audit is E4. What fails it is a suspicion: lines that it gives to an agent are still read as the
agent's, by E1, because caution costs little there; lines that it gives to a person are not believed at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.facts import Evidence, Finding, Unknown
from tidegate.provenance.accountable import Persons
from tidegate.provenance.agent_trace import read_traces
from tidegate.provenance.audit import AuditedClaim, NoteAudit, read_audits
from tidegate.provenance.signatures import Signatures, shown_model
from tidegate.provenance.trace_audit import TraceAudit, TraceClaim, audit_traces
from tidegate.provenance.trace_signature import read_trusted_keys
from tidegate.provenance.values import LineClaim, Origin
from tidegate.settings import Settings


class Claims(NamedTuple):
    """Claims about lines by commit and path, what the audits found, what could not be told, and how many were read."""

    lines: Mapping[str, Mapping[bytes, Sequence[LineClaim]]]
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    read: int = 0


class Readers(NamedTuple):
    """How names in notes are read: people, and tools."""

    persons: Persons
    signatures: Signatures


def read_line_claims(
    repository: Repository, settings: Settings, commits: Sequence[Commit], readers: Readers, head: str = ""
) -> Claims:
    """The claims of all notes and traces about these commits, in a constant number of processes for each ref.

    With `head` the traces that its tree holds are read too.
    """
    oids = [commit.oid for commit in commits]
    taken = _Taken(readers)
    for ref in settings.provenance.notes:
        for audit in read_audits(repository, ref, settings, oids):
            taken.note(audit, f"note {ref.removeprefix('refs/notes/')}")
    keys = read_trusted_keys(settings.provenance.trusted_keys)
    traces = [t for t in read_traces(repository, settings.provenance.traces, head, keys) if t[1].records]
    if traces:
        taken.traces(audit_traces(repository, traces, oids))
    return Claims(taken.lines, tuple(taken.findings), tuple(taken.unknowns), taken.read)


# Private


class _Taken:
    """Collects the claims of one source after the other."""

    def __init__(self, readers: Readers) -> None:
        self.readers = readers
        self.lines: dict[str, dict[bytes, list[LineClaim]]] = {}
        self.findings: list[Finding] = []
        self.unknowns: list[Unknown] = []
        self.read = 0

    def note(self, audit: NoteAudit, source: str) -> None:
        self.read += 1
        self.findings += audit.findings
        if audit.unchecked:
            self._unknown(f"the note of {audit.commit[:12]} was not checked: {audit.unchecked}")
        for claim in audit.claims:
            self._add(audit.commit, claim.path, claim.first, claim.last, _of_note(claim, source, self.readers))

    def traces(self, audit: TraceAudit) -> None:
        self.findings += audit.findings
        for unknown in audit.unknowns:
            self._unknown(unknown.reason)
        for commit, claims in audit.claims.items():
            self.read += len({id(claim.record) for claim in claims})
            for claim in claims:
                lines = claim.lines
                self._add(commit, claim.path, lines.first, lines.last, _of_trace(claim, self.readers))

    def _add(self, commit: str, path: bytes, first: int, last: int, origin: Origin | None) -> None:
        if origin is not None:
            claim = LineClaim(first, last, msgspec.structs.replace(origin, commit=commit))
            self.lines.setdefault(commit, {}).setdefault(path, []).append(claim)

    def _unknown(self, reason: str) -> None:
        self.unknowns.append(Unknown("provenance.evidence", reason))


def _of_note(claim: AuditedClaim, source: str, readers: Readers) -> Origin | None:
    session = claim.session
    if claim.reason:
        source = f"{source}, which fails its audit: {claim.reason}"
    if (session is not None and session.kind == "human") or claim.key.startswith("h_") or claim.key == "human":
        if session is None or claim.reason:
            return None
        return Origin(
            writer="human", evidence="E4", human=readers.persons.text(session.human), role="author", source=source
        )
    if session is None:
        return Origin(writer="ai", evidence="E1", role="author", source=source)
    return Origin(
        writer="ai",
        evidence="E1" if claim.reason else "E4",
        tool=readers.signatures.tool_of(session.tool),
        model=shown_model(session.model),
        session=session.id,
        prompt=session.prompt,
        human=readers.persons.text(session.human) if session.human else "",
        role="author",
        source=source,
    )


def _of_trace(claim: TraceClaim, readers: Readers) -> Origin | None:
    record = claim.record
    writer = claim.lines.contributor or claim.conversation.contributor
    source = f"trace {record.id[:8]}"
    if claim.reason:
        source = f"{source}, which fails its audit: {claim.reason}"
    evidence: Evidence = "E1" if claim.reason else claim.evidence
    human = readers.persons.text(record.person) if record.person else ""
    if writer == "unknown" or (writer == "human" and claim.reason):
        return None
    if writer == "human":
        named = human or readers.persons.text(record.tool)
        return Origin(writer="human", evidence=evidence, human=named, role="author", source=source)
    return Origin(
        writer=writer,
        evidence=evidence,
        tool=readers.signatures.tool_of(record.tool),
        model=shown_model(claim.lines.model or claim.conversation.model),
        session=record.session,
        prompt=record.prompt,
        human=human,
        role="author",
        source=source,
    )
