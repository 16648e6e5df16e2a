"""From one fix back to the changes that introduced what it repaired."""

from __future__ import annotations

from tidegate.change.commits import read_commit_objects
from tidegate.change.diff import read_diff
from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.errors import GitError
from tidegate.risk.szz.blame import blame
from tidegate.risk.szz.questions import ask
from tidegate.risk.szz.ranking import rank
from tidegate.risk.values import Trace


def trace_fix(repository: Repository, fix: str, *, reported_at: int | None = None) -> Trace:
    """The commits that introduced what `fix` repaired, the likeliest first, each with its probability.

    `reported_at` is when the fault was reported, in Unix seconds: what was written later cannot have caused it. A trace
    without suspects says why in `blameless`. Raises GitError for a revision that names no commit.
    """
    oid = repository.resolve(fix)
    commit = read_commit_objects(repository, [oid]).get(oid)
    why_not = _why_not(repository, commit)
    if commit is None or why_not:
        return Trace(oid, (), why_not)
    base = commit.parents[0]
    try:
        asked = ask(read_diff(repository, base, oid).files)
    except GitError as error:
        return Trace(oid, (), f"what it changed cannot be read: {error.what}")
    if not asked.questions:
        return Trace(oid, (), asked.why_none)
    return rank(commit, blame(repository, base, asked.questions), reported_at)


# Private


def _why_not(repository: Repository, commit: Commit | None) -> str:
    if commit is None:
        return "this commit is too large to be read"
    if len(commit.parents) > 1:
        return "a merge repairs nothing itself; trace the commits that it brought"
    if commit.oid in repository.shallow_edge:
        return "the history of this clone ends here; fetch more: git fetch --unshallow"
    return "" if commit.parents else "it is the first commit: there is nothing before it to repair"
