"""The service as one ASGI application: API, webhooks, console, health; the same headers and errors everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidegate.server.api import problems
from tidegate.server.api.dispatch import routes_of
from tidegate.server.api.endpoint import Endpoint
from tidegate.server.api.listing import ENDPOINTS
from tidegate.server.api.problems import Problem
from tidegate.server.auth.session import authenticate
from tidegate.server.decoders import make_decoders
from tidegate.server.doors import doors
from tidegate.server.hosts import HostCheck
from tidegate.server.logs import Logged, log_failure
from tidegate.server.metrics import Metrics
from tidegate.server.service import Service

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer browsers send forms with `Origin: null`, which is refused
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer, whatever made it."""
THREADS = 32
"""How many requests are worked on at once; the others wait. What waits costs a socket, and no memory of ours."""


def make_app(service: Service, *, pages: bool = True, endpoints: Sequence[Endpoint] = ENDPOINTS) -> Starlette:
    """The application; without its pages the API alone. It opens nothing: `start.py` opened what `service` holds."""
    from tidegate.server.auth.oidc import routes as sign_in_routes

    metrics = Metrics(service)
    routes: list[BaseRoute] = [*routes_of(endpoints, service, authenticate), *doors(service, metrics)]
    routes += sign_in_routes(service)
    if pages:
        from tidegate.server.console import routes as console_routes

        routes += console_routes(service)
    make_decoders()
    return _app(service, routes, metrics)


# Private


def _app(service: Service, routes: Sequence[BaseRoute], metrics: Metrics) -> Starlette:
    secure = service.config.url.startswith("https://")
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Logged, count=metrics.count),
            Middleware(_Headers, secure=secure),
            Middleware(HostCheck, config=service.config),
            Middleware(_Fence),
        ],
        exception_handlers={HTTPException: _refused},
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False  # one path for each thing; nothing is answered that is not documented
    app.state.service = service
    return app


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    from anyio.to_thread import current_default_thread_limiter

    current_default_thread_limiter().total_tokens = THREADS
    yield


class _Headers:
    """Puts HEADERS on every answer; the API's own are never kept by anybody."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        extra = {"strict-transport-security": "max-age=63072000"} if secure else {}
        self.headers = [(name.encode(), text.encode()) for name, text in {**HEADERS, **extra}.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in self.headers if each[0] not in present)]
                if b"cache-control" not in present:
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        await self.app(scope, receive, sending)


class _Fence:
    """Our own failures end here: told to the log by their place, and to whoever asked as 500 without a reason."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 the error handler of HTTP: whatever comes here is our own failure
            log_failure(error, scope.get("state", {}).get("id", ""))
            if not begun:
                await _answer(Request(scope, receive), problems.of_status(500))(scope, receive, send)


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _answer(request, problems.of_status(500))
    return _answer(request, Problem(error.status_code, error.detail), dict(error.headers or {}))


def _answer(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(("/api/", "/hooks/")):
        from tidegate.server.console import error_page

        return error_page(request, problem.status)
    return problems.answer(problem, getattr(request.state, "id", ""), headers)
