"""The door of the recorder: who calls, with what. A failure is said on standard error and stops nobody's work."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWERS = {"cursor": "{}\n", "gemini": "{}\n"}
"""Tools that want JSON of every hook. It permits nothing and forbids nothing: that is not the recorder's to say."""


def main(arguments: Sequence[str]) -> int:
    """`NAME [EVENT]` for an agent's hook, `git HOOK ...` for git's. 0, or 1 where an agent shows that to its user."""
    name = arguments[0] if arguments else ""
    try:
        if name == "git":
            from tidegate.agent.hooks.git import run_hook

            run_hook(arguments[1])
        else:
            _agent(name, arguments[1] if len(arguments) > 1 else "")
    except Exception as error:  # nobody's work stops because a recorder failed
        if os.environ.get("TIDEGATE_DEBUG"):
            raise
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        sys.stderr.write(f"tidegate: this edit was not recorded ({text}); see tidegate agent status\n")
        return 0 if name == "git" else 1
    return 0


def _agent(name: str, event: str) -> None:
    from tidegate.agent.hooks.payload import LIMIT_BYTES, read_event
    from tidegate.agent.hooks.record import record

    content = sys.stdin.buffer.read(LIMIT_BYTES + 1)
    sys.stdout.write(ANSWERS.get(name, ""))
    if len(content) > LIMIT_BYTES:
        raise ValueError("the payload is larger than 32 MB")
    found = read_event(name, event, content)
    if found.kind:
        for variable in [variable for variable in os.environ if variable.startswith(("GIT_DIR", "GIT_WORK", "GIT_IN"))]:
            del os.environ[variable]
        record(found)
