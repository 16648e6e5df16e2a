"""The records of a transcript file: JSON Lines, one JSON document, or a list of them."""

from __future__ import annotations

from typing import Any

import msgspec

from tidegate.provenance.transcripts.values import Record


def parse_records(data: bytes) -> tuple[list[Record], int]:
    """The objects of a transcript in order, and how many lines could not be read.

    A whole document is tried first, because some tools write pretty-printed JSON into `.jsonl`. Lines end at the line
    feed only: other line separators are legal inside JSON strings.
    """
    text = data.removeprefix(b"\xef\xbb\xbf")
    whole = _decode(text)
    if whole is not None:
        found = [whole] if isinstance(whole, dict) else whole if isinstance(whole, list) else []
        return [r for r in found if isinstance(r, dict)], 0
    records: list[Record] = []
    skipped = 0
    for line in text.split(b"\n"):
        if not line.strip():
            continue
        record = _decode(line)
        if isinstance(record, dict):
            records.append(record)
        else:
            skipped += 1
    return records, skipped


def text_of(value: object) -> str:
    """A value that ought to be text; anything else reads as empty."""
    return value if isinstance(value, str) else ""


def table_of(value: object) -> Record:
    """A value that ought to be an object, or JSON text of one; anything else reads as empty."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        value = _decode(value.encode("utf-8", "surrogatepass"))
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """A value that ought to be a list; anything else reads as empty."""
    return value if isinstance(value, list) else []


def said(content: object) -> str:
    """The text of a message's content: a text, or a list of parts of which the text parts are joined."""
    if isinstance(content, str):
        return content
    parts = [table_of(part) for part in list_of(content)]
    return "\n".join(text_of(p.get("text")) for p in parts if p.get("type") in ("text", "input_text", None))


# Private


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
