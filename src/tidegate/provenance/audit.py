"""The audit of attribution notes (fsck for provenance): every note held against the commit that it hangs on.

A claim that passes is evidence E4. One that does not falls to E1, with the reason. What could not be checked passes
nothing: a note of a commit that is not in this clone, a file whose lines git did not compare. Of a merge only lines
that are in no parent are its own: what it brought in was written by other commits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.facts import Finding, Place, Unknown
from tidegate.provenance.added import added_lines, read_known_diffs
from tidegate.provenance.declared import is_agent, read_declarations
from tidegate.provenance.faults import SEVERITIES, Faulty, Surroundings, judge_note, person_of
from tidegate.provenance.gitai import NoteError, note_claims, parse_note
from tidegate.provenance.notes import checked_ref, list_notes, read_listed
from tidegate.provenance.runs import joined, outside
from tidegate.provenance.signatures import Signatures, load_signatures
from tidegate.provenance.values import LineRange, Note, Session
from tidegate.settings import Settings


class AuditedClaim(Struct, frozen=True):
    """Lines that a note claims for a session (None: an orphan key). `reason` is empty when the claim passes."""

    path: bytes
    first: int
    last: int
    session: Session | None
    key: str
    reason: str = ""


class NoteAudit(Struct, frozen=True):
    """What the audit says about the note of one commit. `note` is None when it could not or need not be read.

    `unchecked` says why a note was not held against its commit; then no claim passes and there are no findings.
    The note of a commit that is not in this clone is not read at all: nobody can ask about its lines.
    """

    commit: str
    note: Note | None
    claims: tuple[AuditedClaim, ...] = ()
    findings: tuple[Finding, ...] = ()
    unchecked: str = ""

    @property
    def clean(self) -> bool:
        return not self.findings and not self.unchecked


class Audit(Struct, frozen=True):
    """The audit of several notes, by commit."""

    notes: Mapping[str, NoteAudit]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for audit in self.notes.values() for finding in audit.findings)

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        return tuple(
            Unknown("provenance", f"the note of {audit.commit[:12]} was not checked: {audit.unchecked}")
            for audit in self.notes.values()
            if audit.unchecked
        )

    def clean_lines(self, commit: str) -> dict[bytes, tuple[LineRange, ...]]:
        """The lines of that commit whose claims pass, by path."""
        lines: dict[bytes, list[LineRange]] = {}
        for claim in self.notes[commit].claims if commit in self.notes else ():
            if not claim.reason:
                lines.setdefault(claim.path, []).append((claim.first, claim.last))
        return {path: joined(ranges) for path, ranges in lines.items()}


def audit_notes(repository: Repository, notes: Iterable[tuple[str, bytes]], settings: Settings) -> Audit:
    """The audit of these notes (commit and text), by a constant number of processes."""
    texts = dict(notes)
    digests = {commit: hashlib.sha256(text).hexdigest() for commit, text in texts.items()}
    commits = read_commit_objects(repository, digests)
    here = ((commit, text) for commit, text in texts.items() if commit in commits)
    return Audit({audit.commit: audit for audit in _audit(repository, here, commits, digests, settings)})


def read_audits(
    repository: Repository, ref: str, settings: Settings, commits: Sequence[str] | None = None
) -> Iterator[NoteAudit]:
    """The audit of the notes under a ref, of these commits or of all, one note in memory at a time."""
    checked_ref(ref)
    blobs = list_notes(repository, ref) if commits is None or commits else {}
    wanted = sorted(blobs) if commits is None else [commit for commit in dict.fromkeys(commits) if commit in blobs]
    digests = {commit: blobs[commit] for commit in wanted}
    found = read_commit_objects(repository, digests)
    texts = read_listed(repository, {commit: oids for commit, oids in digests.items() if commit in found})
    return _audit(repository, texts, found, digests, settings)


# Private


def _audit(
    repository: Repository,
    texts: Iterable[tuple[str, bytes]],
    commits: Mapping[str, Commit],
    digests: Mapping[str, str],
    settings: Settings,
) -> Iterator[NoteAudit]:
    """One audit for each commit of `digests`, in that order. `texts` has the notes of those that are in this clone."""
    known = _Known(commits, digests, settings, load_signatures())
    diffs = read_known_diffs(repository, [commit for commit in digests if commit in commits])
    notes = iter(texts)
    waiting = next(notes, None)
    for oid in digests:
        if oid not in commits:
            yield NoteAudit(oid, None, unchecked="its commit is not in this clone")
            continue
        _, diff = next(diffs)
        if waiting is None or waiting[0] != oid:
            yield NoteAudit(oid, None, unchecked="the note itself is missing from this clone")
            continue
        (_, text), waiting = waiting, next(notes, None)
        try:
            note = parse_note(text)
        except NoteError as error:
            yield NoteAudit(oid, None, (), (_unreadable(oid, error.what),))
            continue
        if diff is None:
            broken = "what its commit changed could not be read"
            yield NoteAudit(oid, note, tuple(_claims(note, Faulty(whole=broken), None)), (), broken)
        else:
            around = known.around(oid, note, added_lines(diff))
            faulty = judge_note(note, around)
            yield NoteAudit(oid, note, tuple(_claims(note, faulty, around)), faulty.findings)


class _Known:
    """What is known of all commits that have notes, before the first note is read."""

    def __init__(
        self, commits: Mapping[str, Commit], digests: Mapping[str, str], settings: Settings, signatures: Signatures
    ) -> None:
        self.commits = commits
        self.digests = digests
        self.signatures = signatures
        self.trailers = settings.provenance.trailers
        self.declared = {found.commit for found in read_declarations(list(commits.values()), None, signatures)}
        self.declared_work = {_work(commits[oid]): oid for oid in self.declared}
        self.same: dict[str, list[str]] = {}
        for commit, digest in digests.items():
            self.same.setdefault(digest, []).append(commit)

    def around(self, oid: str, note: Note, added: Mapping[bytes, tuple[LineRange, ...] | None]) -> Surroundings:
        commit = self.commits[oid]
        twins = [other for other in self.same[self.digests[oid]] if other != oid] if note.files else []
        before = self.declared_work.get(_work(commit), "") if self.trailers != "forbid" else ""
        humans = {session.human for session in note.sessions if session.human}
        return Surroundings(
            commit=commit,
            added=added,
            author_is_agent=is_agent(commit.author, self.signatures),
            agents=frozenset(human for human in humans if is_agent(person_of(human), self.signatures)),
            same_text=note.base_commit_sha if note.base_commit_sha in twins else next(iter(twins), ""),
            declared=oid in self.declared,
            declared_before=before,
            trailers_required=self.trailers == "require",
        )


def _work(commit: Commit) -> tuple[str, str, str, str]:
    """What an amended or rebased commit keeps of the one it was made from."""
    return commit.author.name, commit.author.email, commit.authored_at, commit.subject


def _unreadable(commit: str, what: str) -> Finding:
    rule = "note-unreadable"
    return Finding(rule, SEVERITIES[rule], f"note of {commit[:12]}: {what}", Place("."), f"tidegate explain {rule}")


def _claims(note: Note, faulty: Faulty, around: Surroundings | None) -> Iterator[AuditedClaim]:
    """Every claim of the note, cut where one part of it passes and another does not."""
    for path, claims in note_claims(note).items():
        added = around.added.get(path, ()) if around else ()
        doubled = faulty.lines.get(path, ())
        for first, last, session, entry in claims:
            reason = _reason(session, faulty, faulty.entries.get(id(entry), ""))
            if added is None:
                reason = reason or "the lines of this file could not be compared"
            if reason or added is None:
                yield AuditedClaim(path, first, last, session, entry.key, reason)
                continue
            for (start, end), why in _cut((first, last), added, doubled):
                yield AuditedClaim(path, start, end, session, entry.key, why)


def _reason(session: Session | None, faulty: Faulty, of_entry: str) -> str:
    if faulty.whole:
        return faulty.whole
    if session is None:
        return "nothing in the note says whose claim this is"
    return faulty.sessions.get(session.key, "") or of_entry


def _cut(lines: LineRange, added: tuple[LineRange, ...], doubled: tuple[LineRange, ...]) -> list[tuple[LineRange, str]]:
    """The parts of a claim that pass (no reason) and that do not, in line order."""
    beyond = outside((lines,), added)
    if not beyond and not doubled:
        return [(lines, "")]
    fitting = outside((lines,), beyond)
    passing = outside(fitting, doubled)
    parts = [(part, "") for part in passing]
    parts += [(part, "two sessions claim it") for part in outside(fitting, passing)]
    parts += [(part, "the commit did not add it") for part in beyond]
    return sorted(parts)
