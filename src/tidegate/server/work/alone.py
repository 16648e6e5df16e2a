"""A worker without a service beside it."""

from __future__ import annotations

import signal
import threading

from tidegate import __version__
from tidegate.errors import InputError, InternalError
from tidegate.server.config import Config
from tidegate.server.logs import log
from tidegate.server.start import open_service
from tidegate.server.work.engine import USUAL, Bell, Pace, working


def run_worker(config: Config, threads: int, pace: Pace = USUAL) -> None:
    """Works until SIGTERM or SIGINT. InputError where the service's key is not here: with one of its own it would sign
    another ledger. InternalError where the work failed for good."""
    key = config.data / "ledger.key"
    if not key.exists():
        raise InputError(
            "the key of the service's ledger is not here",
            where=str(key),
            mend="copy ledger.key from the service's TIDEGATE_HOME, or start tidegate serve first",
        )
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    broken: list[Exception] = []

    def fail(error: Exception) -> None:
        broken.append(error)
        ended.set()

    with open_service(config) as service:
        if not service.forges:
            raise InputError("no forge is configured", where="TIDEGATE_GITHUB_...", mend="see docs/server.md")
        log("start", version=__version__, worker=True)
        with working(service, Bell(), threads, pace, fail):
            ended.wait()
        log("stop")
    if broken:
        raise InternalError("the background work failed for good", mend="see its log") from broken[0]
