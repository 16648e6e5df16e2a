"""Reads reviews from the forge's own JSON into one shape.

Sources: docs.github.com REST "List reviews for a pull request"; `gh pr view --json reviews`; docs.gitlab.com
"Merge request approvals API" (approvals, approval_state), "Notes API" and "Merge requests API" (versions).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct, field

from tidegate.change.forge_json import decode, is_object, moment, object_id, read_json
from tidegate.errors import InputError

State: TypeAlias = Literal["approved", "changes-requested", "commented", "dismissed"]

MEND = "give what the forge's API answers for reviews or approvals; docs/reviews.md has the commands"
MOST_REVIEWS = 10_000


class Review(NamedTuple):
    """One review as the forge reports it. `commit` and `at` are "" where it does not say."""

    account: str
    is_bot: bool
    state: State
    commit: str
    at: str


class Version(NamedTuple):
    """A state of a merge request: its head, and when the forge received it."""

    head: str
    at: str


class Reported(NamedTuple):
    """Reviews, oldest first, and the versions if the forge told them."""

    reviews: tuple[Review, ...]
    versions: tuple[Version, ...] = ()


def read_reviews(path: Path) -> Reported:
    """What a file says. Raises InputError for a file that holds no reviews."""
    text = read_json(path, MEND)
    if is_object(text):
        parts = decode(text, dict[str, msgspec.Raw], path, MEND)
        if "reviews" in parts:
            return _ordered(_github_cli(decode(parts["reviews"], list[_CliReview], path, MEND), path))
        if "approved_by" in parts or "rules" in parts:
            return _approvals(decode(text, _Approvals, path, MEND), path)
        raise InputError("the file holds no reviews", where=str(path), mend=MEND)
    entries = list(_entries(decode(text, list[msgspec.Raw], path, MEND), path))
    if len(entries) > MOST_REVIEWS:
        raise InputError(f"there are more than {MOST_REVIEWS} reviews", where=str(path), mend="give fewer")
    kinds = {_is_note(decode(entry, dict[str, msgspec.Raw], path, MEND)) for entry in entries}
    if kinds == {True}:
        return _ordered(_gitlab_notes([decode(entry, _Note, path, MEND) for entry in entries], path))
    if True in kinds:
        raise InputError("the file holds reviews of two forges", where=str(path), mend=MEND)
    return _ordered(_github([decode(entry, _GitHubReview, path, MEND) for entry in entries], path))


# Private


def _entries(raws: Sequence[msgspec.Raw], path: Path) -> Iterable[msgspec.Raw]:
    """The entries of a list, or of the pages that `gh api --paginate --slurp` puts into one."""
    for raw in raws:
        if is_object(bytes(raw)):
            yield raw
        else:
            yield from decode(raw, list[msgspec.Raw], path, MEND)


def _is_note(entry: dict[str, msgspec.Raw]) -> bool:
    return "noteable_type" in entry or "system" in entry


def _ordered(reviews: Iterable[Review], versions: Sequence[Version] = ()) -> Reported:
    return Reported(tuple(sorted(reviews, key=lambda review: review.at)), tuple(versions))


# For GitHub


class _User(Struct):
    """`type` is User, Bot, Organization or Mannequin (an account that an import made up); `is_bot` is gh's word."""

    login: str = ""
    type: str = ""
    is_bot: bool = False


class _GitHubReview(Struct):
    state: str
    user: _User | None = None
    commit_id: str | None = None
    submitted_at: str | None = None


class _Commit(Struct):
    oid: str = ""


class _CliReview(Struct):
    state: str
    author: _User | None = None
    commit: _Commit | None = None
    submitted_at: str | None = field(name="submittedAt", default=None)


_GITHUB_STATES: dict[str, State] = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes-requested",
    "COMMENTED": "commented",
    "DISMISSED": "dismissed",
}


def _github(found: Iterable[_GitHubReview], path: Path) -> Iterable[Review]:
    for review in found:
        user = review.user or _User()
        yield from _of_github(user, review.state, (review.commit_id, review.submitted_at), path)


def _github_cli(found: Iterable[_CliReview], path: Path) -> Iterable[Review]:
    for review in found:
        oid = review.commit.oid if review.commit else ""
        yield from _of_github(review.author or _User(), review.state, (oid, review.submitted_at), path)


def _of_github(user: _User, state: str, when: tuple[str | None, str | None], path: Path) -> Iterable[Review]:
    """No review where it is not submitted yet. A deleted account has no name."""
    name = state.upper()
    if name == "PENDING":
        return
    if name not in _GITHUB_STATES:
        raise InputError(f"{state[:40]!r} is no state of a review", where=str(path), mend=MEND)
    commit, at = when
    yield Review(
        account=user.login,
        is_bot=user.is_bot or user.type not in ("User", ""),
        state=_GITHUB_STATES[name],
        commit=object_id(commit or "", "commit_id", path),
        at=moment(at, "submitted_at", path),
    )


# For GitLab


class _Member(Struct):
    username: str = ""
    bot: bool = False


class _Approval(Struct):
    user: _Member
    approved_at: str | None = None


class _Rule(Struct):
    approved_by: list[_Member] | None = None


class _VersionJson(Struct):
    head_commit_sha: str
    created_at: str


class _Approvals(Struct):
    approved_by: list[_Approval] | None = None
    rules: list[_Rule] | None = None
    versions: list[_VersionJson] | None = None


class _Position(Struct):
    head_sha: str | None = None


class _Note(Struct):
    body: str = ""
    system: bool = False
    author: _Member | None = None
    created_at: str | None = None
    position: _Position | None = None


_GITLAB_NOTES: dict[str, State] = {
    "approved this merge request": "approved",
    "unapproved this merge request": "dismissed",
    "requested changes": "changes-requested",
}


def _approvals(found: _Approvals, path: Path) -> Reported:
    versions = [
        Version(object_id(v.head_commit_sha, "head_commit_sha", path), moment(v.created_at, "created_at", path))
        for v in found.versions or ()
    ]
    versions.sort(key=lambda version: version.at)
    at = {
        approval.user.username: moment(approval.approved_at, "approved_at", path)
        for approval in found.approved_by or ()
    }
    for rule in found.rules or ():
        for member in rule.approved_by or ():
            at.setdefault(member.username, "")
    bots = {approval.user.username for approval in found.approved_by or () if approval.user.bot}
    bots |= {member.username for rule in found.rules or () for member in rule.approved_by or () if member.bot}
    reviews = (Review(who, who in bots, "approved", _head_then(versions, when), when) for who, when in at.items())
    return _ordered(reviews, versions)


def _head_then(versions: Sequence[Version], at: str) -> str:
    """The head that the forge had when something was approved. Within one second it could be either: then neither."""
    before = [version.head for version in versions if at and version.at < at]
    during = any(version.at == at for version in versions)
    return before[-1] if before and not during else ""


def _gitlab_notes(found: Iterable[_Note], path: Path) -> Iterable[Review]:
    for note in found:
        account = note.author.username if note.author else ""
        state = _GITLAB_NOTES.get(note.body.strip()) if note.system else "commented"
        if state is None:
            continue
        head = note.position.head_sha if note.position else ""
        yield Review(
            account=account,
            is_bot=note.author is not None and note.author.bot,
            state=state,
            commit=object_id(head or "", "position.head_sha", path),
            at=moment(note.created_at, "created_at", path),
        )
