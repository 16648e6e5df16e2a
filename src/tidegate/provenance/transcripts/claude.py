"""Claude Code: `~/.claude/projects/*/SESSION.jsonl`. The result of an edit holds the hunks that were really applied and
says whether the user changed the proposal (`userModified`)."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_call
from tidegate.provenance.transcripts.records import list_of, said, table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Edit, Record


def recognise(records: Sequence[Record]) -> bool:
    return any("parentUuid" in r and "sessionId" in r and r.get("type") in ("user", "assistant") for r in records[:200])


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("claude")
    proposed: dict[str, tuple[tuple[Edit, ...], str, str]] = {}
    for record in records:
        draft.id = draft.id or text_of(record.get("sessionId"))
        draft.started = draft.started or text_of(record.get("timestamp"))
        draft.folder = draft.folder or text_of(record.get("cwd"))
        message = table_of(record.get("message"))
        parts = [table_of(part) for part in list_of(message.get("content"))]
        if record.get("type") == "assistant":
            draft.model = _model(message) or draft.model
            for part in parts:
                if part.get("type") == "tool_use":
                    edits = edits_of_call(text_of(part.get("name")), part.get("input"))
                    proposed[text_of(part.get("id"))] = (edits, _model(message), draft.prompt_text)
        elif record.get("type") == "user":
            results = [part for part in parts if part.get("type") == "tool_result"]
            for part in results:
                _land(draft, proposed, part, record)
            if not results and not record.get("isMeta"):
                draft.prompt_text = said(message.get("content")) or draft.prompt_text
    for edits, model, prompt in proposed.values():  # the transcript ends before their results
        draft.edits += [(_with(edit, model), prompt) for edit in edits]
    return draft


# Private


def _land(draft: Draft, proposed: dict[str, tuple[tuple[Edit, ...], str, str]], part: Record, record: Record) -> None:
    """A proposed edit has its result: it was refused or failed, or it landed, perhaps changed by the user."""
    edits, model, prompt = proposed.pop(text_of(part.get("tool_use_id")), ((), "", ""))
    if part.get("is_error") is True or not edits:
        return
    result = table_of(record.get("toolUseResult"))
    path = text_of(result.get("filePath"))
    hunks = [table_of(hunk) for hunk in list_of(result.get("structuredPatch"))]
    if path and hunks:
        said_lines = frozenset(line for edit in edits for block in edit.blocks for line in block)
        blocks = tuple(block for hunk in hunks for block in _added(list_of(hunk.get("lines"))))
        applied = frozenset(line for block in blocks for line in block)
        changed = applied - said_lines if result.get("userModified") is True else frozenset()
        edits = (Edit(path, blocks, by_user=changed),)
    draft.edits += [(_with(edit, model), prompt) for edit in edits]


def _added(lines: Sequence[object]) -> list[tuple[str, ...]]:
    blocks: list[tuple[str, ...]] = []
    block: list[str] = []
    for line in [*lines, ""]:
        if isinstance(line, str) and line.startswith("+"):
            block.append(line[1:].removesuffix("\r"))
        elif block:
            blocks.append(tuple(block))
            block = []
    return blocks


def _model(message: Record) -> str:
    model = text_of(message.get("model"))
    return "" if model == "<synthetic>" else model


def _with(edit: Edit, model: str) -> Edit:
    return Edit(edit.path, edit.blocks, edit.by_user, model=model)
