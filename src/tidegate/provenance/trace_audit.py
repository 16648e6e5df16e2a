"""The audit of Agent Trace records: every range held against the revision that it names.

A range passes when the revision added all its lines, when a content hash that can be checked fits them, and when
nothing contradicts the record's signature. A passing claim is E4, and E5 when a trusted key signed the whole record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.change.diff import CommitDiff
from tidegate.change.git import Repository
from tidegate.change.values import show_path
from tidegate.facts import Evidence, Finding, Place, Severity, Unknown
from tidegate.provenance.added import added_lines, read_known_diffs
from tidegate.provenance.agent_trace import Conversation, TraceRange, TraceRecord, Traces
from tidegate.provenance.runs import outside
from tidegate.provenance.trace_signature import matches_hash
from tidegate.provenance.values import LineRange

SEVERITIES: Mapping[str, Severity] = {
    "trace-bad-signature": "high",
    "trace-hash-mismatch": "medium",
    "trace-over-reach": "medium",
    "trace-unreadable": "medium",
}
"""Every id that the audit of traces can raise."""


class TraceClaim(Struct, frozen=True):
    """Lines that a record claims in its revision. When the claim passes, `reason` is empty and `evidence` holds."""

    record: TraceRecord
    conversation: Conversation
    path: bytes
    lines: TraceRange
    evidence: Evidence
    reason: str = ""

    @property
    def first(self) -> int:
        return self.lines.first

    @property
    def last(self) -> int:
        return self.lines.last


class RecordAudit(Struct, frozen=True):
    """What the audit says about one record. `unchecked` says why it was not held against its commit."""

    record: TraceRecord
    claims: tuple[TraceClaim, ...] = ()
    findings: tuple[Finding, ...] = ()
    unchecked: str = ""

    @property
    def clean(self) -> bool:
        return not self.findings and not self.unchecked


class TraceAudit(Struct, frozen=True):
    """The audit of several records, in written order; `faults` are of what could not be read at all."""

    records: tuple[RecordAudit, ...]
    faults: tuple[Finding, ...] = ()

    @property
    def claims(self) -> Mapping[str, Sequence[TraceClaim]]:
        """Claims by revision."""
        found: dict[str, list[TraceClaim]] = {}
        for audit in self.records:
            found.setdefault(audit.record.revision, []).extend(audit.claims)
        return found

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.faults, *(finding for audit in self.records for finding in audit.findings))

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        return tuple(
            Unknown("provenance", f"trace {audit.record.id[:36]} was not checked: {audit.unchecked}")
            for audit in self.records
            if audit.unchecked
        )


def audit_traces(
    repository: Repository, sources: Iterable[tuple[str, Traces]], commits: Sequence[str] | None = None
) -> TraceAudit:
    """The audit of the records of these commits, or of all. A constant number of processes."""
    faults: list[Finding] = []
    records: list[TraceRecord] = []
    wanted = None if commits is None else frozenset(commits)
    for source, traces in sources:
        faults += [_finding("trace-unreadable", f"{source}: {f.what}{_at(f.line)}") for f in traces.faults]
        records += [record for record in traces.records if wanted is None or record.revision in wanted]
    revisions = list(dict.fromkeys(record.revision for record in records if _OID.fullmatch(record.revision)))
    hashed = any(lines.content_hash for record in records for _, _, lines in _ranges(record))
    diffs = dict(read_known_diffs(repository, revisions, text=hashed))
    return TraceAudit(tuple(_audit_record(record, diffs.get(record.revision)) for record in records), tuple(faults))


# Private

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A record that names a branch, or no revision at all, is bound to no lines."""


def _at(line: int) -> str:
    return f" in its line {line}" if line else ""


def _ranges(record: TraceRecord) -> Iterator[tuple[bytes, Conversation, TraceRange]]:
    for file in record.files:
        for conversation in file.conversations:
            for lines in conversation.ranges:
                yield file.path, conversation, lines


def _audit_record(record: TraceRecord, diffs: Sequence[CommitDiff] | None) -> RecordAudit:
    unchecked = ""
    if diffs is None:
        bound = _OID.fullmatch(record.revision)
        unchecked = "its commit could not be read" if bound else "it names no commit"
    claims = tuple(_claims(record, diffs, unchecked))
    return RecordAudit(record, claims, tuple(_findings(record, claims)), unchecked)


def _claims(record: TraceRecord, diffs: Sequence[CommitDiff] | None, unchecked: str) -> Iterator[TraceClaim]:
    added = added_lines(diffs) if diffs is not None else {}
    evidence: Evidence = "E5" if record.signature == "valid" else "E4"
    for path, conversation, lines in _ranges(record):
        if record.signature == "invalid":
            reason = _BAD_SIGNATURE
        elif diffs is None:
            reason = unchecked
        else:
            reason = _reason(lines, added.get(path, ()), _text(diffs, path, lines) if lines.content_hash else None)
        yield TraceClaim(record, conversation, path, lines, evidence, reason)


_BAD_SIGNATURE = "the record's signature does not fit what it says"
_BEYOND = "the commit did not add all of it"
_OTHER_CONTENT = "its content hash is not that of the lines"


def _reason(lines: TraceRange, added: tuple[LineRange, ...] | None, text: Sequence[bytes] | None) -> str:
    if added is None:
        return "the lines of this file could not be compared"
    if outside(((lines.first, lines.last),), added):
        return _BEYOND
    if text is not None and matches_hash(lines.content_hash, text) is False:
        return _OTHER_CONTENT
    return ""


def _text(diffs: Sequence[CommitDiff], path: bytes, lines: TraceRange) -> Sequence[bytes]:
    """The text of added lines, as the first parent's diff has it."""
    found: list[bytes] = []
    for file in diffs[0].files:
        for hunk in file.hunks if file.path == path else ():
            for number, text in enumerate(hunk.added, hunk.new_start):
                if lines.first <= number <= lines.last:
                    found.append(text)
    return found


def _findings(record: TraceRecord, claims: Sequence[TraceClaim]) -> Iterator[Finding]:
    if record.signature == "invalid":
        yield _finding("trace-bad-signature", f"trace {record.id[:36]}: {_BAD_SIGNATURE}")
        return
    for rule, reason, what in (
        ("trace-over-reach", _BEYOND, "claims lines that {} did not add"),
        ("trace-hash-mismatch", _OTHER_CONTENT, "has a content hash that the lines of {} do not have"),
    ):
        places: dict[bytes, LineRange] = {}
        for claim in claims:
            if claim.reason == reason:
                places.setdefault(claim.path, (claim.lines.first, claim.lines.last))
        for path, lines in places.items():
            yield _finding(rule, f"trace {record.id[:36]} {what.format(record.revision[:12])}", path, lines)


def _finding(rule: str, message: str, path: bytes = b"", lines: LineRange = (0, 0)) -> Finding:
    place = Place(show_path(path) if path else ".", *lines)
    return Finding(rule, SEVERITIES[rule], message, place, f"tidegate explain {rule}")
