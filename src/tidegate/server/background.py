"""The worker inside `tidegate serve`: begun beside the first requests, ended before the database is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tidegate.server.logs import log_failure
from tidegate.server.service import Service


class Background:
    """`threads` hands; none with 0. Loading what an analysis needs takes a while, and nobody waits for it."""

    def __init__(self, threads: int) -> None:
        self.error: Exception | None = None
        self._threads = threads
        self._ring: Callable[[], None] | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """There is something in the inbox. Before the start nothing is lost: a worker looks there first."""
        if self._ring is not None:
            self._ring()

    def begin(self, service: Service, failed: Callable[[], None]) -> None:
        """Where it cannot work, `failed` is called, and `error` says why: a service that decides nothing ends."""
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
            from tidegate.server.work.engine import Bell, working

            bell = Bell()
            with working(service, bell, self._threads):
                self._ring = bell.ring
                self._ended.wait()
        except Exception as error:  # noqa: BLE001 the last door of this thread: the service ends by it
            log_failure(error, "")
            self.error = error
            failed()
