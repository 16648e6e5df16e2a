"""The values of provenance: a note or trace as it was read, and claims about lines."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from tidegate.facts import Evidence, Role, Writer

LineRange: TypeAlias = tuple[int, int]
"""First and last line, both included, from 1."""

LEVELS: tuple[Evidence, ...] = ("E5", "E4", "E3", "E2", "E1", "E0")
"""The evidence ladder, best first."""


class Session(Struct, frozen=True):
    """A session of an agent, or a human author, as a note's metadata names it. Empty means: not said.

    `key` is the note's own key (`s_...`, `h_...`, 16 hex digits or something else that was seen in the wild).
    `totals` is what a prompt's record counts: lines added, deleted, accepted, overridden.
    """

    key: str
    kind: Literal["session", "prompt", "human"]
    tool: str
    id: str
    model: str
    human: str
    prompt: str = ""
    totals: tuple[int, ...] = ()


class Entry(Struct, frozen=True):
    """One attestation line: the whole key as written (`s_...::t_...`) and the lines it claims, in written order."""

    key: str
    ranges: tuple[LineRange, ...]


class NoteFile(Struct, frozen=True):
    """The entries of one file, in written order (a later entry wins where two overlap)."""

    path: bytes
    entries: tuple[Entry, ...]


class Fault(Struct, frozen=True):
    """Something in a note or a trace that could not be read and was left out. `line` counts from 1, 0 for none."""

    kind: Literal["entry", "range", "metadata", "record"]
    what: str
    line: int = 0


class Note(Struct, frozen=True):
    """A git-ai note (authorship/3.0.0). Prompts' messages are never kept. `extra` holds unknown top-level keys.

    `written` is the part above `---` as it was read; it is written back for as long as it says what `files` say.
    """

    files: tuple[NoteFile, ...]
    schema_version: str
    git_ai_version: str
    base_commit_sha: str
    sessions: tuple[Session, ...]
    extra: dict[str, Any] = {}
    faults: tuple[Fault, ...] = ()
    written: bytes = b""


class Origin(Struct, frozen=True):
    """Who or what wrote a line, and how we know: one attribution."""

    writer: Writer
    evidence: Evidence
    tool: str = ""
    model: str = ""
    session: str = ""
    prompt: str = ""
    human: str = ""
    role: Role = "none"
    source: str = ""
    commit: str = ""


class LineClaim(NamedTuple):
    """What one source says about a run of lines, first and last included."""

    first: int
    last: int
    origin: Origin
