"""Provenance of a change of the past, from what its commits declare: notes and transcripts are not replayed.

The lines of a change with one commit are that commit's. The lines of a merge are not followed to the commits that it
brought: where these do not all declare the same, who or what wrote a line is unknown, and so said.
"""

from __future__ import annotations

from msgspec.structs import replace

from tidegate.change.lines import LineRun
from tidegate.change.values import Change, Context, FileChange
from tidegate.facts import ProvenanceFacts, Unknown
from tidegate.provenance.collect import FIELDS_OF_LINES, FileLines, summarize
from tidegate.provenance.evidence import EvidenceIndex, read_evidence
from tidegate.provenance.values import Origin
from tidegate.settings import Settings

NOTED = "a note or a trace speaks of its lines, and those are not replayed for the past"
UNLIKE = "its commits do not all declare the same, and lines are not followed for the past"
SEVERAL = "it brought commits of several people, and lines are not followed for the past"
UNREAD = "a commit of it could not be read"


def collect_past(change: Change, settings: Settings, now: str, *, noted: bool) -> ProvenanceFacts:
    """What the commits of a change declare, as facts. `noted` says that a note or trace speaks of one of them.

    No process. `notes_read` is unknown where there are notes: none of them was read.
    """
    index = read_evidence(None, settings, change.commits, None, ())
    own = [commit for commit in change.commits if len(commit.parents) < 2] or list(change.commits[-1:])
    author = own[0].oid if own else ""
    files = tuple(_file_lines(file, index, author) for file in change.files if _has_lines(file))
    facts = summarize(change, Context(repository=None, settings=settings, now=now), index, files)
    unknowns = list(facts.unknowns)
    claims = {tuple(_claim(origin) for origin in index.claims(commit.oid, b"", 1)) for commit in own}
    if not own:
        unknowns += _of_lines(UNREAD)
    elif noted:
        unknowns += [*_of_lines(NOTED), Unknown("provenance.notes_read", NOTED), Unknown("provenance.findings", NOTED)]
    elif len(claims) > 1:
        unknowns += _of_lines(UNLIKE)
    elif len(own) > 1:
        unknowns.append(Unknown("provenance.spans", SEVERAL))
        if len({index.answer(commit.oid).human for commit in own}) > 1:
            unknowns += [Unknown(f"provenance.{name}", SEVERAL) for name in ("accountable", "unaccountable_lines")]
    return replace(facts, status="partial" if unknowns else "complete", unknowns=tuple(unknowns))


# Private


def _of_lines(reason: str) -> list[Unknown]:
    return [Unknown(f"provenance.{name}", reason) for name in FIELDS_OF_LINES]


def _claim(origin: Origin) -> tuple[str, ...]:
    """What a commit declares, whichever commit it is."""
    return (origin.writer, origin.tool, origin.model, origin.evidence, origin.role)


def _has_lines(file: FileChange) -> bool:
    if file.kind in ("binary", "symlink", "submodule") or not file.lines_known:
        return False
    return any(hunk.new_count for hunk in file.hunks)


def _file_lines(file: FileChange, index: EvidenceIndex, commit: str) -> FileLines:
    hunks = [hunk for hunk in file.hunks if hunk.new_count]
    runs = [LineRun(hunk.new_start, hunk.new_count, commit, file.path, hunk.new_start) for hunk in hunks]
    blank = (hunk.new_start + n for hunk in hunks for n, text in enumerate(hunk.added) if not text.strip())
    return FileLines(file, index.attribute(runs), tuple(blank))
