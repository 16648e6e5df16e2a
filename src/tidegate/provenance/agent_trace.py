"""Agent Trace records (version 0.1, CC BY 4.0, github.com/cursor/agent-trace): read and written.

The specification leaves storage, signatures and the hash of content open. What is accepted beyond it, and why, stands
in docs/formats-provenance.md. Excerpts of prompts that some tools put into a record's metadata are never kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from tidegate.change.git import Repository
from tidegate.facts import Writer
from tidegate.provenance.trace_signature import SignatureState, TrustedKeys, check_signature
from tidegate.provenance.values import Fault

VERSION = "0.1.0"
VENDOR = "dev.tidegate"
"""Our own part of a record's metadata, named as the specification asks: reverse domain."""

LOCAL_FILE = ".agent-trace/traces.jsonl"
TRACE_LIMIT_BYTES = 32 << 20


class TraceRange(Struct, frozen=True):
    """Lines of one conversation. `contributor` and `model` are empty where the conversation's hold."""

    first: int
    last: int
    content_hash: str = ""
    contributor: Writer | Literal[""] = ""
    model: str = ""


class Conversation(Struct, frozen=True):
    """What one conversation wrote in a file. `model` is as in models.dev (`provider/model`), "" when not said."""

    contributor: Writer
    model: str
    url: str
    ranges: tuple[TraceRange, ...]
    related: tuple[tuple[str, str], ...] = ()


class TraceFile(Struct, frozen=True):
    """The conversations that contributed to one file, its path as bytes."""

    path: bytes
    conversations: tuple[Conversation, ...]


class TraceRecord(Struct, frozen=True):
    """One record. Lines are those of `revision`, which is "" when the record is bound to none (or not to git).

    `tool` is as written: tools put the name of a person there when a person typed. `person` is the author that the
    metadata names. `signature` says whether a trusted key signed the whole record.
    """

    id: str
    revision: str
    timestamp: str
    tool: str
    files: tuple[TraceFile, ...]
    tool_version: str = ""
    version: str = VERSION
    person: str = ""
    session: str = ""
    prompt: str = ""
    signature: SignatureState = "none"


class Traces(Struct, frozen=True):
    """The records of a text in written order, and what could not be read (`line` counts from 1)."""

    records: tuple[TraceRecord, ...]
    faults: tuple[Fault, ...] = ()


def parse_records(text: bytes, keys: TrustedKeys | None = None) -> Traces:
    """The records in JSON Lines, a JSON array, or one JSON object. A bad record never stops the rest; never raises."""
    if len(text) > TRACE_LIMIT_BYTES:
        return Traces((), (Fault("record", f"a trace of {len(text)} bytes is too large"),))
    records: list[TraceRecord] = []
    faults: list[Fault] = []
    for number, raw in _documents(text):
        try:
            records.append(_record(msgspec.json.decode(raw, type=_Record), raw, keys))
        except _UNREADABLE as error:
            faults.append(Fault("record", f"not an Agent Trace record: {str(error)[:160]}", number))
    return Traces(tuple(records), tuple(faults))


def read_traces(
    repository: Repository, sources: Sequence[str], head: str = "", keys: TrustedKeys | None = None
) -> Iterator[tuple[str, Traces]]:
    """The records of every `REF:PATH` that exists, with its name, and of `.agent-trace/traces.jsonl` at `head`.

    Two processes in all.
    """
    names = [*sources, *([f"{head}:{LOCAL_FILE}"] if head else [])]
    labels = [*sources, *([LOCAL_FILE] if head else [])]
    for label, blob in zip(labels, repository.read_blobs(names, limit=TRACE_LIMIT_BYTES), strict=True):
        if blob.kind == "blob":
            yield label, parse_records(blob.content, keys)
        elif blob.kind == "too-large":
            yield label, Traces((), (Fault("record", f"a trace of {blob.size} bytes is too large"),))


def render_record(record: TraceRecord) -> bytes:
    """The record as one line of JSON, valid by the published schema, with a final line break."""
    document: dict[str, Any] = {"version": VERSION, "id": record.id, "timestamp": record.timestamp}
    if record.revision:
        document["vcs"] = {"type": "git", "revision": record.revision}
    if record.tool:
        document["tool"] = {"name": record.tool}
        if record.tool_version:
            document["tool"]["version"] = record.tool_version
    document["files"] = [
        {
            "path": file.path.decode("utf-8", "backslashreplace"),
            "conversations": [_conversation(conversation) for conversation in file.conversations],
        }
        for file in record.files
    ]
    own = {"person": record.person, "session": record.session, "prompt": record.prompt}
    if any(own.values()):
        document["metadata"] = {VENDOR: {key: value for key, value in own.items() if value}}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"


# Private

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_REFERENCE_VERSION = "1.0"
"""What the specification's own reference implementation writes, though its schema wants three numbers."""

_NOT_FILES = frozenset({".shell-history", ".sessions"})
"""Paths under which the reference implementation records commands and sessions."""


class _Contributor(Struct):
    type: str = "unknown"
    model_id: str | None = None


class _Range(Struct):
    start_line: int
    end_line: int
    content_hash: str | None = None
    contributor: _Contributor | None = None


class _Related(Struct):
    type: str = ""
    url: str = ""


