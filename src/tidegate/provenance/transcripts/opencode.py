"""OpenCode: an export, or its storage of one small JSON file for each message and part (then named by their folder)."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import list_of, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    return any(_is_message(r) or _is_part(r) for r in _flat(records)[:200])


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("opencode")
    flat = _flat(records)
    users = {text_of(r.get("id")) for r in flat if _is_message(r) and r.get("role") == "user"}
    for record in sorted(flat, key=_when):
        if _is_message(record):
            draft.id = draft.id or text_of(record.get("sessionID"))
            draft.model = text_of(record.get("modelID")) or draft.model
            draft.started = draft.started or str(table_of(record.get("time")).get("created") or "")
            draft.folder = draft.folder or text_of(table_of(record.get("path")).get("cwd"))
        elif record.get("type") == "text" and record.get("messageID") in users:
            draft.prompt_text = text_of(record.get("text")) or draft.prompt_text
        elif record.get("type") == "tool":
            state = table_of(record.get("state"))
            if state.get("status") != "error":
                draft.add(edits_of_call(text_of(record.get("tool")), state.get("input")))
    return draft


# Private


def _flat(records: Sequence[Record]) -> list[Record]:
    """The messages and parts, out of an export where it is one."""
    flat: list[Record] = []
    for record in records:
        messages = [table_of(m) for m in list_of(record.get("messages"))]
        if messages and any("parts" in m for m in messages):
            for message in messages:
                flat += [table_of(message.get("info")), *map(table_of, list_of(message.get("parts")))]
        else:
            flat.append(record)
    return flat


def _is_message(record: Record) -> bool:
    return "sessionID" in record and record.get("role") in ("user", "assistant")


def _is_part(record: Record) -> bool:
    return "messageID" in record and record.get("type") in ("text", "tool", "step-start", "step-finish", "reasoning")


def _when(record: Record) -> float:
    time = table_of(record.get("time"))
    for key in ("created", "start"):
        value = time.get(key)
        if isinstance(value, int | float):
            return float(value)
    start = table_of(table_of(record.get("state")).get("time")).get("start")
    return float(start) if isinstance(start, int | float) else 0.0
