"""The guard as a hook of an agent: the payload of a tool call on standard input, an answer in that agent's own form.

Tools run each other's hooks, so the payload says which agent it is and not the name that the hook was installed under
(docs/guard.md lists the forms and their sources). A pass is silence, or the least that the agent demands: it never
grants a permission that the person has not given. Our own failure holds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tidegate.agent.guard.decide import Answer, Asked, decide_text, decide_words
from tidegate.agent.guard.frozen import Frozen
from tidegate.agent.guard.keyboard import Keyboard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    Form: TypeAlias = Literal[
        "claude-code", "codex", "cursor", "gemini", "copilot", "cline", "windsurf", "opencode", "unknown"
    ]


LARGEST_PAYLOAD = 20_000_000
_SHELLS = frozenset(
    (
        *("bash", "shell", "exec_command", "shell_command", "run_shell_command", "run_command", "execute_command"),
        *("powershell", "local_shell", "container.exec", "terminal", "run_terminal_cmd", "run_in_terminal", "execute"),
        *("unified_exec", "exec", "runterminalcommand", "execute_bash", "runcommand", "write_stdin"),
    )
)


class ToolCall(Frozen):
    """What an agent is about to run. `command` is text for a shell or words; None where it is no command at all."""

    form: Form
    command: str | tuple[str, ...] | None
    folder: str = ""


class Reply(Frozen):
    """What the hook writes and how it ends."""

    out: str
    err: str
    code: int


def main() -> None:
    """The hook: standard input to standard output. Any failure of our own holds the command."""
    data = sys.stdin.buffer.read(LARGEST_PAYLOAD + 1)
    reply = answer(data, os.environ, Path.cwd(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    sys.stdout.write(reply.out)
    sys.stderr.write(reply.err)
    sys.stdout.flush()
    sys.exit(reply.code)


def command_line() -> str:
    """What an agent's configuration should call: it starts in a third of the time of the whole command line."""
    import shlex

    return shlex.join((sys.executable, "-I", str(Path(__file__).with_name("entry.py"))))


def answer(data: bytes, environment: Mapping[str, str], folder: Path, now: str) -> Reply:
    """What to say of a payload."""
    form: Form = "unknown"
    try:
        call = read_call(data)
        form = call.form
        if call.command is None:
            return reply_of(form, "")
        where = Path(call.folder) if call.folder.startswith("/") else folder
        asked = Asked(where, environment, Keyboard(False, f"a hook of {form}"), now)
        found = decide_text(call.command, asked) if isinstance(call.command, str) else decide_words(call.command, asked)
        return reply_of(form, reason_of(found))
    except Exception as error:  # noqa: BLE001 the fence around a guard that fails closed
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return reply_of(form, f"Tidegate could not judge this command, so it is held ({what}). Ask a person to run it.")


def read_call(data: bytes) -> ToolCall:
    """The call that a payload tells of. Raises ValueError for what is no payload of any agent."""
    if len(data) > LARGEST_PAYLOAD:
        raise ValueError("the payload is too long")
    payload = json.loads(data)
    if not isinstance(payload, dict):
        raise ValueError("the payload is no object")
    form = form_of(payload)
    folder = _text(payload, "cwd", "workdir", "working_directory") or _first(payload.get("workspace_roots"))
    folder = folder or _first(payload.get("workspaceRoots"))
    if "command" in payload and (
        "tool_name" not in payload or payload.get("hook_event_name") == "beforeShellExecution"
    ):
        return ToolCall(form, _command(payload["command"]), folder)
    info = payload.get("tool_info")
    if isinstance(info, dict) and "command_line" in info:
        return ToolCall(form, _command(info["command_line"]), _text(info, "cwd") or folder)
    inner = payload.get("preToolUse")
    source = inner if isinstance(inner, dict) else payload
    name = _text(source, "tool_name", "toolName", "tool")
    given = next(
        (source[key] for key in ("tool_input", "toolArgs", "parameters", "args", "toolInput") if key in source), None
    )
    if isinstance(given, str) and given.lstrip().startswith("{"):
        given = json.loads(given)
    if not name:
        raise ValueError("the payload names no tool")
    plain = name.removeprefix("functions.").rsplit("__", 1)[-1].lower()
    if not isinstance(given, dict):
        if plain in _SHELLS:
            return ToolCall(form, _command(given), folder)
        return ToolCall(form, None)
    found = next(
        (given[key] for key in ("command", "cmd", "commands", "script", "input", "chars") if key in given), None
    )
    if plain not in _SHELLS and not ("command" in given and isinstance(given["command"], str | list)):
        return ToolCall(form, None)
    if plain in _SHELLS and found is None:
        raise ValueError("the payload of a shell holds no command")
    if plain not in _SHELLS and plain in ("str_replace_editor", "str_replace_based_edit_tool", "apply_patch", "edit"):
        return ToolCall(form, None)
    return ToolCall(form, _command(found), _text(given, "cwd", "workdir", "directory", "dir_path") or folder)


