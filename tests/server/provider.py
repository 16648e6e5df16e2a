"""A small real provider of sign-in on loopback, which can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import RSAKey

CLIENT, SECRET = "tidegate", "a secret that is long enough"
Lie = Callable[[dict[str, Any]], dict[str, Any]]


@cache
def signing_key(name: str = "its own") -> RSAKey:
    """One for the session, because making it takes a while."""
    del name
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Provider:
    """Signs in whoever asks as `user`. `lie` changes the claims, `sign` the token, `keys` what it publishes."""

    def __init__(self, key: RSAKey) -> None:
        self.key = key
        self.user = {"sub": "248289761001", "name": "Jane <Doe>", "preferred_username": "Jane@example.test"}
        self.issuer = ""
        self.lie: Lie = dict
        self.sign: Callable[[dict[str, Any]], str] = self.honest
        self.discovery: Mapping[str, Any] = {}
        self.codes: dict[str, Mapping[str, str]] = {}
        self.exchanges = 0

    def honest(self, claims: dict[str, Any]) -> str:
        return jws.serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims), self.key)

    def authorize(self, url: str) -> str:
        """What a browser does there: signs in, and is sent back to where this answers."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def token(self, form: Mapping[str, str], authorization: str) -> tuple[int, Any]:
        """RFC 6749, 4.1.3, with PKCE: a code is taken once, from who began with it."""
        self.exchanges += 1
        expected = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
        query = self.codes.pop(form.get("code", ""), None)
        if query is None or authorization != f"Basic {expected}":
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": query["nonce"], **self.user}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(self.lie(claims))}

    def answer(self, path: str, form: Mapping[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.discovery,
            }
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        return self.token(form, authorization) if path == "/token" else (404, {})


@contextmanager
def running_provider(key: RSAKey) -> Iterator[Provider]:
    provider = Provider(key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(*provider.answer(self.path, {}, ""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*provider.answer(self.path, form, self.headers.get("authorization", "")))

        def _say(self, status: int, value: Any) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
