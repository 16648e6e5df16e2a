"""Connections that are held to their word: whoever connects asks in time, or makes room for others."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0
"""From connecting, or from the last answer, until the head of a request is whole."""
EVENTS = "/events"
"""The answer that has no end of its own."""


class PromptProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, which itself waits for ever for the head of a request."""

    _limit: asyncio.TimerHandle | None = None
    _answered: object = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._limit is not None:
            self._limit.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """A stream that would go on for as long as somebody reads it ends with the service, not after it."""
        super().shutdown()
        if self.cycle is not None and not self.cycle.response_complete and self.cycle.scope["path"] == EVENTS:
            self.transport.close()

    # Private

    def _watch(self) -> None:
        """Twice in a row without a request under way, and no other answered between: then nobody is asking."""
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self._answered is (self.cycle or self):
            self.transport.close()
            return
        self._answered = (self.cycle or self) if idle else None
        self._limit = self.loop.call_later(HEAD_SECONDS / 2, self._watch)
