"""Windsurf (Cascade): JSON Lines of steps, each with an object that is called like its type. No session, no model."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.provenance.transcripts.edits import edits_of_command, replaced
from tidegate.provenance.transcripts.records import table_of, text_of
from tidegate.provenance.transcripts.values import Draft, Record


def recognise(records: Sequence[Record]) -> bool:
    steps = [r for r in records[:200] if isinstance(r.get("type"), str) and isinstance(r.get(str(r.get("type"))), dict)]
    return any(step["type"] in ("planner_response", "user_input", "code_action") for step in steps)


def read(records: Sequence[Record]) -> Draft:
    draft = Draft("windsurf")
    for record in records:
        step = table_of(record.get(text_of(record.get("type"))))
        if record.get("type") == "user_input":
            draft.prompt_text = text_of(step.get("user_response")) or draft.prompt_text
        elif record.get("type") == "code_action" and "REJECT" not in text_of(step.get("acknowledgement_type")):
            path = text_of(step.get("path")).removeprefix("file://")
            if path:
                draft.add((replaced(path, text_of(step.get("original_content")), text_of(step.get("new_content"))),))
        elif record.get("type") == "run_command" and step.get("user_rejected") is not True:
            draft.add(tuple(edits_of_command(text_of(step.get("command")))))
    return draft
