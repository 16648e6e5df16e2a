"""OpenAI Codex: `~/.codex/sessions/**/rollout-*.jsonl`."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import said, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    return any(r.get("type") in ("session_meta", "turn_context") and "payload" in r for r in records[:50])


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("codex")
    for record in records:
        payload = table_of(record.get("payload"))
        kind = record.get("type")
        if kind == "session_meta":
            draft.id = draft.id or text_of(payload.get("id"))
            draft.started = draft.started or text_of(payload.get("timestamp")) or text_of(record.get("timestamp"))
            draft.folder = draft.folder or text_of(payload.get("cwd"))
        elif kind == "turn_context":
            draft.model = text_of(payload.get("model")) or draft.model
        elif kind == "response_item":
            _take(draft, payload)
    return draft


# Private


def _take(draft: Draft, payload: Record) -> None:
    kind = payload.get("type")
    if kind == "message" and payload.get("role") == "user":
        draft.prompt_text = said(payload.get("content")) or draft.prompt_text
    elif kind in ("function_call", "custom_tool_call", "local_shell_call"):
        arguments = payload.get("arguments") or payload.get("input") or payload.get("action")
        draft.add(edits_of_call(text_of(payload.get("name")) or "shell", arguments))
