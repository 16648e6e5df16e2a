"""Reads source files in processes of their own: one that hangs, crashes or eats memory loses that file, nothing else.

A worker is a fork of this process that is handed sources and answers with packed symbols. The kernel ends it when one
file takes too much processor time, even inside a parser that never looks at the clock. Forked, not spawned: a fork
costs 3 ms, a fresh interpreter with what a reader imports 60 ms, and one changed file is read that way as well.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import struct
import sys
import time
import warnings
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple, NoReturn

import msgspec

from tidegate.reach.languages.interface import Language
from tidegate.reach.store import Packed, pack
from tidegate.reach.symbols import FileSymbols, unread

SECONDS_PER_FILE = 10.0
MEMORY_BYTES = 2 << 30
PARALLEL_BYTES = 2 << 20
_BATCH_BYTES = 256 << 10
_WAITING_FACTOR = 12
_STRIKES = 10
_COLLECT_BYTES = 16 << 20
_RECURSION = 4000
_LENGTH = struct.Struct("<QB")


class Source(NamedTuple):
    """One file to read; `key` comes back with the answer, `language` is its place in the languages."""

    key: Hashable
    language: int
    suffix: str
    content: bytes


class Answer(NamedTuple):
    """What a source says. `lasting` is whether it would say the same another time, on a machine less busy."""

    key: Hashable
    packed: Packed
    lasting: bool


class Limits(NamedTuple):
    """How much one file may take: processor seconds (fewer after many losses), and the memory of a worker in bytes."""

    seconds: float = SECONDS_PER_FILE
    memory: int = MEMORY_BYTES
    struck_seconds: float = 1.0


def parse(
    sources: Iterable[Source], languages: Sequence[Language], jobs: int, limits: Limits | None = None
) -> Iterator[Answer]:
    """The packed symbols of every source, in no fixed order, by `jobs` workers.

    A file that cannot be read is answered with an error. After ten such losses a file has one second only: a
    repository full of traps must not take hours.
    """
    pool = _Pool(languages, limits or Limits())
    try:
        yield from pool.run(iter(sources), jobs)
    finally:
        pool.close()


def default_jobs() -> int:
    """How many workers this machine has room for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, 16))


# Private


class _Pool:
    """Workers, what each is busy with, and the files that wait to be read again because their worker was lost."""

    def __init__(self, languages: Sequence[Language], limits: Limits) -> None:
        self._languages = languages
        self._limits = limits
        self._workers: list[_Worker] = []
        self._again: deque[Source] = deque()
        self._strikes = 0

    def run(self, sources: Iterator[Source], jobs: int) -> Iterator[Answer]:
        done = False
        while True:
            self._start(jobs)
            for worker in self._workers:
                if not worker.busy:
                    batch, done = self._next_batch(sources, done)
                    if batch:
                        worker.send(batch)
            busy = [worker for worker in self._workers if worker.busy]
            if not busy:
                return
            yield from self._collect(busy)

    def close(self) -> None:
        for worker in self._workers:
            worker.end(kill=True)
        self._workers = []

    def _start(self, jobs: int) -> None:
        while len(self._workers) < jobs:
            others = [end for worker in self._workers for end in worker.ends]
            struck = self._strikes >= _STRIKES
            self._workers.append(_Worker(self._languages, self._limits, others, struck=struck))

    def _next_batch(self, sources: Iterator[Source], done: bool) -> tuple[list[Source], bool]:
        batch: list[Source] = []
        size = 0
        while size < _BATCH_BYTES and self._again:
            batch.append(self._again.popleft())
            size += len(batch[-1].content)
        while size < _BATCH_BYTES and not done:
            source = next(sources, None)
            if source is None:
                done = True
            else:
                batch.append(source)
                size += len(source.content)
        return batch, done

    def _collect(self, busy: list[_Worker]) -> Iterator[Answer]:
        waiting = select.poll()
        by_end = {worker.answers: worker for worker in busy}
        for end in by_end:
            waiting.register(end, select.POLLIN)
        ready = {end for end, _ in waiting.poll(1000)}
        for end, worker in by_end.items():
            ended = end in ready and not worker.receive()
            yield from worker.take()
            if ended or (worker.busy and worker.overdue):
                yield from self._lose(worker, ended)

    def _lose(self, worker: _Worker, ended: bool) -> Iterator[Answer]:
        self._workers.remove(worker)
        lost = worker.end(kill=not ended)
        if worker.busy:
            self._strikes += 1
            source, *rest = worker.busy
            self._again.extend(rest)
            yield Answer(source.key, pack(unread(lost.reason)), lost.lasting)


class _Lost(NamedTuple):
    """Why a worker ended, and whether the same would happen again."""

    reason: str
    lasting: bool


