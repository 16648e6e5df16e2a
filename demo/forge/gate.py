"""What stands before every endpoint: who asks, whether they may, how often, and what fails on demand."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from demo.forge.world import App, Fault, Project, Token, World

HUGE_BYTES = 10 << 30


class RefusedError(Exception):
    """An answer that is none of success."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


@dataclass(frozen=True)
class Asked:
    """One authenticated request. `app` is set where an App asks by its JWT, `token` where somebody has a token."""

    world: World
    base: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    app: App | None = None
    token: Token | None = None

    def project(self, slug: str) -> Project:
        """404, as if it did not exist, where the token does not reach it."""
        found = self.world.projects.get(slug)
        reached = self.token is None or self.token.projects is None or slug in self.token.projects
        if found is None or not reached:
            raise RefusedError(404, "Not Found")
        return found

    def needs(self, permission: str, level: str = "read") -> Token:
        """403 where the token lacks it."""
        if self.token is None:
            raise RefusedError(401, "A JSON web token cannot be used here")
        has = self.token.permissions.get(permission, "")
        if has != "write" and has != level:
            raise RefusedError(403, "Resource not accessible by integration")
        return self.token

    def as_app(self) -> App:
        if self.app is None:
            raise RefusedError(401, "A JSON web token could not be decoded")
        return self.app


Handler = Callable[[Asked, Mapping[str, str]], Any]


@dataclass(frozen=True)
class Answer:
    """What a handler says where the status is not 200, or there is another page."""

    value: Any
    status: int = 200
    link: str = ""


def paged(asked: Asked, items: Sequence[Any], wrap: str = "") -> Answer:
    """30 a page unless the query asks for more, 100 at most; the next one is named by Link."""
    size = min(max(_number(asked.query.get("per_page"), 30), 1), 100)
    page = max(_number(asked.query.get("page"), 1), 1)
    shown = list(items[(page - 1) * size : page * size])
    link = ""
    if page * size < len(items):
        query = {**asked.query, "page": str(page + 1)}
        link = f'<{asked.base}{asked.path}?{urlencode(query)}>; rel="next"'
    if asked.world.links:
        link = asked.world.links.popleft()
    value = {"total_count": len(items), wrap: shown} if wrap else shown
    return Answer(value, link=link)


