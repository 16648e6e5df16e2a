"""Cursor: JSON Lines of `{role, message: {content: [...]}}`. It names neither the session nor the model."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import list_of, said, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    shaped = [r for r in records[:200] if r.get("role") in ("user", "assistant") and isinstance(r.get("message"), dict)]
    return bool(shaped) and all("type" not in r and "sessionId" not in r for r in shaped)


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("cursor")
    for record in records:
        draft.id = draft.id or text_of(record.get("conversation_id"))
        draft.model = text_of(record.get("model")) or draft.model
        message = table_of(record.get("message"))
        if record.get("role") == "user":
            draft.prompt_text = said(message.get("content")) or draft.prompt_text
            continue
        for part in map(table_of, list_of(message.get("content"))):
            if part.get("type") == "tool_use":
                draft.add(edits_of_call(text_of(part.get("name")), part.get("input")))
    return draft
