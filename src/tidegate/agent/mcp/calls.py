"""One call, from the server's side: a process of its own, ended with all that it started, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias

import anyio
import anyio.abc
import msgspec

from tidegate.agent.mcp.ask import Ask, Fault, Reply
from tidegate.agent.mcp.child import OUT_OF_MEMORY
from tidegate.change.git_dir import safe_path

CHILD = (sys.executable, "-I", "-m", "tidegate.agent.mcp.child")
MEMORY_MB = 4096
MOST_OUTPUT_BYTES = 1 << 20
BEAT_SECONDS = 2.0
"""How often a client that asks for progress hears that a call goes on."""

Progress: TypeAlias = Callable[[float], Awaitable[None]]
"""Told how many seconds a call has taken."""


async def call(ask: Ask, seconds: int, progress: Progress, command: Sequence[str] = CHILD) -> Reply:
    """The reply of a process of its own. It never fails: what went wrong is a fault in the reply.

    Where the caller is cancelled the process is ended.
    """
    async with await anyio.open_process(
        [*command, str(seconds), str(MEMORY_MB)],
        stderr=None if os.environ.get("TIDEGATE_DEBUG") else subprocess.DEVNULL,
        env=_environment(os.environ),
        cwd="/",
        start_new_session=True,
    ) as process:
        output = bytearray()
        try:
            with anyio.move_on_after(seconds) as limit:
                async with anyio.create_task_group() as group:
                    group.start_soon(_beat, progress)
                    await _converse(process, msgspec.json.encode(ask) + b"\n", output)
                    group.cancel_scope.cancel()
        finally:
            _kill(process)
    return _reply(ask, bytes(output), process.returncode, seconds if limit.cancelled_caught else 0)


# Private


async def _converse(process: anyio.abc.Process, question: bytes, output: bytearray) -> None:
    """Asks, and reads until the process is done. Its standard input stays open until then: that is its lease."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 both are pipes
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        await process.stdin.send(question)
    async for part in process.stdout:
        output += part
        if len(output) > MOST_OUTPUT_BYTES:
            return
    await process.wait()


async def _beat(progress: Progress) -> None:
    begun = anyio.current_time()
    while True:
        await anyio.sleep(BEAT_SECONDS)
        await progress(round(anyio.current_time() - begun, 1))


def _kill(process: anyio.abc.Process) -> None:
    """Ends its whole group: git may still run where the process itself is gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _reply(ask: Ask, output: bytes, code: int | None, late: int) -> Reply:
    tool = ask.tool
    if late:
        return _fault(f"{tool} took longer than {late} s", f"ask for less, or run it in a terminal: {_COMMANDS[tool]}")
    if code == OUT_OF_MEMORY:
        return _fault(f"{tool} needed more than {MEMORY_MB} MB of memory", "ask for less")
    try:
        if code == 0 and len(output) <= MOST_OUTPUT_BYTES:
            return msgspec.json.decode(output, type=Reply)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return _fault(f"{tool} broke off ({how}); the server goes on", f"run it in a terminal: {_COMMANDS[tool]}")


_COMMANDS: Mapping[str, str] = {
    "assess_change": "tidegate check",
    "what_is_missing": "tidegate check",
    "explain_rule": "tidegate explain ID",
    "reach_of": "tidegate reach PATH:SYMBOL",
    "who_wrote": "tidegate who PATH:LINES",
    "guidance_for": "tidegate agent guide --path PATH",
    "simulate_policy": "tidegate policy backtest --rules FILE",
    "declare_session": "tidegate annotate",
    "attach_evidence": "tidegate check --coverage FILE",
    "policy": "tidegate policy explain",
}


def _fault(what: str, mend: str) -> Reply:
    return Reply(fault=Fault(what, mend=mend))


_KEPT = ("HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "OMP_NUM_THREADS")


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a call sees of ours: settings, no credential, and nothing that points git elsewhere."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in _KEPT or name.startswith(("LC_", "XDG_")) or (name.startswith("TIDEGATE_") and "TOKEN" not in name)
    }
    return {"OMP_NUM_THREADS": "1", **kept, "PATH": safe_path()}
