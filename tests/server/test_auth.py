"""Passwords, sessions and the marks that tie an unsafe request to a page of ours."""

from __future__ import annotations

import time
from functools import cache

import pytest
from msgspec import structs
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from tests.server.conftest import Made
from tidegate.errors import InputError
from tidegate.server.api.endpoint import Who
from tidegate.server.api.mine import NewToken
from tidegate.server.api.problems import Problem
from tidegate.server.app import make_app
from tidegate.server.auth import tries
from tidegate.server.auth.addresses import address_of, network_of
from tidegate.server.auth.passwords import hash_password, make_password, sign_in
from tidegate.server.auth.session import (
    COOKIE,
    CSRF_HEADER,
    DEVICE,
    MOST_SESSIONS,
    MOST_TOKENS,
    authenticate,
    close_session,
    cookie_name,
    make_token,
    open_session,
    session_of,
)
from tidegate.server.auth.tries import Try
from tidegate.server.config import Config
from tidegate.server.service import Service
from tidegate.store import accounts, tables
from tidegate.store.accounts import Person, Session
from tidegate.store.clock import later, now

RIGHT = "correct horse battery"
DAY = "2026-03-04T12:00:00.000000Z"


@cache
def right_hash() -> str:
    """Once for the session: it is meant to take its time."""
    return hash_password(RIGHT)


@pytest.fixture
def ada(made: Made) -> Person:
    with made.service.database.write() as connection:
        accounts.set_password(connection, made.people["admin"], right_hash(), now())
        person = accounts.person(connection, made.people["admin"])
    assert person is not None
    return person


def try_in(
    made: Made, name: str, password: str, *, address: str = "192.0.2.1", at: str = DAY, device: str = ""
) -> Person | int:
    try:
        return sign_in(made.service.database, Try(name, address, device), password, at)
    except Problem as problem:
        return problem.status


# Passwords


def test_only_the_right_one(made: Made, ada: Person) -> None:
    assert try_in(made, "admin", RIGHT) == ada
    for wrong in ("", "correct horse batter", RIGHT + "x", RIGHT.upper()):
        assert try_in(made, "admin", wrong, address=wrong) == 401
    assert try_in(made, "nobody", RIGHT) == 401
    assert try_in(made, "viewer", RIGHT) == 401  # has none


def test_who_is_disabled_or_an_agent_does_not_sign_in(made: Made, ada: Person) -> None:
    with made.service.database.write() as connection:
        accounts.change_person(connection, ada.id, role="agent")
    assert try_in(made, "admin", RIGHT) == 401
    with made.service.database.write() as connection:
        accounts.change_person(connection, ada.id, role="admin")
        accounts.disable(connection, ada.id, now())
    assert try_in(made, "admin", RIGHT, address="192.0.2.2") == 401


def test_what_is_kept_is_argon2id_and_no_password(made: Made, ada: Person) -> None:
    with made.service.database.read() as connection:
        kept = connection.execute(select(tables.passwords.c.hash)).scalar_one()
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert RIGHT not in kept
    for bad in ("short", "x" * 2000):
        with pytest.raises(InputError):
            hash_password(bad)
    assert len({make_password() for _ in range(100)}) == 100


def test_an_unknown_name_costs_what_a_wrong_password_costs(made: Made, ada: Person) -> None:
    def cost(name: str, number: int) -> float:
        began = time.process_time()
        assert try_in(made, name, "wrong password", address=f"{name}{number}", at=later(DAY, number * 9e4)) == 401
        return time.process_time() - began

    spans = {name: min(cost(name, number) for number in range(3)) for name in ("admin", "nobody", "viewer")}
    assert max(spans.values()) < 2 * min(spans.values()), spans


def test_failures_of_an_account_from_one_network_make_it_wait_there_longer_and_longer(made: Made, ada: Person) -> None:
    at, waits = DAY, []
    for _ in range(5):
        assert try_in(made, "admin", "wrong", at=at) == 401
    for _ in range(4):
        with pytest.raises(Problem) as caught:
            sign_in(made.service.database, Try("ADMIN", "192.0.2.1"), RIGHT, at)  # the right one waits as well
        assert caught.value.status == 429
        waits.append(caught.value.retry_after)
        at = later(at, waits[-1])
        assert try_in(made, "admin", "wrong", at=at) == 401
    assert waits == [1, 2, 4, 8]
    assert try_in(made, "admin", RIGHT, at=later(at, 16)) == ada
    assert try_in(made, "admin", RIGHT, at=later(at, 16)) == ada  # and it is forgotten


