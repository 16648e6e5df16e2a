"""The worker inside `tidegate serve`: begun beside the first requests, ended before the database is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from tidegate.server.logs import log_failure
from tidegate.server.service import Service

if TYPE_CHECKING:
    from tidegate.server.work.engine import Pace

LINGER_SECONDS = 5.0


class Background:
    """`threads` hands; none with 0. Loading what an analysis needs takes a while, and nobody waits for it."""

    def __init__(self, threads: int, pace: Pace | None = None, linger: float = LINGER_SECONDS) -> None:
        self.error: Exception | None = None
        self._pace = pace
        self._linger = linger
        self._threads = threads
        self._ring: Callable[[], None] | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """There is something in the inbox. Before the start nothing is lost: a worker looks there first."""
        if self._ring is not None:
            self._ring()

    def problem(self) -> str:
        """Why it ended for good; "" while it did not."""
        return "" if self.error is None else f"the background work failed for good ({type(self.error).__name__})"

    def begin(self, service: Service, failed: Callable[[], None]) -> None:
        """Where it cannot work, `error` says why, and a little later, when whoever asks whether the service is ready
        had time to hear it, `failed` is called: a service that decides nothing ends."""
        if self._threads:
            self._thread = threading.Thread(target=self._work, args=(service, failed), name="tidegate-work")
            self._thread.start()

    def end(self) -> None:
        """Lets what is under way finish."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    # Private

    def _work(self, service: Service, failed: Callable[[], None]) -> None:
        try:
            from tidegate.server.work.engine import USUAL, Bell, working

            bell = Bell()
            with working(service, bell, self._threads, self._pace or USUAL, self._fail):
                self._ring = bell.ring
                self._ended.wait()
        except Exception as error:  # noqa: BLE001 the last door of this thread: the service ends by it
            self._fail(error)
        if self.error is not None:
            failed()

    def _fail(self, error: Exception) -> None:
        log_failure(error, "")
        self.error = error
        self._ended.wait(self._linger)
        self._ended.set()
