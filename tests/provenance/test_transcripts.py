"""Transcripts of eleven agents: who wrote them is told by what is in them, and every edit is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.provenance.redact import prompt_digest
from tidegate.provenance.transcripts.edits import edits_of_call, edits_of_command, edits_of_patch
from tidegate.provenance.transcripts.read import parse_transcript, read_transcript
from tidegate.provenance.transcripts.records import parse_records
from tidegate.provenance.transcripts.values import Transcript

FIXTURES = {
    "amp-threads/T-019ca1ce-3ae2-7686-a41e-ccc078837f8a.json": ("amp", "claude-opus-4-6", 0),
    "amp-threads/T-019ca1f6-7f21-77b5-a308-65416ebbdf48.json": ("amp", "claude-opus-4-6", 1),
    "claude-code-with-plan.jsonl": ("claude", "claude-sonnet-4-20250514", 3),
    "claude-code-with-thinking.jsonl": ("claude", "claude-sonnet-4-5-20250929", 1),
    "claude-model-not-last.jsonl": ("claude", "claude-opus-4-6", 0),
    "example-claude-code.jsonl": ("claude", "claude-sonnet-4-20250514", 3),
    "codex-session-simple.jsonl": ("codex", "gpt-5-codex", 1),
    "codex-session-updated.jsonl": ("codex", "gpt-5.1-codex", 1),
    "continue-cli-session-simple.json": ("continue", "", 1),
    "copilot_chat_session_lookup_auto.jsonl": ("github-copilot", "Claude Sonnet 4.5", 0),
    "copilot_chat_session_lookup_details_only.jsonl": ("github-copilot", "Claude Sonnet 4.5", 0),
    "copilot_chat_session_lookup_json_file.json": ("github-copilot", "gpt-4o-mini", 0),
    "copilot_chat_session_lookup_non_auto.jsonl": ("github-copilot", "gpt-4o", 0),
    "copilot_chat_session_lookup_selected_model.jsonl": ("github-copilot", "claude-sonnet-4", 0),
    "copilot_cli_session_events.jsonl": ("github-copilot", "gpt-4.1", 1),
    "copilot_cli_session_no_model.jsonl": ("github-copilot", "", 0),
    "copilot_session_empty_then_patched.jsonl": ("github-copilot", "gpt-4o", 0),
    "copilot_session_event_stream.jsonl": ("github-copilot", "", 1),
    "copilot_session_multiline.jsonl": ("github-copilot", "gpt-4o", 8),
    "copilot_session_simple.json": ("github-copilot", "claude-sonnet-4", 2),
    "copilot_session_simple.jsonl": ("github-copilot", "claude-sonnet-4", 2),
    "copilot_transcript_session_lookup.jsonl": ("github-copilot", "", 0),
    "copilot_vscode_event_stream.jsonl": ("github-copilot", "", 1),
    "copilot_vscode_workspace/GitHub.copilot-chat/transcripts/test-session-abc.jsonl": ("github-copilot", "", 0),
    "cursor-session-simple.jsonl": ("cursor", "", 1),
    "droid-session.jsonl": ("droid", "custom:BYOK-GPT-5-MINI-0", 1),
    "droid-session.settings.json": ("droid", "custom:BYOK-GPT-5-MINI-0", 0),
    "gemini-session-simple.jsonl": ("gemini", "gemini-2.5-flash", 2),
    "opencode-storage": ("opencode", "claude-3-5-sonnet-20241022", 1),
    "pi-session-ignorable.jsonl": ("pi", "gpt-5", 0),
    "pi-session-simple.jsonl": ("pi", "claude-sonnet-4-5", 0),
    "pi-session-tool.jsonl": ("pi", "claude-sonnet-4-5", 1),
    "windsurf-session-simple.jsonl": ("windsurf", "", 2),
}
NOT_SESSIONS = {
    "copilot_vscode_workspace/workspace.json",
    "copilot_vscode_workspace/GitHub.copilot-chat/debug-logs/test-session-abc/models.json",
}


@pytest.mark.conformance
@pytest.mark.parametrize("name", FIXTURES)
def test_a_public_transcript_is_read(data: Path, name: str) -> None:
    found = read_transcript(data / "provenance" / "transcripts" / name)
    assert (found.tool, found.model, len(found.edits)) == FIXTURES[name]
    assert found.skipped == 0


@pytest.mark.conformance
def test_no_public_transcript_is_left_out(data: Path) -> None:
    root = data / "provenance" / "transcripts"
    names = {str(p.relative_to(root)) for p in root.rglob("*.json*")}
    assert {n for n in names if not n.startswith("opencode-storage/")} == (set(FIXTURES) - {"opencode-storage"}) | (
        NOT_SESSIONS
    )
    for name in NOT_SESSIONS:
        with pytest.raises(InputError, match="not a transcript"):
            read_transcript(root / name)


@pytest.mark.conformance
@pytest.mark.parametrize("name", [n for n in FIXTURES if not n.startswith(("droid-session.jsonl", "opencode"))])
def test_the_name_of_the_file_says_nothing(data: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(data / "provenance" / "transcripts" / name, tmp_path / "x.bin")
    tool, model, edits = FIXTURES[name]
    found = read_transcript(tmp_path / "x.bin")
    assert (found.tool, found.model, len(found.edits)) == (tool, model, edits)


def claude(*parts: dict[str, Any], **result: Any) -> bytes:
    """A session that proposes one edit, and its result."""
    base = {"parentUuid": "p", "sessionId": "s1", "cwd": "/Users/ann/shop", "timestamp": "2026-05-01T10:00:00Z"}
    ask = {**base, "type": "user", "message": {"role": "user", "content": "Add a greeting"}}
    use = {"type": "tool_use", "id": "t1", "name": "Edit", "input": parts[0]}
    answer = {
        **base,
        "type": "assistant",
        "message": {"role": "assistant", "model": "claude-opus-4-6", "content": [use]},
    }
    content = [{"type": "tool_result", "tool_use_id": "t1", "is_error": bool(result.pop("error", False))}]
    done = {**base, "type": "user", "message": {"role": "user", "content": content}, "toolUseResult": result}
    return b"\n".join(json.dumps(r).encode() for r in (ask, answer, *([done] if result or content else ())))


EDIT = {"file_path": "/Users/ann/shop/a.py", "old_string": "one\ntwo", "new_string": "one\nsaid by the agent\ntwo"}


def read(data: bytes) -> Transcript:
    found = parse_transcript(data)
    assert found is not None
    return found


def test_only_lines_that_are_new_in_an_edit_are_the_agents() -> None:
    assert [e.blocks for e in read(claude(EDIT)).edits] == [(("said by the agent",),)]


def test_what_the_user_changed_before_it_was_applied_is_marked() -> None:
    patch = [{"lines": [" one", "+said by the agent", "+typed by the user", " two"]}]
    found = read(claude(EDIT, filePath="/Users/ann/shop/a.py", structuredPatch=patch, userModified=True))
    assert [(e.blocks, e.by_user) for e in found.edits] == [
        ((("said by the agent", "typed by the user"),), frozenset({"typed by the user"}))
    ]
    unchanged = read(claude(EDIT, filePath="/Users/ann/shop/a.py", structuredPatch=patch, userModified=False))
    assert unchanged.edits[0].by_user == frozenset()


def test_an_edit_that_failed_wrote_nothing() -> None:
    assert read(claude(EDIT, error=True)).edits == ()


def test_of_a_prompt_only_a_salted_digest_is_kept() -> None:
    edit = read(claude(EDIT)).edits[0]
    assert edit.prompt == prompt_digest("Add a greeting", "claude:s1")
    assert "greeting" not in repr(read(claude(EDIT)))


def test_broken_lines_are_counted_and_the_rest_is_read() -> None:
    lines = claude(EDIT).split(b"\n")
    found = read(b"\n".join([lines[0], b'{"cut', b"[1]", b"\xff\xfe", lines[1], b"", b"null"]))
    assert (len(found.edits), found.skipped) == (1, 4)


def test_a_line_separator_inside_a_text_ends_no_line() -> None:
    edit = {**EDIT, "new_string": "one\nsaid\u2028by\u0085the agent\ntwo"}
    data = claude(edit).decode().encode().replace(b"\\u2028", "\u2028".encode()).replace(b"\\u0085", "\x85".encode())
    assert read(data).edits[0].blocks == (("said\u2028by\u0085the agent",),)


def test_a_pretty_printed_document_in_a_jsonl_file_is_read(tmp_path: Path) -> None:
    call = {"name": "write_file", "args": {"file_path": "/p/a.py", "content": "hello = 1\n"}}
    session = {
        "sessionId": "g1",
        "startTime": "2026-05-01T10:00:00Z",
        "messages": [{"type": "user", "content": "x"}, {"type": "gemini", "model": "gemini-3", "toolCalls": [call]}],
    }
    path = tmp_path / "session.jsonl"
    path.write_text(json.dumps(session, indent=2))
    found = read_transcript(path)
    assert (found.tool, found.id, found.model, found.edits[0].blocks) == ("gemini", "g1", "gemini-3", (("hello = 1",),))


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("Write", {"file_path": "a", "content": "x\ny\n"}, [("a", (("x", "y"),))]),
        ("create", {"path": "a", "file_text": "x"}, [("a", (("x",),))]),
        ("MultiEdit", {"file_path": "a", "edits": [{"old_string": "x", "new_string": "y"}]}, [("a", (("y",),))]),
        ("edit", {"path": "a", "edits": [{"oldText": "x", "newText": "x\ny"}]}, [("a", (("y",),))]),
        (
            "multi_replace",
            {"replacements": [{"filePath": "a", "oldString": "x", "newString": "y"}]},
            [("a", (("y",),))],
        ),
        ("apply_patch", {"input": "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch"}, [("a", (("x",),))]),
        ("apply_patch", '{"patch": "*** Begin Patch\\n*** Add File: a\\n+x\\n*** End Patch"}', [("a", (("x",),))]),
        ("apply_patch", "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch", [("a", (("x",),))]),
        ("shell", {"command": ["bash", "-lc", "cat > a <<'EOF'\nx\nEOF"]}, [("a", (("x",),))]),
        ("Bash", {"command": "tee b <<EOF\nx\ny\nEOF\necho done"}, [("b", (("x", "y"),))]),
        ("Read", {"file_path": "a", "content": "x"}, []),
        ("TodoWrite", {"todos": "x"}, []),
        ("Bash", {"command": "rm -rf a"}, []),
        ("Write", "not json", []),
        ("Write", None, []),
        ("Write", {"file_path": 3, "content": ["x"]}, []),
    ],
)
def test_a_call_is_read_by_the_shape_of_its_arguments(name: str, arguments: object, expected: list[Any]) -> None:
    assert [(e.path, e.blocks) for e in edits_of_call(name, arguments)] == expected


def test_a_patch_of_several_files_is_taken_apart() -> None:
    patch = "\n".join(
        [
            "*** Begin Patch",
            "*** Update File: a.py",
            "@@ def f",
            " one",
            "-two",
            "+zwei",
            " three",
            "+vier",
            "*** Update File: b.py",
            "*** Move to: c.py",
            "+neu",
            "*** Delete File: d.py",
            "*** End Patch",
        ]
    )
    assert [(e.path, e.blocks) for e in edits_of_patch(patch)] == [
        ("a.py", (("zwei",), ("vier",))),
        ("c.py", (("neu",),)),
    ]


@given(st.binary(max_size=400))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    parse_transcript(data)
    parse_records(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "message",
                    "content",
                    "role",
                    "sessionId",
                    "payload",
                    "data",
                    "messages",
                    "kind",
                    "v",
                    "k",
                    "id",
                    "requests",
                    "history",
                    "tool",
                    "state",
                    "input",
                    "name",
                    "arguments",
                    "path",
                    "edits",
                    "toolCalls",
                    "args",
                    "structuredPatch",
                    "lines",
                    "toolUseResult",
                    "model",
                    "time",
                    "usage",
                    "run",
                    "parts",
                    "info",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
STARTS = (
    {"parentUuid": None, "sessionId": "s", "type": "user"},
    {"type": "session_meta", "payload": {}},
    {"type": "session.start", "data": {"producer": "copilot-agent"}},
    {"kind": 0, "v": {"requests": []}},
    {"type": "session_start", "id": "x"},
    {"type": "session", "version": 1, "id": "x"},
    {"id": "T-1", "messages": []},
    {"sessionId": "x", "history": []},
    {"type": "gemini"},
    {"type": "user_input", "user_input": {}},
    {"messageID": "m", "type": "text"},
    {"role": "user", "message": {}},
)


@given(st.sampled_from(STARTS), st.lists(json_values, max_size=5))
def test_records_of_any_shape_never_raise(start: dict[str, Any], rest: list[Any]) -> None:
    data = b"\n".join(json.dumps(r).encode() for r in (start, *rest))
    assert parse_transcript(data) is not None
    merged = {**start, **{k: v for r in rest if isinstance(r, dict) for k, v in r.items() if k not in start}}
    parse_transcript(json.dumps([merged, *rest]).encode())


def test_deep_nesting_is_skipped() -> None:
    assert parse_transcript(b"[" * 100_000) is None
    assert list(edits_of_command("<<EOF\n" * 5000)) == []


def test_what_is_no_transcript_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(InputError, match="not a transcript that Tidegate knows"):
        read_transcript(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_transcript(tmp_path / "missing")
