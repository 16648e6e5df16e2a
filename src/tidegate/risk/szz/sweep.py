"""All fixes of a history, each traced on its own, several at a time.

One pass that carries the owner of every line through a whole history would also have to carry the words and places of
the latest commits of every file, for these clues are half of the ranking: it would answer with less. So each fix pays
for what it touches alone, and whoever asks for thousands keeps the answers: a fix never has to be traced again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tidegate.change.git import Repository
from tidegate.errors import GitError, InputError
from tidegate.risk.szz.trace import trace_fix
from tidegate.risk.values import Trace

MOST_AT_ONCE = 8
"""Nearly all of the work is git's own, in processes of its own; a thread only waits for it."""


def trace_all(
    repository: Repository,
    until: str,
    fixes: Mapping[str, int | None],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Trace]:
    """The trace of every fix that `until` holds, by object id in the order of `fixes`; their values are the times of
    the reports.

    About twenty fixes a CPU second. `progress` is told how many are done, of how many. A fix that git cannot read, or
    that is not part of the history, has no suspects and says why.
    """
    inside = frozenset(repository.run("rev-list", "--end-of-options", until).decode("ascii").split())

    def trace(fix: str) -> Trace:
        if fix not in inside:
            return Trace(fix, (), "it is not part of this history")
        try:
            return trace_fix(repository, fix, reported_at=fixes[fix])
        except (GitError, InputError) as error:
            return Trace(fix, (), f"it cannot be read: {error.what}")

    found: dict[str, Trace] = {}
    workers = ThreadPoolExecutor(max_workers=min(MOST_AT_ONCE, os.cpu_count() or 1))
    try:
        for traced, fix in zip(workers.map(trace, fixes), fixes, strict=True):
            found[fix] = traced
            if progress is not None:
                progress(len(found), len(fixes))
    finally:
        workers.shutdown(cancel_futures=True)
    return found
