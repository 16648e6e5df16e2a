"""The output of a git that is still running. A repository can make git wait for ever: silence ends it."""

from __future__ import annotations

import io
import os
import selectors
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TIMEOUT_SECONDS = 300


class Answer(io.RawIOBase):
    """Git's output. Git is ended when it says nothing for 300 s: a repository can make it wait for ever."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self.overdue = False
        self._descriptor = descriptor
        self._process = process

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        with selectors.DefaultSelector() as selector:
            selector.register(self._descriptor, selectors.EVENT_READ)
            if not selector.select(TIMEOUT_SECONDS):
                self.overdue = True
                self._process.kill()
        return os.readv(self._descriptor, [buffer])


def stop(process: subprocess.Popen[bytes], *, patient: bool) -> None:
    """Ends git: at once when the reader left, else after a second in which it may end by itself."""
    if process.poll() is None and patient:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
    if process.poll() is None:
        process.kill()
        process.wait()
