"""An OpenID Connect provider: what it says of itself, the exchange of a code, and who its token speaks of.

OpenID Connect Core 1.0, 3.1.3.7 (what must be checked of an ID token); RFC 7636 (PKCE); RFC 9207 (issuer in answers).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Meta, Struct

from tidegate.errors import InputError
from tidegate.ledger.witness import Answer
from tidegate.server.config import SignIn

Send: TypeAlias = Callable[[Literal["GET", "POST"], str, bytes, Mapping[str, str]], Answer]
"""Raises OSError where no answer came."""

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Never `none`, and never one whose key the provider would have to share."""
LEEWAY_SECONDS = 60
LONGEST_SECONDS = 600
"""How old an ID token may be: it was made for this very sign-in."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class RefusedError(InputError):
    """The provider, or whoever speaks for it, did not prove who signs in."""


class Provider(Struct, frozen=True):
    """The part of its discovery document that is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class Trip(Struct, frozen=True):
    """One sign-in from its start to its end. All follows from a secret that only this browser holds, in a cookie."""

    secret: str

    @property
    def state(self) -> str:
        return self._of(b"state")

    @property
    def nonce(self) -> str:
        return self._of(b"nonce")

    @property
    def verifier(self) -> str:
        return self._of(b"verifier")

    @property
    def challenge(self) -> str:
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def _of(self, what: bytes) -> str:
        return _base64url(hmac.new(self.secret.encode(), what, hashlib.sha256).digest())


class Claims(Struct, frozen=True):
    """Who signed in. Nothing but `iss` and `sub` says who somebody is: names and addresses change hands."""

    iss: str
    sub: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
    aud: str | tuple[str, ...]
    exp: float
    iat: float
    nonce: str
    azp: str = ""
    name: str = ""
    preferred_username: str = ""


def discover(issuer: str, send: Send) -> Provider:
    """What the provider says of itself. OSError where it does not answer; RefusedError where it is another one."""
    found: Provider = _get(f"{issuer}/.well-known/openid-configuration", Provider, send)
    if found.issuer.rstrip("/") != issuer:
        raise RefusedError("the provider calls itself by another name")
    for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise RefusedError("the provider asks for a plain connection")
    return found


def start_url(provider: Provider, set_up: SignIn, trip: Trip, back: str) -> str:
    """Where the browser is sent."""
    query = {
        "response_type": "code",
        "client_id": set_up.client,
        "redirect_uri": back,
        "scope": "openid profile",
        "state": trip.state,
        "nonce": trip.nonce,
        "code_challenge": trip.challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in provider.authorization_endpoint else "?"
    return f"{provider.authorization_endpoint}{joint}{urlencode(query)}"


def exchange(provider: Provider, set_up: SignIn, trip: Trip, code: str, back: str, send: Send) -> Claims:
    """Who signed in, by a token that was fetched with the code. RefusedError for anything that is not as it must be."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": trip.verifier}
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if set_up.secret.accepted:
        pair = f"{quote_plus(set_up.client)}:{quote_plus(set_up.secret.accepted[0].decode())}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = set_up.client
    answer = send("POST", provider.token_endpoint, urlencode(form).encode(), headers)
    if answer.status != 200:
        raise RefusedError(f"the provider does not take the code ({answer.status})")
    token = _read(answer.body, _TokenAnswer).id_token
    keys = _get(provider.jwks_uri, dict[str, Any], send)
    return check(token, keys, provider.issuer, set_up.client, trip.nonce)


def check(
    token: str, keys: Mapping[str, Any], issuer: str, client: str, nonce: str, now: float | None = None
) -> Claims:
    """The claims of an ID token. RefusedError unless this issuer signed it, for us, now, and for this sign-in."""
    now = time.time() if now is None else now
    try:
        # Only signature keys of the right kind: what the set says of `alg` and `use` is held against the token.
        usable = [key for key in keys.get("keys", ()) if isinstance(key, dict) and key.get("use", "sig") == "sig"]
        signed = jws.deserialize_compact(token, KeySet.import_key_set({"keys": usable}), list(ALGORITHMS))
        claims = msgspec.json.decode(signed.payload, type=Claims)
    except (JoseError, msgspec.DecodeError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RefusedError(f"the ID token cannot be trusted ({type(error).__name__})") from None
    audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    wrong = (
        ("issuer", claims.iss != issuer),
        ("audience", client not in audience or (len(audience) > 1 and claims.azp != client)),
        ("authorized party", bool(claims.azp) and claims.azp != client),
        ("nonce", not hmac.compare_digest(claims.nonce.encode(), nonce.encode())),
        ("end", claims.exp + LEEWAY_SECONDS <= now),
        ("time", not now - LONGEST_SECONDS <= claims.iat <= now + LEEWAY_SECONDS),
    )
    for what, is_wrong in wrong:
        if is_wrong:
            raise RefusedError(f"the ID token has another {what}")
    return claims


# Private


class _TokenAnswer(Struct, frozen=True):
    id_token: Annotated[str, Meta(max_length=100_000)]


def _get(url: str, kind: Any, send: Send) -> Any:
    answer = send("GET", url, b"", {"accept": "application/json"})
    if answer.status != 200:
        raise OSError(f"the provider answers {answer.status}")
    return _read(answer.body, kind)


def _read(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError("the provider's answer cannot be read") from error


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
