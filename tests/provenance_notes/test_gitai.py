"""git-ai notes: every public note reads and writes back, and no text whatever stops the reader."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.repos import ALICE, note_text
from tidegate.provenance.gitai import (
    NOTE_LIMIT_BYTES,
    NoteError,
    human_key,
    metadata_key,
    note_claims,
    parse_note,
    prompt_key,
    render_note,
    session_key,
)
from tidegate.provenance.values import Entry, Note, NoteFile, Session

METADATA = b'---\n{\n  "schema_version": "authorship/3.0.0",\n  "base_commit_sha": "",\n  "prompts": {}\n}'


def _above(text: bytes) -> bytes:
    """The part above `---`, found without the reader under test."""
    lines = text.split(b"\n")
    return b"".join(line + b"\n" for line in lines[: lines.index(b"---")])


def _notes(data: Path) -> Iterator[bytes]:
    folder = data / "provenance"
    for file in sorted(folder.glob("notes_*.jsonl")):
        for line in file.read_text(encoding="utf-8").split("\n"):
            if line:
                yield json.loads(line)["note"].encode()


@pytest.mark.conformance
def test_public_notes_come_back_byte_for_byte(data: Path) -> None:
    notes = list(_notes(data))
    assert len(notes) == 181
    for text in notes:
        note = parse_note(text)
        assert note.faults == ()
        assert _above(render_note(note)) == _above(text)
        assert _above(render_note(parse_note(render_note(note)))) == _above(text)


@pytest.mark.conformance
def test_every_known_deviation_is_accepted(data: Path) -> None:
    variants = json.loads((data / "provenance" / "gitai_note_variants.json").read_text(encoding="utf-8"))
    assert len(variants) == 30
    for name, variant in variants.items():
        text = variant["note"].encode()
        note = parse_note(text)
        metadata = json.loads(text.partition(b"---\n")[2])
        assert note.faults == (), name
        assert _above(render_note(note)) == _above(text), name
        assert note.base_commit_sha == metadata["base_commit_sha"], name
        assert note.git_ai_version == metadata.get("git_ai_version", ""), name
        assert {s.key for s in note.sessions} == {
            key for part in ("prompts", "humans", "sessions") for key in metadata.get(part, {})
        }, name
    assert parse_note(variants["logical_commit_id_field"]["note"].encode()).extra == {
        "logical_commit_id": "c5779354cbbb692ecb329b071460f7db57e0c74c"
    }


@pytest.mark.conformance
@pytest.mark.parametrize(
    "name",
    [
        "expected_format",
        "file_names_with_spaces",
        "hash_always_maps_to_prompt",
        "serialize_deserialize_no_attestations",
        "serialize_deserialize_roundtrip",
    ],
)
def test_a_note_is_written_as_git_ai_writes_it(data: Path, name: str) -> None:
    folder = data / "provenance" / "gitai_serializer"
    prefix = "git_ai__authorship__authorship_log_serialization__tests__"
    snapshot = (folder / f"{prefix}{name}.snap").read_text(encoding="utf-8").split("---\n", 2)[2]
    text = json.loads(snapshot).encode()
    assert render_note(parse_note(text)) == text


def test_ids_recompute() -> None:
    assert session_key("cursor", "session_123") == "s_c9883b05a2487d"
    assert prompt_key("cursor", "session_123") == "c9883b05a2487d6d"
    assert human_key("Alice Smith <alice@example.com>") == "h_31dce776f88375"
    assert metadata_key("s_1::t_2") == "s_1"
    assert metadata_key("a::b") == "a::b"


def test_ranges_are_written_in_order_and_kept_as_they_were_read() -> None:
    text = b"f\n  k 100-200,50,10-15,1,25-30,5\n" + METADATA
    note = parse_note(text)
    assert note.files[0].entries[0].ranges[0] == (100, 200)
    assert render_note(note) == text
    fresh = Note(note.files, "", "", "", ())
    assert _above(render_note(fresh)) == b"f\n  k 1,5,10-15,25-30,50,100-200\n"


@pytest.mark.parametrize(
    ("above", "paths"),
    [
        (b'"src/my file.rs"\n  k 1\n', [b"src/my file.rs"]),
        (b'"tab\there"\n  k 1\n', [b"tab\there"]),
        (b'"line\nbreak"\n  k 1\n', [b"line\nbreak"]),
        (b'"three\n\nlines"\n  k 1\nnext\n  k 2\n', [b"three\n\nlines", b"next"]),
        (b'"opening.py\n  k 1\n"b c"\n  k 2\n', [b'"opening.py', b"b c"]),
        (b"spa ce\n  k 1\n", [b"spa ce"]),
        (b"\xff\xfe.py\n  k 1\n", [b"\xff\xfe.py"]),
        (b"empty\nb\n  k 1\n", [b"empty", b"b"]),
        (b"a\r\n  k 1\r\n\r\nb\n  k 1 \n", [b"a", b"b"]),
        (b"", []),
    ],
)
def test_paths(above: bytes, paths: list[bytes]) -> None:
    note = parse_note(above + METADATA)
    assert [file.path for file in note.files] == paths
    assert note.faults == ()
    assert _above(render_note(note)) == above


@pytest.mark.parametrize(
    ("ranges", "read", "wrong"),
    [
        (b"1,,2,", ((1, 1), (2, 2)), ""),
        (b"+5-007", ((5, 7),), ""),
        (b"5-5", ((5, 5),), ""),
        (b"4294967295", ((4294967295, 4294967295),), ""),
        (b"4294967296", (), "'4294967296'"),
        (b"1," + b"9" * 5000, ((1, 1),), "'" + "9" * 40 + "'"),
        (b"0", (), "'0'"),
        (b"9-3,4", ((4, 4),), "'9-3'"),
        (b"1, 2", ((1, 1),), "' 2'"),
        (b"1-2-3", (), "'1-2-3'"),
        (b"\xd9\xa1", (), "'\u0661'"),
    ],
)
def test_ranges(ranges: bytes, read: tuple[tuple[int, int], ...], wrong: str) -> None:
    note = parse_note(b"f\n  k " + ranges + b"\n" + METADATA)
    assert [entry.ranges for entry in note.files[0].entries] == ([read] if read else [])
    assert [fault.what for fault in note.faults] == ([f"{wrong} is not a range of lines"] if wrong else [])
    assert _above(render_note(note)) == b"f\n  k " + ranges + b"\n"


def test_what_is_wrong_is_left_out_and_named() -> None:
    note = parse_note(b"  k 1\nf\n  k\n  k 2\n" + METADATA)
    assert [(f.kind, f.line) for f in note.faults] == [("entry", 1), ("entry", 3)]
    assert note.files == (NoteFile(b"f", (Entry("k", ((2, 2),)),)),)


@pytest.mark.parametrize(
    "metadata",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"prompts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"a": 1} x'],
)
def test_metadata_that_is_no_json_object_leaves_the_claims(metadata: bytes) -> None:
    note = parse_note(b"f\n  k 1-3\n---\n" + metadata)
    assert note.files == (NoteFile(b"f", (Entry("k", ((1, 3),)),)),)
    assert [fault.kind for fault in note.faults] == ["metadata"]


def test_a_record_of_the_wrong_kind_leaves_the_others() -> None:
    sessions = {"s_1": {"agent_id": 7}, "s_2": {"agent_id": {"tool": "claude", "id": 5, "model": None}}}
    text = b"---\n" + json.dumps({"sessions": sessions, "prompts": None, "humans": []}).encode()
    note = parse_note(text)
    assert note.sessions == (Session("s_2", "session", "claude", "5", "", ""),)
    assert [fault.what.split(":")[0] for fault in note.faults] == ["humans", "sessions.s_1"]


def test_prompts_are_never_kept() -> None:
    secret = "the launch code is 0000"
    metadata = {
        "schema_version": "authorship/3.0.0",
        "base_commit_sha": "",
        "prompts": {"0123456789abcdef": {"agent_id": {"tool": "t", "id": "i", "model": "m"}, "messages": [secret]}},
        "sessions": {"s_1": {"agent_id": {"tool": "t", "id": "i", "model": "m"}, "messages": [{"text": secret}]}},
        "transcript": {"text": secret},
        "long": secret * 20,
    }
    note = parse_note(b"---\n" + json.dumps(metadata, indent=2).encode())
    assert secret not in repr(note)
    assert secret.encode() not in render_note(note)
    assert len(note.sessions) == 2


def test_notes_without_a_divider_or_beyond_the_limit_are_refused() -> None:
    for text in (b"", b"f\n  k 1\n", b" ---\n{}", b"f\n----\n{}"):
        with pytest.raises(NoteError):
            parse_note(text)
    with pytest.raises(NoteError, match="too large"):
        parse_note(b"x" * (NOTE_LIMIT_BYTES + 1))


def test_joined_notes_are_one_note() -> None:
    one = note_text("a" * 40, {"a.py": {"a": "1"}}).encode()
    two = note_text("a" * 40, {"b.py": {"h": "2"}}).encode()
    note = parse_note(one + b"\n" + two + b"\n")
    assert note.faults == ()
    assert [file.path for file in note.files] == [b"a.py", b"b.py"]
    assert [session.kind for session in note.sessions] == ["session", "human"]
    again = parse_note(render_note(note))
    assert (again.files, set(again.sessions)) == (note.files, set(note.sessions))


# Claims


def _note(*entries: tuple[str, str]) -> Note:
    known = [Session(key, "session", "t", key, "m", ALICE) for key in ("s_1", "s_2")]
    text = "f\n" + "".join(f"  {key} {ranges}\n" for key, ranges in entries)
    read = parse_note(text.encode() + METADATA)
    return Note(read.files, "", "", "", tuple(known))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([("s_1::t_1", "1-5,9")], "1-5 s_1, 9 s_1"),
        ([("s_1::t_1", "1-10"), ("s_2::t_1", "3-4")], "1-2 s_1, 3-4 s_2, 5-10 s_1"),
        ([("s_2::t_1", "3-4"), ("s_1::t_1", "1-10")], "1-10 s_1"),
        ([("s_1::t_1", "1-10"), ("gone", "3-12")], "1-10 s_1, 11-12 gone?"),
        ([("gone", "1-4"), ("lost", "2")], "1 gone?, 2 lost?, 3-4 gone?"),
        ([("s_1::t_1", "1,2,3"), ("s_1::t_2", "4")], "1-3 s_1, 4 s_1"),
        ([("s_1::t_1", "")], ""),
    ],
)
def test_a_later_entry_wins(entries: list[tuple[str, str]], expected: str) -> None:
    claims = note_claims(_note(*entries)).get(b"f", [])
    shown = [
        f"{a if a == b else f'{a}-{b}'} {session.key if session else entry.key + '?'}"
        for a, b, session, entry in claims
    ]
    assert ", ".join(shown) == expected


_KEYS = st.sampled_from(["s_1::t_1", "s_2::t_9", "s_1::t_2", "gone", "lost"])
_RANGES = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 12)), max_size=5)


@given(st.lists(st.tuples(_KEYS, _RANGES), max_size=8))
def test_claims_are_what_painting_line_by_line_gives(drawn: list[tuple[str, list[tuple[int, int]]]]) -> None:
    entries = tuple(Entry(key, tuple((first, first + more) for first, more in ranges)) for key, ranges in drawn)
    known = {key: Session(key, "session", "t", key, "m", "") for key in ("s_1", "s_2")}
    painted: dict[int, Entry] = {}
    for orphans in (True, False):
        for entry in entries:
            if (metadata_key(entry.key) not in known) == orphans:
                painted.update({line: entry for a, b in entry.ranges for line in range(a, b + 1)})
    note = Note((NoteFile(b"f", entries),), "", "", "", tuple(known.values()))
    claims = note_claims(note)[b"f"]
    assert {line: entry for a, b, _, entry in claims for line in range(a, b + 1)} == painted
    assert all(before[1] < after[0] for before, after in pairwise(claims))


# No text stops the reader

_PIECES = st.sampled_from(
    [
        *(
            b"---",
            b"---\r",
            b"\n",
            b"  ",
            b"f",
            b'"',
            b"s_1::t_1 ",
            b"h_1 ",
            b"1-3",
            b",",
            b"9",
            b"{",
            b"}",
            b"\n}",
            b"\xff",
        ),
        *(METADATA, note_text("a" * 40, {"a b": {"a": "1-3", "h": "7"}}).encode()),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.lists(_PIECES, max_size=30).map(b"".join)))
def test_any_text_is_a_note_or_a_note_error(text: bytes) -> None:
    try:
        note = parse_note(text)
    except NoteError:
        return
    note_claims(note)
    again = parse_note(render_note(note))
    if note.written or len(note.files) < 2:  # of notes that were joined a path may run on into the next
        assert again.files == note.files


_REAL = note_text("a" * 40, {"src/a.py": {"a": "1-3,9", "h": "4"}, "b c": {"a": "7"}}).encode()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(_REAL)), st.integers(0, 12), st.binary(max_size=6))
def test_a_mutated_note_is_a_note_or_a_note_error(at: int, cut: int, put: bytes) -> None:
    try:
        note = parse_note(_REAL[:at] + put + _REAL[at + cut :])
    except NoteError:
        return
    note_claims(note)
    render_note(note)


@pytest.mark.parametrize(
    "hostile",
    [
        b'"x\n' * 100_000 + METADATA,
        b"f\n  k " + b"1-2," * 100_000 + b"\n" + METADATA,
        b"f\n" + b"  k 1-9\n" * 60_000 + METADATA,
        b"---\n}\n" * 60_000,
        b"f\n  k " + b",".join(b"%d-%d" % (n, 10**6) for n in range(1, 60_000)) + b"\n" + METADATA,
        METADATA + b"\n}" * 500_000,
    ],
    ids=["quotes", "ranges", "entries", "dividers", "nested", "braces"],
)
def test_time_grows_with_the_text_and_no_faster(hostile: bytes) -> None:
    begin = time.process_time()
    note_claims(parse_note(hostile))
    assert time.process_time() - begin < 3


def test_megabytes_of_prompts_cost_no_memory() -> None:
    prompts = {
        "0123456789abcdef": {
            "agent_id": {"tool": "claude", "id": "x", "model": "m"},
            "messages": [{"type": "user", "text": "please " * 100} for _ in range(6000)],
        }
    }
    text = b"f\n  0123456789abcdef 1\n---\n" + json.dumps({"prompts": prompts}, indent=2).encode()
    assert len(text) > 4_000_000
    tracemalloc.start()
    parse_note(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000