class _Worker:
    """One child process, seen from the parent. It answers in the order in which it was asked."""

    def __init__(self, languages: Sequence[Language], limits: Limits, others: Sequence[int], *, struck: bool) -> None:
        self._full_seconds = limits.seconds
        if struck:
            limits = limits._replace(seconds=min(limits.struck_seconds, limits.seconds))
        self._limits = limits
        asked_read, self._questions = os.pipe()
        self.answers, answers_write = os.pipe()
        self.ends = (self._questions, self.answers)
        self.busy: deque[Source] = deque()
        self._seen = bytearray()
        self._heard_at = time.monotonic()
        with warnings.catch_warnings():
            # Python warns of threads beside a fork; the child never touches what they may hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            _serve(languages, limits, (asked_read, answers_write), (*self.ends, *others))
        os.close(asked_read)
        os.close(answers_write)

    @property
    def overdue(self) -> bool:
        """Whether it has been silent for so long that it can only be stuck without using the processor."""
        return time.monotonic() - self._heard_at > _WAITING_FACTOR * self._limits.seconds

    def send(self, batch: list[Source]) -> None:
        """Hands over work. The worker reads all of it before it answers, so neither waits for the other."""
        self.busy.extend(batch)
        self._heard_at = time.monotonic()
        data = msgspec.msgpack.encode([source[1:] for source in batch])
        with suppress(OSError):  # a worker that is gone is found out when its answers are read
            _write(self._questions, _LENGTH.pack(len(data), 0) + data)

    def receive(self) -> bool:
        """Reads what there is to read; False when the worker is gone."""
        try:
            data = os.read(self.answers, 1 << 20)
        except OSError:
            return False
        self._seen += data
        self._heard_at = time.monotonic()
        return bool(data)

    def take(self) -> Iterator[Answer]:
        """The answers that are complete."""
        while len(self._seen) >= _LENGTH.size:
            length, failed = _LENGTH.unpack_from(self._seen)
            end = _LENGTH.size + length
            if len(self._seen) < end:
                return
            payload = bytes(self._seen[_LENGTH.size : end])
            del self._seen[:end]
            yield Answer(self.busy.popleft().key, Packed(payload, bool(failed)), lasting=True)

    def end(self, *, kill: bool) -> _Lost:
        """Waits for its end, or brings it about, and says what it died of."""
        for end in self.ends:
            os.close(end)
        if kill:
            os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        if kill:
            return _Lost("reading it did not end", lasting=False)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
            full = self._limits.seconds == self._full_seconds
            return _Lost(f"reading it took more than {self._limits.seconds:g} s", lasting=full)
        if os.WIFSIGNALED(status):
            return _Lost(f"reading it was ended by signal {os.WTERMSIG(status)}", lasting=False)
        if os.WEXITSTATUS(status) == _NO_MEMORY:
            return _Lost("reading it took too much memory", lasting=False)
        return _Lost("its reader failed", lasting=False)


_NO_MEMORY = 9


def _serve(languages: Sequence[Language], limits: Limits, own: tuple[int, int], others: Sequence[int]) -> NoReturn:
    """The life of a worker. It leaves without any of the parent's clean-up, whatever happens."""
    code = 1
    try:
        for end in others:
            os.close(end)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        gc.disable()
        gc.freeze()
        sys.setrecursionlimit(_RECURSION)
        _limit_memory(limits.memory)
        _answer_all(languages, limits, *own)
        code = 0
    except MemoryError:
        code = _NO_MEMORY
    finally:
        os._exit(code)


def _answer_all(languages: Sequence[Language], limits: Limits, questions: int, answers: int) -> None:
    since = 0
    while head := _read(questions, _LENGTH.size):
        length, _ = _LENGTH.unpack(head)
        for number, suffix, content in msgspec.msgpack.decode(_read(questions, length), type=list[_Question]):
            signal.setitimer(signal.ITIMER_PROF, limits.seconds)
            payload, failed = pack(_symbols(languages[number], content, suffix))
            signal.setitimer(signal.ITIMER_PROF, 0)
            _write(answers, _LENGTH.pack(len(payload), failed) + payload)
            since += len(content)
        if since > _COLLECT_BYTES:
            since = 0
            gc.collect()


_Question = tuple[int, str, bytes]


def _symbols(language: Language, content: bytes, suffix: str) -> FileSymbols:
    try:
        return language.read_symbols(content, suffix)
    except RecursionError:
        return unread("it is nested too deeply")


def _limit_memory(limit: int) -> None:
    """A limit on top of what this process has mapped already; some systems have none."""
    with suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        used = _mapped_bytes()
        if used and (hard == resource.RLIM_INFINITY or used + limit < hard):
            resource.setrlimit(resource.RLIMIT_AS, (used + limit, hard))


def _mapped_bytes() -> int:
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm", "rb") as file:  # noqa: PTH123
        return int(file.read(256).split()[0]) * resource.getpagesize()
    return 0


def _read(descriptor: int, length: int) -> bytes:
    """Exactly so many bytes, b"" at the end."""
    data = bytearray()
    while len(data) < length:
        part = os.read(descriptor, min(length - len(data), 1 << 20))
        if not part:
            return b""
        data += part
    return bytes(data)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
