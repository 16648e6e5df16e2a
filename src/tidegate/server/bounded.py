"""Work that somebody's question makes, in a process of its own: bounded, alone on this machine, and gone afterwards.

What is asked goes in by a file and never by arguments; of the child nothing is believed but what it wrote.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from tidegate.change.git_dir import safe_path
from tidegate.errors import InputError
from tidegate.server.api.problems import Problem

LARGEST = 64 << 20
"""Bytes of what is asked, and of what is answered."""


class Bounds(Struct, frozen=True):
    """Seconds of its processor's time, of which twice as many may pass, and its memory."""

    seconds: int
    memory_mb: int


class Wrong(Struct, frozen=True, omit_defaults=True):
    """What a child found wrong with what it was asked. `unread`: it was the mirror."""

    what: str = ""
    where: str = ""
    mend: str = ""
    unread: bool = False

    def raised(self) -> Problem | InputError:
        """To be raised here as it would have been raised there."""
        if self.unread:
            return Problem(409, "the repository cannot be read here now")
        return InputError(self.what, where=self.where, mend=self.mend)


def child(module: str) -> tuple[str, ...]:
    """The command that runs a module of ours with `SECONDS MEMORY_MB` behind it."""
    return (sys.executable, "-I", "-m", module)


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """One at a time on this machine, because each may take its bounds. Problem 503 while another is under way."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Problem(503, f"another {what} is under way", retry_after=5) from error
    finally:
        os.close(lock)


def run(command: Sequence[str], given: bytes, bounds: Bounds, extra: Mapping[str, str] | None = None) -> bytes | None:
    """What the child wrote; None where it was ended for taking too much. `extra` is added to its environment."""
    with tempfile.TemporaryDirectory(prefix="tidegate-bounded-") as scratch, tempfile.TemporaryFile() as asked:
        asked.write(given)
        asked.seek(0)
        environment = {"PATH": safe_path(), "HOME": scratch, "TMPDIR": scratch, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        with tempfile.TemporaryFile() as answered:
            process = subprocess.Popen(  # noqa: S603 our own module
                [*command, str(bounds.seconds), str(bounds.memory_mb)],
                stdin=asked,
                stdout=answered,
                stderr=subprocess.DEVNULL,
                env={**environment, **(extra or {})},
                cwd=scratch,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout=2 * bounds.seconds)
            except subprocess.TimeoutExpired:
                code = -1
            finally:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            answered.seek(0)
            return answered.read(LARGEST) if code == 0 else None
