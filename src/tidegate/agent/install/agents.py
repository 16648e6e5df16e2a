"""What each agent's configuration must say, and where. One entry for each agent; formats by the vendors' own pages.

Claude Code: code.claude.com/docs/en/hooks. Codex: developers.openai.com/codex/hooks. Cursor: cursor.com/docs/hooks.
Gemini CLI: geminicli.com/docs/hooks/reference. Copilot: docs.github.com, "Hooks configuration". OpenCode:
opencode.ai/docs/plugins.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tidegate.agent.install.git_hooks import entry_arguments, guard_arguments

Shape: TypeAlias = Literal["grouped", "flat", "own-json", "own-script"]
"""`grouped`: events hold groups with a matcher; `flat`: events hold commands; `own-*`: a file that is all ours."""

MARK = "agent/hooks/entry.py"
"""In every command of the recorder, and in nobody else's."""
GUARD = "agent/guard/entry.py"
"""The same of the guard."""


class Agent(Struct, frozen=True):
    """One agent: its configuration file here and for all repositories, the shape of it, and what it must hold.

    `before` is the event at which a command can still be denied, `any_tool` what matches every tool there.
    """

    name: str
    shape: Shape
    here: str
    everywhere: str
    events: tuple[str, ...]
    matcher: str = ""
    remark: str = ""
    before: str = "PreToolUse"
    any_tool: str = "*"


AGENTS: Mapping[str, Agent] = {
    agent.name: agent
    for agent in (
        Agent(
            "claude-code",
            "grouped",
            ".claude/settings.local.json",
            ".claude/settings.json",
            ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse"),
            "Write|Edit|MultiEdit|NotebookEdit|Bash|mcp__.*",
        ),
        Agent(
            "codex",
            "grouped",
            ".codex/hooks.json",
            ".codex/hooks.json",
            ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse"),
            "apply_patch|Edit|Write|Bash|mcp__.*",
            "Codex asks once whether it may trust these hooks: answer in its /hooks list.",
        ),
        Agent(
            "cursor",
            "flat",
            ".cursor/hooks.json",
            ".cursor/hooks.json",
            ("beforeSubmitPrompt", "preToolUse", "postToolUse", "afterFileEdit", "afterTabFileEdit"),
            before="beforeShellExecution",
        ),
        Agent(
            "gemini",
            "grouped",
            ".gemini/settings.json",
            ".gemini/settings.json",
            ("BeforeAgent", "BeforeTool", "AfterTool"),
            "write_file|replace|edit|run_shell_command|mcp__.*",
            before="BeforeTool",
            any_tool=".*",
        ),
        Agent(
            "copilot",
            "own-json",
            ".github/hooks/tidegate.json",
            ".copilot/hooks/tidegate.json",
            ("userPromptSubmitted", "preToolUse", "postToolUse"),
            before="preToolUse",
        ),
        Agent(
            "opencode",
            "own-script",
            ".opencode/plugins/tidegate.js",
            ".config/opencode/plugins/tidegate.js",
            ("chat.message", "tool.execute.before", "tool.execute.after"),
        ),
    )
}


def merged(agent: Agent, content: Mapping[str, Any], *, guard: bool) -> dict[str, Any]:
    """A configuration with our hooks in it, and all that was there before. Raises ValueError for an odd one."""
    hooks = _without_ours(content.get("hooks", {}))
    for event, ours in _hooks(agent, guard).items():
        hooks[event] = [*hooks.get(event, []), *ours]
    first = {"version": 1} if agent.shape == "flat" and "version" not in content else {}
    return {**first, **content, "hooks": hooks}


