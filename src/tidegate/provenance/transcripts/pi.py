"""Pi: JSON Lines that begin with `session`; its tool calls are parts of the type `toolCall`."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import list_of, said, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    return any(r.get("type") == "session" and "version" in r and "id" in r for r in records[:20])


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("pi")
    messages = [table_of(r.get("message")) for r in records if r.get("type") == "message"]
    failed = {m.get("toolCallId") for m in messages if m.get("role") == "toolResult" and m.get("isError") is True}
    for record in records:
        if record.get("type") == "session":
            draft.id = text_of(record.get("id"))
            draft.started = text_of(record.get("timestamp"))
            draft.folder = text_of(record.get("cwd"))
        elif record.get("type") == "model_change":
            draft.model = text_of(record.get("modelId")) or draft.model
        elif record.get("type") == "message":
            _take(draft, table_of(record.get("message")), failed)
    return draft


# Private


def _take(draft: Draft, message: Record, failed: set[object]) -> None:
    if message.get("role") == "user":
        draft.prompt_text = said(message.get("content")) or draft.prompt_text
    elif message.get("role") == "assistant":
        draft.model = text_of(message.get("model")) or draft.model
        for part in map(table_of, list_of(message.get("content"))):
            if part.get("type") == "toolCall" and part.get("id") not in failed:
                draft.add(edits_of_call(text_of(part.get("name")), part.get("arguments")))
