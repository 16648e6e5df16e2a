"""Reads a change: its files and hunks, its commits, and what its author says it is for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tidegate.change.commits import read_commits
from tidegate.change.diff import read_diff
from tidegate.change.ends import Ends, Question, read_ends
from tidegate.change.git import Repository
from tidegate.change.intent import read_intent
from tidegate.change.meaning import describe_files
from tidegate.change.patch import parse_patch
from tidegate.change.values import Change, Commit
from tidegate.errors import InputError, InternalError
from tidegate.facts import Intent, Unknown
from tidegate.settings import Settings

__all__ = ["Ends", "Question", "read_change", "read_ends"]

DIFF_LIMIT_BYTES = 64 << 20
"""A larger diff would have to be held in memory whole: a repository is read as a stream."""


def read_change(ends: Ends, repository: Repository | None, settings: Settings) -> Change:
    """The change between two ends, with everything told that can be told. A constant number of processes."""
    if ends.diff is not None:
        return _read_diff_file(ends, ends.diff, settings)
    if repository is None:
        raise InternalError("a change of a repository was asked for without one")
    diff = read_diff(repository, ends.base_tree, ends.head_tree)
    described = describe_files(diff.files, settings, repository, ends.base_tree, ends.head_tree)
    commits = read_commits(repository, ends.base, ends.head) if ends.head else ()
    unknowns = [*diff.unknowns, *described.unknowns, *_missing_history(repository, commits)]
    if ends.doubt:
        unknowns.append(Unknown("change.base", ends.doubt))
    if ends.kind == "staged":
        unknowns += [Unknown(f"change.{name}", "a staged tree has no description yet") for name in _DESCRIPTION]
    if ends.pull_request is not None and not ends.pull_request.author:
        unknowns.append(Unknown("change.author", "the event does not name who opened the pull request"))
    return Change(
        kind=ends.kind,
        chosen=ends.chosen,
        base=ends.base,
        head=ends.head,
        base_tree=ends.base_tree,
        head_tree=ends.head_tree,
        target=ends.target,
        source=ends.source,
        commits=commits,
        files=described.files,
        intent=read_intent(_description(ends, commits)),
        pull_request=ends.pull_request,
        unknowns=tuple(unknowns),
        findings=described.findings,
        branches=ends.branches,
    )


# Private

_DESCRIPTION = ("title", "author", "intent")
_NOT_IN_A_DIFF = (
    *("base", "head", "base_tree", "head_tree", "target", "source", "labels"),
    *("commits", "commits_total", "merges", *_DESCRIPTION),
)


def _read_diff_file(ends: Ends, path: Path, settings: Settings) -> Change:
    try:
        with path.open("rb") as file:
            text = file.read(DIFF_LIMIT_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the diff cannot be read ({error.strerror})", where=str(path), mend="name another with --diff"
        ) from error
    if len(text) > DIFF_LIMIT_BYTES:
        raise InputError(
            f"the diff is larger than {DIFF_LIMIT_BYTES >> 20} MB",
            where=str(path),
            mend="name the range in its repository instead: BASE..HEAD",
        )
    described = describe_files(parse_patch(text, str(path)), settings)
    unknowns = [Unknown(f"change.{name}", "a diff does not say") for name in _NOT_IN_A_DIFF]
    return Change(
        kind="diff",
        chosen=ends.chosen,
        base="",
        head="",
        base_tree="",
        head_tree="",
        target="",
        source="",
        commits=(),
        files=described.files,
        intent=Intent(),
        unknowns=(*unknowns, *described.unknowns),
        findings=described.findings,
        branches=ends.branches,
    )


def _missing_history(repository: Repository, commits: Sequence[Commit]) -> list[Unknown]:
    cut = repository.shallow_edge.intersection(commit.oid for commit in commits)
    if not cut:
        return []
    reason = f"this shallow clone ends at {min(cut)[:12]}; fetch more history: git fetch --unshallow"
    return [Unknown(f"change.{name}", reason) for name in ("commits", "commits_total", "merges")]


def _description(ends: Ends, commits: Sequence[Commit]) -> str:
    """What the author says: the pull request, else the messages of the commits, the last first, merges left out."""
    if ends.pull_request is not None:
        return f"{ends.pull_request.title}\n\n{ends.pull_request.body}"
    own = [commit for commit in commits if len(commit.parents) < 2] or list(commits[-1:])
    return "\n\n".join(commit.message for commit in reversed(own))
