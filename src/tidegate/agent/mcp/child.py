"""The process that answers one call: bounded, and gone afterwards.

    python -I -m tidegate.agent.mcp.child SECONDS MEMORY_MB

reads one `Ask` as a line of standard input, writes one `Reply`, and ends when its standard input is closed before that:
then whoever asked is gone, or does not want to know any more.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import msgspec

from tidegate.agent.mcp.ask import Ask, Fault, Reply, Scene
from tidegate.agent.mcp.capped import capped
from tidegate.agent.mcp.tools import POLICY, Tool, find_tool, read_arguments
from tidegate.agent.mcp.values import Answer
from tidegate.errors import TidegateError

LARGEST_ASK = 1 << 20
OUT_OF_MEMORY = 71


def main(arguments: Sequence[str]) -> int:
    _limit(int(arguments[0]), int(arguments[1]))
    ask = msgspec.json.decode(sys.stdin.buffer.readline(LARGEST_ASK), type=Ask)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        reply = answer(ask)
    except MemoryError:
        return OUT_OF_MEMORY
    sys.stdout.buffer.write(msgspec.json.encode(reply))
    sys.stdout.buffer.flush()
    return 0


def answer(ask: Ask) -> Reply:
    """The answer to a call, or the error that is meant to be read."""
    from tidegate.change.git import open_repository

    tool = POLICY if ask.tool == POLICY.name else find_tool(ask.tool, write=True)
    assert tool is not None  # noqa: S101 the server found it before
    try:
        given = read_arguments(tool, ask.arguments)
        with open_repository(Path(ask.repo), bare=ask.named) as repository:
            scene = Scene(repository, os.environ, ask.now, ask.attached)
            found = _function(tool)(scene, given)
        document = capped(found, getattr(given, "only", ""), getattr(given, "offset", 0))
    except TidegateError as error:
        return Reply(fault=Fault(error.what, error.where, error.mend))
    return Reply(document, attached=tuple(scene.fresh))


# Private


def _function(tool: Tool) -> Callable[[Scene, object], Answer]:
    module, _, name = tool.place.partition(":")
    function: Callable[[Scene, object], Answer] = getattr(import_module(module), name)
    return function


def _limit(seconds: int, memory_mb: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory_mb << 20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError, OSError):  # macOS knows no limit of the address space
            resource.setrlimit(what, (bound, bound))


def _end_with_parent() -> None:
    with suppress(OSError, ValueError):
        while os.read(0, 4096):
            pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
