"""From one fix back to the changes that introduced what it repaired."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tidegate.change.commits import read_commit_objects
from tidegate.change.diff import read_diff
from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.errors import GitError
from tidegate.risk.szz.blame import Blame, blame
from tidegate.risk.szz.clues import Candidate, Fix, read_clues
from tidegate.risk.szz.questions import Asked, ask
from tidegate.risk.szz.ranking import rank
from tidegate.risk.szz.recent import Recent, read_recent
from tidegate.risk.szz.restored import follow_restored
from tidegate.risk.values import Trace

NO_BLAME = Blame((), {})


class Evidence(NamedTuple):
    """All that speaks for the causes of a fix; `why_none` says in words why nothing does."""

    fix: str
    candidates: tuple[Candidate, ...] = ()
    why_none: str = ""


def trace_fix(repository: Repository, fix: str, *, reported_at: int | None = None) -> Trace:
    """The commits that introduced what `fix` repaired, the likeliest first, each with its probability.

    `reported_at` is when the fault was reported, in Unix seconds: what was written later cannot have caused it. A trace
    without suspects says why in `blameless`. Raises GitError for a revision that names no commit.
    """
    return conclude(repository, read_evidence_of(repository, fix, reported_at))


def conclude(repository: Repository, evidence: Evidence) -> Trace:
    """The trace that the evidence leads to."""
    subjects = {candidate.commit: candidate.author.subject for candidate in evidence.candidates}
    suspects = tuple(follow_restored(repository, rank(evidence.candidates), subjects))
    return Trace(evidence.fix, suspects, evidence.why_none if evidence.why_none or suspects else _TOO_UNSURE)


def read_evidence_of(repository: Repository, fix: str, reported_at: int | None = None) -> Evidence:
    """The candidates of a fix with their clues. One process for each of at most four files, and a few more."""
    oid = fix if _FULL.fullmatch(fix) else repository.resolve(fix)
    commit = read_commit_objects(repository, [oid]).get(oid)
    if commit is None:
        oid = repository.resolve(fix)
    why_not = why_untraceable(repository, commit)
    if commit is None or why_not:
        return Evidence(oid, (), why_not)
    try:
        asked = ask(read_diff(repository, commit.parents[0], oid).files)
    except GitError as error:
        return Evidence(oid, (), f"what it changed cannot be read: {error.what}")
    return weigh(repository, commit, asked, reported_at)


def weigh(repository: Repository, fix: Commit, asked: Asked, reported_at: int | None) -> Evidence:
    """The same once it is known what to ask."""
    if not asked.files:
        return Evidence(fix.oid, (), asked.why_none)
    base = fix.parents[0]
    written = datetime.fromisoformat(fix.authored_at).timestamp()
    origins = blame(repository, base, asked.questions) if asked.questions else NO_BLAME
    recent = read_recent(repository, base, [file.old_path for file in asked.files])
    until = int(written) if reported_at is None else reported_at
    candidates = read_clues(Fix(fix.author.email, until, asked.files), origins, recent)
    return Evidence(fix.oid, candidates, "" if candidates else _why_nobody(repository, origins, recent))


def why_untraceable(repository: Repository, commit: Commit | None) -> str:
    """Why a commit cannot be traced whatever it changed, "" where it can."""
    if commit is None:
        return "this commit is too large to be read"
    if len(commit.parents) > 1:
        return "a merge repairs nothing itself; trace the commits that it brought"
    if commit.oid in repository.shallow_edge:
        return "the history of this clone ends here; fetch more: git fetch --unshallow"
    return "" if commit.parents else "it is the first commit: there is nothing before it to repair"


# Private

_FULL = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TOO_UNSURE = "many changes wrote its lines, and none is likelier than the others"


def _why_nobody(repository: Repository, origins: Blame, recent: Sequence[Recent]) -> str:
    if any(blamed.commit for blamed in origins.lines) or recent:
        return "all that wrote its lines is younger than the report"
    return "its history is not in this clone" if repository.shallow else "git could not read where its lines come from"
