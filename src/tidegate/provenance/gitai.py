"""The notes of git-ai (Git AI Standard v3.0.0, `authorship/3.0.0`): read, written, and asked about lines.

A note has an attestation part (a file at column 0, below it entries: two spaces, key, space, ranges), a line `---`,
and one JSON object. The reader accepts what git-ai's own reader accepts and what was seen in 11,316 public notes;
docs/formats-provenance.md lists every deviation.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from operator import itemgetter
from typing import Any

from tidegate.errors import InputError
from tidegate.provenance.metadata import Metadata, read_metadata
from tidegate.provenance.values import Entry, Fault, LineRange, Note, NoteFile, Session

SCHEMA_VERSION = "authorship/3.0.0"
NOTE_LIMIT_BYTES = 32 << 20
LAST_LINE = (1 << 32) - 1
"""git-ai counts lines in 32 bits; a larger number is a fault."""

Claim = tuple[int, int, Session | None, Entry]
"""First and last line, the session that the entry's key names (None: an orphan key), and the entry."""


class NoteError(InputError):
    """A note as a whole cannot be read."""


def parse_note(text: bytes) -> Note:
    """The note in `text`. Raises NoteError when it is too large or has no line `---`.

    What else is wrong with it becomes a fault of the note: that entry, range or record is left out, the rest is read.
    Several notes in a row (git joins them so when it merges notes) are read as one.
    """
    if len(text) > NOTE_LIMIT_BYTES:
        raise NoteError(f"a note of {len(text)} bytes is too large", mend="prompts do not belong in a note")
    files: list[NoteFile] = []
    faults: list[Fault] = []
    metadata: list[Metadata] = []
    above = b""
    for attestation, below in _parts(text):
        some, wrong = _parse_attestation(attestation)
        files += some
        faults += wrong
        metadata.append(read_metadata(below))
        above = attestation
    first = metadata[0]
    return Note(
        files=tuple(files),
        schema_version=first.schema_version,
        git_ai_version=first.git_ai_version,
        base_commit_sha=first.base_commit_sha,
        sessions=tuple(session for part in metadata for session in part.sessions),
        extra=first.extra,
        faults=(*faults, *(fault for part in metadata for fault in part.faults)),
        written=above if len(metadata) == 1 else b"",
    )


def render_note(note: Note) -> bytes:
    """The note as git-ai writes it: ranges ascending, pretty JSON, no final line break.

    A note that was read and not changed gets its part above `---` back byte for byte.
    """
    above = note.written
    if not above or tuple(_parse_attestation(above)[0]) != note.files:
        above = _render_attestation(note.files)
    return b"%s---\n%s" % (above, _render_metadata(note))


def note_claims(note: Note) -> dict[bytes, list[Claim]]:
    """Who claims which lines, by path, in line order and without overlap.

    A later entry wins over an earlier one, but an orphan key never hides an entry whose session is known; so does
    git-ai's reader. A line that no claim covers is untracked, which does not mean human.
    """
    sessions = {session.key: session for session in note.sessions}
    entries: dict[bytes, list[tuple[Session | None, Entry]]] = {}
    for file in note.files:
        known = entries.setdefault(file.path, [])
        known += [(sessions.get(metadata_key(entry.key)), entry) for entry in file.entries]
    return {path: _resolve(claims) for path, claims in entries.items()}


def metadata_key(key: str) -> str:
    """The key under which the metadata describes an entry's key: `s_...` of `s_...::t_...`, else the key itself."""
    return key.split("::", 1)[0] if key.startswith("s_") else key


def session_key(tool: str, conversation: str) -> str:
    """The key of an agent's session: `s_` and 14 hex digits."""
    return f"s_{_digest(f'{tool}:{conversation}')[:14]}"


def prompt_key(tool: str, conversation: str) -> str:
    """The key that notes before git-ai 1.4 gave to the same session: 16 hex digits (the oldest wrote 7 of them)."""
    return _digest(f"{tool}:{conversation}")[:16]


def human_key(person: str) -> str:
    """The key of a person, written `Name <email>`: `h_` and 14 hex digits."""
    return f"h_{_digest(person)[:14]}"


