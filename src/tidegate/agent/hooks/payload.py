"""What an agent tells its hooks, in one form. Tools run each other's hooks, so the payload says whose it is.

Formats: the vendors' pages on hooks (Claude Code, Codex, Cursor, Gemini CLI, Copilot), and for OpenCode our own plugin.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LIMIT_BYTES = 32 << 20
TAIL_BYTES = 64 << 10

EDIT_TOOLS = frozenset(
    "write edit multiedit notebookedit create str_replace str_replace_editor strreplace apply_patch applypatch patch "
    "write_file replace delete create_file insert_edit_into_file replace_string_in_file edit_file".split()
)
SHELL_TOOLS = frozenset(
    "bash shell exec_command shell_command local_shell run_shell_command powershell run_in_terminal terminal".split()
)
BEFORE = frozenset(["pretooluse", "beforetool", "beforeshellexecution"])
AFTER = frozenset(
    ["posttooluse", "posttoolusefailure", "aftertool", "afterfileedit", "aftertabfileedit", "aftershellexecution"]
)
PROMPT = frozenset(["userpromptsubmit", "beforeagent", "beforesubmitprompt", "userpromptsubmitted"])
START = frozenset(["sessionstart"])


class Event:
    """One call of a hook. `kind` is before, after, prompt, start or ""; `shell` is a command that may write anything.

    `texts` are what the tool says it wrote, `paths` the files that it names, absolute.
    """

    __slots__ = ("command", "cwd", "kind", "model", "paths", "prompt", "session", "shell", "texts", "tool")

    def __init__(self, kind: str, tool: str, session: str, model: str, cwd: str) -> None:
        self.kind = kind
        self.tool = tool
        self.session = session
        self.model = model
        self.cwd = cwd
        self.paths: list[str] = []
        self.texts: list[str] = []
        self.prompt = ""
        self.command = ""
        self.shell = False


def read_event(name: str, event: str, content: bytes) -> Event:
    """The event in a payload that the hook of `name` was given. Raises ValueError for what is no JSON object.

    `event` is what the installed command says happened, for tools that do not say so themselves.
    """
    payload = json.loads(content)
    if not isinstance(payload, dict):
        raise ValueError("the payload is not a JSON object")
    said = _text(payload, "hook_event_name", "hookEventName", "event") or event
    word = said.replace("_", "").lower()
    kind = next((kind for kind, words in _KINDS.items() if word in words), "")
    cwd = _text(payload, "cwd") or next(iter(_texts(payload.get("workspace_roots"))), "") or os.getcwd()
    tool = sniff(name, payload)
    session = _text(payload, "session_id", "conversation_id", "sessionId", "sessionID", "thread_id")
    found = Event(kind, tool, session, _model(tool, payload), cwd)
    found.prompt = _text(payload, "prompt", "initialPrompt")
    _read_tool(found, payload, word)
    return found


def sniff(name: str, payload: dict[str, Any]) -> str:
    """The agent that a payload comes from, whoever's hook it was given to."""
    transcript = _text(payload, "transcript_path").replace("\\", "/")
    if "cursor_version" in payload or "/.cursor/" in transcript or "generation_id" in payload:
        return "cursor"
    if "github.copilot" in transcript or "/.copilot/" in transcript or "toolName" in payload:
        return "github-copilot"
    if "/.codex/" in transcript or "turn_id" in payload:
        return "codex"
    if "/.gemini/" in transcript or _text(payload, "hook_event_name") in ("BeforeTool", "AfterTool", "BeforeAgent"):
        return "gemini"
    if "sessionID" in payload:
        return "opencode"
    if "/.claude/" in transcript:
        return "claude"
    return TOOLS.get(name, name)


TOOLS = {"claude-code": "claude", "copilot": "github-copilot"}
"""What git-ai's notes call the tools whose hooks have another name here."""


# Private

_KINDS = {"before": BEFORE, "after": AFTER, "prompt": PROMPT, "start": START}
_PATHS = ("file_path", "filePath", "path", "notebook_path", "target_file", "absolute_path", "filepath")
_NEW = (
    "new_string",
    "newString",
    "content",
    "contents",
    "new_str",
    "file_text",
    "new_source",
    "newText",
    "new_content",
)


def _read_tool(found: Event, payload: dict[str, Any], word: str) -> None:
    tool = _text(payload, "tool_name", "toolName", "tool").rpartition(".")[2].lower()
    given = payload.get("tool_input", payload.get("toolArgs", payload.get("args")))
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            given = {"patch": given}
    inner: dict[str, Any] = given if isinstance(given, dict) else {}
    if word in ("beforeshellexecution", "aftershellexecution") or tool in SHELL_TOOLS:
        found.shell = True
        found.command = _command(inner) or _text(payload, "command")
    elif word in ("afterfileedit", "aftertabfileedit"):
        inner = payload
    elif tool not in EDIT_TOOLS and not tool.startswith("mcp__"):
        found.kind = "" if found.kind in ("before", "after") else found.kind
        return
    names = [] if found.shell else [inner[key] for key in _PATHS if isinstance(inner.get(key), str) and inner[key]]
    for text in _texts(list(inner.values())):
        if "*** Begin Patch" in text:
            names += _patched(text)
            found.texts += [line[1:] for line in text.split("\n") if line.startswith("+")]
    found.paths = [os.path.normpath(os.path.join(found.cwd, name)) for name in names if "\0" not in name]
    for part in (inner, *_dicts(inner.get("edits"))):
        found.texts += [part[key] for key in _NEW if isinstance(part.get(key), str)]


def _model(tool: str, payload: dict[str, Any]) -> str:
    model = payload.get("model")
    if isinstance(model, dict):
        model = model.get("id") or model.get("slug")
    if isinstance(model, str) and model:
        return model
    return _model_of_transcript(_text(payload, "transcript_path")) if tool == "claude" else ""


def _model_of_transcript(path: str) -> str:
    """The last model that a transcript names: Claude Code does not tell its hooks."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except (OSError, ValueError):
        return ""
    while (at := tail.rfind(b'"model":"')) >= 0:
        value = tail[at + 9 :].partition(b'"')[0]
        if value != b"<synthetic>" and len(value) < 100:
            return value.decode("utf-8", "replace")
        tail = tail[:at]
    return ""


def _command(inner: dict[str, Any]) -> str:
    command = inner.get("command", inner.get("cmd"))
    return " ".join(_texts(command)) if isinstance(command, list) else command if isinstance(command, str) else ""


def _patched(patch: str) -> Iterator[str]:
    for line in patch.split("\n"):
        for mark in ("*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: "):
            if line.startswith(mark):
                yield line[len(mark) :].strip()


def _text(payload: dict[str, Any], *keys: str) -> str:
    return next((payload[key] for key in keys if isinstance(payload.get(key), str) and payload[key]), "")


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _dicts(values: object) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
