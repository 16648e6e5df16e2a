"""From a request to an endpoint and back: read, typed, permitted, answered; everything else is a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tidegate.errors import TidegateError
from tidegate.server.api import problems
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing, Raw, Who
from tidegate.server.api.openapi import LARGEST_ID, PREFIX
from tidegate.server.api.problems import Problem
from tidegate.server.auth.permissions import allows
from tidegate.server.service import Service

Authenticate: TypeAlias = Callable[[Service, Request], Who]
"""Who asks, from the headers alone. Raises Problem 401, or 403 where a browser's token is missing."""

BODY_LIMIT_BYTES = 4 << 20


def route_of(endpoint: Endpoint, service: Service, authenticate: Authenticate) -> Route:
    """The route of one endpoint."""

    async def serve(request: Request) -> Response:
        return await answer(endpoint, service, authenticate, request)

    path = PREFIX + endpoint.path.replace(":int}", "}")
    return Route(path, serve, methods=[endpoint.method], name=endpoint.name)


async def answer(endpoint: Endpoint, service: Service, authenticate: Authenticate, request: Request) -> Response:
    """What the endpoint says to this request; a Problem is its answer too."""
    try:
        body = await _read(request) if endpoint.body is not Nothing else b""
        return await run_sync(_work, endpoint, service, authenticate, request, body)
    except Problem as problem:
        return problems.answer(problem, getattr(request.state, "id", ""))
    except TidegateError as error:
        return problems.answer(problems.of_error(error), getattr(request.state, "id", ""))


async def read_body(request: Request, most: int) -> bytes:
    """The body, refused with 413 before more than `most` bytes of it were read."""
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > most:
        raise Problem(413, f"a body may have {most} bytes at most")
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise Problem(413, f"a body may have {most} bytes at most")
            parts.append(part)
    except ClientDisconnect as error:
        raise Problem(400, "the body ended early") from error
    return b"".join(parts)


# Private


async def _read(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "the body must be JSON", mend="send it with Content-Type: application/json")
    return await read_body(request, BODY_LIMIT_BYTES)


def _work(endpoint: Endpoint, service: Service, authenticate: Authenticate, request: Request, body: bytes) -> Response:
    who = authenticate(service, request)
    if endpoint.needs is not None and not allows(who.role, who.scopes, endpoint.needs):
        raise Problem(403, f"this needs the permission {endpoint.needs}", detail=f"{who.name} is {who.role}")
    ask = Ask(service, who, _path(endpoint, request), _query(endpoint, request), _body(endpoint, body))
    said = endpoint.handler(ask)
    if endpoint.answer is Nothing:
        return Response(status_code=204)
    if isinstance(said, Raw):
        return Response(said.content, endpoint.status, dict(said.headers), said.media_type)
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
    if endpoint.query is Nothing:
        return Nothing()
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
