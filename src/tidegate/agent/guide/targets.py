"""The files in which each tool looks for instructions, and what ours in them is.

AGENTS.md holds the text (agents.md: Codex, Cursor, Copilot, opencode and others read it). Claude Code reads CLAUDE.md,
Gemini CLI GEMINI.md; both import with `@path`. A Cursor rule is a `.mdc` file with front matter; Copilot reads
`.github/copilot-instructions.md` everywhere, and AGENTS.md in fewer places.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.agent.guide.block import Block, State, fixed_block, state_of, with_block
from tidegate.agent.install.plan import Change, read_file
from tidegate.errors import InputError

Tool: TypeAlias = Literal["agents", "claude", "cursor", "gemini", "copilot"]
TOOLS: tuple[Tool, ...] = ("agents", "claude", "cursor", "gemini", "copilot")
AGENTS = "AGENTS.md"
PLACES: dict[Tool, tuple[str, ...]] = {
    "agents": (AGENTS,),
    "claude": (AGENTS, "CLAUDE.md"),
    "cursor": (".cursor/rules/tidegate.mdc",),
    "gemini": (AGENTS, "GEMINI.md"),
    "copilot": (".github/copilot-instructions.md",),
}
INSTRUCTIONS = (
    *(AGENTS, "CLAUDE.md", ".claude/CLAUDE.md", "GEMINI.md", ".cursorrules", ".github/copilot-instructions.md"),
    *(".windsurfrules", ".clinerules", "CONVENTIONS.md"),
)
"""Files at the top that are read as instructions that are there already, beside `.cursor/rules/*.mdc`."""
_CURSOR = "---\ndescription: What this repository enforces, compiled by Tidegate\nalwaysApply: true\n---\n\n"


class Target(Struct, frozen=True):
    """One file: what it is now, and what it becomes. `said` is why nothing is to be done, "" where something is."""

    name: str
    change: Change
    state: State
    said: str = ""


def plan(root: Path, tool: Tool, block: Block, *, force: bool = False) -> tuple[Target, ...]:
    """The files of a tool with the block in them. Raises InputError for a file that cannot be written safely.

    A block that is current, or in which only counts moved, stays as it is unless `force`.
    """
    return tuple(_target(root, name, block if name not in _IMPORTS else _imported(), force) for name in PLACES[tool])


def write(targets: tuple[Target, ...]) -> tuple[str, ...]:
    """Writes what is to be written, each file whole or not at all; the names of those."""
    done = []
    for target in targets:
        if target.said or target.change.after is None or target.change.after == target.change.before:
            continue
        path = target.change.path
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, target.change.after, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        done.append(target.name)
    return tuple(done)


# Private


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.chmod(mode)
    fresh.replace(path)


_IMPORTS = ("CLAUDE.md", "GEMINI.md")


def _imported() -> Block:
    return fixed_block(f"@{AGENTS}\n")


def _target(root: Path, name: str, block: Block, force: bool) -> Target:
    path = root / name
    _check_inside(root, path)
    if path.is_symlink():
        return _linked(root, path, name)
    before = read_file(path)
    state = state_of(before, block) if before is not None else "absent"
    said = _said(before, name, state, force)
    after = before if said else with_block(before, block, _CURSOR if name.endswith(".mdc") else "")
    return Target(name, Change(path, before, after), state, said)


def _said(before: bytes | None, name: str, state: State, force: bool) -> str:
    if (
        state == "absent"
        and before is not None
        and name in _IMPORTS
        and re.search(rb"(?m)^@(?:\./)?AGENTS\.md\s*$", before)
    ):
        return f"imports {AGENTS} already"
    if force:
        return ""
    return {
        "current": "up to date",
        "moved": "up to date but for what was counted; --force writes the new counts",
        "edited": "the block was edited by hand: move that out of it, or overwrite it with --force",
    }.get(state, "")


def _linked(root: Path, path: Path, name: str) -> Target:
    """A link to AGENTS.md says all that AGENTS.md says."""
    if (
        name in _IMPORTS
        and os.path.realpath(path) == os.path.realpath(root / AGENTS)
        and not (root / AGENTS).is_symlink()
    ):
        return Target(name, Change(path, None, None), "current", f"is a link to {AGENTS}")
    raise InputError(
        "this is a symbolic link, and is not written through", where=str(path), mend="write into its target"
    )


def _check_inside(root: Path, path: Path) -> None:
    if not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(root)):
        raise InputError(
            "this folder is a link that leads out of the repository", where=str(path.parent), mend="remove it"
        )
