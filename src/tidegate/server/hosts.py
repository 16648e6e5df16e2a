"""Which names the service answers to: that of its public URL, and those of this very machine.

A page of another site can have its own name lead here (DNS rebinding), and would then be of one origin with us in its
reader's browser. What browsers do for everybody else, they do not do for a name: the name itself must be checked.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tidegate.server.api import problems
from tidegate.server.api.problems import Problem
from tidegate.server.config import Config

_LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
_PORTS = {"https": 443, "http": 80}
_ANY_NAME = frozenset(("/health", "/ready"))
"""Probes of a platform ask by whatever address they have, and learn nothing that is anybody's."""


class HostCheck:
    """Answers 421 to a request under a name that is not ours, and takes no websocket."""

    def __init__(self, app: ASGIApp, *, config: Config) -> None:
        self.app = app
        self.config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and scope["path"] not in _ANY_NAME:
            given = [value for name, value in scope["headers"] if name == b"host"]
            if len(given) != 1 or not is_ours(self.config, given[0].decode("latin-1")):
                await _refuse(scope, receive, send)
                return
        await self.app(scope, receive, send)


def is_ours(config: Config, host: str) -> bool:
    """Whether a `Host` header names this service: as its URL has it, or as this machine calls itself, at any port."""
    try:
        given, ours = urlsplit(f"//{host}"), urlsplit(config.url)
        name, port = given.hostname, given.port
    except ValueError:
        return False
    if given.netloc != host or "@" in host or name is None:
        return False
    if name in _LOOPBACK:
        return True
    standard = _PORTS[ours.scheme]
    return (name, port or standard) == (ours.hostname, ours.port or standard)


# Private


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem(
        421, "this service is not called so", mend="ask by the address in TIDEGATE_URL; a proxy must pass on `Host`"
    )
    await problems.answer(problem, Request(scope).state.id)(scope, receive, send)
