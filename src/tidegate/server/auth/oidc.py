"""Sign-in by an OpenID Connect provider: the way there and back. Nothing is kept of it but that it was used."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time

from anyio.to_thread import run_sync
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tidegate.server.acts import Act, note
from tidegate.server.api.endpoint import Who
from tidegate.server.auth.provider import Claims, Provider, RefusedError, Send, Trip, discover, exchange, start_url
from tidegate.server.auth.session import open_session, read_cookie
from tidegate.server.logs import log
from tidegate.server.outgoing import send as send_out
from tidegate.server.service import Service
from tidegate.store import accounts, values
from tidegate.store.accounts import Person

START = "/sign-in/oidc"
BACK = "/sign-in/oidc/callback"
KIND = "oidc"
_TRIP_SECONDS = 600
_KNOWN_SECONDS = 3600.0
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def routes(service: Service, send: Send = send_out) -> list[BaseRoute]:
    """The way there and back; none where no provider is set up."""
    if not service.config.sign_in.issuer:
        return []
    provider = _Known(service.config.sign_in.issuer, send)

    async def start(_: Request) -> Response:
        return await run_sync(_start, service, provider)

    async def back(request: Request) -> Response:
        return await run_sync(_back, service, provider, request)

    return [Route(START, start), Route(BACK, back)]


# Private


class _Known:
    """What the provider says of itself, asked once an hour."""

    def __init__(self, issuer: str, send: Send) -> None:
        self.send = send
        self._issuer = issuer
        self._lock = threading.Lock()
        self._found: Provider | None = None
        self._until = 0.0

    def get(self) -> Provider:
        with self._lock:
            if self._found is None or time.monotonic() > self._until:
                try:
                    self._found = discover(self._issuer, self.send)
                except (OSError, RefusedError) as error:
                    log("sign-in", provider="unusable", why=str(error))
                    raise HTTPException(503, "the provider of the sign-in cannot be used now") from error
                self._until = time.monotonic() + _KNOWN_SECONDS
            return self._found


def _start(service: Service, provider: _Known) -> Response:
    trip = Trip(secrets.token_urlsafe(32))
    url = start_url(provider.get(), service.config.sign_in, trip, service.config.url + BACK)
    response = RedirectResponse(url, 303)
    response.set_cookie(
        _cookie(service),
        trip.secret,
        max_age=_TRIP_SECONDS,
        path="/",
        secure=_secure(service),
        httponly=True,
        samesite="lax",
    )
    return response


def _back(service: Service, known: _Known, request: Request) -> Response:
    claims = _claims(service, known, request)
    person = service.database.change(lambda connection: _person(connection, service, claims))
    response = RedirectResponse("/", 303)
    open_session(service, person, response)
    response.delete_cookie(_cookie(service), path="/", secure=_secure(service), httponly=True, samesite="lax")
    log("sign-in", person=person.id, by=KIND)
    return response


def _claims(service: Service, known: _Known, request: Request) -> Claims:
    """Who came back. The state ties the answer to this very browser, the nonce the token to this very sign-in."""
    query, secret = request.query_params, read_cookie(request, _cookie(service))
    given = {name: query.getlist(name) for name in ("state", "code", "iss", "error")}
    if not _SECRET.fullmatch(secret) or any(len(found) > 1 for found in given.values()):
        raise HTTPException(400, "this sign-in did not begin here, or began too long ago")
    trip, state = Trip(secret), query.get("state", "")
    if not hmac.compare_digest(trip.state.encode(), state.encode("utf-8", "surrogateescape")):
        raise HTTPException(400, "this sign-in did not begin here, or began too long ago")
    if given["error"] or not given["code"] or len(query["code"]) > 4096:
        raise HTTPException(401, "the provider did not sign anybody in")
    provider, set_up = known.get(), service.config.sign_in
    wanted = provider.authorization_response_iss_parameter_supported
    if (given["iss"] or wanted) and query.get("iss") != provider.issuer:
        raise HTTPException(401, "another provider answered")
    try:
        return exchange(provider, set_up, trip, query["code"], service.config.url + BACK, known.send)
    except RefusedError as error:
        log("sign-in", refused=error.what)
        raise HTTPException(401, "the provider did not prove who signs in") from error
    except OSError as error:
        log("sign-in", provider="silent", why=str(error))
        raise HTTPException(503, "the provider of the sign-in does not answer") from error


def _person(connection: Connection, service: Service, claims: Claims) -> Person:
    """Whose account it is; a new person where the set-up gives one a role. A sign-in counts once."""
    now, mark = service.now(), secrets.token_hex(16)
    used = f"oidc/{hashlib.sha256(claims.nonce.encode()).hexdigest()}"
    if values.write_once(connection, used, mark, now) != mark:
        raise HTTPException(401, "this sign-in was used before")
    found = accounts.person_of(connection, KIND, claims.iss, claims.sub)
    if found is not None:
        if found.disabled_at is not None or found.role == "agent":
            raise HTTPException(403, "this account may not sign in")
        return found
    role = service.config.sign_in.role
    if not role:
        raise HTTPException(403, "nobody here has this account: an admin must say whose it is")
    person = accounts.add_person(connection, _name(connection, claims), _shown(claims), role, now)
    accounts.add_identity(connection, person.id, KIND, claims.iss, claims.sub, now)
    who = Who(person.id, person.name, person.role)
    note(connection, Act(action="person-added", whom=person.id, role=person.role), now, who, "sign-in")
    return person


def _name(connection: Connection, claims: Claims) -> str:
    """A free name like the one that the provider says. It proves nothing, so a taken one is never given."""
    name = plain = _name_of(claims)
    while accounts.person_named(connection, name) is not None:
        name = f"{plain}-{secrets.token_hex(3)}"
    return name


def _name_of(claims: Claims) -> str:
    plain = re.sub(r"[^a-z0-9._-]+", "-", claims.preferred_username.partition("@")[0].lower()).strip("._-")[:40]
    return plain or "person"


def _shown(claims: Claims) -> str:
    text = " ".join("".join(each if each.isprintable() else " " for each in claims.name).split())
    return text[:200] or _name_of(claims)


def _secure(service: Service) -> bool:
    return service.config.url.startswith("https://")


def _cookie(service: Service) -> str:
    return "__Host-tidegate-oidc" if _secure(service) else "tidegate-oidc"
