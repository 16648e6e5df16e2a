"""Who is at the keyboard: an agent by the variables and the programs around it, a human by a terminal without any.

Signs, not proofs. Where nothing speaks for a human it is an agent: unknown is never safe.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tidegate.agent.guard.frozen import Frozen
from tidegate.provenance.environment import find_agent

MOST_PARENTS = 30
_PROGRAMS = re.compile(
    r"(?:^|/)(claude|codex|cursor-agent|gemini|copilot|opencode|amp|aider|goose|crush|qwen|droid|auggie|kiro(?:-cli)?|"
    r"windsurf|junie|devin|cline|openhands|swe-agent|plandex|roo)(?:\.(?:js|exe|mjs))?$"
)


class Keyboard(Frozen):
    """Whose hand it is, and why we think so."""

    human: bool
    why: str

    def __str__(self) -> str:
        return f"{'a human' if self.human else 'an agent'}: {self.why}"


def who_is_here(environment: Mapping[str, str], terminal: bool) -> Keyboard:
    """A human where there is a terminal and no sign of an agent. `terminal` is whether input and output are one."""
    if agent := find_agent(environment):
        return Keyboard(False, agent)
    for name in _parents():
        found = _PROGRAMS.search(name)
        if found is not None:
            return Keyboard(False, f"started by {found[1]}")
    if not terminal:
        return Keyboard(False, "there is no terminal, so nobody can be asked")
    return Keyboard(True, "a terminal, and no sign of an agent")


# Private


def _parents() -> Iterator[str]:
    """The names of the programs above this one, nearest first; none where the system does not show them."""
    process = os.getppid()
    for _ in range(MOST_PARENTS):
        folder = Path(f"/proc/{process}")
        try:
            words = (folder / "cmdline").read_bytes()[:4_000].split(b"\0")
            state = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for word in words[:2]:
            yield word.decode("utf-8", "replace")
        rest = state.rpartition(")")[2].split()
        process = int(rest[1]) if len(rest) > 1 and rest[1].isdigit() else 0
        if process <= 1:
            return
