"""From one fix back to the changes that introduced what it repaired."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tidegate.change.commits import read_commit_objects
from tidegate.change.diff import read_diff
from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.errors import GitError
from tidegate.risk.szz.blame import Blame, blame
from tidegate.risk.szz.clues import Candidate, Fix, read_clues
from tidegate.risk.szz.questions import ask
from tidegate.risk.szz.ranking import rank
from tidegate.risk.szz.recent import read_recent
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
    evidence = read_evidence_of(repository, fix, reported_at)
    subjects = {candidate.commit: candidate.author.subject for candidate in evidence.candidates}
    suspects = tuple(follow_restored(repository, rank(evidence.candidates), subjects))
    return Trace(evidence.fix, suspects, evidence.why_none if evidence.why_none or suspects else _TOO_UNSURE)


def read_evidence_of(repository: Repository, fix: str, reported_at: int | None = None) -> Evidence:
    """The candidates of a fix with their clues. One process for each of at most eight files, and a few more."""
    oid = fix if len(fix) == len(repository.null_oid) and fix.isalnum() else repository.resolve(fix)
    commit = read_commit_objects(repository, [oid]).get(oid)
    if commit is None:
        oid = repository.resolve(fix)
        commit = read_commit_objects(repository, [oid]).get(oid)
    why_not = _why_not(repository, commit)
    if commit is None or why_not:
        return Evidence(oid, (), why_not)
    base = commit.parents[0]
    try:
        asked = ask(read_diff(repository, base, oid).files)
    except GitError as error:
        return Evidence(oid, (), f"what it changed cannot be read: {error.what}")
    if not asked.files:
        return Evidence(oid, (), asked.why_none)
    written = datetime.fromisoformat(commit.authored_at).timestamp()
    origins = blame(repository, base, asked.questions) if asked.questions else NO_BLAME
    recent = read_recent(repository, base, [file.old_path for file in asked.files])
    until = int(written) if reported_at is None else reported_at
    candidates = read_clues(Fix(commit.author.email, until, asked.files), origins, recent)
    return Evidence(oid, candidates, "" if candidates else "all that wrote its lines is younger than the report")


# Private

_TOO_UNSURE = "many changes wrote its lines, and none is likelier than the others"


def _why_not(repository: Repository, commit: Commit | None) -> str:
    if commit is None:
        return "this commit is too large to be read"
    if len(commit.parents) > 1:
        return "a merge repairs nothing itself; trace the commits that it brought"
    if commit.oid in repository.shallow_edge:
        return "the history of this clone ends here; fetch more: git fetch --unshallow"
    return "" if commit.parents else "it is the first commit: there is nothing before it to repair"