# Private

_DIVIDER = re.compile(rb"^---\r?(?:\n|\Z)", re.MULTILINE)
_RANGES = re.compile(rb"[0-9]{1,9}(?:-[0-9]{1,9})?(?:,[0-9]{1,9}(?:-[0-9]{1,9})?)*")
_RANGE = re.compile(rb"([0-9]+)(?:-([0-9]+))?")
_NUMBER = re.compile(rb"\+?0*([0-9]{1,10})")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _parts(text: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Every note in a row: its attestation part and its JSON."""
    start = 0
    view = memoryview(text)
    while True:
        divider = _DIVIDER.search(text, start)
        if divider is None:
            if start == 0:
                raise NoteError(
                    "a note without a line ---", mend="take it away with git notes remove, then: tidegate annotate"
                )
            return
        end = _end_of_json(text, divider.end())
        if _DIVIDER.search(text, end) is None:
            yield text[start : divider.start()], view[divider.end() :]
            return
        yield text[start : divider.start()], view[divider.end() : end]
        start = end


def _end_of_json(text: bytes, start: int) -> int:
    """Behind the first `}` at column 0: there pretty JSON ends, since a line break within a text is escaped."""
    brace = text.find(b"\n}", start)
    return brace + 2 if brace >= 0 else len(text)


def _parse_attestation(text: bytes) -> tuple[list[NoteFile], list[Fault]]:
    files: list[NoteFile] = []
    faults: list[Fault] = []
    entries: list[Entry] = []
    path: bytes | None = None
    for number, line in _lines(text):
        if not line.startswith(b"  "):
            if path is not None:
                files.append(NoteFile(path, tuple(entries)))
            path, entries = _unquoted(line), []
            continue
        key, _, ranges = line[2:].partition(b" ")
        if path is None or not key or not ranges:
            faults.append(
                Fault("entry", "an entry without a file" if path is None else "an entry without lines", number)
            )
            continue
        read, wrong = _parse_ranges(ranges)
        if wrong:
            faults.append(Fault("range", f"{_show(wrong)} is not a range of lines", number))
        if read:
            entries.append(Entry(key.decode("utf-8", "backslashreplace"), read))
    if path is not None:
        files.append(NoteFile(path, tuple(entries)))
    return files, faults


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines that say something, with their number. A quoted path that holds a line break is one line."""
    lines = text.split(b"\n")
    closing = _closing_quotes(lines) if b'"' in text else [0] * (len(lines) + 1)
    index = 0
    while index < len(lines):
        line = lines[index].rstrip()
        number = index + 1
        index += 1
        if line.startswith(b'"') and (len(line) == 1 or not line.endswith(b'"')) and closing[number]:
            end = closing[number]
            line = b"\n".join(lines[number - 1 : end]).rstrip()
            index = end
        if line:
            yield number, line


def _closing_quotes(lines: list[bytes]) -> list[int]:
    """For every index the number of lines up to the next line that closes a quote before an entry begins, else 0."""
    closing = [0] * (len(lines) + 1)
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index].rstrip()
        if not line.startswith(b"  "):
            closing[index] = index + 1 if line.endswith(b'"') else closing[index + 1]
    return closing


def _unquoted(line: bytes) -> bytes:
    return line[1:-1] if len(line) > 1 and line.startswith(b'"') and line.endswith(b'"') else line


def _parse_ranges(text: bytes) -> tuple[tuple[LineRange, ...], bytes]:
    """The ranges in written order, and the first part that is none."""
    if _RANGES.fullmatch(text):
        plain = tuple((int(first), int(last or first)) for first, last in _RANGE.findall(text))
        if all(0 < first <= last for first, last in plain):
            return plain, b""
    ranges: list[LineRange] = []
    wrong = b""
    for part in text.split(b","):
        if not part:
            continue
        first, dash, last = part.partition(b"-")
        start = _line_number(first)
        end = _line_number(last) if dash else start
        if 0 < start <= end:
            ranges.append((start, end))
        else:
            wrong = wrong or part
    return tuple(ranges), wrong


