"""A `git cat-file` that stays to be asked again: to start one for each question costs more than the answer."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import IO, TypeAlias

from tidegate.change.git_output import Answer, stop
from tidegate.errors import GitError, InternalError, TidegateError

QUESTION_BYTES = 4096
"""The least that a pipe takes in one piece: a question of this size never waits for git to read."""

ANSWER_BYTES = 4 << 20
MOST_QUESTIONS = 2_000
"""More than this is asked of a process of its own, which writes its answers in large blocks."""

Start: TypeAlias = Callable[[int, IO[bytes]], "subprocess.Popen[bytes]"]
"""Starts git with these for standard input and standard error."""

Failed: TypeAlias = Callable[[IO[bytes], Answer], GitError]
"""The error for what git said before it ended."""


class Standing:
    """One git process that answers every line of its standard input. Started by the first question."""

    def __init__(self, start: Start, failed: Failed) -> None:
        self._start = start
        self._failed = failed
        self._lock = Lock()
        self._running: _Running | None = None

    @contextmanager
    def ask(self, question: bytes) -> Iterator[IO[bytes]]:
        """Yields git's output for a question of at most `QUESTION_BYTES`. The reader takes all of the answer.

        Where it does not, git is ended, and the next question starts another. Raises GitError when git failed.
        """
        with self._lock:
            running = self._running = self._running or _Running(self._start)
            whole = False
            try:
                running.ask(question)
                yield running.output
                whole = True
            except TidegateError as error:
                if running.has_failed():
                    raise self._failed(running.said, running.answer) from error
                raise
            finally:
                if not whole:
                    self._end()

    def close(self) -> None:
        with self._lock:
            self._end()

    # Private

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.close()


def batches(lines: Iterable[tuple[bytes, int]]) -> Iterator[int]:
    """How many of the questions, each with the bytes of its answer, are asked at a time."""
    count = asked = expected = 0
    for line, size in lines:
        if count and (asked + len(line) > QUESTION_BYTES or expected + size > ANSWER_BYTES):
            yield count
            count = asked = expected = 0
        count, asked, expected = count + 1, asked + len(line), expected + size
    if count:
        yield count


# Private


class _Running:
    """The process and its three ends."""

    def __init__(self, start: Start) -> None:
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 closed with the process
        self._process = start(subprocess.PIPE, self.said)
        if self._process.stdin is None or self._process.stdout is None:
            raise InternalError("git has no standard input or output")
        self._questions = self._process.stdin
        self.answer = Answer(self._process.stdout.fileno(), self._process)
        self.output = io.BufferedReader(self.answer, 1 << 16)

    def ask(self, question: bytes) -> None:
        # Git that has ended meanwhile answers nothing, and its reader says so.
        with suppress(BrokenPipeError):
            self._questions.write(question)
            self._questions.flush()

    def has_failed(self) -> bool:
        """Whether git has ended by itself, and not well."""
        return self.output.read(1) == b"" and self._process.wait() != 0

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self._questions.close()
        stop(self._process, patient=True)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self.said.close()
