"""GitHub Copilot: the event stream of its CLI and agent, and the chat sessions of VS Code (whole, or as patches)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidegate.provenance.transcripts.edits import edits_of_call, written
from tidegate.provenance.transcripts.records import list_of, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Edit, Record


def recognise(records: Sequence[Record]) -> bool:
    return _is_stream(records) or _is_chat(records)


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("github-copilot")
    if _is_stream(records):
        _read_stream(draft, records)
    else:
        _read_chat(draft, _whole(records))
    return draft


# Private


def _is_stream(records: Sequence[Record]) -> bool:
    return any(
        r.get("type") == "session.start" and str(table_of(r.get("data")).get("producer", "")).startswith("copilot")
        for r in records[:20]
    )


def _is_chat(records: Sequence[Record]) -> bool:
    first = records[0] if records else {}
    whole = table_of(first.get("v")) if first.get("kind") == 0 else first
    return isinstance(whole.get("requests"), list) and (
        "inputState" in whole or "responderUsername" in whole or first.get("kind") == 0
    )


def _read_stream(draft: Draft, records: Sequence[Record]) -> None:
    started = {_call_id(r) for r in records if r.get("type") == "tool.execution_start"}
    failed = {
        _call_id(r)
        for r in records
        if r.get("type") == "tool.execution_complete" and table_of(r.get("data")).get("success") is False
    }
    for record in records:
        data = table_of(record.get("data"))
        kind = record.get("type")
        draft.model = text_of(data.get("newModel")) or text_of(data.get("model")) or draft.model
        if kind == "session.start":
            draft.id = text_of(data.get("sessionId"))
            draft.started = text_of(data.get("startTime")) or text_of(record.get("timestamp"))
            draft.folder = text_of(table_of(data.get("context")).get("cwd"))
        elif kind == "user.message":
            draft.prompt_text = text_of(data.get("content")) or draft.prompt_text
        elif kind == "tool.execution_start" and _call_id(record) not in failed:
            draft.add(edits_of_call(text_of(data.get("toolName")), data.get("arguments")))
        elif kind == "assistant.message":
            for call in map(table_of, list_of(data.get("toolRequests"))):
                if text_of(call.get("toolCallId")) not in started | failed:
                    draft.add(edits_of_call(text_of(call.get("name")), call.get("arguments")))


def _call_id(record: Record) -> str:
    return text_of(table_of(record.get("data")).get("toolCallId"))


def _whole(records: Sequence[Record]) -> Record:
    """A chat session with its patches applied: kind 1 sets a value, kind 2 appends to a list."""
    if "requests" in records[0]:
        return records[0]
    session = table_of(records[0].get("v"))
    for record in records[1:]:
        keys = list_of(record.get("k"))
        if record.get("kind") in (1, 2) and keys:
            _patch(session, keys, record.get("v"), append=record["kind"] == 2)
    return session


def _patch(target: Any, keys: list[Any], value: object, *, append: bool) -> None:
    for key in keys[:-1]:
        target = _step(target, key)
    last = keys[-1]
    if append and isinstance(value, list):
        existing = _step(target, last)
        if isinstance(existing, list):
            existing.extend(value)
            return
    if isinstance(target, dict) or (isinstance(target, list) and _step(target, last) is not None):
        target[last] = value


def _step(target: Any, key: object) -> Any:
    if isinstance(target, dict):
        return target.get(key) if isinstance(key, str) else None
    if isinstance(target, list) and isinstance(key, int) and 0 <= key < len(target):
        return target[key]
    return None


def _read_chat(draft: Draft, session: Record) -> None:
    draft.id = text_of(session.get("sessionId"))
    created = session.get("creationDate")
    draft.started = str(created) if isinstance(created, int) else text_of(created)
    selected = table_of(table_of(session.get("inputState")).get("selectedModel"))
    draft.model = _plain(text_of(selected.get("identifier")))
    for request in map(table_of, list_of(session.get("requests"))):
        draft.prompt_text = text_of(table_of(request.get("message")).get("text")) or draft.prompt_text
        result = table_of(request.get("result"))
        named = text_of(result.get("details")).split(" • ")[0].strip()
        draft.model = _plain(text_of(request.get("modelId"))) or named or draft.model
        for part in map(table_of, list_of(request.get("response"))):
            if part.get("kind") == "textEditGroup":
                draft.add(tuple(_edits_of_group(part)))
        for round_ in map(table_of, list_of(table_of(result.get("metadata")).get("toolCallRounds"))):
            for call in map(table_of, list_of(round_.get("toolCalls"))):
                draft.add(edits_of_call(text_of(call.get("name")), call.get("arguments")))


def _edits_of_group(group: Record) -> list[Edit]:
    uri = table_of(group.get("uri"))
    path = text_of(uri.get("fsPath")) or text_of(uri.get("path"))
    texts = [text_of(table_of(edit).get("text")) for edits in list_of(group.get("edits")) for edit in list_of(edits)]
    return [written(path, text) for text in texts if path and text]


def _plain(identifier: str) -> str:
    name = identifier.removeprefix("copilot/")
    return "" if name == "auto" else name
