"""How we show GitHub who we are: as an App (RS256 JWT, then a token for each installation), or by a plain token.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.http import Client
from tidegate.store.clock import moment_of

LEAST_SECONDS_LEFT = 300.0
"""A token that ends sooner is not begun with: an analysis may lie between asking and answering."""
_JWT_SECONDS = 540
_CLOCK_SECONDS = 60


class AppKey:
    """The App itself: signs a short JWT with its private key."""

    def __init__(self, app: str, key: Path, clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._clock = clock
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0
        try:
            self._key = RSAKey.import_key(key.read_bytes())
        except OSError as error:
            raise InputError("cannot be read", where=str(key), mend="set TIDEGATE_GITHUB_KEY_FILE") from error
        except (ValueError, JoseError) as error:
            raise InputError("is no private RSA key of an App", where=str(key), mend="make one at GitHub") from error
        if not self._key.is_private:
            raise InputError("is a public key", where=str(key), mend="give the App's private key")

    def headers(self) -> Mapping[str, str]:
        with self._lock:
            now = self._clock()
            if now >= self._until:
                claims = {"iat": int(now) - _CLOCK_SECONDS, "exp": int(now) + _JWT_SECONDS, "iss": self._app}
                self._token = jwt.encode({"alg": "RS256"}, claims, self._key, algorithms=["RS256"])
                self._until = now + _JWT_SECONDS - _CLOCK_SECONDS
            return github_headers(self._token)

    def renew(self, used: Mapping[str, str]) -> bool:  # noqa: ARG002
        return False


class InstallationToken:
    """A token of one installation, fetched when needed. `narrow` asks for less than the App may do."""

    def __init__(self, app: Client, installation: int, narrow: Mapping[str, Any] | None = None) -> None:
        self._app = app
        self._path = f"/app/installations/{installation}/access_tokens"
        self._narrow = narrow
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    @property
    def text(self) -> str:
        with self._lock:
            if time.time() >= self._until:
                answer = self._app.ask("POST", self._path, self._narrow)
                assert answer is not None  # noqa: S101 nothing is taken for none
                made = answer.read(_Token)
                self._token = made.token
                self._until = _end(made) - LEAST_SECONDS_LEFT
            return self._token

    def headers(self) -> Mapping[str, str]:
        return github_headers(self.text)

    def renew(self, used: Mapping[str, str]) -> bool:
        with self._lock:
            if used == github_headers(self._token):
                self._until = 0.0
        return True


def github_headers(token: str) -> Mapping[str, str]:
    return {
        "authorization": f"Bearer {token}",
        "accept": "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
    }


# Private


class _Token(Struct):
    token: str
    expires_at: str


def _end(token: _Token) -> float:
    try:
        return moment_of(token.expires_at).timestamp()
    except (ValueError, OverflowError) as error:
        raise ForgeError("the token's end is no time") from error
