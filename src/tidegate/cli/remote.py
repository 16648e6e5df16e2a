"""A service's API as commands need it: a token, one question at a time, nothing followed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

from tidegate.errors import InputError

TOKEN = "TIDEGATE_TOKEN"  # noqa: S105 the name of a variable
TIMEOUT_SECONDS = 30
MOST_BYTES = 64 << 20


class Remote:
    """The API of one service. Raises InputError where it cannot be reached, refuses, or answers something else."""

    def __init__(self, server: str, environment: Mapping[str, str], scope: str) -> None:
        parts = urlsplit(server)
        near = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and near):
            raise InputError("the service is reached by https", where=f"--server {server}")
        self._token = environment.get(TOKEN, "")
        if not self._token:
            raise InputError("no token", where=TOKEN, mend=f"make one in the console with the scope {scope}")
        self._base = f"{server.rstrip('/')}/api/v1"
        self._opener = build_opener(_NoRedirect())

    def find(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """The answer to a GET, None where the service has nothing there."""
        return self._ask(path + (f"?{urlencode(query)}" if query else ""), None)

    def send(self, path: str, body: bytes, also: tuple[int, ...] = ()) -> dict[str, Any]:
        """The answer to a POST; also one under these statuses, where it is an answer and no problem."""
        return self._ask(path, body, also) or {}

    # Private

    def _ask(self, path: str, body: bytes | None, also: tuple[int, ...] = ()) -> dict[str, Any] | None:
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        request = Request(f"{self._base}{path}", body, headers)  # noqa: S310 the scheme was checked
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return msgspec.json.decode(response.read(MOST_BYTES), type=dict[str, Any])
        except HTTPError as error:
            if error.code == 404 and body is None:
                return None
            if error.code in also and (answer := _answered(error)) is not None:
                return answer
            raise InputError(_said(error), where=self._base) from error
        except (URLError, OSError) as error:
            raise InputError("the service cannot be reached", where=self._base) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InputError("the service answered something else than expected", where=self._base) from error


# Private


class _NoRedirect(HTTPRedirectHandler):
    """A token goes nowhere but where the person said."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _answered(error: HTTPError) -> dict[str, Any] | None:
    """What was answered; None where it is a problem, or nothing that can be read."""
    if error.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return None
    try:
        return msgspec.json.decode(error.read(MOST_BYTES), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError):
        return None


def _said(error: HTTPError) -> str:
    try:
        problem = msgspec.json.decode(error.read(1 << 20), type=dict[str, Any])
        title, detail = str(problem["title"]), str(problem.get("detail", ""))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, OSError):
        return f"the service answered {error.code}"
    return f"{title} ({detail})" if detail else title
