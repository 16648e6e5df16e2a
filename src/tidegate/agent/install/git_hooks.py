"""Git's hooks as shell scripts of a few lines, in front of which the hook that was there still runs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

HOOKS = ("prepare-commit-msg", "post-commit", "post-rewrite")
MARK = "# tidegate agent install git"
BEFORE = ".before-tidegate"
"""What is appended to the name of a hook that was there."""


def entry_arguments(*arguments: str) -> list[str]:
    """What a tool runs to call the recorder: this very interpreter, nobody else's modules, no folder of the project."""
    entry = Path(__file__).resolve().parents[1] / "hooks" / "entry.py"
    return [sys.executable, "-I", "-S", str(entry), *arguments]


def guard_arguments() -> list[str]:
    """What a tool runs to ask the guard; it needs the site-packages of this interpreter."""
    return [sys.executable, "-I", str(Path(__file__).resolve().parents[1] / "guard" / "entry.py")]


def hook_text(hook: str) -> str:
    """The script for a hook. A hook that was there before runs first, with the same input, and its word counts.

    The recorder itself never makes a hook fail.
    """
    call = f'{shlex.join(entry_arguments("git", hook))} "$@"'
    before = f'before="$0{BEFORE}"'
    if hook != "post-rewrite":
        rest = ['if [ -x "$before" ]; then "$before" "$@" || exit $?; fi', f"{call} || true"]
    else:
        say = "printf '%s\\n' \"$said\" |"
        rest = [
            "said=$(cat)",
            f'if [ -x "$before" ]; then {say} "$before" "$@" || exit $?; fi',
            f"{say} {call} || true",
        ]
    return "\n".join(["#!/bin/sh", f"{MARK}: undo with tidegate agent uninstall git", before, *rest, ""])