def answer(world: World, base: str, handler: Handler, request: Request, body: bytes) -> Response:
    """The handler's answer behind all the gates."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    fault = _take_fault(world, request.method, path)
    response = _failed(fault, request) if fault is not None and fault.kind != "lost" else None
    if response is None:
        response = _answered(world, base, handler, request, body)
        if fault is not None:
            response = _json({"message": "Server Error"}, 502)
    with world.lock:
        world.asked.append((request.method, path, response.status_code))
    return response


# Private


def _answered(world: World, base: str, handler: Handler, request: Request, body: bytes) -> Response:
    with world.lock:
        who = ""
        try:
            app, token = _caller(world, request)
            who = token.text if token else f"app {app.id if app else 0}"
            limits = _counted(world, who, request.method)
            query = {name: values[-1] for name, values in parse_qs(request.url.query, keep_blank_values=True).items()}
            given = _read(body)
            asked = Asked(world, base, request.method, request.url.path, query, given, app, token)
            said = handler(asked, {name: str(value) for name, value in request.path_params.items()})
        except RefusedError as refused:
            return _json({"message": str(refused)}, refused.status, refused.headers)
    full = said if isinstance(said, Answer) else Answer(said)
    response = _json(full.value, full.status, {**limits, **({"link": full.link} if full.link else {})})
    if request.method == "GET" and full.status == 200:
        etag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            with world.lock:
                world.used[who] -= 1
            return Response(b"", 304, {**limits, "etag": etag})
        response.headers["etag"] = etag
    return response


def _read(body: bytes) -> Any:
    if not body:
        return {}
    try:
        return json.loads(body)
    except ValueError as error:
        raise RefusedError(400, "Problems parsing JSON") from error


def _caller(world: World, request: Request) -> tuple[App | None, Token | None]:
    given = request.headers.get("private-token", "")
    if not given:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind not in ("Bearer", "token") or not given:
            raise RefusedError(401, "Requires authentication")
    token = world.tokens.get(given)
    if token is not None:
        if world.clock() >= token.ends:
            raise RefusedError(401, "Bad credentials")
        return None, token
    return _app_of(world, given), None


def _app_of(world: World, given: str) -> App:
    """By RS256, issued not in the future, for ten minutes at most."""
    if given.count(".") != 2:
        raise RefusedError(401, "Bad credentials")
    for app in [one for one in world.apps.values() if one.pem]:
        try:
            claims = jwt.decode(given, app.key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            continue
        now = world.clock()
        if str(claims.get("iss")) not in (str(app.id), f"Iv23li{app.id}"):
            raise RefusedError(401, "'Issuer' claim ('iss') must be an Integer")
        if claims.get("iat", now + 999) > now + 5:
            raise RefusedError(401, "'Issued at' claim ('iat') must be an Integer representing a time in the past")
        if not now < claims.get("exp", 0) <= now + 600:
            raise RefusedError(401, "'Expiration time' claim ('exp') is too far in the future or past")
        return app
    raise RefusedError(401, "A JSON web token could not be decoded")


def _counted(world: World, who: str, method: str) -> dict[str, str]:
    world.used[who] = world.used.get(who, 0) + 1
    left = world.hourly - world.used[who]
    limits = {
        "x-ratelimit-limit": str(world.hourly),
        "x-ratelimit-remaining": str(max(left, 0)),
        "x-ratelimit-reset": str(int(world.clock()) + 3600),
    }
    if left < 0:
        raise RefusedError(403, "API rate limit exceeded", **limits)
    if method != "GET" and world.content_a_minute:
        now = world.clock()
        while world.made and world.made[0] < now - 60:
            world.made.popleft()
        if len(world.made) >= world.content_a_minute:
            raise RefusedError(403, "You have exceeded a secondary rate limit.", **{"retry-after": "60"})
        world.made.append(now)
    return limits


def _take_fault(world: World, method: str, path: str) -> Fault | None:
    with world.lock:
        for fault in world.faults:
            if fault.times > 0 and fault.path in path and fault.method in ("", method):
                fault.times -= 1
                return fault
    return None


def _failed(fault: Fault, request: Request) -> Response:
    wait = str(int(fault.seconds))
    match fault.kind:
        case "502":
            return _json({"message": "Server Error"}, 502)
        case "primary":
            reset = str(int(time.time()) + int(fault.seconds))
            limits = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
            return _json({"message": "API rate limit exceeded"}, 403, limits)
        case "secondary":
            return _json({"message": "You have exceeded a secondary rate limit."}, 403, {"retry-after": wait})
        case "hang":
            return StreamingResponse(_slow(fault.seconds), 200)
        case "huge":
            return StreamingResponse(_huge(), 200, {"content-type": "application/json"})
        case "redirect":
            return RedirectResponse("http://169.254.169.254/latest/meta-data/", 302)
        case "garbage":
            return Response(b'{"number": [' * 5000, 200, {"content-type": "application/json"})
        case "expired":
            return _json({"message": "Bad credentials"}, 401)
    raise ValueError(f"{fault.kind} is no fault ({request.url.path})")


def _slow(seconds: float) -> Iterator[bytes]:
    yield b"["
    time.sleep(seconds)
    yield b"]"


def _huge() -> Iterator[bytes]:
    part = b" " * (1 << 20)
    for _ in range(HUGE_BYTES // len(part)):
        yield part


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = b"" if status == 204 else json.dumps(value).encode()
    return Response(body, status, {"content-type": "application/json; charset=utf-8", **(headers or {})})


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else otherwise