class _Conversation(Struct):
    ranges: list[_Range]
    url: str | None = None
    contributor: _Contributor | None = None
    related: list[_Related] | None = None


class _File(Struct):
    path: str
    conversations: list[_Conversation]


class _Vcs(Struct):
    type: str = "git"
    revision: str = ""


class _Tool(Struct):
    name: str | None = None
    version: str | None = None


class _Record(Struct):
    version: str
    id: str
    timestamp: str
    files: list[_File]
    vcs: _Vcs | None = None
    tool: _Tool | None = None
    metadata: dict[str, Raw] | None = None
    sig: Raw = Raw()


def _documents(text: bytes) -> Iterator[tuple[int, bytes | Raw]]:
    """Each record's JSON with its line; 0 where all records stand in one JSON document."""
    whole = text.strip()
    try:
        if whole.startswith(b"["):
            yield from ((0, raw) for raw in msgspec.json.decode(whole, type=list[Raw]))
            return
        if whole.startswith((b"{\n", b"{\r")):
            msgspec.json.decode(whole, type=Raw)
            yield 0, whole
            return
    except _UNREADABLE:
        pass  # then it is read line by line, and every line that is no record says so
    yield from ((number, line) for number, line in enumerate(text.split(b"\n"), 1) if line.strip())


def _record(raw: _Record, text: bytes | Raw, keys: TrustedKeys | None) -> TraceRecord:
    tool = raw.tool or _Tool()
    said = _metadata(raw.metadata or {})
    return TraceRecord(
        id=raw.id,
        revision=raw.vcs.revision if raw.vcs and raw.vcs.type == "git" else "",
        timestamp=raw.timestamp,
        tool=tool.name or "",
        tool_version=tool.version or "",
        files=tuple(_file(file, raw.version) for file in raw.files if file.path not in _NOT_FILES),
        version=raw.version,
        person=said.get("author", "") or said.get("person", ""),
        session=said.get("session_id", "") or said.get("session", ""),
        prompt=said.get("prompt_hash", "") or said.get("prompt", ""),
        signature=check_signature(bytes(text), keys) if bytes(raw.sig) not in (b"", b"null") else "none",
    )


def _file(raw: _File, version: str) -> TraceFile:
    path = raw.path.encode("utf-8", "surrogateescape")
    return TraceFile(path, tuple(_read_conversation(conversation, version) for conversation in raw.conversations))


def _read_conversation(raw: _Conversation, version: str) -> Conversation:
    contributor = raw.contributor or _Contributor()
    return Conversation(
        contributor=_writer(contributor.type),
        model=contributor.model_id or "",
        url=raw.url or "",
        ranges=tuple(_range(lines) for lines in raw.ranges if _is_known(lines, version)),
        related=tuple((related.type, related.url) for related in raw.related or ()),
    )


def _range(raw: _Range) -> TraceRange:
    own = raw.contributor
    return TraceRange(
        first=raw.start_line,
        last=raw.end_line,
        content_hash=raw.content_hash or "",
        contributor=_writer(own.type) if own else "",
        model=(own.model_id or "") if own else "",
    )


def _is_known(lines: _Range, version: str) -> bool:
    """The reference implementation writes 1-1 when it does not know where in the file an edit went."""
    unknown = version == _REFERENCE_VERSION and (lines.start_line, lines.end_line) == (1, 1)
    return 1 <= lines.start_line <= lines.end_line and not unknown


def _writer(type_: str) -> Writer:
    known: dict[str, Writer] = {"ai": "ai", "human": "human", "mixed": "mixed"}
    return known.get(type_, "unknown")


_SAID = ("author", "person", "session_id", "session", "prompt_hash", "prompt")


def _metadata(metadata: dict[str, Raw]) -> dict[str, str]:
    """Who, which session and the prompt's digest: written at the top by some, in the tool's own part by others."""
    said: dict[str, str] = {}
    own = [_decoded(metadata[name], dict[str, Raw], {}) for name in ("agentdiff", VENDOR) if name in metadata]
    parts = [metadata, *own]
    for part in parts:
        for key in _SAID if part is not metadata else ("author", "session_id", "prompt_hash"):
            value = _decoded(part[key], str, "") if key in part else ""
            if value and value != "unknown":
                said[key] = value[:256]
    return said


def _decoded(raw: Raw, type_: Any, default: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=type_)
    except _UNREADABLE:
        return default


def _conversation(conversation: Conversation) -> dict[str, Any]:
    document: dict[str, Any] = {"url": conversation.url} if conversation.url else {}
    document["contributor"] = _contributor(conversation.contributor, conversation.model)
    document["ranges"] = [_range_document(lines) for lines in conversation.ranges]
    if conversation.related:
        document["related"] = [{"type": type_, "url": url} for type_, url in conversation.related]
    return document


def _range_document(lines: TraceRange) -> dict[str, Any]:
    document: dict[str, Any] = {"start_line": lines.first, "end_line": lines.last}
    if lines.content_hash:
        document["content_hash"] = lines.content_hash
    if lines.contributor:
        document["contributor"] = _contributor(lines.contributor, lines.model)
    return document


def _contributor(writer: str, model: str) -> dict[str, str]:
    return {"type": writer, "model_id": model[:250]} if model else {"type": writer}
