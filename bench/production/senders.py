"""Many senders, one event in each message, answered after the commit: how many a second of CPU are kept on SQLite.

python -m bench.production.senders [--events 6000] [--senders 64] [--seed 1]

Bar: 3,000 events a second on one core. Through the app a request is also routed, authenticated and logged.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

from starlette.types import ASGIApp
from starlette.types import Message as Part

from bench.production.events import Message, make
from bench.server.schemathesis_run import furnish
from tidegate.server.api.endpoint import Who
from tidegate.server.api.mine import NewToken
from tidegate.server.app import THREADS, make_app
from tidegate.server.auth.permissions import PERMISSIONS
from tidegate.server.auth.session import make_token
from tidegate.server.config import Config
from tidegate.server.production.intake import take
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import accounts

BAR = 3_000
WARM = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=6_000)
    parser.add_argument("--senders", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    messages = make(options.events, random.Random(options.seed))
    report("one sender", messages, lambda service: [take(service, *each) for each in messages])
    report(f"{options.senders} senders", messages, lambda service: at_once(service, messages, options.senders))
    report(f"{options.senders} through the app", messages, lambda service: served(service, messages, options.senders))


def report(what: str, messages: Sequence[Message], work: Callable[[Service], object]) -> None:
    with tempfile.TemporaryDirectory() as folder, _opened(Path(folder)) as service:
        furnish(service)
        for each in make(len(messages), random.Random(0))[:WARM]:  # statements are compiled once
            take(service, *each)
        began, cpu = time.monotonic(), time.process_time()
        work(service)
        wall, spent = time.monotonic() - began, time.process_time() - cpu
    rate = len(messages) / spent
    held = "held" if rate >= BAR else "MISSED"
    print(f"{what:24} {rate:>7,.0f}/s of CPU, {len(messages) / wall:>7,.0f}/s of wall  bar {BAR:,}: {held}")


def at_once(service: Service, messages: Sequence[Message], senders: int) -> None:
    with ThreadPoolExecutor(senders) as pool:
        list(pool.map(lambda each: take(service, *each), messages))


def served(service: Service, messages: Sequence[Message], senders: int) -> None:
    with service.database.read() as connection:
        root = accounts.person_named(connection, "root")
    assert root is not None
    who = Who(root.id, root.name, root.role)
    token, _ = make_token(service, who, root.id, NewToken("bench", PERMISSIONS, 1))
    headers = [(b"host", b"127.0.0.1:8787"), (b"authorization", f"Bearer {token}".encode())]
    app = make_app(service, pages=False)
    rest = iter(messages)

    async def client() -> None:
        for each in rest:
            assert await _post(app, headers, each) == 202

    async def everybody() -> None:
        from anyio.to_thread import current_default_thread_limiter

        current_default_thread_limiter().total_tokens = THREADS  # as the lifespan of the app sets it
        await asyncio.gather(*(client() for _ in range(senders)))

    with contextlib.redirect_stderr(io.StringIO()):  # the log is written as ever, and not shown
        asyncio.run(everybody())


def _opened(folder: Path) -> AbstractContextManager[Service]:
    return open_service(Config(data=folder, database=f"sqlite:///{folder}/tidegate.db"))


async def _post(app: ASGIApp, headers: list[tuple[bytes, bytes]], message: Message) -> int:
    sender, body, more = message
    status = 0

    async def send(part: Part) -> None:
        nonlocal status
        status = part.get("status", status)

    async def receive() -> Part:
        return {"type": "http.request", "body": body, "more_body": False}

    own = [(name.encode(), value.encode()) for name, value in more.items()]
    path = f"/api/v1/events/{sender}"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [*headers, (b"content-length", str(len(body)).encode()), *own],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8787),
    }
    await app(scope, receive, send)
    return status


if __name__ == "__main__":
    main()
