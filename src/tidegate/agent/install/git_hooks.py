"""Git's hooks as shell scripts of three lines, in front of the hook that was there."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

HOOKS = ("prepare-commit-msg", "post-commit", "post-rewrite")
MARK = "# tidegate agent install git"


def entry_command(*arguments: str) -> str:
    """What a tool runs to call the recorder: this very interpreter, nobody else's modules, no folder of the project."""
    entry = Path(__file__).resolve().parents[1] / "hooks" / "entry.py"
    return shlex.join([sys.executable, "-I", "-S", str(entry), *arguments])


def hook_text(hook: str, before: str) -> str:
    """The script for a hook. `before` is the script that was there, "" for none: it runs first, and its word counts.

    What git says on standard input (post-rewrite) is kept for both. The recorder never makes a hook fail.
    """
    lines = ["#!/bin/sh", f"{MARK}: undo with tidegate agent uninstall git"]
    call = f'{entry_command("git", hook)} "$@"'
    if hook == "post-rewrite":
        lines.append("said=$(cat)")
        call = f"printf '%s\\n' \"$said\" | {call}"
    if before:
        quoted = shlex.quote(before)
        given = "printf '%s\\n' \"$said\" | " if hook == "post-rewrite" else ""
        lines.append(f'if [ -x {quoted} ]; then {given}{quoted} "$@" || exit $?; fi')
    return "\n".join([*lines, f"{call} || true", ""])
