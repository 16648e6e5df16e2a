"""Amp: one JSON document for each thread, `T-UUID`."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import list_of, said, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    first = records[0] if records else {}
    return text_of(first.get("id")).startswith("T-") and isinstance(first.get("messages"), list)


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("amp")
    thread = records[0]
    draft.id = text_of(thread.get("id"))
    created = thread.get("created")
    draft.started = str(created) if isinstance(created, int) else text_of(created)
    messages = [table_of(m) for m in list_of(thread.get("messages"))]
    failed = _failed(messages)
    for tree in map(table_of, list_of(table_of(table_of(thread.get("env")).get("initial")).get("trees"))):
        draft.folder = draft.folder or text_of(tree.get("uri")).removeprefix("file://")
    for message in messages:
        if message.get("role") == "user":
            draft.prompt_text = said(message.get("content")) or draft.prompt_text
            continue
        draft.model = text_of(table_of(message.get("usage")).get("model")) or draft.model
        for part in map(table_of, list_of(message.get("content"))):
            if part.get("type") == "tool_use" and part.get("id") not in failed:
                draft.add(edits_of_call(text_of(part.get("name")), part.get("input")))
    return draft


# Private


def _failed(messages: Sequence[Record]) -> set[object]:
    """Calls that were refused or ended in an error."""
    parts = [table_of(p) for m in messages for p in list_of(m.get("content"))]
    results = [p for p in parts if p.get("type") == "tool_result"]
    refused = ("error", "rejected-by-user", "cancelled")
    return {p.get("toolUseID") for p in results if table_of(p.get("run")).get("status") in refused}
