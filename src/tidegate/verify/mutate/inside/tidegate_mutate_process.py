"""Forked processes within limits, and what they tell. PYTEST_DONT_REWRITE"""

# Strings instead of pathlib: this runs in the user's process, on any Python from 3.8.
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
import warnings
from typing import Any, NamedTuple

_FILE_BYTES = 256 << 20


class Limits(NamedTuple):
    """Wall and CPU seconds (0: any), and bytes of memory beyond what the process has."""

    seconds: float
    cpu: float
    memory: int


class Child:
    """One forked process: what it was asked, and what it has said so far."""

    def __init__(self, pid: int, stream: int, task: dict[str, Any], seconds: float) -> None:
        self.pid, self.stream, self.task = pid, stream, task
        self.deadline = time.monotonic() + seconds
        self.buffer = b""
        self.overdue = False

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.buffer.split(b"\n")[:-1]]


def fork(task: dict[str, Any], limits: Limits, work: Any) -> Child:
    """Starts a process that does `work(task, tell)` and ends; what it tells can be read from the child."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of forks where threads are alive
        pid = os.fork()
    if pid:
        os.close(writing)
        os.set_blocking(reading, False)
        return Child(pid, reading, task, limits.seconds)
    code = 1
    try:
        os.setsid()
        os.close(reading)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (1, 2):
            os.dup2(nothing, descriptor)
        _limit(limits)
        work(task, lambda event: os.write(writing, json.dumps(event).encode() + b"\n"))
        code = 0
    finally:
        os._exit(code)


def await_children(children: list[Child], first: bool = False) -> list[Child]:
    """Wait for all of them, or until the first has ended."""
    open_ = {child.stream: child for child in children}
    ended: list[Child] = []
    while open_ and not (first and ended):
        left = min(child.deadline for child in open_.values()) - time.monotonic()
        ready, _, _ = select.select(list(open_), [], [], max(0.0, min(left, 1.0)))
        for child in [open_[stream] for stream in ready]:
            part = os.read(child.stream, 1 << 16)
            child.buffer += part
            if not part:
                ended.append(_reap(open_.pop(child.stream)))
        for child in list(open_.values()):
            if time.monotonic() > child.deadline:
                child.overdue = True
                ended.append(_reap(open_.pop(child.stream)))
    return ended


def limit_memory(most: int) -> None:
    """No process may take more address space than this beyond what it has."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            has = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (has + most, has + most))
    except (ImportError, OSError, ValueError):
        return


# Private


def _reap(child: Child) -> Child:
    # Its own session: what it started ends with it.
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(child.pid, signal.SIGKILL)
    os.close(child.stream)
    _, status = os.waitpid(child.pid, 0)
    child.overdue = child.overdue or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
    return child


def _limit(limits: Limits) -> None:
    if limits.cpu:
        import resource

        most = int(limits.cpu + 0.99)

        limit_memory(limits.memory)
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
