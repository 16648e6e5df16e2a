"""How the service asks a witness or a provider of sign-in: bounded in time and size, never redirected."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

import httpx2

from tidegate import __version__
from tidegate.ledger.witness import TEXT, Answer

SECONDS = 10.0
MOST_BYTES = 1 << 20
_AGENT = f"tidegate/{__version__}"


def post(url: str, body: bytes) -> Answer:
    """What a witness answers, whatever its status. OSError where no whole answer came."""
    return send("POST", url, body, {"content-type": TEXT})


def send(
    method: Literal["GET", "POST"], url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """What the other side answers, whatever its status. OSError where no whole answer came in time."""
    given = {"user-agent": _AGENT, **(headers or {})}
    try:
        with (
            httpx2.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, content=body, headers=given) as response,
        ):
            return Answer(response.status_code, _bounded(response), response.headers.get("content-type", ""))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise OSError(f"no answer ({type(error).__name__})") from error


# Private


def _bounded(response: httpx2.Response) -> bytes:
    parts, size, ends = [], 0, time.monotonic() + SECONDS
    for part in response.iter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            raise OSError(f"the answer has more than {MOST_BYTES} bytes")
        if time.monotonic() > ends:
            raise OSError(f"the answer took more than {SECONDS:g} seconds")
        parts.append(part)
    return b"".join(parts)
