"""Group commit: many hand something in and wait, one thread writes all that waits in one go."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from tidegate.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 1_000
MOST_BYTES = 16 << 20
LINGER = 0.002
"""Seconds to wait for as many as came the last time: they were just answered, and come again."""


class Sequencer(Generic[Item, Result]):
    """`write` gets what waits, in its order, and answers as many results, or raises for all of them."""

    def __init__(
        self, write: Callable[[Sequence[Item]], Sequence[Result]], size_of: Callable[[Item], int], name: str
    ) -> None:
        self._write = write
        self._size_of = size_of
        self._waiting: queue.SimpleQueue[tuple[Item, Future[Result]] | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> Future[Result]:
        """The result comes when it is written. InputError after `close`."""
        answer: Future[Result] = Future()
        with self._closing:
            if self._closed:
                raise InputError("the ledger is closed")
            self._waiting.put((item, answer))
        return answer

    def close(self) -> None:
        """Writes what waits, and ends."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        before = 1
        while True:
            batch, last = self._next(before)
            before = len(batch)
            if batch:
                self._settle(batch)
            if last:
                return

    def _next(self, before: int) -> tuple[list[tuple[Item, Future[Result]]], bool]:
        batch: list[tuple[Item, Future[Result]]] = []
        size, until = 0, 0.0
        while len(batch) < MOST and size < MOST_BYTES:
            try:
                given = self._waiting.get_nowait() if batch else self._waiting.get()
            except queue.Empty:
                if len(batch) >= before or time.monotonic() >= until:
                    break
                time.sleep(LINGER / 10)
                continue
            if given is None:
                return batch, True
            until = until or time.monotonic() + LINGER
            size += self._size_of(given[0])
            batch.append(given)
        return batch, False

    def _settle(self, batch: Sequence[tuple[Item, Future[Result]]]) -> None:
        try:
            results = self._write([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  each who waits is told, and the thread lives on
            for _, answer in batch:
                answer.set_exception(error)
            return
        for (_, answer), result in zip(batch, results, strict=True):
            answer.set_result(result)
