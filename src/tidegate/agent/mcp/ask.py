"""What the server hands to the process that answers a call, and what that process hands back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from tidegate.agent.mcp.arguments import EvidenceKind
from tidegate.change.git import Repository
from tidegate.errors import InputError


class Attached(Struct, frozen=True):
    """A report that the agent attached: its absolute path, and the digest of what was in it then."""

    kind: EvidenceKind
    path: str
    sha256: str


class Ask(Struct, frozen=True):
    """One call. `repo` is a folder in the repository, `named` that a person named it; `now` is RFC 3339 in UTC."""

    tool: str
    arguments: Mapping[str, Any]
    repo: str
    named: bool
    now: str
    attached: tuple[Attached, ...] = ()


class Fault(Struct, frozen=True):
    """An error that is meant to be read."""

    what: str
    where: str = ""
    mend: str = ""


class Reply(Struct, frozen=True):
    """The answer as a document within its limit, or why there is none. `attached` is what is to be remembered."""

    document: Mapping[str, Any] | None = None
    fault: Fault | None = None
    attached: tuple[Attached, ...] = ()


class Scene(Struct, frozen=True):
    """Where a call is answered. `attached` are the reports that the agent gave before, `fresh` those of now."""

    repository: Repository
    environment: Mapping[str, str]
    now: str
    attached: tuple[Attached, ...] = ()
    fresh: list[Attached] = field(default_factory=list)


def checked_path(path: str) -> str:
    """The path as the repository names it. Raises InputError for one that leads out of it or into git's own folder."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    wrong = path.startswith("/") or ".." in parts or not all(ord(c) >= 32 and ord(c) != 127 for c in path)
    if wrong or not parts or parts[0].lower() == ".git" or _unsaid(path):
        raise InputError(
            "this is no path inside the repository", where=path[:200], mend="name it from the top folder, without .."
        )
    return "/".join(parts)


# Private


def _unsaid(text: str) -> bool:
    """Whether the text holds halves of characters, which no file name that we show has."""
    return any(0xD800 <= ord(c) <= 0xDFFF for c in text)
