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

from tidegate.agent.install.git_hooks import entry_arguments

Shape: TypeAlias = Literal["grouped", "flat", "own-json", "own-script"]
"""`grouped`: events hold groups with a matcher; `flat`: events hold commands; `own-*`: a file that is all ours."""

MARK = "agent/hooks/entry.py"
"""In every command of ours, and in nobody else's."""


class Agent(Struct, frozen=True):
    """One agent: its configuration file here and for all repositories, the shape of it, and what it must hold."""

    name: str
    shape: Shape
    here: str
    everywhere: str
    events: tuple[str, ...]
    matcher: str = ""
    remark: str = ""


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
        ),
        Agent(
            "gemini",
            "grouped",
            ".gemini/settings.json",
            ".gemini/settings.json",
            ("BeforeAgent", "BeforeTool", "AfterTool"),
            "write_file|replace|edit|run_shell_command|mcp__.*",
        ),
        Agent(
            "copilot",
            "own-json",
            ".github/hooks/tidegate.json",
            ".copilot/hooks/tidegate.json",
            ("userPromptSubmitted", "preToolUse", "postToolUse"),
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


def merged(agent: Agent, content: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with our hooks in it, and all that was there before. Raises ValueError for an odd one."""
    hooks = _without_ours(content.get("hooks", {}))
    for event in agent.events:
        hooks[event] = [*hooks.get(event, []), _hook(agent, event)]
    first = {"version": 1} if agent.shape == "flat" and "version" not in content else {}
    return {**first, **content, "hooks": hooks}


def taken_out(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same configuration without our hooks."""
    hooks = _without_ours(content.get("hooks", {}))
    return {key: value for key, value in {**content, "hooks": hooks}.items() if key != "hooks" or hooks}


def whole_file(agent: Agent) -> str:
    """The text of a file that is all ours."""
    if agent.shape == "own-script":
        return _PLUGIN.replace("COMMAND_LINE", json.dumps(entry_arguments(agent.name)))
    hooks = {event: [_hook(agent, event)] for event in agent.events}
    return json.dumps({"version": 1, "hooks": hooks}, indent=2) + "\n"


# Private

_SECONDS = 10


def _hook(agent: Agent, event: str) -> dict[str, Any]:
    command = shlex.join(entry_arguments(agent.name))
    if agent.shape == "flat":
        return {"command": command}
    if agent.shape == "own-json":
        return {"type": "command", "bash": shlex.join(entry_arguments(agent.name, event)), "timeoutSec": _SECONDS}
    hook = {"type": "command", "command": command, "timeout": _SECONDS * (1000 if agent.name == "gemini" else 1)}
    group: dict[str, Any] = {"matcher": agent.matcher} if "Tool" in event else {}
    return {**group, "hooks": [hook]}


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
    return isinstance(hook, dict) and any(MARK in str(hook.get(key, "")) for key in ("command", "bash"))


_PLUGIN = """\
// Tells Tidegate's recorder what is edited. Undo with: tidegate agent uninstall opencode
import { spawn } from "node:child_process"

const COMMAND = COMMAND_LINE

const tell = (payload) =>
  new Promise((done) => {
    const child = spawn(COMMAND[0], COMMAND.slice(1), { stdio: ["pipe", "ignore", "inherit"] })
    child.on("error", done)
    child.on("close", done)
    child.stdin.on("error", () => {})
    child.stdin.end(JSON.stringify(payload))
  })

export const Tidegate = async ({ directory }) => {
  const models = {}
  const calls = {}
  const tool = (event, input, args) =>
    tell({
      event,
      cwd: directory,
      sessionID: input.sessionID,
      model: models[input.sessionID],
      tool_name: input.tool,
      tool_input: args,
    })
  return {
    "chat.message": async (input, output) => {
      if (input.model) models[input.sessionID] = `${input.model.providerID}/${input.model.modelID}`
      const prompt = (output.parts ?? []).map((part) => part.text ?? "").join("\\n")
      await tell({ event: "UserPromptSubmit", cwd: directory, sessionID: input.sessionID, prompt })
    },
    "tool.execute.before": async (input, output) => {
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