def test_a_stranger_keeps_nobody_out(made: Made, ada: Person) -> None:
    """However many networks try an account: its owner's first right password opens it, and known browsers wait less."""
    database = made.service.database
    device = "d" * 64
    with database.write() as connection:
        tries.know(connection, ada.id, device, DAY)
        for number in range(60):
            for _ in range(6):
                tries.begin(connection, Try("admin", f"198.51.100.{number}"), DAY)
    assert try_in(made, "admin", RIGHT, address="198.51.100.9") == 429  # where the stranger is
    assert try_in(made, "admin", RIGHT, address="203.0.113.1") == ada  # from anywhere else, at once
    assert try_in(made, "admin", "wrong", address="203.0.113.2") == 401
    assert try_in(made, "admin", RIGHT, address="203.0.113.2") == 429  # one free try while it is tried, not five
    for _ in range(5):
        assert try_in(made, "admin", "wrong", address="198.51.100.9", device=device) == 401
    assert try_in(made, "admin", RIGHT, address="198.51.100.9", device=device) == 429
    assert try_in(made, "admin", RIGHT, address="198.51.100.9", device=device, at=later(DAY, 2)) == ada
    assert try_in(made, "viewer", "wrong", address="198.51.100.9", device=device) == 401  # hers, and nobody else's
    assert try_in(made, "admin", RIGHT, address="198.51.100.9", device="e" * 64) == 429


def test_a_browser_is_known_for_a_while_and_of_too_many_the_newest(made: Made, ada: Person) -> None:
    with made.service.database.write() as connection:
        for number in range(tries.MOST_DEVICES + 1):
            tries.know(connection, ada.id, f"{number:064}", later(DAY, number))
        known = [tries.is_known(connection, ada.id, f"{number:064}", later(DAY, 60)) for number in (0, 1, 20)]
        assert known == [False, True, True]
        assert not tries.is_known(connection, ada.id, f"{20:064}", later(DAY, tries.DEVICE_SECONDS + 20))
        assert not tries.is_known(connection, ada.id + 1, f"{20:064}", DAY)


def test_failures_from_a_network_make_it_wait_whatever_names_it_tries(made: Made, ada: Person) -> None:
    with made.service.database.write() as connection:
        for number in range(50):
            assert tries.begin(connection, Try(f"n{number}", f"2001:db8:0:7::{number:x}"), DAY) == 0
    assert try_in(made, "admin", RIGHT, address="2001:db8:0:7:ffff::1") == 429
    assert try_in(made, "admin", RIGHT, address="2001:db8:0:8::1") == ada


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somebody", "somebody"),
    ],
)
def test_what_one_person_has_of_addresses(address: str, network: str) -> None:
    assert network_of(address) == network


# Sessions


def cookie_of(service: Service, person: Person) -> tuple[dict[str, str], str]:
    response = Response()
    session = open_session(service, person, response)
    return {"cookie": response.headers["set-cookie"].partition(";")[0]}, session.csrf


def test_the_cookie_is_a_secret_of_which_a_digest_is_kept(made: Made, ada: Person) -> None:
    response = Response()
    open_session(made.service, ada, response)
    header = response.headers["set-cookie"]
    secret = header.partition(";")[0].partition("=")[2]
    assert len(secret) >= 43
    assert "HttpOnly" in header
    assert "SameSite=lax" in header
    assert "Secure" not in header
    with made.service.database.read() as connection:
        kept = repr(connection.execute(select(tables.sessions)).all())
    assert secret not in kept


def test_with_https_the_cookie_is_of_this_host_alone(made: Made, ada: Person) -> None:
    config = structs.replace(made.service.config, url="https://tidegate.example")
    service, response = structs.replace(made.service, config=config), Response()
    session = open_session(service, ada, response)
    assert cookie_name(service).startswith("__Host-")
    assert "Secure" in response.headers["set-cookie"]
    ended = Response()
    close_session(service, session, ended)
    assert "Secure" in ended.headers["set-cookie"]  # otherwise a browser would keep it
    answer = TestClient(make_app(service, pages=False), base_url="https://tidegate.example").get("/health")
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_a_session_ends(client: TestClient, made: Made, ada: Person) -> None:
    headers, _ = cookie_of(made.service, ada)
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [raw(headers)]})
    at = now()
    for hours in range(4, 7 * 24 + 1, 4):  # used every four hours, it ends after a week all the same
        at = later(now(), hours * 3600.0)
        if session_of(structs.replace(made.service, now=lambda at=at: at), request) is None:
            break
    assert 6.8 * 86400 < hours * 3600 <= 7 * 86400 + 4 * 3600
    headers, _ = cookie_of(made.service, ada)
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [raw(headers)]})
    idle = later(now(), 9 * 3600.0)
    assert session_of(structs.replace(made.service, now=lambda: idle), request) is None


