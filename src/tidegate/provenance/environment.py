"""Whether a program runs inside an agent's session, by the variables that agents set for what they start.

A sign, not a proof: an agent can take its variables away. It keeps one that does as it is told from signing for its
human; what an agent cannot do is touch a key (docs/approvals.md). Weak signs, which people's own terminals carry too,
are left out. Sources: the vendors' documentation; npm std-env and @vercel/detect-agent.
"""

from __future__ import annotations

from collections.abc import Mapping

_ANY: Mapping[str, str] = {
    "AI_AGENT": "an agent",
    "CLAUDECODE": "Claude Code",
    "CLAUDE_CODE": "Claude Code",
    "CLAUDE_CODE_SESSION_ID": "Claude Code",
    "CLAUDE_CODE_REMOTE": "Claude Code",
    "CLAUDE_CODE_IS_COWORK": "Claude Code",
    "CURSOR_AGENT": "Cursor's agent",
    "CODEX_SANDBOX": "Codex",
    "CODEX_CI": "Codex",
    "CODEX_THREAD_ID": "Codex",
    "CODEX_SANDBOX_NETWORK_DISABLED": "Codex",
    "GEMINI_CLI": "Gemini CLI",
    "COPILOT_AGENT": "Copilot",
    "COPILOT_CLI": "Copilot",
    "COPILOT_ALLOW_ALL": "Copilot",
    "OPENCODE": "OpenCode",
    "AMP_CURRENT_THREAD_ID": "Amp",
    "ANTIGRAVITY_AGENT": "Antigravity",
    "AUGMENT_AGENT": "Augment",
    "QWEN_CODE": "Qwen Code",
    "CRUSH": "Crush",
    "JUNIE_SHIM_PATH": "Junie",
    "PI_CODING_AGENT": "Pi",
    "GIT_AI_CLOUD_AGENT": "a cloud agent",
}
_EQUAL: Mapping[tuple[str, str], str] = {
    ("CURSOR_EXTENSION_HOST_ROLE", "agent-exec"): "Cursor's agent",
    ("REPLIT_MODE", "assistant"): "Replit's assistant",
    ("HOME", "/home/jules"): "Jules",
    ("AGENT", "amp"): "Amp",
    ("AGENT", "crush"): "Crush",
    ("AGENT", "goose"): "Goose",
}
_NO = ("", "0", "false")


def find_agent(environment: Mapping[str, str]) -> str:
    """Why this looks like an agent's session, `Claude Code (CLAUDECODE is set)`; "" where nothing does."""
    for variable, agent in _ANY.items():
        if environment.get(variable, "").lower() not in _NO:
            return f"{agent} ({variable} is set)"
    for (variable, value), agent in _EQUAL.items():
        if environment.get(variable, "").lower() == value:
            return f"{agent} ({variable} is {value})"
    cloud = next((name for name in environment if name.startswith("CLOUD_AGENT_") and environment[name]), "")
    return f"a cloud agent ({cloud} is set)" if cloud else ""
