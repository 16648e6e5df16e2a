"""How the service asks a witness, a provider of sign-in or a platform: bounded in time and size, never redirected."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal, TypeAlias

import httpx2
from msgspec import Struct

from tidegate import __version__
from tidegate.ledger.witness import TEXT, Answer

SECONDS = 10.0
MOST_BYTES = 1 << 20
Method: TypeAlias = Literal["GET", "POST", "PATCH"]
_AGENT = f"tidegate/{__version__}"


def post(url: str, body: bytes) -> Answer:
    """What a witness answers, whatever its status. OSError where no whole answer came."""
    return send("POST", url, body, {"content-type": TEXT})


class Reply(Struct, frozen=True):
    """An answer with its headers, their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def send(method: Method, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """What the other side answers, whatever its status. OSError where no whole answer came in time."""
    said = ask(method, url, body, headers)
    return Answer(said.status, said.body, said.headers.get("content-type", ""))


def ask(
    method: Method, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None, *, most: int = MOST_BYTES
) -> Reply:
    """The same with its headers, of up to `most` bytes."""
    given = {"user-agent": _AGENT, **(headers or {})}
    try:
        with (
            httpx2.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, content=body, headers=given) as response,
        ):
            named = {name.lower(): text for name, text in response.headers.items()}
            return Reply(response.status_code, named, _bounded(response, most))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise OSError(f"no answer ({type(error).__name__})") from error


# Private


def _bounded(response: httpx2.Response, most: int) -> bytes:
    parts, size, ends = [], 0, time.monotonic() + SECONDS
    for part in response.iter_bytes():
        size += len(part)
        if size > most:
            raise OSError(f"the answer has more than {most} bytes")
        if time.monotonic() > ends:
            raise OSError(f"the answer took more than {SECONDS:g} seconds")
        parts.append(part)
    return b"".join(parts)
