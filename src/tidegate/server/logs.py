"""What the service writes of itself: one line of JSON for each request and event, never a secret, query or body."""

from __future__ import annotations

import secrets
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidegate.store.clock import now

REQUEST_ID = "x-request-id"
_FRAMES = 12
_LONGEST_PATH = 500
_QUIET = frozenset(("/health", "/ready", "/metrics"))


def log(event: str, **values: Any) -> None:
    """One line on standard error. `values` must be plain, and hold nothing that must not be read by an operator."""
    sys.stderr.write(msgspec.json.encode({"at": now(), "event": event, **values}).decode() + "\n")
    sys.stderr.flush()


def log_failure(error: BaseException, request: str) -> None:
    """Where one of our own failures came from. Its message is left out: it may hold what somebody sent."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    log("failure", request=request, kind=type(error).__name__, places=places)


class Logged:
    """Gives each request an id, counts it, and says how it ended and how long it took."""

    def __init__(self, app: ASGIApp, *, count: Callable[[str, str, int, float], None]) -> None:
        self.app = app
        self.count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = secrets.token_hex(8)
        scope.setdefault("state", {})["id"] = identifier
        started, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID.encode(), identifier.encode())]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            self._tell(scope, identifier, status, time.perf_counter() - started)

    def _tell(self, scope: Mapping[str, Any], identifier: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "")
        self.count(scope["method"], route, status, seconds)
        if scope["path"] in _QUIET and status < 400:
            return
        log(
            "request",
            id=identifier,
            method=scope["method"],
            path=scope["path"][:_LONGEST_PATH],
            status=status,
            ms=round(seconds * 1000, 1),
        )
