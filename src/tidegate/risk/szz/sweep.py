"""All fixes of a history: what they changed is read for many at once, and then each is traced, several at a time.

One pass that carries the owner of every line through a whole history would also have to carry the words and places of
the latest commits of every file, for these clues are half of the ranking: it would answer with less. So each fix pays
for what it touches alone, and whoever asks for thousands keeps the answers: a fix never has to be traced again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import islice

from tidegate.change.attributes import NO_ATTRIBUTES
from tidegate.change.classify import classify_files
from tidegate.change.commits import read_commit_objects
from tidegate.change.diff import read_diffs
from tidegate.change.git import Repository
from tidegate.change.values import Commit, FileChange
from tidegate.errors import GitError, InputError
from tidegate.risk.szz.indexed import indexed
from tidegate.risk.szz.questions import ask_described
from tidegate.risk.szz.trace import conclude, weigh, why_untraceable
from tidegate.risk.values import Trace
from tidegate.settings import Settings

MOST_AT_ONCE = 8
"""Nearly all of the work is git's own, in processes of its own; a thread only waits for it."""

CHUNK = 48
FEW = 40
"""For fewer fixes an index of the history costs more than it spares."""


def trace_all(
    repository: Repository,
    until: str,
    fixes: Mapping[str, int | None],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Trace]:
    """The trace of every fix that `until` holds, by object id in the order of `fixes`; their values are the times of
    the reports. The same answers as `trace_fix`.

    `progress` is told how many are done, of how many. A fix that git cannot read, or that is not part of the history,
    has no suspects and says why.
    """
    inside = frozenset(repository.run("rev-list", "--end-of-options", until).decode("ascii").split())
    found = {fix: Trace(fix, (), "it is not part of this history") for fix in fixes}
    wanted = [fix for fix in fixes if fix in inside]
    with _quick(repository, until, len(wanted)) as quick:
        workers = ThreadPoolExecutor(max_workers=min(MOST_AT_ONCE, os.cpu_count() or 1))
        done = len(fixes) - len(wanted)
        try:
            for start in range(0, len(wanted), CHUNK):
                chunk = wanted[start : start + CHUNK]
                for trace in workers.map(lambda job: job(), _jobs(quick, chunk, fixes)):
                    found[trace.fix] = trace
                    done += 1
                    if progress is not None:
                        progress(done, len(fixes))
        finally:
            workers.shutdown(cancel_futures=True)
    return found


# Private


def _quick(repository: Repository, until: str, fixes: int) -> AbstractContextManager[Repository]:
    return indexed(repository, until) if fixes > FEW else nullcontext(repository)


def _jobs(
    repository: Repository, chunk: Sequence[str], reported_at: Mapping[str, int | None]
) -> list[Callable[[], Trace]]:
    """One job for each fix of a chunk; what the fixes changed is read here, by a constant number of processes."""
    commits = read_commit_objects(repository, chunk)
    refused = {fix: why_untraceable(repository, commits.get(fix)) for fix in chunk}
    fine = [commits[fix] for fix in chunk if not refused[fix]]
    bases = read_commit_objects(repository, [commit.parents[0] for commit in fine])
    refused |= {commit.oid: "the commit before it cannot be read" for commit in fine if commit.parents[0] not in bases}
    fine = [commit for commit in fine if not refused[commit.oid]]
    diffs = list(read_diffs(repository, [(bases[commit.parents[0]].tree, commit.tree) for commit in fine]))
    files = [file for diff in diffs if diff for file in diff.files]
    described = iter(classify_files(files, NO_ATTRIBUTES, Settings()))
    jobs = {
        commit.oid: _job(repository, commit, tuple(islice(described, len(diff.files))), reported_at[commit.oid])
        for commit, diff in zip(fine, diffs, strict=True)
        if diff is not None
    }
    return [
        jobs[fix] if fix in jobs else _refusal(fix, refused[fix] or "what it changed cannot be read") for fix in chunk
    ]


def _job(
    repository: Repository, commit: Commit, files: tuple[FileChange, ...], reported_at: int | None
) -> Callable[[], Trace]:
    def trace() -> Trace:
        try:
            return conclude(repository, weigh(repository, commit, ask_described(files), reported_at))
        except (GitError, InputError) as error:
            return Trace(commit.oid, (), f"it cannot be read: {error.what}")

    return trace


def _refusal(fix: str, why: str) -> Callable[[], Trace]:
    return lambda: Trace(fix, (), why)
