"""Which two trees a change lies between: what a person asked for, resolved to object ids, and said back in words.

A range is what its head adds since it left its base, as a forge shows it: where the base has moved on, the change
starts at the merge base. Policy is read where the base stands now.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from shlex import quote

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.branches import HEADS, NO_BRANCHES, REMOTES, Branches, read_branches, read_refs
from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository, checked_revision
from tidegate.change.pulls import read_event
from tidegate.change.values import PullRequest
from tidegate.errors import GitError, InputError
from tidegate.facts import ChangeKind


class Question(Struct, frozen=True):
    """How a person names a change: at most one of these. Nothing at all asks for what HEAD adds to its upstream.

    `index` is the index that --staged means where it is not the repository's own (GIT_INDEX_FILE).
    """

    change: str = ""
    staged: bool = False
    pr: Path | None = None
    diff: Path | None = None
    index: Path | None = None


class Ends(Struct, frozen=True):
    """Where a change starts and ends. Texts are empty where there is nothing, as in the facts.

    `policy_at` is the revision that settings and policy are read from, "" for none. `diff` is a diff's file. `doubt`
    says why another start would be as right, and the change between those ends another one. `branches` are those of
    the repository.
    """

    kind: ChangeKind
    chosen: str
    base: str = ""
    head: str = ""
    base_tree: str = ""
    head_tree: str = ""
    target: str = ""
    source: str = ""
    policy_at: str = ""
    pull_request: PullRequest | None = None
    diff: Path | None = None
    doubt: str = ""
    branches: Branches = NO_BRANCHES


def read_ends(question: Question, repository: Repository | None) -> Ends:
    """The ends of the change that was asked for. A constant number of processes.

    Raises InputError for a revision that names nothing, or two things, and for history that this clone lacks.
    """
    options = {"CHANGE": question.change, "--staged": question.staged, "--pr": question.pr, "--diff": question.diff}
    given = [name for name, value in options.items() if value]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} name two changes", mend="keep one of them")
    branches = read_branches(repository) if repository is not None else NO_BRANCHES
    return replace(_ends(question, repository, branches), branches=branches)


# Private


def _ends(question: Question, repository: Repository | None, branches: Branches) -> Ends:
    if question.diff is not None:
        head = repository.find("HEAD") if repository is not None else ""
        return Ends("diff", f"{question.diff}: a diff without its history", policy_at=head, diff=question.diff)
    if repository is None:
        raise InputError("this needs a repository", mend="go to one, name one with --repo, or give a diff with --diff")
    if question.staged:
        return _staged(repository, repository.find("HEAD"), branches.head, "the staged tree", question.index)
    if question.pr is not None:
        return _pull_request(repository, question.pr, branches.remote or "origin")
    if ".." in question.change:
        return _range(repository, question.change, branches)
    if question.change:
        return _commit(repository, _resolve(repository, question.change), question.change)
    return _default(repository, branches)


def _default(repository: Repository, branches: Branches) -> Ends:
    head = repository.find("HEAD")
    if not head:
        return _staged(repository, head, branches.head, "no commit yet: the staged tree")
    source = branches.head
    if not branches.targets:
        return _commit(repository, head, "HEAD", source=source, why="the last commit, as there is no upstream branch")
    target = branches.targets[0]
    ends = _since(repository, target.oid, head, (target.name, "HEAD"), f" ({target.why})")
    if ends.base == head:
        return _commit(repository, head, "HEAD", source=source, why=f"the last commit, as {target.name} has it already")
    return replace(ends, target=target.branch, source=source)


def _staged(repository: Repository, head: str, branch: str, what: str, index: Path | None = None) -> Ends:
    against = f"HEAD ({head[:7]})" if head else "nothing"
    base_tree = repository.resolve(head, "tree") if head else repository.empty_tree
    head_tree = repository.write_staged_tree(index)
    return Ends(
        kind="staged",
        chosen=f"{what} against {against}" + (", and nothing is staged" if head_tree == base_tree else ""),
        base=head,
        base_tree=base_tree,
        head_tree=head_tree,
        source=branch,
        policy_at=head,
    )


def _commit(repository: Repository, oid: str, name: str, *, source: str = "", why: str = "the commit") -> Ends:
    commit = read_commit_objects(repository, [oid]).get(oid)
    if commit is None:
        raise GitError("this commit is too large to be read", where=name, mend="check the repository: git fsck")
    parent = commit.parents[0] if commit.parents else ""
    against = f"against its parent {parent[:7]}" if parent else "against nothing: it has no parent"
    if len(commit.parents) > 1:
        against = f"against the first of its {len(commit.parents)} parents, {parent[:7]}"
    base_tree, head_tree = _trees(repository, parent, oid)
    return Ends(
        kind="commit",
        chosen=f"{name[:12] if oid.startswith(name) else f'{name} ({oid[:7]})'}: {why}, {against}",
        base=parent,
        head=oid,
        base_tree=base_tree,
        head_tree=head_tree,
        source=source,
        policy_at=parent,
    )


def _range(repository: Repository, text: str, branches: Branches) -> Ends:
    base_name, _, head_name = text.partition("..." if "..." in text else "..")
    names = (base_name or "HEAD", head_name or "HEAD")
    base, head = (_resolve(repository, name) for name in names)
    target, source = _branches_called(repository, names, branches)
    return replace(_since(repository, base, head, names), target=target, source=source)


def _pull_request(repository: Repository, file: Path, remote: str) -> Ends:
    request = read_event(file)
    number = f"pull/{request.number}/head" if request.forge == "github" else f"merge-requests/{request.number}/head"
    base = _end_of(repository, request.base, f"git fetch {quote(remote)} {quote(request.target)}")
    if not request.base:
        base = _tip(repository, remote, request.target)
    head = _end_of(repository, request.head, f"git fetch {quote(remote)} {number}")
    if not head:
        raise InputError("the event names no head commit", where=str(file), mend="save the whole event")
    title = f"{'!' if request.forge == 'gitlab' else '#'}{request.number}"
    ends = _since(repository, base, head, (request.target or base[:7], request.source or head[:7]))
    return replace(
        ends,
        kind="pull-request",
        chosen=f"{title}, {ends.chosen}",
        target=request.target,
        source=request.source,
        pull_request=request,
    )


def _since(repository: Repository, base: str, head: str, names: tuple[str, str], why: str = "") -> Ends:
    """What `head` adds since it left `base`."""
    common = repository.run("merge-base", "--all", base, head, ok=(0, 1)).decode("ascii").split()
    if not common and repository.shallow:
        raise InputError(
            f"this shallow clone does not hold the commit at which {names[1]} left {names[0]}",
            where=str(repository.path),
            mend="fetch more history: git fetch --unshallow",
        )
    start = base if base in common or not common else common[0]
    count = int(repository.run("rev-list", "--count", head, f"^{start}"))
    base_tree, head_tree = _trees(repository, start, head)
    since = f"{count} commit{'' if count == 1 else 's'} since {start[:7]}"
    if not common:
        since += f", with no history in common with {names[0]}"
    elif start == head:
        since = f"no commits: {names[0]} has all of {names[1]}"
    elif start != base:
        since += f", where it left {names[0]}"
    doubt = ""
    if len(common) > 1:
        doubt = f"{names[1]} left {names[0]} at {len(common)} places; merge {names[0]} into it, then there is one"
    return Ends(
        kind="range",
        doubt=doubt,
        chosen=f"{names[0]}..{names[1]}: {since}{why}",
        base=start,
        head=head,
        base_tree=base_tree,
        head_tree=head_tree,
        policy_at=base,
    )


def _trees(repository: Repository, base: str, head: str) -> tuple[str, str]:
    """The trees of two commits; "" as base is the empty tree. Raises InputError that says what to fetch."""
    oids = [oid for oid in (base, head) if oid]
    found = [answer.oid for answer in repository.look_up(f"{oid}^{{tree}}" for oid in oids)]
    for oid, tree in zip(oids, found, strict=True):
        if not tree:
            what = f"the parent {oid[:12]} is not in this clone" if oid == base else f"{oid[:12]} cannot be read"
            mend = "fetch more history: git fetch --deepen=1, or --unshallow"
            if not repository.shallow:
                mend = "check the repository: git fsck"
            raise InputError(what, where=str(repository.path), mend=mend)
    return (found[0], found[1]) if base else (repository.empty_tree, found[0])


def _end_of(repository: Repository, oid: str, fetch: str) -> str:
    """A commit that the event names. Raises InputError that says what to fetch."""
    if oid and not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", oid):
        raise InputError("the event names an end that is no commit", where=repr(oid[:80]), mend="save the whole event")
    if oid and not repository.exists(oid):
        mend = f"fetch it: {fetch}"
        raise InputError(f"commit {oid[:12]} of the pull request is not in this clone", mend=mend)
    return oid


def _tip(repository: Repository, remote: str, branch: str) -> str:
    """Where the target branch stands, for an event that names no base: GitLab's."""
    for ref in (f"{REMOTES}{remote}/{branch}", f"{HEADS}{branch}"):
        if branch and (oid := repository.find(ref)):
            return oid
    raise InputError(
        f"the target branch {branch!r} is not in this clone",
        mend=f"fetch it: git fetch {quote(remote)} {quote(branch)}",
    )


def _resolve(repository: Repository, name: str) -> str:
    try:
        return repository.resolve(name)
    except GitError as error:
        if os.path.lexists(repository.path / checked_revision(name)):
            raise InputError(
                f"{name!r} is a file, not a revision", mend="name a commit, branch, tag or BASE..HEAD"
            ) from error
        raise


def _branches_called(repository: Repository, names: tuple[str, str], branches: Branches) -> tuple[str, str]:
    """The branches that two revisions name, without their remote; "" for a revision that names no branch."""
    refs = read_refs(repository, [f"{kind}{name}" for name in names for kind in (HEADS, REMOTES)])

    def branch(name: str) -> str:
        if name in ("HEAD", "@"):
            return branches.head
        if f"{REMOTES}{name}" in refs and f"{HEADS}{name}" not in refs:
            return name.removeprefix(f"{branches.remote}/")
        return name if f"{HEADS}{name}" in refs else ""

    return branch(names[0]), branch(names[1])
