"""Agent Trace: the public records read, what we write is valid, and a claim counts as far as its audit lets it."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.provenance.agent_trace import (
    Conversation,
    TraceFile,
    TraceRange,
    TraceRecord,
    Traces,
    parse_records,
    read_traces,
    render_record,
)
from tidegate.provenance.trace_audit import TraceAudit, audit_traces
from tidegate.provenance.trace_signature import canonical_json, check_signature, key_id, matches_hash, read_trusted_keys

SECRET = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
PUBLIC = SECRET.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
TRUSTED = read_trusted_keys([base64.b64encode(PUBLIC).decode()])


def _document(revision: str = "a" * 40, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "version": "0.1.0",
        "id": "550e8400-e29b-41d4-a716-446655440000",
        "timestamp": "2026-01-23T14:30:00Z",
        "vcs": {"type": "git", "revision": revision},
        "tool": {"name": "cursor", "version": "2.4.0"},
        "files": [
            {
                "path": "a.py",
                "conversations": [
                    {
                        "contributor": {"type": "ai", "model_id": "anthropic/claude-opus-4-6"},
                        "ranges": [{"start_line": 1, "end_line": 2}],
                    }
                ],
            }
        ],
    }
    return {**document, **changes}


def _signed(document: dict[str, Any]) -> dict[str, Any]:
    value = base64.b64encode(SECRET.sign(canonical_json(document))).decode()
    return {**document, "sig": {"alg": "ed25519", "key_id": key_id(PUBLIC), "value": value}}


def _line(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.conformance
def test_public_records_read(data: Path) -> None:
    text = (data / "provenance" / "agent_trace" / "agentdiff_traces.jsonl").read_bytes()
    traces = parse_records(text)
    assert (len(traces.records), traces.faults) == (49, ())
    raw = [json.loads(line) for line in text.split(b"\n") if line]
    assert [record.revision for record in traces.records] == [r["vcs"]["revision"] for r in raw]
    ranges = [n for r in traces.records for f in r.files for c in f.conversations for n in c.ranges]
    assert len(ranges) == 859
    assert sum(record.signature != "none" for record in traces.records) == 8
    assert sum(bool(record.session) for record in traces.records) >= 16
    excerpts = {value for r in raw for value in _excerpts(r.get("metadata", {})) if len(value) > 20}
    assert excerpts
    assert not any(excerpt in repr(traces) for excerpt in excerpts)


def _excerpts(metadata: dict[str, Any]) -> list[str]:
    parts = [metadata, metadata.get("agentdiff", {})]
    return [part["prompt_excerpt"] for part in parts if "prompt_excerpt" in part]


@pytest.mark.conformance
def test_examples_read_and_what_is_written_is_valid(data: Path) -> None:
    folder = data / "provenance" / "agent_trace"
    schema = json.loads((folder / "trace-record.schema.json").read_text(encoding="utf-8"))
    for name in ("examples.json", "agentdiff_traces.jsonl"):
        traces = parse_records((folder / name).read_bytes())
        assert traces.faults == ()
        for record in traces.records:
            line = render_record(record)
            jsonschema.validate(json.loads(line), schema)
            assert line.count(b"\n") == 1
            again = parse_records(line).records[0]
            assert (again.files, again.revision, again.tool, again.session, again.prompt, again.person) == (
                *(record.files, record.revision, record.tool, record.session, record.prompt, record.person),
            )


def test_what_the_reference_implementation_writes_is_read_for_what_it_means() -> None:
    document = _document(version="1.0")
    document["files"][0]["conversations"][0]["ranges"] = [
        {"start_line": 1, "end_line": 1},
        {"start_line": 4, "end_line": 6},
    ]
    document["files"].append({"path": ".shell-history", "conversations": []})
    document["files"].append({"path": ".sessions", "conversations": []})
    record = parse_records(_line(document)).records[0]
    assert [file.path for file in record.files] == [b"a.py"]
    assert [(r.first, r.last) for r in record.files[0].conversations[0].ranges] == [(4, 6)]
    document["version"] = "0.1.0"
    record = parse_records(_line(document)).records[0]
    assert [(r.first, r.last) for r in record.files[0].conversations[0].ranges] == [(1, 1), (4, 6)]


def test_contributors_ranges_and_metadata() -> None:
    document = _document(metadata={"dev.tidegate": {"session": "s", "prompt": "p"}, "confidence": 0.5})
    conversation = document["files"][0]["conversations"][0]
    conversation["ranges"] = [
        {"start_line": 3, "end_line": 3, "contributor": {"type": "human"}, "content_hash": "sha256:00"},
        {"start_line": 9, "end_line": 2},
        {"start_line": 0, "end_line": 2},
    ]
    conversation["related"] = [{"type": "session", "url": "https://example.com/s"}]
    del document["tool"]
    document["files"].append(
        {"path": "b.py", "conversations": [{"ranges": []}, {"ranges": [], "contributor": {"type": "x"}}]}
    )
    record = parse_records(_line(document)).records[0]
    assert (record.tool, record.session, record.prompt) == ("", "s", "p")
    first = record.files[0].conversations[0]
    assert first.ranges == (TraceRange(3, 3, "sha256:00", "human", ""),)
    assert first.related == (("session", "https://example.com/s"),)
    assert [c.contributor for c in record.files[1].conversations] == ["unknown", "unknown"]


def test_a_bad_record_stops_nothing() -> None:
    lines = [
        b"{",
        _line(_document()),
        b"",
        b"[]",
        b"null",
        _line({"version": "0.1.0"}),
        b"\xff\xfe",
        _line(_document()),
    ]
    traces = parse_records(b"\n".join(lines))
    assert len(traces.records) == 2
    assert [fault.line for fault in traces.faults] == [1, 4, 5, 6, 7]
    assert {fault.kind for fault in traces.faults} == {"record"}


@pytest.mark.parametrize("indent", [None, 1])
def test_one_document_or_a_list_of_them_is_read_too(indent: int | None) -> None:
    for document, count in (([_document()] * 3, 3), (_document(), 1), ([], 0)):
        traces = parse_records(json.dumps(document, indent=indent).encode())
        assert (len(traces.records), traces.faults) == (count, ())


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda at, cut, put: _line(_signed(_document()))[:at] + put + _line(_signed(_document()))[at + cut :],
            *(st.integers(0, 700), st.integers(0, 9), st.binary(max_size=5)),
        ),
    )
)
def test_no_text_stops_the_reader(text: bytes) -> None:
    for record in parse_records(text, TRUSTED).records:
        render_record(record)


# Signatures and hashes


def test_a_signature_by_a_trusted_key_holds_for_exactly_what_was_signed() -> None:
    document = _signed(_document(metadata={"a.b": {"n": 1.0, "t": "é\u2028"}}))
    assert check_signature(_line(document), TRUSTED) == "valid"
    assert check_signature(json.dumps(document, indent=3, ensure_ascii=False).encode(), TRUSTED) == "valid"
    assert check_signature(_line(document), None) == "unknown-key"
    assert check_signature(_line(_document(sig={"alg": "ed25519"})), TRUSTED) == "invalid"
    assert check_signature(_line({**document, "sig": {**document["sig"], "alg": "rsa"}}), TRUSTED) == "unknown-key"
    document["tool"] = {"name": "other"}
    assert check_signature(_line(document), TRUSTED) == "invalid"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_of_a_signed_record_stays_valid(at: int, flip: int) -> None:
    text = bytearray(canonical_json(_signed(_document())))
    text[at % len(text)] ^= flip
    for record in parse_records(bytes(text), TRUSTED).records:
        if record.signature == "valid":
            assert json.loads(bytes(text)) == _signed(_document())


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((1.0, "1"), (-0.0, "0"), (0.1, "0.1"), (1e21, "1e+21"), (1e20, "100000000000000000000"), (1e-6, "0.000001")),
        *((1e-7, "1e-7"), (123456.789, "123456.789"), (5e-324, "5e-324"), (-1.5e300, "-1.5e+300"), (2**53, str(2**53))),
    ],
)
def test_numbers_are_written_as_rfc_8785_wants_them(number: float, text: str) -> None:
    assert canonical_json(number) == text.encode()


def test_keys_are_sorted_by_utf_16() -> None:
    assert canonical_json({"\ufb33": 1, "\U0001f600": 2, "a": [None, True]}) == (
        '{"a":[null,true],"\U0001f600":2,"\ufb33":1}'.encode()
    )


@pytest.mark.parametrize("key", ["", "AAAA", "not base64!", "é"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="ed25519 public key"):
        read_trusted_keys([key])


def test_content_hashes() -> None:
    lines = [b"one", b"two"]
    assert matches_hash("sha256:" + hashlib.sha256(b"one\ntwo").hexdigest(), lines) is True
    assert matches_hash("SHA256:" + hashlib.sha256(b"one\ntwo\n").hexdigest().upper(), lines) is True
    assert matches_hash("sha256:00", lines) is False
    assert matches_hash("murmur3:248bfa47", [b"hello"]) is True
    assert matches_hash("murmur3:149bbb7f", [b"hello, world"]) is True
    assert matches_hash("blake9:00", lines) is None
    assert matches_hash("9f2e8a1b", lines) is None


# Audit


def _audit(repo: Repo, *documents: dict[str, Any]) -> TraceAudit:
    traces = parse_records(b"\n".join(_line(document) for document in documents), TRUSTED)
    with open_repository(repo.path) as repository:
        return audit_traces(repository, [("traces", traces)])


def _with(document: dict[str, Any], path: str, *ranges: dict[str, Any]) -> dict[str, Any]:
    conversation = {"contributor": {"type": "ai"}, "ranges": list(ranges)}
    return {**document, "files": [{"path": path, "conversations": [conversation]}]}


def test_claims_are_held_against_their_revision(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Base", {"a.py": "one\n"})
    commit = repo.commit("More", {"a.py": "one\ntwo\nthree\n"})
    right = "sha256:" + hashlib.sha256(b"two\nthree").hexdigest()
    document = _with(
        _document(commit),
        "a.py",
        {"start_line": 2, "end_line": 3, "content_hash": right},
        {"start_line": 2, "end_line": 3, "content_hash": "sha256:00"},
        {"start_line": 2, "end_line": 3, "content_hash": "unheard:00"},
        {"start_line": 1, "end_line": 2},
        {"start_line": 2, "end_line": 900},
    )
    audit = _audit(repo, document)
    assert [claim.reason for claim in audit.claims[commit]] == [
        *("", "its content hash is not that of the lines", ""),
        *("the commit did not add all of it",) * 2,
    ]
    assert {claim.evidence for claim in audit.claims[commit]} == {"E4"}
    assert [finding.rule for finding in audit.findings] == ["trace-over-reach", "trace-hash-mismatch"]
    assert _audit(repo, _with(_document(commit), "no.py", {"start_line": 1, "end_line": 1})).findings[0].rule == (
        "trace-over-reach"
    )


def test_only_a_valid_signature_that_passes_is_e5(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    commit = repo.commit("Base", {"a.py": "one\ntwo\n"})
    good = _signed(_document(commit))
    forged = {**good, "tool": {"name": "other"}}
    beyond = _signed(_with(_document(commit), "a.py", {"start_line": 2, "end_line": 3}))
    claims = _audit(repo, good, forged, beyond).claims[commit]
    assert [(claim.evidence, bool(claim.reason)) for claim in claims] == [("E5", False), ("E4", True), ("E5", True)]
    assert [f.rule for f in _audit(repo, good, forged).findings] == ["trace-bad-signature"]


@pytest.mark.parametrize("revision", ["HEAD", "main", "--output=x", "f" * 40, "a\nb", ""])
def test_a_record_that_is_bound_to_no_commit_claims_nothing(tmp_path: Path, revision: str) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Base", {"a.py": "one\ntwo\n"})
    audit = _audit(repo, _document(revision))
    assert len(audit.unknowns) == 1
    assert all(claim.reason for claims in audit.claims.values() for claim in claims)


def test_traces_are_read_from_refs_and_from_the_tree(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    head = repo.commit("Base", {".agent-trace/traces.jsonl": _line(_document()), "traces.jsonl": b"{}\n"})
    repo.git("update-ref", "refs/agentdiff/meta", head)
    with open_repository(tmp_path) as repository:
        read = dict(read_traces(repository, ["refs/agentdiff/meta:traces.jsonl", "refs/none:x"], head))
    assert [(name, len(t.records), len(t.faults)) for name, t in read.items()] == [
        ("refs/agentdiff/meta:traces.jsonl", 0, 1),
        (".agent-trace/traces.jsonl", 1, 0),
    ]


def test_what_we_write_says_what_we_were_told() -> None:
    ranges = (TraceRange(1, 4, "sha256:ab"), TraceRange(7, 7, "", "human"))
    conversation = Conversation(
        "ai", "anthropic/claude", "https://x.example", ranges, (("session", "https://y.example"),)
    )
    record = TraceRecord(
        *("id", "a" * 40, "2026-05-01T12:00:00Z", "claude-code"),
        (TraceFile("ü b.py".encode(), (conversation,)),),
        session="s-1",
        prompt="digest",
        person="Alice <alice@example.com>",
    )
    assert parse_records(render_record(record)) == Traces((record,))
