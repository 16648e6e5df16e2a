"""The history of a protected branch as an audit wants it: every commit that it ever was at, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import structs

from tidegate.change.git import Repository, checked_revision
from tidegate.ledger.evidence.values import Branch, Commit, Merge


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


def with_landed(repository: Repository, ref: str, merges: Sequence[Merge]) -> tuple[Merge, ...]:
    """The merges with the commits that a rebase brought beside the last one, where that can be told.

    The commits of the change and those at the end of the branch must be the same in number, order, author, author's
    time and subject, to the last one. By two processes, whatever the number of merges. A head that was not fetched is
    left as it is: then its commits look like pushes.
    """
    wanted = [merge for merge in merges if merge.commit not in ("", merge.head) and not merge.landed]
    heads = sorted({merge.head for merge in wanted if merge.target == ref})
    known = [found.oid for found in repository.look_up(heads) if found.kind == "commit"]
    if not known:
        return tuple(merges)
    own = _marks(repository, ("--stdin",), "".join(f"{oid}\n" for oid in (*known, f"^{checked_revision(ref)}")))
    chain = _marks(repository, ("--first-parent", "--end-of-options", checked_revision(ref), "--"), "")
    return tuple(
        structs.replace(merge, landed=_landed(merge, own, chain)) if merge in wanted else merge for merge in merges
    )


# Private

_Marks = Mapping[str, tuple[tuple[str, ...], bytes]]
"""Of a commit its parents, and what a rebase keeps of it."""


def _marks(repository: Repository, arguments: tuple[str, ...], stdin: str) -> _Marks:
    form = "--format=%H %P%x00%an%x00%ae%x00%at%x00%s"
    found: dict[str, tuple[tuple[str, ...], bytes]] = {}
    with repository.stream("log", "--no-show-signature", form, *arguments, stdin=stdin.encode()) as output:
        for line in output:
            names, _, mark = line.rstrip(b"\n").partition(b"\0")
            oid, *parents = names.decode("ascii").split()
            found[oid] = (tuple(parents), mark)
    return found


def _landed(merge: Merge, own: _Marks, chain: _Marks) -> tuple[str, ...]:
    landed: list[str] = []
    mine, theirs = merge.head, merge.commit
    while mine in own:
        (parents, mark), there = own[mine], chain.get(theirs)
        if there is None or len(there[0]) != 1 or len(parents) != 1 or there[1] != mark:
            return ()
        landed.append(theirs)
        mine, theirs = parents[0], there[0][0]
    return tuple(landed[1:])
