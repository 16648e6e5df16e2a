"""Who asks: a browser's session by its cookie, a program by its token. Secrets are kept as digests only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from tidegate.server.acts import Act, acting
from tidegate.server.api.endpoint import REPOSITORY, Who
from tidegate.server.api.problems import Problem
from tidegate.server.auth import tries
from tidegate.server.service import Service
from tidegate.store import accounts
from tidegate.store.accounts import NewToken, Person, Session, Token
from tidegate.store.clock import later, seconds_between

COOKIE = "tidegate"
DEVICE = "tidegate-device"
MOST_SESSIONS = 20
"""Of one person at a time: with one more the one ends that was not used for the longest time."""
MOST_TOKENS = 100
"""Of one person at a time; as many of those that ended are still told."""
CSRF_HEADER = "x-tidegate-csrf"
CSRF_FIELD = "csrf"
UNASKED = "x-tidegate-unasked"
"""On what a page asks by itself: nobody is there because of it, and an idle session ends all the same."""
TOKEN_PREFIX = "tg_"  # noqa: S105 what scanners of secrets know our tokens by
IDLE_SECONDS = 8 * 3600.0
LONGEST_SECONDS = 7 * 86400.0
_SEEN_EVERY_SECONDS = 60.0
_LONGEST_COOKIE = 100
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


def authenticate(service: Service, request: Request) -> Who:
    """Who asks. Problem 401 where nobody proved who they are; 403 for an unsafe request from another site's page.

    A request with a token is judged by it alone, whatever cookie comes along.
    """
    given = request.headers.get("authorization", "")
    if given:
        return _by_token(service, given)
    found = session_of(service, request)
    if found is None:
        raise Problem(401, "nobody is signed in", mend="sign in, or send an API token as Authorization: Bearer")
    session, person = found
    if request.method not in _SAFE:
        check_same_site(service, request)
        check_csrf(session, request.headers.get(CSRF_HEADER, ""))
    return Who(person.id, person.name, person.role, None, session.digest)


def session_of(service: Service, request: Request) -> tuple[Session, Person] | None:
    """The live session of the request's cookie and its person; None where there is none."""
    secret = _cookie(service, request)
    if not secret:
        return None
    now = service.now()
    with service.database.read() as connection:
        session = accounts.live_session(connection, digest_of(secret), now)
        person = accounts.person(connection, session.person) if session else None
    if session is None or person is None:
        return None
    by_itself = UNASKED in request.headers
    if not by_itself and seconds_between(session.seen_at, now) > _SEEN_EVERY_SECONDS:
        ends = min(later(now, IDLE_SECONDS), later(session.created_at, LONGEST_SECONDS))
        service.database.change(lambda connection: accounts.see_session(connection, session.digest, now, ends))
    return session, person


def open_session(service: Service, person: Person, response: Response) -> Session:
    """A new session, whose secret is in the response's cookie and nowhere else."""
    secret, now = secrets.token_urlsafe(32), service.now()
    session = Session(digest_of(secret), person.id, secrets.token_urlsafe(24), now, now, later(now, IDLE_SECONDS))
    service.database.change(lambda connection: accounts.open_session(connection, session, MOST_SESSIONS))
    secure = service.config.url.startswith("https://")
    response.set_cookie(
        cookie_name(service),
        secret,
        max_age=int(LONGEST_SECONDS),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return session


def close_session(service: Service, session: Session, response: Response) -> None:
    """Ends it here and in the browser."""
    service.database.change(lambda connection: accounts.end_session(connection, session.digest))
    secure = service.config.url.startswith("https://")
    response.delete_cookie(cookie_name(service), path="/", secure=secure, httponly=True, samesite="lax")


def device_of(service: Service, request: Request) -> str:
    """The digest of the mark that somebody's sign-in left in this browser; "" where there is none."""
    secret = read_cookie(request, cookie_name(service, DEVICE))
    return digest_of(secret) if secret else ""


def know_device(service: Service, person: Person, request: Request, response: Response) -> None:
    """Leaves a mark in the browser by which this person's next sign-in is told from a stranger's. It opens nothing."""
    now, secret = service.now(), read_cookie(request, cookie_name(service, DEVICE))

    def work(connection: Connection) -> str:
        known = tries.is_known(connection, person.id, digest_of(secret) if secret else "", now)
        kept = secret if known else secrets.token_urlsafe(32)
        tries.know(connection, person.id, digest_of(kept), now)
        return kept

    response.set_cookie(
        cookie_name(service, DEVICE),
        service.database.change(work),
        max_age=int(tries.DEVICE_SECONDS),
        path="/",
        secure=service.config.url.startswith("https://"),
        httponly=True,
        samesite="strict",
    )


def read_cookie(request: Request, name: str) -> str:
    """The value of a cookie of ours; "" where there is none, or two, or one that we never set.

    Ours are never quoted. Python's own parser takes minutes for a header of backslashes (CVE-2024-7592).
    """
    pairs = (pair.partition("=") for text in request.headers.getlist("cookie") for pair in text.split(";"))
    found = [value.strip() for known, _, value in pairs if known.strip() == name]
    return found[0] if len(found) == 1 and len(found[0]) <= _LONGEST_COOKIE else ""


def cookie_name(service: Service, name: str = COOKIE) -> str:
    """With https no other host and no plain connection can set a cookie of this name."""
    return f"__Host-{name}" if service.config.url.startswith("https://") else name


def check_csrf(session: Session, given: str) -> None:
    """Problem 403 unless the page that asks was made for this very session."""
    if not hmac.compare_digest(session.csrf.encode(), given.encode("utf-8", "surrogateescape")):
        raise Problem(403, "this request did not come from a page of yours", mend="load the page again")


def check_same_site(service: Service, request: Request) -> None:
    """Problem 403 where the browser says that another site's page asks."""
    origin = request.headers.get("origin")
    if origin is not None and _plain(origin) != _plain(_origin_of(service.config.url)):
        raise Problem(403, "this request came from another site", detail=origin[:200])
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "this request came from another site")


