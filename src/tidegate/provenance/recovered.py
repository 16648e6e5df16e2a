"""Recovered attribution written down: as git-ai notes of the branch's commits, and as Agent Trace records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

from tidegate.change.git import Repository
from tidegate.change.values import Person
from tidegate.errors import InputError
from tidegate.facts import Writer
from tidegate.provenance.agent_trace import Conversation, TraceFile, TraceRange, TraceRecord, render_record
from tidegate.provenance.gitai import SCHEMA_VERSION, render_note
from tidegate.provenance.notes import list_notes, write_notes
from tidegate.provenance.recover import Claim, RecoveredCommit, Recovery
from tidegate.provenance.values import Entry, Note, NoteFile, Session

RECOVERED_REF = "refs/notes/tidegate-recovered"


def write_recovered(repository: Repository, ref: str, found: Recovery, author: Person, now: str) -> list[str]:
    """Write the notes of all commits that have recovered lines to `ref`, and name it; [] when there are none.

    A commit that has a note there already keeps it.
    """
    existing = list_notes(repository, ref)
    commits = [commit for commit in found.commits if commit.claims and commit.commit not in existing]
    notes = {commit.commit: render_note(recovered_note(commit)) for commit in commits}
    if not notes:
        return []
    write_notes(repository, ref, notes, author, now, f"Recover attribution of {len(notes)} commits\n")
    return [f"{ref} ({len(notes)} notes)"]


def write_traces(path: Path, found: Recovery, now: str) -> list[str]:
    """Write Agent Trace records, one line for each commit and tool, to a new file, and name it."""
    try:
        with path.open("xb") as file:
            for commit in found.commits:
                for record in recovered_traces(commit, now):
                    file.write(render_record(record))
    except FileExistsError as error:
        raise InputError("this file exists already", where=str(path), mend="name a new file for --trace") from error
    except OSError as error:
        raise InputError(
            f"this file cannot be written: {error.strerror}", where=str(path), mend="name another"
        ) from error
    return [str(path)]


def recovered_note(found: RecoveredCommit) -> Note:
    """What was recovered for a commit as a git-ai note of that commit."""
    entries: dict[bytes, dict[str, list[tuple[int, int]]]] = {}
    sessions: dict[str, Session] = {}
    for claim in found.claims:
        entries.setdefault(claim.path, {}).setdefault(claim.key, []).append((claim.first, claim.last))
        sessions.setdefault(claim.session.key, claim.session)
    files = [
        NoteFile(path, tuple(Entry(key, tuple(ranges)) for key, ranges in by_key.items()))
        for path, by_key in sorted(entries.items())
    ]
    return Note(
        files=tuple(files),
        schema_version=SCHEMA_VERSION,
        git_ai_version="",
        base_commit_sha=found.commit,
        sessions=tuple(sessions.values()),
        extra={"recovered_by": "tidegate"},
    )


def recovered_traces(found: RecoveredCommit, now: str) -> Iterator[TraceRecord]:
    """The same as Agent Trace records, one for each session. Their ids are the same at every run."""
    by_session: dict[str, list[Claim]] = {}
    for claim in found.claims:
        by_session.setdefault(claim.session.key, []).append(claim)
    for key, claims in by_session.items():
        session = claims[0].session
        by_path: dict[bytes, list[TraceRange]] = {}
        for claim in claims:
            by_path.setdefault(claim.path, []).append(TraceRange(claim.first, claim.last))
        writer: Writer = "human" if session.kind == "human" else "ai"
        yield TraceRecord(
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"tidegate:recovered:{found.commit}:{key}")),
            revision=found.commit,
            timestamp=now,
            tool=session.tool,
            files=tuple(
                TraceFile(path, (Conversation(writer, session.model, "", tuple(ranges)),))
                for path, ranges in by_path.items()
            ),
            person=session.human,
            session=session.id,
            prompt=session.prompt,
        )


def checked_ref(ref: str) -> str:
    """The ref itself. Raises InputError for one outside refs/notes/, before anything is read."""
    if not ref.startswith("refs/notes/"):
        raise InputError(f"notes are not written to {ref!r}", where="--ref", mend="name a ref below refs/notes/")
    return ref
