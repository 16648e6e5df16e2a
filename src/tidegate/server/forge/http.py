"""One host, asked over HTTP: bounded in time and size, never redirected, tried again only where that is harmless."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec
from msgspec import Struct

from tidegate import __version__
from tidegate.server.forge.errors import ForgeError

T = TypeVar("T")
Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

LARGEST_ANSWER_BYTES = 32 << 20
MOST_PAGES = 100
_TRIES = 4
_TIMEOUT = httpx2.Timeout(20.0, connect=5.0)
_LONGEST_ANSWER_SECONDS = 60.0
_AGAIN = frozenset((500, 502, 503, 504))


class Answer(Struct, frozen=True):
    """A success. `link` is where the next page is, "" at the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self, kind: type[T]) -> T:
        """The body as this type. ForgeError where it is not what the forge documents."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ForgeError(f"the forge answered something else than it documents ({error})") from error


class Client:
    """Asks the API at `base`. `authorize` gives the headers of each request: it is asked anew, tokens end."""

    def __init__(self, base: str, authorize: Callable[[], Mapping[str, str]]) -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.username:
            raise ForgeError("this is no address of an API", where=base)
        self._base = base.rstrip("/")
        self._authorize = authorize
        self._http = httpx2.Client(
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": f"tidegate/{__version__}", "accept": "application/json"},
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def ask(
        self,
        method: Method,
        path: str,
        body: Any = None,
        *,
        none: tuple[int, ...] = (),
        headers: Mapping[str, str] = {},
    ) -> Answer | None:
        """The answer to one request; None for the statuses in `none`. ForgeError for every other failure.

        A question (GET) is asked again after an accident of the network or the forge; a command is not: whoever gave
        it knows how to give it twice.
        """
        url = path if path.startswith(f"{self._base}/") else self._base + path
        tries = _TRIES if method == "GET" else 1
        for attempt in range(tries):
            try:
                answer = self._once(method, url, body, headers)
            except httpx2.HTTPError as error:
                if attempt == tries - 1:
                    raise ForgeError(f"no answer ({type(error).__name__})", where=self._base, retry_after=30) from error
            else:
                if answer.status not in _AGAIN or attempt == tries - 1:
                    return self._judge(answer, method, path, none)
            time.sleep(random.uniform(0.1, 0.3) * 2**attempt)  # noqa: S311  no secret
        raise AssertionError("unreachable")

    def pages(self, path: str, kind: type[T]) -> Iterator[T]:
        """Each page of a list, by the `Link` header; at most MOST_PAGES, and one more is an error, never silence."""
        for _ in range(MOST_PAGES):
            answer = self.ask("GET", path)
            assert answer is not None  # noqa: S101 nothing is taken for none
            yield answer.read(kind)
            path = self._next(answer)
            if not path:
                return
        raise ForgeError(f"the list has more than {MOST_PAGES} pages", where=self._base)

    # Private

    def _once(self, method: Method, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
        content = None if body is None else msgspec.json.encode(body)
        sent = {**self._authorize(), **headers}
        if content is not None:
            sent["content-type"] = "application/json"
        with self._http.stream(method, url, content=content, headers=sent) as response:
            parts, size, ends = [], 0, time.monotonic() + _LONGEST_ANSWER_SECONDS
            for part in response.iter_bytes():
                size += len(part)
                if size > LARGEST_ANSWER_BYTES or time.monotonic() > ends:
                    raise ForgeError("the answer is too large or too slow", where=self._base, retry_after=300)
                parts.append(part)
            return Answer(response.status_code, dict(response.headers), b"".join(parts))

    def _judge(self, answer: Answer, method: str, path: str, none: tuple[int, ...]) -> Answer | None:
        if 200 <= answer.status < 300:
            return answer
        if answer.status in none:
            return None
        what = f"{method} {path.partition('?')[0]} was answered with {answer.status}"
        if answer.status in (403, 429) and (wait := _wait(answer)) is not None:
            raise ForgeError(f"{what}: the rate limit is reached", where=self._base, retry_after=wait)
        if answer.status in _AGAIN:
            raise ForgeError(what, where=self._base, retry_after=30)
        raise ForgeError(f"{what}{_said(answer)}", where=self._base, mend=_MENDS.get(answer.status, ""))

    def _next(self, answer: Answer) -> str:
        for link in answer.headers.get("link", "").split(","):
            url, _, rest = link.strip().partition(";")
            if 'rel="next"' in rest:
                found = url.strip("<> ")
                if not found.startswith(f"{self._base}/"):
                    raise ForgeError("the next page is said to be on another host", where=self._base)
                return found
        return ""


# Private

_MENDS = {
    401: "the credential is wrong or has ended",
    403: "the App or the token lacks a permission",
    404: "it is not there, or the App is not installed on it",
}


def _wait(answer: Answer) -> float | None:
    """Seconds until asking again makes sense; None where this was no rate limit."""
    headers = answer.headers
    if (after := headers.get("retry-after", "")).isdigit():
        return min(float(after), 3600.0)
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return min(max(float(headers["x-ratelimit-reset"]) - time.time(), 1.0), 3600.0)
    if answer.status == 429 or b"secondary rate limit" in answer.body[:2000].lower():
        return 60.0
    return None


class _Message(Struct):
    message: str = ""


def _said(answer: Answer) -> str:
    try:
        message = msgspec.json.decode(answer.body, type=_Message).message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return f" ({message[:200]})" if message else ""