def raw(headers: dict[str, str]) -> tuple[bytes, bytes]:
    return b"cookie", headers["cookie"].encode()


def test_a_new_password_ends_all_sessions(client: TestClient, made: Made, ada: Person) -> None:
    headers, _ = cookie_of(made.service, ada)
    with made.service.database.write() as connection:
        accounts.set_password(connection, ada.id, "x", now())
    assert client.get("/api/v1/me", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "cookie", ["tidegate=", "tidegate=x; tidegate=y", "x" * 5000, "tidegate=é", ";;;=", 'tidegate="']
)
def test_cookies_that_are_none(client: TestClient, cookie: str) -> None:
    assert client.get("/api/v1/me", headers=[("cookie", cookie.encode("latin-1"))]).status_code == 401  # type: ignore[arg-type]


# Requests from other sites


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 201),
        ({"origin": "http://127.0.0.1:8787"}, 201),
        ({"origin": "http://localhost:8787"}, 201),
        ({CSRF_HEADER: ""}, 403),
        ({CSRF_HEADER: "x" * 32}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:8788"}, 403),
        ({"origin": "https://127.0.0.1:8787"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_an_unsafe_request_comes_from_a_page_of_ours(
    client: TestClient, made: Made, ada: Person, changed: dict[str, str], status: int
) -> None:
    headers, csrf = cookie_of(made.service, ada)
    body = {"label": "mine", "scopes": ["changes:read"]}
    answer = client.post("/api/v1/tokens", json=body, headers={**headers, CSRF_HEADER: csrf, **changed})
    assert answer.status_code == status


def test_the_mark_is_of_one_session(client: TestClient, made: Made, ada: Person) -> None:
    (headers, _), (_, other) = cookie_of(made.service, ada), cookie_of(made.service, ada)
    answer = client.post("/api/v1/tokens", json={}, headers={**headers, CSRF_HEADER: other})
    assert answer.status_code == 403


def test_a_token_is_judged_alone_whatever_cookie_comes_along(client: TestClient, made: Made, ada: Person) -> None:
    headers, _ = cookie_of(made.service, ada)
    assert client.get("/api/v1/me", headers={**headers, "authorization": "Bearer tg_x"}).status_code == 401


# Tokens


def test_a_token_is_shown_once_and_works_until_it_is_revoked(client: TestClient, made: Made, ada: Person) -> None:
    headers, csrf = cookie_of(made.service, ada)
    mine = {**headers, CSRF_HEADER: csrf}
    made_ = client.post("/api/v1/tokens", json={"label": "ci", "scopes": ["changes:read"]}, headers=mine).json()
    token = made_["token"]
    assert token.startswith("tg_")
    assert token not in client.get("/api/v1/tokens", headers=mine).text
    bearer = {"authorization": f"Bearer {token}"}
    assert client.get("/api/v1/changes", headers=bearer).status_code == 200
    assert client.get("/api/v1/people", headers=bearer).status_code == 403
    assert client.delete(f"/api/v1/tokens/{made_['kept']['id']}", headers=mine).status_code == 204
    assert client.get("/api/v1/changes", headers=bearer).status_code == 401


def test_a_token_makes_no_tokens_and_nobody_revokes_another_ones(client: TestClient, made: Made, ada: Person) -> None:
    token = {"authorization": f"Bearer {made.tokens['reviewer']}"}
    body = {"label": "more", "scopes": ["changes:read"]}
    assert client.post("/api/v1/tokens", json=body, headers=token).status_code == 403
    with made.service.database.read() as connection:
        theirs = accounts.tokens_of(connection, made.people["admin"])[0].id
    assert client.delete(f"/api/v1/tokens/{theirs}", headers=token).status_code == 404


def test_scopes_that_the_role_has_not_are_refused(client: TestClient, made: Made) -> None:
    with made.service.database.read() as connection:
        viewer = accounts.person(connection, made.people["viewer"])
    assert viewer is not None
    headers, csrf = cookie_of(made.service, viewer)
    for scopes, status in ((["settings:write"], 403), (["everything"], 422), ([], 422), (["changes:read"], 201)):
        answer = client.post(
            "/api/v1/tokens", json={"label": "x", "scopes": scopes}, headers={**headers, CSRF_HEADER: csrf}
        )
        assert answer.status_code == status


def test_whoever_is_behind_a_proxy_is_known_by_what_that_proxy_wrote(made: Made) -> None:
    def asked(*forwarded: str) -> Request:
        headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
        return Request({"type": "http", "headers": headers, "client": ("10.0.0.1", 1)})

    plain: Config = made.service.config
    proxied = structs.replace(plain, trusted_proxy=True)
    assert address_of(plain, asked("1.1.1.1")) == "10.0.0.1"
    assert address_of(proxied, asked("1.1.1.1, 2.2.2.2")) == "2.2.2.2"
    assert address_of(proxied, asked("1.1.1.1", "3.3.3.3")) == "3.3.3.3"
    assert address_of(proxied, asked()) == "10.0.0.1"


def test_nobody_is_whoever_asks_without_anything(made: Made) -> None:
    request = Request({"type": "http", "method": "GET", "headers": []})
    with pytest.raises(Problem) as caught:
        authenticate(made.service, request)
    assert caught.value.status == 401


def test_a_person_has_so_many_sessions_and_the_oldest_ends(made: Made, ada: Person) -> None:
    with made.service.database.write() as connection:
        for number in range(MOST_SESSIONS + 2):
            at = later(DAY, number)
            session = Session(f"s{number}", ada.id, "csrf", at, at, later(DAY, 3600))
            accounts.open_session(connection, session, MOST_SESSIONS)
        accounts.open_session(connection, Session("other", made.people["viewer"], "csrf", DAY, DAY, later(DAY, 3600)))
        live = [n for n in range(MOST_SESSIONS + 2) if accounts.live_session(connection, f"s{n}", later(DAY, 60))]
        assert live == list(range(2, MOST_SESSIONS + 2))
        assert accounts.live_session(connection, "other", DAY)


def _wished(label: str) -> NewToken:
    return NewToken(label, ("changes:read",), 1)


def test_a_person_has_so_many_tokens_and_of_those_that_ended_the_newest(made: Made, ada: Person) -> None:
    by = Who(ada.id, ada.name, ada.role)
    first = [make_token(made.service, by, ada.id, _wished(str(number)))[1].id for number in range(MOST_TOKENS - 1)]
    with pytest.raises(Problem, match="at most") as refused:
        make_token(made.service, by, ada.id, _wished("one too many"))  # with the one of the fixture
    assert refused.value.status == 409
    for identifier in first:
        made.service.database.change(lambda connection, each=identifier: accounts.revoke_token(connection, each, DAY))
    for number in range(5):
        _, made_now = make_token(made.service, by, ada.id, _wished(str(number)))
        made.service.database.change(lambda connection, new=made_now: accounts.revoke_token(connection, new.id, DAY))
    with made.service.database.read() as connection:
        assert len(accounts.tokens_of(connection, ada.id)) <= MOST_TOKENS + 2


def test_a_browser_that_was_used_before_is_told_from_a_stranger_at_its_address(made: Made, ada: Person) -> None:
    app = make_app(structs.replace(made.service, now=lambda: DAY))  # no second passes, however slow the machine

    def visitor() -> TestClient:
        return TestClient(app, base_url="http://127.0.0.1:8787", follow_redirects=False)

    def sign(client: TestClient, password: str) -> int:
        return client.post("/sign-in", data={"name": "admin", "password": password}).status_code

    mine, stranger = visitor(), visitor()
    assert sign(mine, RIGHT) == 303
    mark = next(text for text in mine.cookies.jar if text.name == DEVICE)
    assert mark.has_nonstandard_attr("HttpOnly")
    with made.service.database.read() as connection:
        assert str(mark.value) not in repr(connection.execute(select(tables.values)).all())
    for _ in range(5):
        assert sign(stranger, "wrong") == 401
    assert sign(stranger, RIGHT) == 429
    mine.cookies.delete(COOKIE)
    assert sign(mine, RIGHT) == 303
    assert next(text for text in mine.cookies.jar if text.name == DEVICE).value == mark.value
    assert mine.get("/").status_code == 200
