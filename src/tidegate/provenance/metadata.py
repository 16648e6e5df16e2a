"""The JSON below `---` of a git-ai note, read without ever building its prompts.

Notes of git-ai before 1.3.4 hold whole conversations (up to 2.7 MB a note) below `messages`. The JSON reader steps
over every key that is not asked for, so that neither memory nor anything later ever sees a prompt.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tidegate.provenance.values import Fault, Session

EXTRA_TEXT_LIMIT = 256
"""Unknown top-level keys are kept only for short scalars: a long text there could be a prompt."""


class Metadata(Struct, frozen=True):
    """What a note's metadata says. What is missing is empty; what could not be read is a fault."""

    schema_version: str = ""
    git_ai_version: str = ""
    base_commit_sha: str = ""
    sessions: tuple[Session, ...] = ()
    extra: dict[str, Any] = {}
    faults: tuple[Fault, ...] = ()


def read_metadata(text: bytes | memoryview) -> Metadata:
    """The metadata in `text`. Never raises: JSON that is not valid gives a Metadata with nothing but that fault."""
    try:
        top = msgspec.json.decode(text, type=dict[str, Raw])
    except _UNREADABLE as error:
        return Metadata(faults=(Fault("metadata", f"the metadata is not a JSON object: {_brief(error)}"),))
    faults: list[Fault] = []
    texts = {name: _text(top.pop(name, None), name, faults) for name in _TEXTS}
    sessions: list[Session] = []
    for name, kind in (("prompts", "prompt"), ("humans", "human"), ("sessions", "session")):
        sessions += _read_records(top.pop(name, None), name, kind, faults)
    return Metadata(
        **texts,
        sessions=tuple(sessions),
        extra={name: value for name, raw in top.items() if (value := _scalar(raw)) is not None},
        faults=tuple(faults),
    )


# Private

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TEXTS = ("schema_version", "git_ai_version", "base_commit_sha")


class _Agent(Struct):
    tool: str | None = None
    id: str | int | None = None
    model: str | None = None


class _Record(Struct):
    agent_id: _Agent | None = None
    human_author: str | None = None
    author: str | None = None
    total_additions: int | None = None
    total_deletions: int | None = None
    accepted_lines: int | None = None
    overriden_lines: int | None = None
    custom_attributes: Raw = Raw()


class _Attributes(Struct):
    prompt_digest: str = ""


def _read_records(raw: Raw | None, name: str, kind: Any, faults: list[Fault]) -> list[Session]:
    if raw is None:
        return []
    try:
        records = msgspec.json.decode(raw, type=dict[str, Raw] | None)
    except _UNREADABLE as error:
        faults.append(Fault("metadata", f"{name}: {_brief(error)}"))
        return []
    sessions: list[Session] = []
    for key, value in (records or {}).items():
        try:
            sessions.append(_session(key, kind, msgspec.json.decode(value, type=_Record)))
        except _UNREADABLE as error:
            faults.append(Fault("metadata", f"{name}.{key[:40]}: {_brief(error)}"))
    return sessions


def _session(key: str, kind: Any, record: _Record) -> Session:
    agent = record.agent_id or _Agent()
    totals = (record.total_additions, record.total_deletions, record.accepted_lines, record.overriden_lines)
    counted = tuple(number or 0 for number in totals) if any(number is not None for number in totals) else ()
    return Session(
        key=key,
        kind=kind,
        tool=agent.tool or "",
        id=str(agent.id) if agent.id is not None else "",
        model=agent.model or "",
        human=(record.author if kind == "human" else record.human_author) or "",
        prompt=_prompt_digest(record.custom_attributes),
        totals=counted if kind == "prompt" else (),
    )


def _prompt_digest(raw: Raw) -> str:
    """What `tidegate annotate` keeps of a prompt."""
    try:
        attributes = msgspec.json.decode(raw, type=_Attributes)
    except _UNREADABLE:
        return ""
    digest = attributes.prompt_digest
    return digest if len(digest) <= EXTRA_TEXT_LIMIT else ""


def _text(raw: Raw | None, name: str, faults: list[Fault]) -> str:
    if raw is None:
        return ""
    try:
        return msgspec.json.decode(raw, type=str | None) or ""
    except _UNREADABLE as error:
        faults.append(Fault("metadata", f"{name}: {_brief(error)}"))
        return ""


def _scalar(raw: Raw) -> str | int | float | bool | None:
    if len(memoryview(raw)) > EXTRA_TEXT_LIMIT:
        return None
    try:
        return msgspec.json.decode(raw, type=str | int | float | bool | None)
    except _UNREADABLE:
        return None


def _brief(error: Exception) -> str:
    return str(error)[:160]
