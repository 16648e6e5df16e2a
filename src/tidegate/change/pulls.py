"""Reads a pull or merge request from the forge's own JSON: a webhook event, or what its REST API answers.

Sources: docs.github.com "Webhook events and payloads" (pull_request) and REST "Pull requests"; docs.gitlab.com
"Webhook events" (merge request events) and "Merge requests API". Only documented fields are read, every text in them
is data. A merge request event names no base commit and names its author by number only: what it does not say is "".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from tidegate.change.forge_json import decode, is_object, moment, object_id, read_json
from tidegate.change.people import is_bot_account
from tidegate.change.values import PullRequest
from tidegate.errors import InputError

MEND = "give the JSON of a pull_request event ($GITHUB_EVENT_PATH), a merge request event, or of the forge's API"


def read_event(path: Path) -> PullRequest:
    """The request that a file describes. Raises InputError for a file that describes none."""
    text = read_json(path, MEND)
    parts = decode(text, dict[str, msgspec.Raw], path, MEND) if is_object(text) else {}
    if "pull_request" in parts:
        return _github(decode(text, _GitHubEvent, path, MEND).pull_request, path)
    if "object_kind" in parts:
        return _gitlab_event(decode(text, _GitLabEvent, path, MEND), path)
    if "head" in parts and "base" in parts:
        return _github(decode(text, _GitHubPull, path, MEND), path)
    if "iid" in parts and "source_branch" in parts:
        return _gitlab(decode(text, _GitLabMerge, path, MEND), path)
    raise InputError("the file describes no pull or merge request", where=str(path), mend=MEND)


# Private, for GitHub


class _User(Struct):
    login: str = ""
    type: str = ""


class _Label(Struct):
    name: str = ""
    title: str = ""


class _Repository(Struct):
    full_name: str = ""


class _End(Struct):
    sha: str
    ref: str = ""
    repo: _Repository | None = None


class _GitHubPull(Struct):
    number: int
    base: _End
    head: _End
    title: str = ""
    body: str | None = None
    user: _User | None = None
    labels: list[_Label] | None = None
    assignees: list[_User] | None = None
    merged_by: _User | None = None
    created_at: str | None = None
    updated_at: str | None = None


class _GitHubEvent(Struct):
    pull_request: _GitHubPull


def _github(pull: _GitHubPull, path: Path) -> PullRequest:
    author = pull.user or _User()
    return PullRequest(
        forge="github",
        number=pull.number,
        title=pull.title,
        body=pull.body or "",
        author=author.login,
        author_is_bot=author.type == "Bot" or is_bot_account(author.login),
        labels=tuple(label.name for label in pull.labels or ()),
        assignees=tuple(user.login for user in pull.assignees or ()),
        merged_by=pull.merged_by.login if pull.merged_by else "",
        source=pull.head.ref,
        target=pull.base.ref,
        base=object_id(pull.base.sha, "base.sha", path),
        head=object_id(pull.head.sha, "head.sha", path),
        opened_at=moment(pull.created_at, "created_at", path),
        updated_at=moment(pull.updated_at, "updated_at", path),
        repository=pull.base.repo.full_name if pull.base.repo else "",
    )


# Private, for GitLab


class _Member(Struct):
    id: int | None = None
    username: str = ""


class _Project(Struct):
    path_with_namespace: str = ""


class _LastCommit(Struct):
    id: str = ""


class _Attributes(Struct):
    iid: int
    source_branch: str
    target_branch: str
    last_commit: _LastCommit
    title: str = ""
    description: str | None = None
    author_id: int | None = None
    action: str = ""
    created_at: str | None = None
    updated_at: str | None = None


class _GitLabEvent(Struct):
    object_kind: str
    user: _Member | None = None
    project: _Project | None = None
    object_attributes: _Attributes | None = None
    labels: list[_Label] | None = None
    assignees: list[_Member] | None = None
    reviewers: list[_Member] | None = None


class _DiffRefs(Struct):
    base_sha: str | None = None
    head_sha: str | None = None


class _References(Struct):
    full: str = ""


class _GitLabMerge(Struct):
    iid: int
    source_branch: str
    target_branch: str
    title: str = ""
    description: str | None = None
    author: _Member | None = None
    sha: str | None = None
    diff_refs: _DiffRefs | None = None
    labels: list[Any] | None = None
    assignees: list[_Member] | None = None
    merge_user: _Member | None = None
    merged_by: _Member | None = None
    created_at: str | None = None
    updated_at: str | None = None
    references: _References = field(default_factory=_References)


def _gitlab_event(event: _GitLabEvent, path: Path) -> PullRequest:
    about = event.object_attributes
    if event.object_kind != "merge_request" or about is None:
        raise InputError(f"the event is a {event.object_kind[:40]!r}, not a merge request", where=str(path), mend=MEND)
    known = [m for m in (event.user, *(event.assignees or ()), *(event.reviewers or ())) if m is not None]
    author = next((m.username for m in known if m.id is not None and m.id == about.author_id), "")
    merged_by = event.user.username if event.user is not None and about.action == "merge" else ""
    return PullRequest(
        forge="gitlab",
        number=about.iid,
        title=about.title,
        body=about.description or "",
        author=author,
        author_is_bot=is_bot_account(author),
        labels=tuple(label.title for label in event.labels or ()),
        assignees=tuple(member.username for member in event.assignees or ()),
        merged_by=merged_by,
        source=about.source_branch,
        target=about.target_branch,
        base="",
        head=object_id(about.last_commit.id, "last_commit.id", path),
        opened_at=moment(about.created_at, "created_at", path),
        updated_at=moment(about.updated_at, "updated_at", path),
        repository=event.project.path_with_namespace if event.project else "",
    )


def _gitlab(merge: _GitLabMerge, path: Path) -> PullRequest:
    refs = merge.diff_refs or _DiffRefs()
    author = merge.author.username if merge.author else ""
    merger = merge.merge_user or merge.merged_by
    return PullRequest(
        forge="gitlab",
        number=merge.iid,
        title=merge.title,
        body=merge.description or "",
        author=author,
        author_is_bot=is_bot_account(author),
        labels=tuple(label for label in merge.labels or () if isinstance(label, str)),
        assignees=tuple(member.username for member in merge.assignees or ()),
        merged_by=merger.username if merger else "",
        source=merge.source_branch,
        target=merge.target_branch,
        base=object_id(refs.base_sha or "", "diff_refs.base_sha", path),
        head=object_id(refs.head_sha or merge.sha or "", "sha", path),
        opened_at=moment(merge.created_at, "created_at", path),
        updated_at=moment(merge.updated_at, "updated_at", path),
        repository=merge.references.full.partition("!")[0],
    )
