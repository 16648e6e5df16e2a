"""The words of risk: what history holds of a commit, which changes had to be repaired, and who says so."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from tidegate.change.values import Person


class Touch(Struct, frozen=True, array_like=True, gc=False):
    """One file that a commit changed. `status` is git's letter; `old` differs from `path` for a rename or a copy.

    Paths are text as `show_path` writes it. Both counts are -1 for a binary file.
    """

    path: str
    old: str
    status: str
    added: int
    deleted: int


class PastCommit(Struct, frozen=True, array_like=True, gc=False):
    """One commit of history. Times are Unix seconds in UTC. `message` is cut at 8 KiB.

    `touches` are against the first parent; empty for a merge, whose commits stand for themselves.
    """

    oid: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    authored_at: int
    committed_at: int
    message: str
    touches: tuple[Touch, ...] = ()

    @property
    def subject(self) -> str:
        return self.message.split("\n", 1)[0]

    @property
    def is_merge(self) -> bool:
        return len(self.parents) > 1


class Tag(Struct, frozen=True, array_like=True, gc=False):
    """A tag that names a release, with the commit it points at and when it was made (Unix seconds)."""

    name: str
    commit: str
    at: int


class PathTouch(NamedTuple):
    """One earlier commit that touched a file, under whatever name the file had then. `author` is a person's key."""

    oid: str
    at: int
    author: str
    added: int
    deleted: int


Source: TypeAlias = Literal["incident", "rollback", "hot-fix", "revert", "fixes-trailer", "issue-fix", "fix"]
"""Who says that a change had to be repaired, the best first. The last two are traced by SZZ: from a commit that closes
a bug of the issue tracker, and from one whose message alone says that it is a fix."""


HORIZON_SECONDS = 365 * 86400
"""A repair counts when it is known within a year of the change. Without an end "has to be repaired" could never be held
against what came, and what a change of today costs in 2035 helps nobody who must decide about it."""

RECENT_SECONDS = 180 * 86400
"""For so long a repair counts as one of late."""

OUTSIDE = "outside"
"""The name of the one factor of a change that lies outside of what models learn from; it moved nothing."""

REPAIRED = 0.4
"""A change is counted as repaired from this confidence on. Labels are less sure than the word suggests; with this bound
as many changes are counted as are to be expected in all (.39 to .43 on five public histories)."""


class Label(Struct, frozen=True):
    """A commit that had to be repaired: by which commit or incident, how sure that is, and since when it is known.

    `known_at` is in Unix seconds: when the repair landed. Before that moment nobody knew, and nothing may be trained
    on it.
    """

    commit: str
    by: str
    source: Source
    confidence: float
    known_at: int


class SuspectLines(Struct, frozen=True):
    """Lines that a fix repaired, as they stood before it, and that one suspect wrote. Lines count from 1."""

    path: str
    lines: tuple[int, ...]


class Suspect(Struct, frozen=True):
    """A commit that may have introduced what a fix repaired.

    `confidence` is the probability that it did; `reasons` say why in words; `lines` is empty where only neighbouring
    lines or the file's history point at it.
    """

    commit: str
    confidence: float
    lines: tuple[SuspectLines, ...]
    reasons: tuple[str, ...]


class Trace(Struct, frozen=True):
    """Where a fix comes from: suspects, the likeliest first. Without any, `blameless` says why there are none."""

    fix: str
    suspects: tuple[Suspect, ...]
    blameless: str = ""


class Mark(Struct, frozen=True):
    """The agent that a commit declares; an empty tool is none. `model` is empty where it is not said."""

    tool: str = ""
    model: str = ""
