"""Smart HTTP for the repositories, by git's own CGI. Reading only, and with the credential that the API gave out."""

from __future__ import annotations

import base64
import binascii
import gzip
import subprocess
import zlib
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from demo.forge.world import Token, World, git_environment

PUBLIC = frozenset(("info/refs", "git-upload-pack"))


def serve_git(world: World, *, private: bool = True) -> Callable[[Request, bytes], Response]:
    """Answers `/OWNER/NAME.git/...`. `private`: a token is needed that may read the contents."""

    def serve(request: Request, body: bytes) -> Response:
        slug, _, rest = request.url.path.lstrip("/").partition(".git/")
        with world.lock:
            project = world.projects.get(slug)
            allowed = not private or _may_read(world, _token(world, request), slug)
        if not allowed:
            return Response("no", 401, {"www-authenticate": 'Basic realm="forge"'})
        if project is None or rest not in PUBLIC:
            return Response("nothing is here", 404)
        if request.headers.get("content-encoding") == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                return Response("bad body", 400)
        environment = {
            **git_environment(),
            "GIT_PROJECT_ROOT": str(world.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{slug}.git/{rest}",
            "QUERY_STRING": request.url.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=False)
        return _answer(done.stdout)

    return serve


# Private


def _token(world: World, request: Request) -> Token | None:
    word = request.headers.get("authorization", "").removeprefix("Basic ")
    try:
        given = base64.b64decode(word, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return world.tokens.get(given.partition(":")[2])


def _may_read(world: World, token: Token | None, slug: str) -> bool:
    if token is None or world.clock() >= token.ends or "contents" not in token.permissions:
        return False
    return token.projects is None or slug in token.projects


def _answer(output: bytes) -> Response:
    head, _, body = output.partition(b"\r\n\r\n")
    headers = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    status = int(headers.pop("status", "200").split()[0]) if head else 500
    return Response(body, status, headers)
