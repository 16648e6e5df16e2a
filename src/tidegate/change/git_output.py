"""What a running git says, and how `cat-file` says it. A repository can make git wait for ever: silence ends it."""

from __future__ import annotations

import io
import os
import selectors
import subprocess
from contextlib import suppress
from typing import IO, TYPE_CHECKING, NamedTuple

from tidegate.errors import GitError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TIMEOUT_SECONDS = 300


class Blob(NamedTuple):
    """One answer of `cat-file --batch`: `kind` is blob, tree, commit, tag, missing, or too-large (content is empty)."""

    name: str
    oid: str
    kind: str
    size: int
    content: bytes


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


def read_header(output: IO[bytes], name: str) -> Blob:
    """The answer to a name: what it stands for, without content. Raises GitError where git broke off."""
    line = output.readline()
    fields = line.decode("utf-8", "replace").rstrip("\n").rsplit(" ", 2)
    if not line.endswith(b"\n"):
        raise _broken_off(name)
    if len(fields) == 3 and fields[2].isdigit():
        return Blob(name, fields[0], fields[1], int(fields[2]), b"")
    return Blob(name, "", "missing", 0, b"")


def read_content(output: IO[bytes], answer: Blob) -> bytes:
    """The content that follows an answer. Raises GitError where git broke off."""
    header = output.readline()
    content = output.read(answer.size)
    if header != f"{answer.oid} {answer.kind} {answer.size}\n".encode("ascii") or output.read(1) != b"\n":
        raise _broken_off(answer.name)
    return content


# Private


def _broken_off(name: str) -> GitError:
    return GitError("an object cannot be read", where=name, mend="check the repository: git fsck")
