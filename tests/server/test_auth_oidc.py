"""Sign-in by a provider: the honest way, and everything that somebody in between could try."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from msgspec import structs
from starlette.testclient import TestClient

from tests.server.provider import CLIENT, SECRET, Provider, running_provider, signing_key
from tidegate.server.app import make_app
from tidegate.server.auth.oidc import BACK, START
from tidegate.server.config import Secrets, SignIn
from tidegate.server.service import Service
from tidegate.store import accounts
from tidegate.store.clock import now


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider(signing_key()) as running:
        yield running


def browser(service: Service, provider: Provider, role: str = "viewer") -> TestClient:
    sign_in = SignIn(provider.issuer, CLIENT, Secrets((SECRET.encode(),)), role)
    configured = structs.replace(service, config=structs.replace(service.config, sign_in=sign_in))
    return TestClient(make_app(configured, pages=False), base_url="http://127.0.0.1:8787", follow_redirects=False)


def go_there(client: TestClient, provider: Provider) -> str:
    """The address that the provider sends the browser back to."""
    answer = client.get(START)
    assert answer.status_code == 303
    assert "httponly" in answer.headers["set-cookie"].lower()
    return provider.authorize(answer.headers["location"])


def is_signed_in(client: TestClient) -> bool:
    return client.get("/api/v1/me").status_code == 200


def test_a_new_person_gets_the_role_of_the_set_up(service: Service, provider: Provider) -> None:
    client = browser(service, provider)
    assert client.get(go_there(client, provider)).status_code == 303
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["role"]) == ("jane", "viewer")
    with service.database.read() as connection:
        person = accounts.person_of(connection, "oidc", provider.issuer, "248289761001")
        assert person is not None
        assert person.shown == "Jane <Doe>"


def test_the_same_account_is_the_same_person(service: Service, provider: Provider) -> None:
    first, second = browser(service, provider), browser(service, provider)
    first.get(go_there(first, provider))
    provider.user["preferred_username"] = "admin"
    second.get(go_there(second, provider))
    assert first.get("/api/v1/me").json() == second.get("/api/v1/me").json()


def test_a_name_that_is_taken_is_never_given(service: Service, provider: Provider) -> None:
    with service.database.write() as connection:
        accounts.add_person(connection, "jane", "Jane", "admin", now())
    client = browser(service, provider)
    client.get(go_there(client, provider))
    me = client.get("/api/v1/me").json()
    assert me["role"] == "viewer"
    assert me["name"].startswith("jane-")


@pytest.mark.parametrize("role", ["", "disabled", "agent"])
def test_who_may_not_is_refused(service: Service, provider: Provider, role: str) -> None:
    if role:
        with service.database.write() as connection:
            person = accounts.add_person(connection, "bot", "Bot", "agent" if role == "agent" else "admin", now())
            accounts.add_identity(connection, person.id, "oidc", provider.issuer, provider.user["sub"], now())
            if role == "disabled":
                accounts.disable(connection, person.id, now())
    client = browser(service, provider, role="viewer" if role else "")
    assert client.get(go_there(client, provider)).status_code == 403
    assert not is_signed_in(client)


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": lambda claims: {**claims, "nonce": "x" * 43},
    "no nonce": without("nonce"),
    "another audience": lambda claims: {**claims, "aud": "another"},
    "several audiences without a party": lambda claims: {**claims, "aud": [CLIENT, "another"]},
    "no audience": without("aud"),
    "another party": lambda claims: {**claims, "azp": "another"},
    "another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "an issuer that begins alike": lambda claims: {**claims, "iss": claims["iss"] + "0"},
    "expired": lambda claims: {**claims, "exp": int(time.time()) - 120},
    "no end": without("exp"),
    "an end that is no number": lambda claims: {**claims, "exp": "never"},
    "made long ago": lambda claims: {**claims, "iat": int(time.time()) - 7200},
    "made tomorrow": lambda claims: {**claims, "iat": int(time.time()) + 86400},
    "nobody": lambda claims: {**claims, "sub": ""},
    "no subject": without("sub"),
}


@pytest.mark.parametrize("name", LIES)
def test_claims_that_are_wrong_sign_nobody_in(service: Service, provider: Provider, name: str) -> None:
    provider.lie = LIES[name]
    client = browser(service, provider)
    assert client.get(go_there(client, provider)).status_code == 401
    assert not is_signed_in(client)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def none(provider: Provider) -> Callable[[dict[str, Any]], str]:
    return lambda claims: f"{part({'alg': 'none'})}.{part(claims)}."


def by_public_key(provider: Provider) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
        mac = hmac.new(provider.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return sign


def by_another_key(provider: Provider) -> Callable[[dict[str, Any]], str]:
    other = signing_key("another")
    return lambda claims: jws.serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims), other)


def by_a_key_of_its_own_header(provider: Provider) -> Callable[[dict[str, Any]], str]:
    other = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "jwk": other.as_dict(private=False)}
    return lambda claims: jws.serialize_compact(header, json.dumps(claims), other)


def changed_afterwards(provider: Provider) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        header, _, signature = provider.honest(claims).split(".")
        return f"{header}.{part({**claims, 'sub': 'the admin'})}.{signature}"

    return sign


@pytest.mark.parametrize("forge", [none, by_public_key, by_another_key, by_a_key_of_its_own_header, changed_afterwards])
@pytest.mark.filterwarnings("ignore::Warning")
def test_tokens_that_the_provider_did_not_sign(service: Service, provider: Provider, forge: Any) -> None:
    provider.sign = forge(provider)
    client = browser(service, provider)
    assert client.get(go_there(client, provider)).status_code == 401
    assert not is_signed_in(client)


def test_no_token_at_all(service: Service, provider: Provider) -> None:
    for text in ("", "x", "a.b.c", "é", "." * 50):
        provider.sign = lambda claims, text=text: text  # type: ignore[misc]
        client = browser(service, provider)
        assert client.get(go_there(client, provider)).status_code == 401


def test_the_state_is_of_one_browser_and_counts_once(service: Service, provider: Provider) -> None:
    victim, other = browser(service, provider), browser(service, provider)
    back = go_there(other, provider)
    assert victim.get(back).status_code == 400  # sign-in of somebody else's choice: nothing was begun here
    go_there(victim, provider)
    assert victim.get(back).status_code == 400  # begun here, but not this one
    assert provider.exchanges == 0
    cookies = dict(other.cookies)
    assert other.get(back).status_code == 303
    again = browser(service, provider)
    again.cookies.update(cookies)
    assert again.get(back).status_code == 401  # the provider takes a code once
    code = provider.authorize(again.get(START).headers["location"])
    again.cookies.clear()
    assert again.get(code).status_code == 400


def test_a_token_counts_once_even_where_the_provider_forgets(service: Service, provider: Provider) -> None:
    client = browser(service, provider)
    back = go_there(client, provider)
    cookies, codes = dict(client.cookies), dict(provider.codes)
    assert client.get(back).status_code == 303
    provider.codes.update(codes)
    again = browser(service, provider)
    again.cookies.update(cookies)
    assert again.get(back).status_code == 401
    assert not is_signed_in(again)


def test_what_comes_back_twice_or_with_an_error(service: Service, provider: Provider) -> None:
    client = browser(service, provider)
    back = go_there(client, provider)
    for changed in (f"{back}&code=other", f"{back}&state=x", f"{back}&error=access_denied", f"{back}&iss=https://evil"):
        assert client.get(changed).status_code in (400, 401)
    assert provider.exchanges == 0
    assert client.get(back).status_code == 303


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": None},
    ],
)
def test_a_provider_that_is_another_one(service: Service, provider: Provider, lie: dict[str, Any]) -> None:
    provider.discovery = lie
    assert browser(service, provider).get(START).status_code == 503


def test_a_provider_that_is_away(service: Service, provider: Provider, tmp_path: Path) -> None:
    provider.issuer = "http://127.0.0.1:9"
    assert browser(service, provider).get(START).status_code == 503


def test_without_a_provider_there_is_no_way_there(service: Service) -> None:
    client = TestClient(make_app(service, pages=False), base_url="http://127.0.0.1:8787")
    assert client.get(START).status_code == 404
    assert client.get(BACK).status_code == 404
