"""The audit of everything that a repository's notes and traces attest, summed up: what `provenance audit` answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from tidegate.change.commits import read_commits
from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.facts import Finding
from tidegate.provenance.agent_trace import read_traces
from tidegate.provenance.audit import NoteAudit, read_audits
from tidegate.provenance.notes import read_tip
from tidegate.provenance.trace_audit import RecordAudit, audit_traces
from tidegate.provenance.trace_signature import read_trusted_keys
from tidegate.settings import Settings


class Unchecked(Struct, frozen=True):
    """How many notes or records could not be held against their commit, and why."""

    reason: str
    count: int


class SourceSummary(Struct, frozen=True):
    """What the audit of one ref of notes or one file of traces came to. Lines are counted in notes that were checked.

    `read` is the sum of `clean`, `with_findings` and everything in `unchecked`.
    """

    source: str
    read: int
    clean: int
    with_findings: int
    lines_claimed: int
    lines_passing: int
    unchecked: tuple[Unchecked, ...]


class RuleSummary(Struct, frozen=True):
    """All findings of one id, in the order of their notes, and in how many notes they are."""

    rule: str
    notes: int
    findings: tuple[Finding, ...]


class AuditReport(Struct, frozen=True):
    """The answer of `tidegate provenance audit`."""

    sources: tuple[SourceSummary, ...]
    rules: tuple[RuleSummary, ...]
    schema: Literal["tidegate.audit/1"] = "tidegate.audit/1"

    @property
    def passed(self) -> bool:
        return not self.rules


def run_audit(
    repository: Repository, settings: Settings, refs: Sequence[str] = (), commits: Sequence[str] | None = None
) -> AuditReport:
    """The audit of these refs of notes, by default of all refs and traces of the settings.

    Of these commits, or of all. A constant number of processes for each ref. Raises InputError for a ref that was
    asked for and does not exist.
    """
    for ref in refs:
        if not read_tip(repository, ref):
            raise InputError(
                f"there is no ref {ref}",
                where=str(repository.path),
                mend="list what there is: git for-each-ref refs/notes",
            )
    tally = _Tally({}, Counter())
    sources = [
        _summed(ref, read_audits(repository, ref, settings, commits), tally)
        for ref in refs or settings.provenance.notes
    ]
    if not refs and settings.provenance.traces:
        keys = read_trusted_keys(settings.provenance.trusted_keys)
        for name, traces in read_traces(repository, settings.provenance.traces, keys=keys):
            audit = audit_traces(repository, [(name, traces)], commits)
            tally.add(audit.faults)
            sources.append(_summed(name, audit.records, tally))
    rules = [RuleSummary(rule, tally.notes[rule], tuple(found)) for rule, found in sorted(tally.findings.items())]
    return AuditReport(tuple(sources), tuple(rules))


def read_range(repository: Repository, text: str) -> list[str]:
    """The commits of `BASE..HEAD`, or the one commit that `text` names."""
    base, dots, head = text.partition("..")
    if not dots:
        return [repository.resolve(text)]
    commits = read_commits(repository, repository.resolve(base or "HEAD"), repository.resolve(head or "HEAD"))
    return [commit.oid for commit in commits]


# Private


class _Tally(NamedTuple):
    findings: dict[str, list[Finding]]
    notes: Counter[str]

    def add(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self.findings.setdefault(finding.rule, []).append(finding)
        self.notes.update({finding.rule for finding in findings})


def _summed(source: str, audits: Iterable[NoteAudit | RecordAudit], tally: _Tally) -> SourceSummary:
    read = clean = claimed = passing = 0
    unchecked: Counter[str] = Counter()
    for audit in audits:
        read += 1
        clean += audit.clean
        tally.add(audit.findings)
        if audit.unchecked:
            unchecked[audit.unchecked] += 1
            continue
        for claim in audit.claims:
            lines = claim.last - claim.first + 1
            claimed += lines
            passing += 0 if claim.reason else lines
    faulty = read - clean - unchecked.total()
    return SourceSummary(source, read, clean, faulty, claimed, passing, _reasons(unchecked))


def _reasons(unchecked: Counter[str]) -> tuple[Unchecked, ...]:
    return tuple(Unchecked(reason, count) for reason, count in sorted(unchecked.items()))