def form_of(payload: Mapping[str, Any]) -> Form:
    """Whose payload this is, by what only that agent sends."""
    transcript = _text(payload, "transcript_path")
    event = _text(payload, "hook_event_name", "hookEventName")
    if "cursor_version" in payload or "/.cursor/" in transcript or event in ("preToolUse", "beforeShellExecution"):
        return "cursor"
    if event == "BeforeTool" or "/.gemini/" in transcript:
        return "gemini"
    if "turn_id" in payload or "thread_id" in payload or "/.codex/" in transcript:
        return "codex"
    if "toolName" in payload or "toolArgs" in payload:
        return "copilot"
    if "hookName" in payload or "clineVersion" in payload or "preToolUse" in payload:
        return "cline"
    if "agent_action_name" in payload:
        return "windsurf"
    if "callID" in payload or "sessionID" in payload:
        return "opencode"
    return "claude-code" if "tool_name" in payload and ("session_id" in payload or event) else "unknown"


def reason_of(found: Answer) -> str:
    """Why it is held and the safe way, in a few lines; "" for a pass."""
    if not found.held:
        return ""
    lines = ["Tidegate holds this command:"]
    lines += [f"- {one.command}: {one.what}. Instead: {one.safe}." for one in found.concerns[:4]]
    if len(found.concerns) > 4:
        lines.append(f"- and {len(found.concerns) - 4} more")
    lines.append("Do not try to get around this; ask the person you work for.")
    return "\n".join(lines)


def reply_of(form: Form, reason: str) -> Reply:
    """The same in the agent's own form. Every one also ends with 2 where that blocks and nothing else is expected."""
    if form == "cline":
        return _json({"cancel": True, "errorMessage": reason} if reason else {"cancel": False})
    if not reason:
        return _json({}) if form in ("gemini", "cursor") else Reply("", "", 0)
    if form in ("claude-code", "codex"):
        # Codex refuses a document with any field that it does not know, and would then run the command.
        decision = {"permissionDecision": "deny", "permissionDecisionReason": reason}
        return _json({"hookSpecificOutput": {"hookEventName": "PreToolUse", **decision}})
    if form == "cursor":
        # It also runs hooks that were written for Claude Code, and reads their answer then.
        inner = {"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": reason}
        own = {"permission": "deny", "user_message": reason, "agent_message": reason, "hookSpecificOutput": inner}
        return Reply(_json(own).out, f"{reason}\n", 2)
    if form == "gemini":
        return _json({"decision": "deny", "reason": reason})
    if form == "copilot":
        return _json({"permissionDecision": "deny", "permissionDecisionReason": reason})
    return Reply("", f"{reason}\n", 2)


# Private


def _json(document: Mapping[str, object]) -> Reply:
    return Reply(json.dumps(document, separators=(",", ":")) + "\n", "", 0)


def _command(value: object) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise ValueError("the command is neither text nor words")


def _text(payload: Mapping[str, Any], *keys: str) -> str:
    return next((value for key in keys if isinstance(value := payload.get(key), str) and value), "")


def _first(value: object) -> str:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else ""


if __name__ == "__main__":
    main()
