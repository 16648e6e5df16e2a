"""Reads a transcript of any agent that Tidegate knows. Adding one = a file beside this one and a line in FAMILIES."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tidegate.errors import InputError
from tidegate.provenance.redact import prompt_digest
from tidegate.provenance.signatures import shown_model
from tidegate.provenance.transcripts import (
    amp,
    claude,
    codex,
    continue_dev,
    copilot,
    cursor,
    droid,
    gemini,
    opencode,
    pi,
    windsurf,
)
from tidegate.provenance.transcripts.records import parse_records
from tidegate.provenance.transcripts.values import Draft, Edit, Record, Transcript

SIZE_LIMIT = 256 << 20
FILES_LIMIT = 10_000


class Family(NamedTuple):
    """One agent's way to write transcripts."""

    name: str
    recognise: Callable[[Sequence[Record]], bool]
    read: Callable[[Sequence[Record]], Draft]


FAMILIES = (
    Family("claude", claude.recognise, claude.read),
    Family("codex", codex.recognise, codex.read),
    Family("github-copilot", copilot.recognise, copilot.read),
    Family("droid", droid.recognise, droid.read),
    Family("pi", pi.recognise, pi.read),
    Family("amp", amp.recognise, amp.read),
    Family("continue", continue_dev.recognise, continue_dev.read),
    Family("gemini", gemini.recognise, gemini.read),
    Family("windsurf", windsurf.recognise, windsurf.read),
    Family("opencode", opencode.recognise, opencode.read),
    Family("cursor", cursor.recognise, cursor.read),
)
"""Order matters only in that the least specific shapes come last."""


def read_transcript(path: Path) -> Transcript:
    """One session from a file, or from a folder of small files (OpenCode's storage).

    Raises InputError for what cannot be read, is too large, or is no transcript that Tidegate knows.
    """
    try:
        if path.is_dir():
            return _recognised(path, *_read_folder(path))
        if path.stat().st_size > SIZE_LIMIT:
            raise InputError("the transcript is larger than 256 MiB", where=str(path), mend="split it by session")
        records, skipped = parse_records(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path), mend="name a transcript") from error
    beside = path.with_name(f"{path.name.removesuffix('.jsonl')}.settings.json")
    if path.suffix == ".jsonl" and beside.is_file() and droid.recognise(records):
        records += parse_records(beside.read_bytes()[: 1 << 20])[0]
    return _recognised(path, records, skipped)


def parse_transcript(data: bytes) -> Transcript | None:
    """One session from bytes, or None when no family knows them."""
    return _read(*parse_records(data))


# Private


def _recognised(path: Path, records: list[Record], skipped: int) -> Transcript:
    found = _read(records, skipped)
    if found is None:
        known = ", ".join(family.name for family in FAMILIES)
        raise InputError("not a transcript that Tidegate knows", where=str(path), mend=f"it reads: {known}")
    return found


def _read_folder(folder: Path) -> tuple[list[Record], int]:
    records: list[Record] = []
    skipped = 0
    for path in sorted(folder.rglob("*.json"))[:FILES_LIMIT]:
        if path.is_file() and path.stat().st_size <= SIZE_LIMIT >> 4:
            found, bad = parse_records(path.read_bytes())
            records += found
            skipped += bad if found else 1
    return records, skipped


def _read(records: list[Record], skipped: int) -> Transcript | None:
    for family in FAMILIES:
        if records and family.recognise(records):
            return _finish(family.read(records), skipped)
    return None


def _finish(draft: Draft, skipped: int) -> Transcript:
    model = shown_model(draft.model)
    salt = f"{draft.tool}:{draft.id}"
    digests: dict[str, str] = {"": ""}
    edits: list[Edit] = []
    for edit, prompt in draft.edits:
        if not edit.blocks or not edit.path:
            continue
        if prompt not in digests:
            digests[prompt] = prompt_digest(prompt, salt)
        own = shown_model(edit.model) or model
        edits.append(Edit(edit.path, edit.blocks, edit.by_user, own, digests[prompt]))
    return Transcript(draft.tool, draft.id[:200], model, draft.started, draft.folder, tuple(edits), skipped)
