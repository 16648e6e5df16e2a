"""All fixes of a history, traced one after the other.

One pass that carries the owner of every line through a whole history would need the words and places of the latest
commits of every file beside it, for these clues are half of the ranking; here each fix pays for what it touches alone.
Whoever asks for thousands keeps the answers: a fix is traced once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tidegate.change.git import Repository
from tidegate.errors import GitError
from tidegate.risk.szz.trace import trace_fix
from tidegate.risk.values import Trace

ProgressCall = Callable[[int, int], None]


def trace_all(
    repository: Repository,
    until: str,
    fixes: Mapping[str, int | None],
    progress: ProgressCall | None = None,
) -> dict[str, Trace]:
    """The trace of every fix that `until` holds, by object id; the values of `fixes` are the times of the reports.

    `progress` is told how many are done, of how many. A fix that git cannot read has no suspects and says why.
    """
    inside = frozenset(repository.run("rev-list", "--end-of-options", until).decode("ascii").split())
    found: dict[str, Trace] = {}
    for done, (fix, reported_at) in enumerate(fixes.items()):
        if progress is not None:
            progress(done, len(fixes))
        if fix not in inside:
            found[fix] = Trace(fix, (), "it is not part of this history")
            continue
        try:
            found[fix] = trace_fix(repository, fix, reported_at=reported_at)
        except GitError as error:
            found[fix] = Trace(fix, (), f"it cannot be read: {error.what}")
    if progress is not None:
        progress(len(fixes), len(fixes))
    return found
