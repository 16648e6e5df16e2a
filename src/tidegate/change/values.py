"""The values that a change is made of, as collectors read them. Paths and lines are bytes: git does not say more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.change.branches import NO_BRANCHES, Branches
from tidegate.change.git import Repository
from tidegate.facts import ChangeKind, DomainHit, FileKind, FileStatus, Finding, Intent, Unknown
from tidegate.settings import Settings

if TYPE_CHECKING:
    from tidegate.change.codeowners import Owners  # it loads RE2, which most commands do without


class Person(Struct, frozen=True):
    """A name and an e-mail as a commit or a note writes them."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.email else self.name


class Commit(Struct, frozen=True):
    """One commit. Times are RFC 3339 in UTC; `message` is whole, bytes that are not UTF-8 shown as \\xNN."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    authored_at: str
    committed_at: str
    message: str

    @property
    def subject(self) -> str:
        return self.message.split("\n", 1)[0]


class Hunk(Struct, frozen=True):
    """A contiguous run of changed lines. Line numbers count from 1; the lines come without their line break."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]


class FileChange(Struct, frozen=True):
    """One changed file. `old_path` equals `path` unless it was renamed or copied; modes are git's, 0 for none.

    `lines_known` is False where the hunks could not be read (too large, or git said only that it differs).
    """

    path: bytes
    old_path: bytes
    status: FileStatus
    old_mode: int
    new_mode: int
    old_oid: str
    new_oid: str
    similarity: int
    added: int
    deleted: int
    binary: bool
    lines_known: bool
    hunks: tuple[Hunk, ...]
    kind: FileKind = "source"
    language: str = ""
    generated: bool = False
    vendored: bool = False
    domains: tuple[DomainHit, ...] = ()
    critical: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether people or agents write this file, as opposed to generators and third parties."""
        return not (self.generated or self.vendored or self.binary)


class PullRequest(Struct, frozen=True):
    """A pull or merge request as the forge's event describes it. What the event does not say is empty."""

    forge: str
    number: int
    title: str
    body: str
    author: str
    author_is_bot: bool
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    merged_by: str
    source: str
    target: str
    base: str
    head: str
    opened_at: str
    updated_at: str
    repository: str


class Change(Struct, frozen=True):
    """The difference between two trees with its description. `chosen` says in words which range was taken and why.

    `branches` are those of the repository that it was read from.
    """

    kind: ChangeKind
    chosen: str
    base: str
    head: str
    base_tree: str
    head_tree: str
    target: str
    source: str
    commits: tuple[Commit, ...]
    files: tuple[FileChange, ...]
    intent: Intent
    pull_request: PullRequest | None = None
    unknowns: tuple[Unknown, ...] = ()
    findings: tuple[Finding, ...] = ()
    branches: Branches = NO_BRANCHES


class Context(Struct, frozen=True):
    """What every collector gets beside the change. `repository` is None for a bare diff.

    `now` is RFC 3339 in UTC. `transcripts` are session transcripts that the caller vouches to be of this change.
    `plans` are plans of infrastructure that the caller vouches to be of this change. `owners` are those of its base;
    None where nobody has read them yet. `approvals` are
    files and folders of signed approvals, `approvers` more keys by person than settings hold, and `onto` the commit
    that the change is to be merged into. `looks` is how closely people read it, as a console measured it.
    """

    repository: Repository | None
    settings: Settings
    now: str
    reviews: Path | None = None
    transcripts: tuple[Path, ...] = ()
    plans: tuple[Path, ...] = ()
    coverage: tuple[Path, ...] = ()
    junit: tuple[Path, ...] = ()
    sarif: tuple[Path, ...] = ()
    mutation: tuple[Path, ...] = ()
    owners: Owners | Unknown | None = None
    looks: Path | None = None
    approvals: tuple[Path, ...] = ()
    approvers: Mapping[str, tuple[str, ...]] = {}
    onto: str = ""


def show_path(path: bytes) -> str:
    """A path as text: UTF-8, other bytes as \\xNN. Two different paths may not be told apart by this."""
    return path.decode("utf-8", "backslashreplace")
