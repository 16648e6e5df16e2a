"""Continue: one JSON document with `history`; the model is named only where the editor wrote its title."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import list_of, said, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    first = records[0] if records else {}
    return isinstance(first.get("history"), list) and "sessionId" in first


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("continue")
    session = records[0]
    draft.id = text_of(session.get("sessionId"))
    draft.folder = text_of(session.get("workspaceDirectory")).removeprefix("file://")
    draft.started = text_of(session.get("dateCreated"))
    draft.model = text_of(session.get("chatModelTitle"))
    for step in map(table_of, list_of(session.get("history"))):
        message = table_of(step.get("message"))
        if message.get("role") == "user":
            draft.prompt_text = said(message.get("content")) or draft.prompt_text
            continue
        states = {
            text_of(s.get("toolCallId")): s.get("status") for s in map(table_of, list_of(step.get("toolCallStates")))
        }
        for call in map(table_of, list_of(message.get("toolCalls"))):
            if states.get(text_of(call.get("id"))) not in ("errored", "canceled"):
                function = table_of(call.get("function"))
                draft.add(edits_of_call(text_of(function.get("name")), function.get("arguments")))
    return draft