def _line_number(text: bytes) -> int:
    found = _NUMBER.fullmatch(text)
    number = int(found[1]) if found else 0
    return number if number <= LAST_LINE else 0


def _show(text: bytes) -> str:
    return repr(text[:40].decode("utf-8", "backslashreplace"))


def _render_attestation(files: Iterable[NoteFile]) -> bytes:
    lines: list[bytes] = []
    for file in files:
        quoted = any(space in file.path for space in (b" ", b"\t", b"\n"))
        lines.append(b'"%s"\n' % file.path if quoted else b"%s\n" % file.path)
        for entry in file.entries:
            key = entry.key.encode("utf-8", "backslashreplace")
            lines.append(b"  %s %s\n" % (key, _render_ranges(entry.ranges).encode()))
    return b"".join(lines)


def _render_ranges(ranges: Iterable[LineRange]) -> str:
    return ",".join([str(a) if a == b else f"{a}-{b}" for a, b in sorted(ranges, key=itemgetter(0))])


def _render_metadata(note: Note) -> bytes:
    by_kind: dict[str, dict[str, Any]] = {"prompt": {}, "human": {}, "session": {}}
    for session in sorted(note.sessions, key=lambda s: s.key):
        by_kind[session.kind][session.key] = _record(session)
    metadata: dict[str, Any] = {"schema_version": note.schema_version or SCHEMA_VERSION}
    if note.git_ai_version:
        metadata["git_ai_version"] = note.git_ai_version
    metadata |= {"base_commit_sha": note.base_commit_sha, "prompts": by_kind["prompt"]}
    if by_kind["human"]:
        metadata["humans"] = by_kind["human"]
    if by_kind["session"]:
        metadata["sessions"] = by_kind["session"]
    metadata |= {key: value for key, value in note.extra.items() if key not in metadata}
    text = json.dumps(metadata, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def _record(session: Session) -> Mapping[str, Any]:
    if session.kind == "human":
        return {"author": session.human}
    record: dict[str, Any] = {
        "agent_id": {"tool": session.tool, "id": session.id, "model": session.model},
        "human_author": session.human or None,
    }
    if session.prompt:
        record["custom_attributes"] = {"prompt_digest": session.prompt}
    if session.kind == "prompt":
        names = ("total_additions", "total_deletions", "accepted_lines", "overriden_lines")
        record |= dict(zip(names, session.totals or (0, 0, 0, 0), strict=True))
    return record


def _resolve(entries: list[tuple[Session | None, Entry]]) -> list[Claim]:
    ranges = [(first, rank, last) for rank, (_, entry) in enumerate(entries) for first, last in entry.ranges]
    ranges.sort()
    if all(before[2] < after[0] for before, after in pairwise(ranges)):
        return _joined([(first, last, *entries[rank]) for first, rank, last in ranges])
    return _joined(_swept(ranges, entries))


def _swept(ranges: list[tuple[int, int, int]], entries: list[tuple[Session | None, Entry]]) -> list[Claim]:
    """Sweep over overlapping ranges, in line order; the range on top of the heap is the one that counts."""
    claims: list[Claim] = []
    open_: list[tuple[bool, int, int]] = []
    line = index = 0
    while index < len(ranges) or open_:
        if not open_:
            line = max(line, ranges[index][0])
        while index < len(ranges) and ranges[index][0] <= line:
            _, rank, last = ranges[index]
            heapq.heappush(open_, (entries[rank][0] is None, -rank, last))
            index += 1
        while open_ and open_[0][2] < line:
            heapq.heappop(open_)
        if not open_:
            continue
        _, rank, last = open_[0]
        if index < len(ranges):
            last = min(last, ranges[index][0] - 1)
        claims.append((line, last, *entries[-rank]))
        line = last + 1
    return claims


def _joined(claims: list[Claim]) -> list[Claim]:
    """Neighbours of one entry as one claim."""
    joined: list[Claim] = []
    for claim in claims:
        if joined and joined[-1][1] + 1 == claim[0] and joined[-1][3] is claim[3]:
            joined[-1] = (joined[-1][0], claim[1], claim[2], claim[3])
        else:
            joined.append(claim)
    return joined
