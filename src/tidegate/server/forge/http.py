"""One host, asked over HTTP: bounded in time and size, never redirected, tried again only where that is harmless."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from copy import copy
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec
from msgspec import Struct

from tidegate import __version__
from tidegate.report.escape import plain
from tidegate.server.forge.errors import ForgeError

T = TypeVar("T")
Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

LARGEST_ANSWER_BYTES = 32 << 20
MOST_PAGES = 100
_TRIES = 4
_AGAIN = frozenset((500, 502, 503, 504))
_REMEMBERED = 256
_LARGEST_REMEMBERED_BYTES = 256 << 10


class Credential(Protocol):
    """Who asks."""

    def headers(self) -> Mapping[str, str]:
        """What goes with a request now: tokens end, so this is asked for each one."""
        ...

    def renew(self, used: Mapping[str, str]) -> bool:
        """After the forge took what was used for ended: whether there is something else to try."""
        ...


class Patience(Struct, frozen=True):
    """Seconds to wait for a connection, for the next bytes, for a whole answer, and about before a second try."""

    connect: float = 5.0
    silence: float = 20.0
    answer: float = 60.0
    pause: float = 0.2


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


PATIENCE = Patience()


class Client:
    """Asks the API at `base`, and no other host. One rate limit that is reached stops every request until it ends."""

    def __init__(self, base: str, credential: Credential, patience: Patience = PATIENCE) -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.username:
            raise ForgeError("this is no address of an API", where=base)
        self._base = base.rstrip("/")
        self._patience = patience
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(patience.silence, connect=patience.connect),
            follow_redirects=False,
            trust_env=False,
            # Not compressed: a small answer could unpack into a large one before anybody counts.
            headers={"user-agent": f"tidegate/{__version__}", "accept-encoding": "identity"},
        )
        self._become(credential)

    def acting_as(self, credential: Credential) -> Client:
        """The same connections under another credential, which has a rate limit of its own."""
        other = copy(self)
        Client._become(other, credential)
        return other

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
        if (wait := self._until - time.monotonic()) > 0:
            raise ForgeError("the rate limit is reached", where=self._base, retry_after=wait)
        url = path if path.startswith(f"{self._base}/") else self._base + path
        tries = _TRIES if method == "GET" else 1
        for attempt in range(tries):
            try:
                answer = self._authorized(method, url, body, headers)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                if attempt == tries - 1:
                    raise ForgeError(f"no answer ({type(error).__name__})", where=self._base, retry_after=30) from error
            else:
                if answer.status not in _AGAIN or attempt == tries - 1:
                    return self._judge(answer, method, path, none)
            time.sleep(self._patience.pause * random.uniform(0.5, 1.5) * 2**attempt)  # noqa: S311  no secret
        raise AssertionError("unreachable")

    def pages(self, path: str, kind: type[T], *, none: tuple[int, ...] = ()) -> Iterator[T]:
        """Each page of a list, by the `Link` header; at most MOST_PAGES, and one more is an error, never silence.

        The statuses in `none` say that there is no list.
        """
        for _ in range(MOST_PAGES):
            answer = self.ask("GET", path, none=none)
            if answer is None:
                return
            yield answer.read(kind)
            path = self._next(answer)
            if not path:
                return
        raise ForgeError(f"the list has more than {MOST_PAGES} pages", where=self._base)

    # Private

    def _become(self, credential: Credential) -> None:
        self._credential = credential
        self._until = 0.0
        self._remembered: OrderedDict[str, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def _authorized(self, method: Method, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
        """Under a fresh credential where the one that was used has ended: nothing was done then."""
        used = self._credential.headers()
        answer = self._once(method, url, body, {**used, **headers})
        if answer.status == 401 and self._credential.renew(used):
            return self._once(method, url, body, {**self._credential.headers(), **headers})
        return answer

    def _once(self, method: Method, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
        """One request. What was answered before and still holds (304) costs nothing of the rate limit."""
        content = None if body is None else msgspec.json.encode(body)
        sent = dict(headers)
        if content is not None:
            sent["content-type"] = "application/json"
        known = self._recall(url) if method == "GET" else None
        if known is not None:
            sent["if-none-match"] = known.headers["etag"]
        answer = self._exchange(method, url, content, sent)
        if answer.status == 304 and known is not None:
            return known
        if method == "GET" and answer.status == 200:
            self._remember(url, answer)
        return answer

    def _recall(self, url: str) -> Answer | None:
        with self._lock:
            return self._remembered.get(url)

    def _remember(self, url: str, answer: Answer) -> None:
        with self._lock:
            self._remembered.pop(url, None)
            if answer.headers.get("etag") and len(answer.body) <= _LARGEST_REMEMBERED_BYTES:
                self._remembered[url] = answer
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)

    def _exchange(self, method: Method, url: str, content: bytes | None, sent: Mapping[str, str]) -> Answer:
        with self._http.stream(method, url, content=content, headers=sent) as response:
            parts, size, ends = [], 0, time.monotonic() + self._patience.answer
            for part in response.iter_bytes():
                size += len(part)
                if size > LARGEST_ANSWER_BYTES or time.monotonic() > ends:
                    raise ForgeError("the answer is too large or too slow", where=self._base, retry_after=300)
                parts.append(part)
            return Answer(response.status_code, dict(response.headers), b"".join(parts))

    def _judge(self, answer: Answer, method: str, path: str, none: tuple[int, ...]) -> Answer | None:
        if 200 <= answer.status < 300:
            return answer
        what = f"{method} {path.partition('?')[0]} was answered with {answer.status}"
        if answer.status in (403, 429) and (wait := _wait(answer)) is not None:
            self._until = time.monotonic() + wait
            raise ForgeError(f"{what}: the rate limit is reached", where=self._base, retry_after=wait)
        if answer.status in none:
            return None
        if answer.status in _AGAIN:
            raise ForgeError(what, where=self._base, retry_after=30)
        raise ForgeError(f"{what}{_said(answer)}", where=self._base, mend=_MENDS.get(answer.status, ""))

    def _next(self, answer: Answer) -> str:
        for found, rest in re.findall(r"<([^<>]*)>([^<]*)", answer.headers.get("link", "")):
            if 'rel="next"' in rest:
                if not found.startswith(f"{self._base}/"):
                    raise ForgeError("the next page is said to be on another host", where=self._base)
                return str(found)
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
    if (after := headers.get("retry-after", "")).isdecimal():
        return min(float(after), 3600.0)
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdecimal():
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
    return f" ({plain(message, 200)})" if message else ""
