"""The history of a protected branch as an audit wants it: every commit that it ever was at, as plain values."""

from __future__ import annotations

from collections.abc import Collection

from tidegate.change.git import Repository, checked_revision
from tidegate.ledger.evidence.values import Branch, Commit


def read_branch(repository: Repository, ref: str, named: Collection[str] = ()) -> Branch:
    """The first-parent history of `ref`, the oldest first, and which of the `named` commits it does not hold.

    By one process, and one more where a named commit is not on the first-parent history. Raises GitError where there
    is no such branch, and for a shallow clone's missing history nothing: its edge simply has no parent there.
    """
    form = "--format=%H %T %ct %P"
    commits: list[Commit] = []
    arguments = ("log", "--first-parent", "--reverse", "--no-show-signature", form, "--end-of-options")
    with repository.stream(*arguments, checked_revision(ref), "--") as output:
        for line in output:
            oid, tree, at, *parents = line.decode("ascii").split()
            commits.append(Commit(oid, tree, tuple(parents), float(at)))
    missing = set(named) - {commit.oid for commit in commits}
    if missing:
        with repository.stream("rev-list", "--end-of-options", checked_revision(ref), "--") as output:
            for line in output:
                missing.discard(line.decode("ascii").strip())
    return Branch(ref, tuple(commits), frozenset(missing))
