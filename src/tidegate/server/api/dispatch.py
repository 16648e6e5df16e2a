"""From a request to an endpoint and back: read, typed, permitted, answered; everything else is a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from anyio import fail_after
from anyio.to_thread import run_sync
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tidegate.errors import InternalError, TidegateError
from tidegate.server.api import problems
from tidegate.server.api.endpoint import LARGEST_ID, Ask, Endpoint, Message, Nothing, Raw, Who
from tidegate.server.api.openapi import PREFIX
from tidegate.server.api.problems import Problem
from tidegate.server.auth.permissions import allows
from tidegate.server.logs import log_failure
from tidegate.server.service import Service

Authenticate: TypeAlias = Callable[[Service, Request], Who]
"""Who asks, from the headers alone. Raises Problem 401, or 403 where a browser's token is missing."""


JSON = "application/json"
BODY_SECONDS = 60.0
BODIES_BYTES = 256 << 20
"""Of all bodies that are being received: one token may send many at once."""


def routes_of(endpoints: Sequence[Endpoint], service: Service, authenticate: Authenticate) -> list[Route]:
    """One route for each path, so that 405 names every method that the path has."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        methods = by_path.setdefault(PREFIX + endpoint.path.replace(":int}", "}"), {})
        if endpoint.method in methods:
            raise InternalError(f"{endpoint.method} {endpoint.path} stands twice in the list")
        methods[endpoint.method] = endpoint
    room = Room(BODIES_BYTES)
    return [_route(path, methods, service, authenticate, room) for path, methods in by_path.items()]


async def answer(
    endpoint: Endpoint, service: Service, authenticate: Authenticate, request: Request, room: Room
) -> Response:
    """What the endpoint says to this request; a Problem is its answer too.

    Who asks is settled before any body is read.
    """
    try:
        if endpoint.body is Nothing:
            return await run_sync(_whole, endpoint, service, authenticate, request)
        who = await run_sync(_permit, endpoint, service, authenticate, request)
        body = await _read(request, endpoint, room)
        try:
            return await run_sync(_work, endpoint, service, who, request, body)
        finally:
            room.give_back(len(body))
    except Problem as problem:
        return problems.answer(problem, request_id(request))
    except TidegateError as error:
        if error.exit_code != problems.INPUT:
            log_failure(error, request_id(request))
        return problems.answer(problems.of_error(error), request_id(request))
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        log_failure(error, request_id(request))
        return problems.answer(Problem(503, "the database does not answer", retry_after=5), request_id(request))


def request_id(request: Request) -> str:
    """The id under which the log knows it."""
    return str(getattr(request.state, "id", ""))


class Room:
    """Bytes of memory for bodies of whoever it may be, all together. Used in the event loop only."""

    def __init__(self, most: int) -> None:
        self.left = most

    def take(self, size: int) -> None:
        """Problem 503 where there is no more of it."""
        if size > self.left:
            raise Problem(503, "too much is being received at once", retry_after=30)
        self.left -= size

    def give_back(self, size: int) -> None:
        self.left += size


async def read_body(request: Request, most: int, room: Room | None = None) -> bytes:
    """The body, refused with 413 before more than `most` bytes of it were read, and with 400 where it is too slow.

    What was read of it is taken from the `room`: a whole body for the caller to give back.
    """
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > most:
        raise Problem(413, f"a body may have {most} bytes at most")
    room = room or Room(most)
    parts: list[bytes] = []
    size, whole = 0, False
    try:
        with fail_after(BODY_SECONDS):
            async for part in request.stream():
                if size + len(part) > most:
                    raise Problem(413, f"a body may have {most} bytes at most")
                room.take(len(part))
                size += len(part)
                parts.append(part)
        whole = True
    except ClientDisconnect as error:
        raise Problem(400, "the body ended early") from error
    except TimeoutError as error:
        raise Problem(400, f"the body took more than {BODY_SECONDS:g} seconds") from error
    finally:
        if not whole:
            room.give_back(size)
    return b"".join(parts)


# Private


def _route(
    path: str, methods: Mapping[str, Endpoint], service: Service, authenticate: Authenticate, room: Room
) -> Route:
    async def serve(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await answer(methods[method], service, authenticate, request, room)

    return Route(path, serve, methods=sorted(methods))


async def _read(request: Request, endpoint: Endpoint, room: Room) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if endpoint.takes and media_type not in endpoint.takes:
        known = " or ".join(endpoint.takes)
        words = "the body must be JSON" if endpoint.takes == (JSON,) else "the body is of no type that is read here"
        raise Problem(415, words, mend=f"send it with Content-Type: {known}")
    return await read_body(request, endpoint.most_bytes, room)


def _whole(endpoint: Endpoint, service: Service, authenticate: Authenticate, request: Request) -> Response:
    return _work(endpoint, service, _permit(endpoint, service, authenticate, request), request, b"")


def _permit(endpoint: Endpoint, service: Service, authenticate: Authenticate, request: Request) -> Who:
    who = authenticate(service, request)
    if endpoint.needs is not None and not allows(who.role, who.scopes, endpoint.needs):
        raise Problem(403, f"this needs the permission {endpoint.needs}", detail=f"{who.name} is {who.role}")
    if who.repositories is not None and endpoint.needs is not None and not endpoint.of_repository:
        raise Problem(403, "this token speaks for some repositories only", mend="use one that is made for all of them")
    return who


def _work(endpoint: Endpoint, service: Service, who: Who, request: Request, body: bytes) -> Response:
    given = Message(body, dict(request.headers)) if endpoint.body is Message else _body(endpoint, body)
    ask = Ask(service, who, _path(endpoint, request), _query(endpoint, request), given)
    said = endpoint.handler(ask)
    if endpoint.answer is Nothing:
        return Response(status_code=204)
    if isinstance(said, Raw):
        return Response(said.content, said.status or endpoint.status, dict(said.headers), said.media_type)
    return Response(msgspec.json.encode(said), endpoint.status, media_type=endpoint.media_type)


def _path(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    return {name: _part(kind, str(request.path_params[name])) for name, kind in endpoint.parts}


def _part(kind: str, text: str) -> Any:
    if kind != "int":
        return text
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > LARGEST_ID:
        raise Problem(422, "a number is expected in the path", detail=text[:40])
    return int(text)


def _query(endpoint: Endpoint, request: Request) -> Any:
    given: Mapping[str, Any] = dict(request.query_params)
    if len(given) != len(request.query_params.multi_items()):
        raise Problem(422, "a name stands twice in the query")
    try:
        return msgspec.convert(given, endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(422, "the query is not as expected", detail=str(error)) from error


def _body(endpoint: Endpoint, body: bytes) -> Any:
    if endpoint.body is Nothing:
        return Nothing()
    try:
        return msgspec.json.decode(body, type=endpoint.body)
    except msgspec.ValidationError as error:
        raise Problem(422, "the body is not as expected", detail=str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "the body is no JSON", detail=str(error)[:200]) from error
