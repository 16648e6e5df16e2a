"""Which agent started git, by the variables that agents set (`provenance/environment.py` says which)."""

from __future__ import annotations

from tidegate.provenance.environment import find_agent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SESSIONS = ("CLAUDE_CODE_SESSION_ID", "CODEX_THREAD_ID", "AMP_CURRENT_THREAD_ID", "COPILOT_SESSION_ID")
TOOLS = {
    "Claude Code": "claude",
    "Cursor's agent": "cursor",
    "Codex": "codex",
    "Gemini CLI": "gemini",
    "Copilot": "github-copilot",
    "OpenCode": "opencode",
    "Qwen Code": "qwen-code",
    "a cloud agent": "cloud-agent",
    "Replit's assistant": "replit",
}
"""Tools by the names that `find_agent` gives them, where the small letters of the name are not it."""


def agent_of(environment: Mapping[str, str]) -> dict[str, str]:
    """The writer that the environment names: tool, session, and that it was only the environment; {} for nobody."""
    found = find_agent(environment).partition(" (")[0]
    if not found:
        return {}
    slug = environment.get("AI_AGENT", "").lower()
    known = TOOLS.get(found, found.lower())
    if found == "an agent":
        known = "".join(c for c in slug.replace("@", " ").split(" ")[0] if c.isalnum() or c in "-_.")[:40] or "unknown"
    session = next((environment[name] for name in SESSIONS if environment.get(name)), "")
    model = environment.get("COPILOT_MODEL", "") if known == "github-copilot" else ""
    return {"tool": known, "session": session, "model": model, "how": "environment"}
