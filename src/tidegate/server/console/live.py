"""One stream of what changed, as server-sent events: its kind and its id, and nothing else. Pages look again.

However many look on, the database is asked once a second, and not at all while nobody does. A stream ends with the
session it belongs to, which it does not keep alive.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence

import msgspec
from anyio.to_thread import run_sync
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tidegate.errors import TidegateError
from tidegate.server.auth.permissions import allows
from tidegate.server.auth.session import session_of
from tidegate.server.connections import EVENTS
from tidegate.server.logs import log_failure
from tidegate.server.service import Service
from tidegate.store import accounts, news
from tidegate.store.accounts import Session
from tidegate.store.clock import later, moment_of
from tidegate.store.news import News

MOST_STREAMS = 200
MOST_OF_SESSION = 8
MOST_KEPT = 500
"""Changes that a slow reader may be behind; one who is farther behind is told to look at everything."""
EVERY_SECONDS = 1.0
LATE_SECONDS = 2.0
"""What is written takes its time before it is written: so far back one looks again."""
BEAT_SECONDS = 10.0
LONGEST_SECONDS = 1800.0
"""Then the browser asks again by itself, and says what it saw last."""
EVERYTHING = b'data: {"kind":"everything","id":0}\n\n'


class Noted(Struct, frozen=True):
    number: int
    news: News


class Pulse:
    """What changed lately, for all streams of one process. Used from one event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._streams: Counter[str] = Counter()
        self._noted: deque[Noted] = deque(maxlen=MOST_KEPT)
        self._known: set[News] = set()
        self._number = 0
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def has_room(self, session: str) -> bool:
        return self._streams.total() < MOST_STREAMS and self._streams[session] < MOST_OF_SESSION

    async def stream(self, session: Session, since: str) -> AsyncIterator[bytes]:
        """The events of one reader, who saw everything until `since`."""
        self._streams[session.digest] += 1
        try:
            self._begin()
            number = self._number
            yield b"retry: 3000\n\n"
            missed = await run_sync(self._read, since)
            if len(missed) >= news.MOST:
                yield EVERYTHING
            elif missed:
                yield _event(missed)
            ends, beat = time.monotonic() + LONGEST_SECONDS, time.monotonic() + BEAT_SECONDS
            while time.monotonic() < ends:
                if number == self._number:
                    await self._wait()
                if number != self._number:
                    yield self._since(number)
                    number = self._number
                if time.monotonic() > beat:
                    beat = time.monotonic() + BEAT_SECONDS
                    if not await run_sync(self._lives, session.digest):
                        yield b"event: end\ndata: {}\n\n"
                        return
                    yield b": here\n\n"
        finally:
            self._streams[session.digest] -= 1
            self._streams += Counter()  # those of none go

    # Private

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._known.clear()
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        """Looks for as long as somebody reads."""
        since = self._service.now()
        while self._streams.total():
            try:
                found = await run_sync(self._read, later(since, -LATE_SECONDS))
            except (TidegateError, SQLAlchemyError) as error:
                log_failure(error, "events")
                await asyncio.sleep(BEAT_SECONDS)
                continue
            fresh = [one for one in found if one not in self._known]
            self._known = set(found)
            since = max([since, *(one.at for one in found)])
            for one in fresh:
                self._number += 1
                self._noted.append(Noted(self._number, one))
            if fresh:
                moved, self._moved = self._moved, asyncio.Event()
                moved.set()
            await asyncio.sleep(EVERY_SECONDS)

    async def _wait(self) -> None:
        """Until something is new, or it is time to see whether the session lives."""
        try:
            await asyncio.wait_for(self._moved.wait(), BEAT_SECONDS)
        except TimeoutError:
            return

    def _since(self, number: int) -> bytes:
        if self._noted and self._noted[0].number > number + 1:
            return EVERYTHING
        return _event([one.news for one in self._noted if one.number > number])

    def _read(self, since: str) -> Sequence[News]:
        with self._service.database.read() as connection:
            return news.since(connection, since, clock=self._service.now)

    def _lives(self, digest: str) -> bool:
        with self._service.database.read() as connection:
            return accounts.live_session(connection, digest, self._service.now()) is not None


def routes(service: Service) -> list[Route]:
    """The one stream. Nobody who is not signed in, and nobody who may not read, gets one."""
    pulses: dict[int, Pulse] = {}

    async def serve(request: Request) -> Response:
        found = await run_sync(session_of, service, request)
        if found is None:
            return Response(status_code=401)
        session, person = found
        if not allows(person.role, None, "changes:read"):
            return Response(status_code=403)
        pulse = pulses.setdefault(id(asyncio.get_running_loop()), Pulse(service))
        if not pulse.has_room(session.digest):
            return Response(status_code=503, headers={"retry-after": "30"})
        since = _moment(request.headers.get("last-event-id", "") or request.query_params.get("since", ""), service)
        return StreamingResponse(pulse.stream(session, since), media_type="text/event-stream")

    return [Route(EVENTS, serve, methods=["GET"])]


# Private


def _event(found: Sequence[News]) -> bytes:
    """One message for all of them; its id is the moment up to which the reader has seen everything."""
    said = sorted({(one.kind, one.id) for one in found})
    data = b"".join(
        b"data: " + msgspec.json.encode({"kind": kind, "id": identifier}) + b"\n" for kind, identifier in said
    )
    return b"id: " + max(one.at for one in found).encode() + b"\n" + data + b"\n"


def _moment(text: str, service: Service) -> str:
    """The moment that a reader names, a little before; at the most an hour back, now where it is none."""
    now = service.now()
    try:
        wanted = later(text, -LATE_SECONDS) if len(text) < 40 and moment_of(text) else now
    except (ValueError, OverflowError):
        wanted = now
    return min(max(wanted, later(now, -3600)), now)
