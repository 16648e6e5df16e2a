"""The differences of many commits in a clone that lacks objects (a partial clone, a damaged one).

Git stops at the first object that it cannot read. Here that one comparison comes out as not known, and git is started
again behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tidegate.change.diff import CommitDiff, read_parent_diffs
from tidegate.change.git import Repository
from tidegate.errors import GitError

GAP_LIMIT = 32
"""So many times git is started again; what follows the last gap is not known."""


def read_diffs_with_gaps(
    repository: Repository, pairs: Iterable[tuple[str, str]], *, text: bool = False
) -> Iterator[CommitDiff]:
    """As `read_parent_diffs`, and `known` is False for what git could not compare. Four processes more for each gap."""
    asked = list(pairs)
    at = 0
    for _ in range(GAP_LIMIT):
        try:
            for diff in read_parent_diffs(repository, asked[at:], text=text):
                at += 1
                yield diff
        except GitError:
            yield _read_one(repository, asked[at], text=text)
            at += 1
        if at >= len(asked):
            return
    for oid, parent in asked[at:]:
        yield CommitDiff(oid, parent, (), known=False)


# Private


def _read_one(repository: Repository, pair: tuple[str, str], *, text: bool) -> CommitDiff:
    """The one that git had not finished. It may be whole: git can also have stopped before it began the next one."""
    try:
        return next(read_parent_diffs(repository, [pair], text=text))
    except GitError:
        return CommitDiff(*pair, (), known=False)
