"""Factory Droid: JSON Lines that begin with `session_start`; the model stands in a settings file beside it."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import list_of, said, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    return any(r.get("type") == "session_start" and "id" in r for r in records[:20]) or is_settings(records)


def is_settings(records: Sequence[Record]) -> bool:
    """Whether this is the settings file of a session."""
    return bool(records) and "assistantActiveTimeMs" in records[0] and "model" in records[0]


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("droid")
    for record in records:
        if is_settings([record]):
            draft.model = text_of(record.get("model")) or draft.model
        elif record.get("type") == "session_start":
            draft.id = text_of(record.get("id"))
            draft.folder = text_of(record.get("cwd"))
        elif record.get("type") == "message":
            draft.started = draft.started or text_of(record.get("timestamp"))
            _take(draft, table_of(record.get("message")))
    return draft


# Private


def _take(draft: Draft, message: Record) -> None:
    if message.get("role") == "user":
        draft.prompt_text = said(message.get("content")) or draft.prompt_text
        return
    for part in map(table_of, list_of(message.get("content"))):
        if part.get("type") == "tool_use":
            draft.add(edits_of_call(text_of(part.get("name")), part.get("input")))
