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


class TraceAudit(Struct, frozen=True):
    """Claims by revision, what is wrong with the records, and what could not be checked."""

    claims: Mapping[str, tuple[TraceClaim, ...]]
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()


def audit_traces(
    repository: Repository, sources: Iterable[tuple[str, Traces]], commits: Sequence[str] | None = None
) -> TraceAudit:
    """The audit of the records of these commits, or of all. A constant number of processes."""
    findings: list[Finding] = []
    records: list[TraceRecord] = []
    wanted = None if commits is None else frozenset(commits)
    for source, traces in sources:
        findings += [_finding("trace-unreadable", f"{source}: {f.what}{_at(f.line)}") for f in traces.faults]
        records += [
            r for r in traces.records if _OID.fullmatch(r.revision) and (wanted is None or r.revision in wanted)
        ]
    revisions = list(dict.fromkeys(record.revision for record in records))
    hashed = any(lines.content_hash for record in records for _, _, lines in _ranges(record))
    diffs = dict(read_known_diffs(repository, revisions, text=hashed))
    claims: dict[str, list[TraceClaim]] = {}
    unknowns: list[Unknown] = []
    for record in records:
        diff = diffs[record.revision]
        if diff is None:
            unknowns.append(Unknown("provenance", f"trace {record.id[:36]} names a commit that could not be read"))
        found = list(_audit(record, diff))
        claims.setdefault(record.revision, []).extend(found)
        findings += _findings(record, found)
    return TraceAudit({oid: tuple(found) for oid, found in claims.items()}, tuple(findings), tuple(unknowns))


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


def _audit(record: TraceRecord, diffs: Sequence[CommitDiff] | None) -> Iterator[TraceClaim]:
    added = added_lines(diffs) if diffs is not None else {}
    evidence: Evidence = "E5" if record.signature == "valid" else "E4"
    for path, conversation, lines in _ranges(record):
        if record.signature == "invalid":
            reason = _BAD_SIGNATURE
        elif diffs is None:
            reason = "its commit could not be read"
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
    return Finding(rule, SEVERITIES[rule], message, place, f"see: tidegate explain {rule}")