def taken_out(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same configuration without our hooks."""
    hooks = _without_ours(content.get("hooks", {}))
    return {key: value for key, value in {**content, "hooks": hooks}.items() if key != "hooks" or hooks}


def whole_file(agent: Agent, *, guard: bool) -> str:
    """The text of a file that is all ours."""
    if agent.shape == "own-script":
        asked = json.dumps(guard_arguments() if guard else None)
        return _PLUGIN.replace("COMMAND_LINE", json.dumps(entry_arguments(agent.name))).replace("GUARD_LINE", asked)
    return json.dumps({"version": 1, "hooks": _hooks(agent, guard)}, indent=2) + "\n"


# Private

_SECONDS = 10


def _hooks(agent: Agent, guard: bool) -> dict[str, list[dict[str, Any]]]:
    """By event what is ours: the guard first, so that what it denies is not recorded as done."""
    found: dict[str, list[dict[str, Any]]] = {}
    if guard:
        found[agent.before] = [_hook(agent, guard_arguments(), agent.any_tool)]
    for event in agent.events:
        arguments = entry_arguments(agent.name, *((event,) if agent.shape == "own-json" else ()))
        found.setdefault(event, []).append(_hook(agent, arguments, agent.matcher if "Tool" in event else ""))
    return found


def _hook(agent: Agent, arguments: list[str], matcher: str) -> dict[str, Any]:
    command = shlex.join(arguments)
    if agent.shape == "flat":
        return {"command": command}
    if agent.shape == "own-json":
        return {"type": "command", "bash": command, "timeoutSec": _SECONDS}
    hook = {"type": "command", "command": command, "timeout": _SECONDS * (1000 if agent.name == "gemini" else 1)}
    return {**({"matcher": matcher} if matcher else {}), "hooks": [hook]}


def _without_ours(hooks: object) -> dict[str, Any]:
    if not isinstance(hooks, dict) or not all(isinstance(groups, list) for groups in hooks.values()):
        raise ValueError("its hooks are not lists by event")
    kept = {event: [left for group in groups if (left := _group(group))] for event, groups in hooks.items()}
    return {event: groups for event, groups in kept.items() if groups or not hooks[event]}


def _group(group: object) -> object:
    """A group of hooks without ours, None when nothing is left of it."""
    if isinstance(group, dict) and isinstance(group.get("hooks"), list):
        left = [hook for hook in group["hooks"] if not _is_ours(hook)]
        return {**group, "hooks": left} if left or not group["hooks"] else None
    return None if _is_ours(group) else group


def _is_ours(hook: object) -> bool:
    if not isinstance(hook, dict):
        return False
    return any(mark in str(hook.get(key, "")) for key in ("command", "bash") for mark in (MARK, GUARD))


_PLUGIN = """\
// Tells Tidegate's recorder what is edited. Undo with: tidegate agent uninstall opencode
import { spawn } from "node:child_process"

const ASKED = GUARD_LINE
const COMMAND = COMMAND_LINE

const tell = (payload) =>
  new Promise((done) => {
    const child = spawn(COMMAND[0], COMMAND.slice(1), { stdio: ["pipe", "ignore", "inherit"] })
    child.on("error", done)
    child.on("close", done)
    child.stdin.on("error", () => {})
    child.stdin.end(JSON.stringify(payload))
  })

const ask = (payload) =>
  new Promise((done, refuse) => {
    const child = spawn(ASKED[0], ASKED.slice(1), { stdio: ["pipe", "ignore", "pipe"] })
    let said = ""
    child.on("error", (error) => refuse(new Error(`Tidegate's guard does not start: ${error.message}`)))
    child.stderr.on("data", (part) => (said += part))
    child.on("close", (code) => (code === 0 ? done() : refuse(new Error(said || `Tidegate's guard: exit ${code}`))))
    child.stdin.on("error", () => {})
    child.stdin.end(JSON.stringify(payload))
  })

export const Tidegate = async ({ directory }) => {
  const models = {}
  const calls = {}
  const payload = (event, input, args) => ({
    event,
    cwd: directory,
    sessionID: input.sessionID,
    model: models[input.sessionID],
    tool_name: input.tool,
    tool_input: args,
  })
  const tool = (event, input, args) => tell(payload(event, input, args))
  return {
    "chat.message": async (input, output) => {
      if (input.model) models[input.sessionID] = `${input.model.providerID}/${input.model.modelID}`
      const prompt = (output.parts ?? []).map((part) => part.text ?? "").join("\\n")
      await tell({ event: "UserPromptSubmit", cwd: directory, sessionID: input.sessionID, prompt })
    },
    "tool.execute.before": async (input, output) => {
      if (ASKED) await ask(payload("PreToolUse", input, output.args))
      calls[input.callID] = output.args
      await tool("PreToolUse", input, output.args)
    },
    "tool.execute.after": async (input) => {
      await tool("PostToolUse", input, input.args ?? calls[input.callID])
      delete calls[input.callID]
    },
  }
}
"""