class Wished(Protocol):
    """The token that somebody asks for."""

    @property
    def label(self) -> str: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def days(self) -> int: ...
    @property
    def repositories(self) -> tuple[int, ...]: ...


def make_token(service: Service, who: Who, person: int, wished: Wished) -> tuple[str, Token]:
    """A new token's text, which is shown once, and what is kept of it. Problem 409 for one too many."""
    text, now = TOKEN_PREFIX + secrets.token_urlsafe(32), service.now()
    scopes = (*wished.scopes, *(f"{REPOSITORY}{each}" for each in sorted(set(wished.repositories))))
    new = NewToken(person, digest_of(text), wished.label, scopes, later(now, wished.days * 86400.0))

    def work(connection: Connection) -> tuple[Token, Sequence[Act]]:
        if accounts.count_live_tokens(connection, person, now) >= MOST_TOKENS:
            raise Problem(409, f"one person has {MOST_TOKENS} tokens at most", mend="revoke those that nobody uses")
        accounts.drop_ended_tokens(connection, person, now, keep=MOST_TOKENS)
        made = accounts.add_token(connection, new, now)
        return made, (Act(action="token-made", whom=person, token=made.id, scopes=made.scopes),)

    return text, acting(service, who, work)


def digest_of(secret: str) -> str:
    """What is kept of a secret of 256 random bits: its SHA-256, which needs no salt."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


# Private


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _plain(origin: str) -> str:
    """The names of this very machine are one: a console on loopback is opened by any of them."""
    for name in ("://localhost", "://[::1]"):
        if origin.startswith(f"http{name}:") or origin == f"http{name}":
            return origin.replace(name, "://127.0.0.1", 1)
    return origin


def _by_token(service: Service, given: str) -> Who:
    scheme, _, text = given.partition(" ")
    if scheme.lower() == "basic":
        scheme, text = "bearer", _password(text)
    if scheme.lower() != "bearer" or not text.startswith(TOKEN_PREFIX) or len(text) > 200:
        raise Problem(401, "this is no API token of ours", mend="send Authorization: Bearer tg_...")
    now = service.now()
    with service.database.read() as connection:
        token = accounts.live_token(connection, digest_of(text), now)
        person = accounts.person(connection, token.person) if token else None
    if token is None or person is None:
        raise Problem(401, "the token is unknown, expired or revoked", mend="make a new one in the settings")
    if token.used_at is None or seconds_between(token.used_at, now) > _SEEN_EVERY_SECONDS:
        service.database.change(lambda connection: accounts.use_token(connection, token.id, now))
    return Who(person.id, person.name, person.role, token.scopes)


def _password(text: str) -> str:
    """The token of a sender that has it in its URL, as `https://token:tg_...@HOST`; "" for none."""
    if len(text) > 400:
        return ""
    try:
        return base64.b64decode(text, validate=True).decode("ascii").partition(":")[2]
    except (ValueError, binascii.Error):
        return ""


def _cookie(service: Service, request: Request) -> str:
    return read_cookie(request, cookie_name(service))
