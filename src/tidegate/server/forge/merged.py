"""When, and as which commit, a forge says that a change was merged: kept with the change, for audits."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class MergedAs(Struct, frozen=True):
    """`merged_at` is RFC 3339, `merge_commit` a full object id, `merged_by` the account of whoever merged it; all empty
    where it was not merged, or where nobody says."""

    merged_at: str = ""
    merge_commit: str = ""
    merged_by: str = ""


def merged_as(document: bytes) -> MergedAs:
    """Reads GitHub's and GitLab's own JSON of a change. GitLab names no commit where it only moved the branch on: then
    it is the head. GitHub names one of a trial merge before, which is none."""
    try:
        found = msgspec.json.decode(document, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return MergedAs()
    if not found.merged_at:
        return MergedAs()
    commit = found.merge_commit_sha or found.squash_commit_sha or found.sha or ""
    by = found.merged_by or found.merge_user or _Account()
    return MergedAs(found.merged_at, commit, by.login or by.username or "")


# Private


class _Account(Struct, frozen=True):
    login: str | None = None
    username: str | None = None


class _Document(Struct, frozen=True):
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    sha: str | None = None
    merged_by: _Account | None = None
    merge_user: _Account | None = None
