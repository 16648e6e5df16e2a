"""Starts the forge on a free port of loopback, in a thread, and stops it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import uvicorn
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from demo.forge.control import control
from demo.forge.deeds import Deeds
from demo.forge.gate import Handler, answer
from demo.forge.git_http import serve_git
from demo.forge.github_api import github_routes
from demo.forge.gitlab_api import gitlab_routes
from demo.forge.hooks import Hooks, Target
from demo.forge.world import App, Fault, World

START_SECONDS = 10.0


class FakeForge:
    """A forge that runs while the `with` lasts. `do` is what people do at it; `app` the App that is to be used."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time, pem: bytes | None = None) -> None:
        self._clock = clock
        self.world = World(folder, clock)
        self.hooks = Hooks(self.world)
        self.do = Deeds(self.world, self.hooks)
        self.app: App = self.world.add_app("tidegate-gate", pem)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    @property
    def github_api(self) -> str:
        return f"{self.url}/api/v3"

    def hook(self, url: str, secret: str, forge: str = "github") -> None:
        """Messages go there from now on."""
        self.hooks.targets.append(Target(forge, url, secret))

    def fail(self, kind: str, times: int = 1, path: str = "", *, seconds: float = 60.0, method: str = "") -> None:
        """The next answers fail so (see `Fault`)."""
        with self.world.lock:
            self.world.faults.append(Fault(kind, times, path, seconds, method))

    def write_key(self, path: Path) -> Path:
        """The App's private key as a file that only its owner reads."""
        path.touch(0o600)
        path.write_bytes(self.app.pem)
        return path

    def forget(self, folder: Path) -> None:
        """As if it had just started, on the same port: nothing is there, nobody is told."""
        self.hooks.settle()
        with self.world.lock:
            self.world.clock = self._clock
            self.world.forget(folder)
            self.hooks.forget()

    def __enter__(self) -> FakeForge:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = uvicorn.Config(self._make(), log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()
        ends = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > ends:
                raise TimeoutError("the forge did not start")
            time.sleep(0.005)
        self.hooks.start(self.url)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.hooks.stop()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(START_SECONDS)

    # Private

    def _make(self) -> Starlette:
        listed = [("/api/v3", github_routes(self.hooks)), ("/api/v4", gitlab_routes(self.hooks))]
        routes = [
            Route(prefix + path, self._endpoint(handler), methods=[method])
            for prefix, found in listed
            for method, path, handler in found
        ]
        git = serve_git(self.world)
        return Starlette(
            routes=[
                *routes,
                Route("/_control/{verb}", self._plain(control(self)), methods=["POST"]),
                Route("/{owner}/{rest:path}", self._plain(git), methods=["GET", "POST"]),
            ]
        )

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        return self._plain(lambda request, body: answer(self.world, self.url, handler, request, body))

    def _plain(self, work: Callable[[Request, bytes], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = b""
            with suppress(ClientDisconnect):
                body = await request.body()
            return await run_sync(work, request, body)

        return endpoint
