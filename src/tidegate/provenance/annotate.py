"""Declare who or what wrote the lines of commits: git-ai notes that git-ai itself can read.

A note claims exactly the lines that its commit adds, or some of them. What a note already says stays: other claims,
other sessions, keys that we do not know. A line that somebody else claims already is a contradiction, and is refused
unless the new claim is meant to replace the old one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.commits import read_commit_objects
from tidegate.change.diff import read_commit_diffs
from tidegate.change.git import Repository
from tidegate.change.values import FileChange, Person, show_path
from tidegate.errors import InputError
from tidegate.provenance.gitai import (
    SCHEMA_VERSION,
    Claim,
    human_key,
    metadata_key,
    note_claims,
    parse_note,
    render_note,
    session_key,
)
from tidegate.provenance.notes import read_notes
from tidegate.provenance.values import Entry, LineRange, Note, NoteFile, Session

Lines = dict[bytes, tuple[LineRange, ...]]


class Author(Struct, frozen=True):
    """Who or what wrote the lines, and who answers for them. `tool` "" means that the person typed them.

    `prompt` is what is kept of the prompt: a salted digest, and `prompt_text` the redacted text if that was asked for.
    """

    person: Person
    tool: str = ""
    model: str = ""
    session: str = ""
    prompt: str = ""
    prompt_text: str = ""


class Part(Struct, frozen=True):
    """Lines `first` to `last` of a file of the commit."""

    path: bytes
    first: int
    last: int


class Annotated(Struct, frozen=True):
    """The note to be written for one commit: how many lines it newly claims, and its text."""

    commit: str
    lines: int
    text: bytes


def annotate_commits(
    repository: Repository,
    ref: str,
    commits: Sequence[str],
    author: Author,
    *,
    parts: Sequence[Part] = (),
    replace_others: bool = False,
) -> tuple[Annotated, ...]:
    """The notes that declare `author` for the lines that the commits add. Nothing is written; six processes in all.

    Raises InputError for a commit that adds no lines, for lines that the commit does not add, and for lines that a note
    already gives to somebody else.
    """
    if parts and len(commits) != 1:
        raise InputError(f"lines of {len(commits)} commits", where="--lines", mend="name one commit, not a range")
    added = _added_lines(repository, commits)
    texts = dict(read_notes(repository, ref, list(commits)))
    found: list[Annotated] = []
    for commit in commits:
        lines = _chosen(added[commit], parts, commit) if parts else added[commit]
        if not lines:
            if len(commits) == 1:
                raise InputError("this commit adds no lines", where=commit[:12], mend="annotate a commit that does")
            continue
        found.append(_annotate(commit, texts.get(commit, b""), lines, author, replace_others))
    return tuple(found)


def parse_part(text: str) -> Part:
    """`PATH:1-20` or `PATH:7`. Raises InputError for anything else."""
    path, _, lines = text.rpartition(":")
    first, dash, last = lines.partition("-")
    if path and first.isascii() and first.isdigit() and (not dash or (last.isascii() and last.isdigit())):
        start, end = int(first), int(last) if dash else int(first)
        if 0 < start <= end < 1 << 32:
            return Part(path.encode("utf-8", "surrogateescape"), start, end)
    raise InputError(f"{text!r} is not a path with lines", where="--lines", mend="write it like src/app.py:1-20")


def read_annotated_commits(repository: Repository, change: str) -> list[str]:
    """The commits that `COMMIT` or `BASE..HEAD` means, oldest first; merges of a range are left out."""
    base, dots, head = change.partition("..")
    if not dots:
        return [repository.resolve(change)]
    if head.startswith("."):
        raise InputError(f"{change!r} is not a range here", where="RANGE", mend="write BASE..HEAD, with two dots")
    ends = [repository.resolve(head or "HEAD"), "^" + repository.resolve(base or "HEAD")]
    listed = repository.run("rev-list", "--topo-order", "--reverse", "--no-merges", *ends, "--")
    commits = listed.decode("ascii").split()
    if not commits:
        raise InputError("no commit lies in this range", where=change, mend="write BASE..HEAD, older first")
    return commits


def trailer_of(author: Author) -> str:
    """The trailer that declares the same in the message of a commit."""
    return f"Assisted-by: {author.tool}:{author.model}"


# Private

_DIVIDER = re.compile(rb"^---\n", re.MULTILINE)


def _added_lines(repository: Repository, commits: Sequence[str]) -> dict[str, Lines]:
    """The lines that each commit adds, by path. A merge adds what none of its parents has."""
    known = read_commit_objects(repository, commits)
    added: dict[str, Lines | None] = dict.fromkeys(commits)
    for diff in read_commit_diffs(repository, list(commits)):
        if not diff.known or (repository.shallow and diff.oid in repository.shallow_edge):
            raise InputError(
                "what this commit adds cannot be told: its parent is not in this clone",
                where=diff.oid[:12],
                mend="fetch more history: git fetch --unshallow",
            )
        lines = {file.path: ranges for file in diff.files if (ranges := _ranges(file))}
        before = added[diff.oid]
        added[diff.oid] = lines if before is None else _common(before, lines)
    for commit in commits:
        if commit not in known:
            raise InputError("this commit is not in this clone", where=commit[:12], mend="fetch it")
    return {commit: lines or {} for commit, lines in added.items()}


def _ranges(file: FileChange) -> tuple[LineRange, ...]:
    if file.binary or file.new_mode & 0o170000 != 0o100000:
        return ()
    return tuple((h.new_start, h.new_start + h.new_count - 1) for h in file.hunks if h.new_count)


def _common(one: Lines, other: Lines) -> Lines:
    return {path: both for path, ranges in one.items() if (both := _overlap(ranges, other.get(path, ())))}


def _overlap(one: Iterable[LineRange], other: Iterable[LineRange]) -> tuple[LineRange, ...]:
    """The lines in both, for ranges in line order."""
    found: list[LineRange] = []
    left, right = list(one)[::-1], list(other)[::-1]
    while left and right:
        first, last = max(left[-1][0], right[-1][0]), min(left[-1][1], right[-1][1])
        if first <= last:
            found.append((first, last))
        (left if left[-1][1] <= right[-1][1] else right).pop()
    return tuple(found)


def _without(ranges: Iterable[LineRange], taken: Sequence[LineRange]) -> tuple[LineRange, ...]:
    """The lines of `ranges` that are not in `taken`, both in line order."""
    left: list[LineRange] = []
    for first, last in ranges:
        for start, end in taken:
            if end < first or start > last:
                continue
            if start > first:
                left.append((first, start - 1))
            first = end + 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def _chosen(added: Lines, parts: Iterable[Part], commit: str) -> Lines:
    chosen: dict[bytes, list[LineRange]] = {}
    for part in parts:
        outside = _without([(part.first, part.last)], added.get(part.path, ()))
        if outside:
            place = f"{show_path(part.path)}:{outside[0][0]}"
            raise InputError(
                "this commit does not add that line",
                where=f"{place} at {commit[:12]}",
                mend=_what_is_added(added, part.path),
            )
        chosen.setdefault(part.path, []).append((part.first, part.last))
    return {path: _joined(ranges) for path, ranges in chosen.items()}


def _what_is_added(added: Lines, path: bytes) -> str:
    if path in added:
        return "it adds " + ", ".join(f"{a}-{b}" if a != b else str(a) for a, b in added[path][:12])
    return "it adds lines to " + (", ".join(show_path(p) for p in sorted(added)[:6]) or "no file")


def _joined(ranges: Iterable[LineRange]) -> tuple[LineRange, ...]:
    joined: list[LineRange] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _annotate(commit: str, text: bytes, lines: Lines, author: Author, replace_others: bool) -> Annotated:
    own = _session(author)
    note = parse_note(text) if text else _empty_note(commit)
    claims = note_claims(note)
    fresh: Lines = {}
    for path, ranges in lines.items():
        mine, others = _held(claims.get(path, ()), own.key)
        clash = _overlap(ranges, others)
        if clash and not replace_others:
            raise InputError(
                f"{show_path(path)}:{clash[0][0]} is already claimed by somebody else",
                where=f"the note of {commit[:12]}",
                mend="see who with tidegate who, name other lines with --lines, or say --replace",
            )
        if left := _without(ranges, mine):
            fresh[path] = left
    files = _with_claims(note.files, fresh, _entry_key(own, commit))
    above = _DIVIDER.split(render_note(replace(note, files=files, written=b"")), maxsplit=1)[0]
    metadata = _metadata(text, note, own, author, commit)
    count = sum(last - first + 1 for ranges in fresh.values() for first, last in ranges)
    return Annotated(commit, count, above + b"---\n" + metadata)


def _session(author: Author) -> Session:
    person = str(author.person)
    if not author.tool:
        return Session(human_key(person), "human", "", "", "", person)
    key = session_key(author.tool, author.session)
    return Session(key, "session", author.tool, author.session, author.model, person, author.prompt)


def _entry_key(session: Session, commit: str) -> str:
    if session.kind == "human":
        return session.key
    trace = hashlib.sha256(f"{session.key}:{commit}".encode()).hexdigest()[:14]
    return f"{session.key}::t_{trace}"


def _empty_note(commit: str) -> Note:
    return Note((), SCHEMA_VERSION, "", commit, ())


def _held(claims: Iterable[Claim], key: str) -> tuple[tuple[LineRange, ...], tuple[LineRange, ...]]:
    """The lines that a session holds already, and those that others hold."""
    mine: list[LineRange] = []
    others: list[LineRange] = []
    for first, last, _, entry in claims:
        (mine if metadata_key(entry.key) == key else others).append((first, last))
    return tuple(mine), tuple(others)


def _with_claims(files: Iterable[NoteFile], fresh: Lines, key: str) -> tuple[NoteFile, ...]:
    """The files with the new lines under `key`, and those lines under no other key."""
    merged: dict[bytes, list[Entry]] = {}
    for file in files:
        kept = merged.setdefault(file.path, [])
        for entry in file.entries:
            ranges = _without(_joined(entry.ranges), fresh[file.path]) if file.path in fresh else entry.ranges
            if ranges:
                kept.append(Entry(entry.key, tuple(ranges)))
    for path, ranges in fresh.items():
        entries = merged.setdefault(path, [])
        same = next((entry for entry in entries if entry.key == key), Entry(key, ()))
        merged[path] = [entry for entry in entries if entry is not same]
        merged[path].append(Entry(key, _joined([*same.ranges, *ranges])))
    return tuple(NoteFile(path, tuple(entries)) for path, entries in merged.items() if entries)


def _metadata(text: bytes, note: Note, own: Session, author: Author, commit: str) -> bytes:
    """The JSON of the note: what was there, whole, and the new session or person."""
    if text:
        metadata = _existing_metadata(text, commit)
    else:
        metadata = {"schema_version": note.schema_version, "base_commit_sha": note.base_commit_sha, "prompts": {}}
    table, record = _record(own, author)
    known = metadata.get(table)
    records: dict[str, Any] = known if isinstance(known, dict) else {}
    metadata[table] = {**records, own.key: {**_as_dict(records.get(own.key)), **record}}
    return json.dumps(metadata, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _existing_metadata(text: bytes, commit: str) -> dict[str, Any]:
    try:
        metadata = json.loads(b"\n".join(_below_divider(text)))
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict):
        raise InputError(
            "the metadata of the existing note cannot be read, so nothing can be added to it",
            where=f"the note of {commit[:12]}",
            mend="look at it: tidegate provenance audit",
        )
    return metadata


def _below_divider(text: bytes) -> Iterator[bytes]:
    lines = iter(text.split(b"\n"))
    for line in lines:
        if line.rstrip(b"\r") == b"---":
            break
    yield from lines


def _record(own: Session, author: Author) -> tuple[str, Mapping[str, Any]]:
    if own.kind == "human":
        return "humans", {"author": own.human}
    record: dict[str, Any] = {
        "agent_id": {"tool": own.tool, "id": own.id, "model": own.model},
        "human_author": own.human,
    }
    if author.prompt:
        record["custom_attributes"] = {"prompt_digest": author.prompt}
        if author.prompt_text:
            record["custom_attributes"]["prompt"] = author.prompt_text
    return "sessions", record


def _as_dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
