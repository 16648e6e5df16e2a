"""CPU time of a request, beside a plain Starlette route that answers the same: parsing of HTTP left out on both sides.

python -m bench.server.requests [--requests 3000]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import tempfile
import time
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from bench.server.schemathesis_run import furnish
from tidegate.server.api.endpoint import Who
from tidegate.server.api.mine import NewToken
from tidegate.server.app import make_app
from tidegate.server.auth.permissions import PERMISSIONS
from tidegate.server.auth.session import make_token
from tidegate.server.config import Config
from tidegate.server.start import open_service
from tidegate.store import accounts

PATHS = ("/health", "/api/v1/me", "/api/v1/changes/1", "/api/v1/changes", "/api/v1/ledger/entries/1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Config(data=Path(folder), database=f"sqlite:///{folder}/tidegate.db")
        with open_service(config) as service:
            furnish(service)
            with service.database.read() as connection:
                root = accounts.person_named(connection, "root")
            assert root is not None
            token, _ = make_token(
                service, Who(root.id, root.name, root.role), root.id, NewToken("bench", PERMISSIONS, 1)
            )
            headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode())]
            for path in PATHS:
                report(path, make_app(service, pages=False), plain(path), headers, options.requests)


def plain(path: str) -> ASGIApp:
    async def answer(_: Request) -> JSONResponse:
        return JSONResponse({"id": 1, "name": "root", "role": "admin"})

    return Starlette(routes=[Route(path, answer)])


def report(path: str, ours: ASGIApp, theirs: ASGIApp, headers: list[tuple[bytes, bytes]], count: int) -> None:
    with contextlib.redirect_stderr(io.StringIO()):  # the log is written as ever, and not shown
        spans = [asyncio.run(spend(app, path, headers, count)) for app in (ours, theirs)]
    print(f"{path:28} {spans[0] * 1e6:7.0f} us, plain Starlette {spans[1] * 1e6:5.0f} us, {spans[0] / spans[1]:5.1f} x")


async def spend(app: ASGIApp, path: str, headers: list[tuple[bytes, bytes]], count: int) -> float:
    """CPU seconds of one request, after a few that nobody counts."""
    began = 0.0
    for number in range(-20, count):
        if number == 0:
            began = time.process_time()
        status = await ask(app, path, headers)
        assert status == 200, (path, status)
    return (time.process_time() - began) / count


async def ask(app: ASGIApp, path: str, headers: list[tuple[bytes, bytes]]) -> int:
    found = 0

    async def send(message: Message) -> None:
        nonlocal found
        found = message.get("status", found)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8787),
    }
    await app(scope, receive, send)
    return found


if __name__ == "__main__":
    main()
