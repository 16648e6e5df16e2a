"""Payloads of each agent and the answers in its own form; who is at the keyboard; what the environment opens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.agent.guard.hook import Reply, answer, command_line
from tidegate.agent.guard.keyboard import who_is_here
from tidegate.agent.guard.scope import credentials_here, finding

NOW = "2026-05-01T12:00:00Z"
PAYLOADS = {
    "claude-code": {
        "session_id": "s",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "{}"},
    },
    "codex": {
        "session_id": "s",
        "turn_id": "t",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "{}"},
    },
    "cursor": {
        "conversation_id": "c",
        "cursor_version": "2",
        "hook_event_name": "beforeShellExecution",
        "command": "{}",
    },
    "cursor-tool": {
        "cursor_version": "2",
        "hook_event_name": "preToolUse",
        "tool_name": "Shell",
        "tool_input": {"command": "{}"},
    },
    "gemini": {
        "session_id": "s",
        "hook_event_name": "BeforeTool",
        "tool_name": "run_shell_command",
        "tool_input": {"command": "{}"},
    },
    "copilot": {"sessionId": "s", "timestamp": 1, "toolName": "bash", "toolArgs": '{"command": "{}"}'},
    "cline": {
        "hookName": "PreToolUse",
        "taskId": "t",
        "preToolUse": {"toolName": "execute_command", "parameters": {"command": "{}"}},
    },
    "windsurf": {"agent_action_name": "pre_run_command", "tool_info": {"command_line": "{}", "cwd": "/"}},
    "opencode": {"tool": "bash", "sessionID": "s", "callID": "c", "args": {"command": "{}"}},
}


def asked(name: str, command: str) -> Reply:
    data = json.dumps(PAYLOADS[name]).replace("{}", command).encode()
    return answer(data, {"HOME": "/home/x", "PATH": "/usr/bin:/bin"}, Path("/"), NOW)


def is_denied(reply: Reply) -> bool:
    document = json.loads(reply.out) if reply.out else {}
    inner = document.get("hookSpecificOutput", document)
    said = (inner.get("permissionDecision"), document.get("permission"), document.get("decision"))
    return reply.code == 2 or "deny" in said or document.get("cancel") is True


@pytest.mark.parametrize("name", PAYLOADS)
def test_each_agent_is_denied_in_its_own_form(name: str) -> None:
    reply = asked(name, "terraform destroy")
    assert is_denied(reply)
    assert "terraform destroy" in reply.out + reply.err


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_pass_grants_nothing(name: str) -> None:
    reply = asked(name, "ls -la")
    assert not is_denied(reply)
    assert reply.code == 0
    assert "allow" not in reply.out


def test_codex_gets_no_field_that_it_does_not_know() -> None:
    document = json.loads(asked("codex", "terraform destroy").out)
    assert set(document) == {"hookSpecificOutput"}
    assert set(document["hookSpecificOutput"]) == {"hookEventName", "permissionDecision", "permissionDecisionReason"}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff\xfe", b'{"tool_name": "Bash"}', b'{"tool_name":"Bash","tool_input":{}}', b"null"]
)
def test_what_is_no_payload_holds(data: bytes) -> None:
    reply = answer(data, {}, Path("/"), NOW)
    assert reply.code == 2 or is_denied(reply)


def test_other_tools_pass_in_silence() -> None:
    payload = {"session_id": "s", "tool_name": "Read", "tool_input": {"file_path": "/etc/passwd"}}
    assert answer(json.dumps(payload).encode(), {}, Path("/"), NOW) == Reply("", "", 0)


def test_words_are_judged_as_words() -> None:
    payload = {
        "session_id": "s",
        "turn_id": "t",
        "tool_name": "shell",
        "tool_input": {"command": ["bash", "-lc", "terraform destroy"]},
    }
    assert is_denied(answer(json.dumps(payload).encode(), {}, Path("/"), NOW))


def test_without_a_sign_of_a_human_it_is_an_agent() -> None:
    assert not who_is_here({}, terminal=False).human
    assert not who_is_here({"CLAUDECODE": "1"}, terminal=True).human


def test_credentials_are_named_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text("hidden")
    found = credentials_here(
        {"AWS_SECRET_ACCESS_KEY": "hidden", "MY_TOKEN": "hidden", "EMPTY_TOKEN": "", "HOME": "x"}, tmp_path
    )
    assert [(one.name, one.breadth) for one in found] == [
        ("AWS_SECRET_ACCESS_KEY", "broad"),
        ("~/.kube/config", "broad"),
        ("MY_TOKEN", "narrow"),
    ]
    assert "hidden" not in repr(found) + finding(found, human=False)
    assert finding(found, human=True) == ""


@pytest.mark.parametrize(("command", "held"), [("git status --short && ls", False), ("terraform destroy", True)])
def test_the_entry_answers_like_the_hook(command: str, held: bool, tmp_path: Path) -> None:
    payload = {"session_id": "s", "tool_name": "Bash", "tool_input": {"command": command}, "cwd": str(tmp_path)}
    done = subprocess.run(
        command_line().split(), input=json.dumps(payload), capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert ("deny" in done.stdout) is held
    assert done.stderr == ""


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"tool_name": "Bash"', b"[" * 100_000, b'{"command": "ls \\ud800"}'])
def test_the_entry_holds_what_is_no_payload_and_never_breaks(payload: bytes) -> None:
    done = subprocess.run(command_line().split(), input=payload, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert done.returncode == (0 if b"ls" in payload and not done.stderr else 2)


def test_a_judgement_loads_nothing_heavy() -> None:
    source = Path(__file__).resolve().parents[2] / "src"
    text = (
        f"import sys; sys.path.insert(0, {str(source)!r}); from pathlib import Path; "
        "from tidegate.agent.guard.judge import judge_text; from tidegate.agent.guard.values import Place; "
        "import tidegate.agent.guard.hook; "
        "judge_text('git status && ls -la | head; make test', Place(Path('/w'), Path('/w'), '/h', {})); "
        "print(*sorted({'msgspec', 'typing', 'inspect', 'dataclasses', 'datetime', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
