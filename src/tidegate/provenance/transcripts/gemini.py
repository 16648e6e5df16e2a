"""Gemini CLI: JSON Lines, or one pretty-printed document with `messages`, whatever the file is called."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import list_of, said, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    return any(r.get("type") == "gemini" for r in _messages(records)[:200])


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("gemini")
    for record in records:
        draft.id = draft.id or text_of(record.get("sessionId"))
        draft.started = draft.started or text_of(record.get("startTime")) or text_of(record.get("timestamp"))
    for message in _messages(records):
        draft.started = draft.started or text_of(message.get("timestamp"))
        if message.get("type") == "user":
            draft.prompt_text = said(message.get("content")) or draft.prompt_text
        elif message.get("type") == "gemini":
            draft.model = text_of(message.get("model")) or draft.model
            for call in map(table_of, list_of(message.get("toolCalls"))):
                if call.get("status") not in ("error", "cancelled"):
                    draft.add(edits_of_call(text_of(call.get("name")), call.get("args")))
    return draft


# Private


def _messages(records: Sequence[Record]) -> list[Record]:
    nested = [table_of(m) for r in records for m in list_of(r.get("messages"))]
    return nested or list(records)
