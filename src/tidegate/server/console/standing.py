"""The last answer to each question that takes long: shown at once, and made anew beside the requests."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillCounting
from typing import Generic, TypeVar

T = TypeVar("T")
FRESH_SECONDS = 600.0
WAIT_SECONDS = 1.0
MOST = 64


class Standing(Generic[T]):
    """One thread counts, whoever asks and however many do. Used by all threads of the service."""

    def __init__(self, fresh: float = FRESH_SECONDS, wait: float = WAIT_SECONDS) -> None:
        self._fresh = fresh
        self._wait = wait
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, tuple[T, float]] = OrderedDict()
        self._under_way: dict[Hashable, Future[T]] = {}
        self._thread = ThreadPoolExecutor(1, "insight")

    def ask(self, question: Hashable, make: Callable[[], T]) -> T | None:
        """The answer, at most a question old; None while the first one is being made. What `make` raises is raised."""
        with self._lock:
            known = self._known.get(question)
            if known is not None:
                self._known.move_to_end(question)
                if time.monotonic() - known[1] < self._fresh:
                    return known[0]
            going = self._under_way.get(question)
            if going is None:
                going = self._under_way[question] = self._thread.submit(self._make, question, make)
        if known is not None:
            return known[0]
        try:
            return going.result(self._wait)
        except StillCounting:
            return None

    # Private

    def _make(self, question: Hashable, make: Callable[[], T]) -> T:
        try:
            made = make()
            with self._lock:
                self._known[question] = (made, time.monotonic())
                self._known.move_to_end(question)
                while len(self._known) > MOST:
                    self._known.popitem(last=False)
            return made
        finally:
            with self._lock:
                self._under_way.pop(question, None)
