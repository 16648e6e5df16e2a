"""Attacks on the running service that once worked: what nobody signs in for must cost little, and no input is a 5xx."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import hashlib
import json
import resource
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import cbor2
import httpx2
import pytest
import uvicorn
from anyio.to_thread import current_default_thread_limiter
from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from tests.repos import build
from tests.server.conftest import Made
from tests.server.provider import CLIENT, signing_key
from tests.server.test_auth_oidc import jws
from tidegate.facts import Facts, to_document
from tidegate.server import connections
from tidegate.server.api import dispatch, people
from tidegate.server.api.dispatch import Room, read_body
from tidegate.server.api.endpoint import Ask, Nothing, Who
from tidegate.server.api.people import ChangedPerson
from tidegate.server.api.problems import Problem
from tidegate.server.app import make_app
from tidegate.server.auth import passwords
from tidegate.server.auth.provider import RefusedError, check
from tidegate.server.auth.session import CSRF_HEADER, open_session, read_cookie
from tidegate.server.auth.tries import Try
from tidegate.server.console.signin import AT_ONCE
from tidegate.server.simulation import Asked, simulate
from tidegate.store import accounts, values
from tidegate.store.clock import now

T = TypeVar("T")
URL = "http://localhost:8787"


@pytest.fixture
def pages(made: Made) -> Iterator[TestClient]:
    service = structs.replace(made.service, config=structs.replace(made.service.config, url=URL))
    app = make_app(service)
    with TestClient(app, base_url=URL, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def at_browser(made: Made, role: str) -> tuple[dict[str, str], str]:
    response = Response()
    with made.service.database.read() as connection:
        person = accounts.person(connection, made.people[role])
    assert person is not None
    session = open_session(made.service, person, response)
    return {"cookie": response.headers["set-cookie"].partition(";")[0], CSRF_HEADER: session.csrf}, session.csrf


# Cookies


def test_a_cookie_of_backslashes_costs_nothing(pages: TestClient) -> None:
    before = time.process_time()
    assert pages.get("/api/v1/me", headers={"cookie": f'tidegate="{chr(92) * 60_000}"'}).status_code == 401
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("a=1; tidegate=x-_9", "x-_9"),
        ("tidegate=x=y", "x=y"),
        ("tidegate=", ""),
        ("tidegate=x; tidegate=y", ""),  # a neighbour may have set the other one
        ("atidegate=x; tidegateb=y; tidegate", ""),
        (f"tidegate={'x' * 101}", ""),
        ("=;;=; \xff; tidegate=x", "x"),
    ],
)
def test_a_cookie_is_read_plainly_and_once(header: str, value: str) -> None:
    assert read_cookie(_request({"cookie": header}), "tidegate") == value


# Sign-in


def test_sign_ins_do_not_take_all_threads(made: Made) -> None:
    async def attack() -> list[str]:
        current_default_thread_limiter().total_tokens = AT_ONCE + 1
        transport = httpx2.ASGITransport(app=make_app(made.service))
        done: list[str] = []
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:

            async def guess(name: str) -> None:
                await client.post("/sign-in", data={"name": name, "password": "wrong"})
                done.append("guess")

            guesses = [asyncio.create_task(guess(f"somebody-{number}")) for number in range(3 * AT_ONCE)]
            await asyncio.sleep(0.05)
            await client.get("/api/v1/me")
            done.append("me")
            await asyncio.gather(*guesses)
        return done

    assert "me" in _finish(attack())[: 2 * AT_ONCE]


def test_an_account_of_ones_own_does_not_set_free_to_guess_others(made: Made) -> None:
    database, password, address = made.service.database, "correct horse battery", "192.0.2.7"
    hashed, moment = passwords.hash_password(password), now()

    def prepare(connection: accounts.Connection) -> None:
        accounts.set_password(connection, made.people["viewer"], hashed, moment)
        values.write(connection, f"failures/address/{address}", json.dumps({"count": 49, "at": moment}), moment)

    database.change(prepare)
    passwords.sign_in(database, Try("viewer", address), password, moment)
    with pytest.raises(Problem, match="wrong"):
        passwords.sign_in(database, Try("admin", address), "a guess that is wrong", moment)
    with pytest.raises(Problem) as refused:
        passwords.sign_in(database, Try("admin", address), "another guess", moment)
    assert refused.value.status == 429


@pytest.mark.parametrize("claim", ["sub", "name", "preferred_username", "nonce"])
def test_half_a_character_in_an_id_token_is_refused(claim: str) -> None:
    claims = {"iss": "https://i", "sub": "s", "aud": CLIENT, "exp": 2000.0, "iat": 1000.0, "nonce": "n"}
    key = signing_key()
    assert _checked(claims, key).sub == "s"
    with pytest.raises(RefusedError):
        _checked({**claims, claim: "\ud800"}, key)


def test_no_admin_is_left_out_by_an_admin_who_is_none_any_more(made: Made) -> None:
    second = made.service.database.change(lambda c: accounts.add_person(c, "second", "Second", "admin", now()))
    first = made.people["admin"]
    gone = ChangedPerson("Gone", "viewer", disabled=True)
    people.change(_ask(made, first, gone, second.id))
    with pytest.raises(Problem) as refused:
        people.change(_ask(made, second.id, gone, first))  # asked before, permitted before
    assert refused.value.status == 403


# Forms and authenticators


def test_a_number_of_thousands_of_digits_is_no_fault_of_ours(made: Made, pages: TestClient) -> None:
    headers, csrf = at_browser(made, "admin")
    form = {"csrf": csrf, "label": "x", "scope-changes:read": "1", "days": "9" * 5000}
    assert pages.post("/settings/tokens", data=form, headers=headers).status_code == 422


@pytest.mark.parametrize(
    "cose", [{}, [], {1: 2}, {1: 2, 3: -7, -1: 1, -2: 5, -3: None}, {1: 3, 3: -257, -1: b"", -2: b""}]
)
def test_a_strange_key_of_an_authenticator_is_refused(made: Made, pages: TestClient, cose: object) -> None:
    headers, _ = at_browser(made, "approver")
    begun = pages.post("/api/v1/authenticators", headers=headers).json()
    said = json.dumps({"type": "webauthn.create", "challenge": begun["challenge"], "origin": URL}).encode()
    data = hashlib.sha256(b"localhost").digest() + b"\x45" + bytes(4) + bytes(16) + b"\x00\x01A" + cbor2.dumps(cose)
    made_of = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
    response = {"clientDataJSON": _base64url(said), "attestationObject": _base64url(made_of)}
    credential = {"id": "QQ", "rawId": "QQ", "type": "public-key", "response": response}
    answer = pages.put("/api/v1/authenticators", headers=headers, json={"credential": credential, "label": "x"})
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/people", {"name": "admin", "shown": "Administrator", "role": "viewer"}),
        ("/people/1/identities", {"kind": "forge", "issuer": "github.com", "subject": "somebody"}),
        ("/repositories", {"forge": "github", "slug": "acme/till", "clone_url": "https://h.test/a.git", "main": "dev"}),
    ],
)
def test_no_name_has_a_line_break_that_nobody_sees(client: TestClient, made: Made, path: str, body: Any) -> None:
    """`$` of a pattern holds before a last line break too: then there are two of a name that look the same."""
    headers = {"authorization": f"Bearer {made.tokens['admin']}"}
    for name in body.keys() - {"kind", "role", "forge"}:
        answer = client.post(f"/api/v1{path}", headers=headers, json={**body, name: f"{body[name]}\n"})
        assert answer.status_code == 422, (name, answer.text)


# Memory and connections


def test_rules_that_take_all_memory_take_none_of_ours(made: Made, tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", "commit One\n  file a.py\n    . x = 1\n")
    ten, eight = "[0,1,2,3,4,5,6,7,8,9]", "+".join("b" * 8)
    bomb = f"{ten}.map(b, '{'x' * 900}')" + f".map(b, {eight})" * 12 + ".size() > 0"
    table = '[[rule]]\nid = "x"\ntitle = "t"\neffect = "note"\nowner = "a"\nreason = "r"\nwhen.all = ["{}"]\n'
    document, config = to_document(Facts(now="2026-01-02T00:00:00Z")), made.service.config
    asked = Asked(table.format(bomb), str(repo.path / ".git"), "refs/heads/main", document)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Problem) as refused:
        simulate(config, asked)
    assert refused.value.status == 422
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    mild = structs.replace(asked, rules=table.format("true"))
    assert simulate(config, mild).outcome == "block"
    with (config.data / "simulation.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Problem) as busy:
            simulate(config, mild)
    assert busy.value.status == 503


def test_deliveries_share_a_bounded_room() -> None:
    room = Room(10)
    assert _finish(read_body(_request({}, b"12345", b"678"), 100, room)) == b"12345678"
    assert room.left == 2
    for request, most, status in (
        (_request({}, b"1", b"234"), 100, 503),
        (_request({}, b"1", b"2"), 1, 413),
        (_request({}, b"1", None), 100, 400),
    ):
        with pytest.raises(Problem) as refused:
            _finish(read_body(request, most, room))
        assert (refused.value.status, room.left) == (status, 2)


def test_bodies_of_one_token_share_a_bounded_room(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "BODIES_BYTES", 200)
    headers = {"authorization": f"Bearer {made.tokens['admin']}"}
    with TestClient(make_app(made.service, pages=False), base_url="http://127.0.0.1:8787") as client:
        answers = [
            client.post("/api/v1/people", headers=headers, json={"name": "x" * size, "shown": "X", "role": "viewer"})
            for size in (100, 100, 100, 300, 10)  # what was taken is given back, whatever came of it
        ]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 503, 201]


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "BODY_SECONDS", 0.05)
    room = Room(10)
    with pytest.raises(Problem, match="more than"):
        _finish(read_body(_request({}, b"1", seconds=5), 100, room))
    assert room.left == 10


def test_whoever_connects_and_asks_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.4)
    head = b"GET / HTTP/1.1\r\nHost: a\r\n"
    with _running(seconds=1.0) as port, ExitStack() as stack:

        def connect(sent: bytes) -> socket.socket:
            made = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            made.sendall(sent)
            return made

        silent, slow, patient = connect(b""), connect(head), connect(head + b"\r\n")
        assert silent.recv(1) == b""
        assert slow.recv(1) == b""
        assert patient.recv(100).startswith(b"HTTP/1.1 200")  # an answer may take longer than that
        patient.sendall(head + b"\r\n")  # and a connection that is in use stays
        assert patient.recv(100)


# Private


def _request(headers: dict[str, str], *parts: bytes | None, seconds: float = 0) -> Request:
    """A request whose body comes in these parts; None: the other side goes away."""
    waiting = list(parts)

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(seconds)
            return {"type": "http.request", "body": b"", "more_body": False}
        part = waiting.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": True}

    given = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": given}, receive)


def _checked(claims: dict[str, Any], key: Any) -> Any:
    token = jws.serialize_compact({"alg": "RS256"}, json.dumps(claims).encode(), key)
    return check(token, {"keys": [key.as_dict(private=False)]}, "https://i", CLIENT, "n", 1000.0)


def _ask(made: Made, who: int, body: ChangedPerson, person: int) -> Ask[Nothing, ChangedPerson]:
    return Ask(made.service, Who(who, "somebody", "admin", None, "session"), {"person": person}, Nothing(), body)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def _running(seconds: float) -> Iterator[int]:
    """A server on a port of its own, that thinks for so long before it answers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(seconds)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(
        uvicorn.Config(app, http=connections.PromptProtocol, lifespan="off", log_config=None, access_log=False)
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


def _finish(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: a browser that another test opened may have left a loop running in this one."""
    with ThreadPoolExecutor(1) as one:
        return one.submit(asyncio.run, work).result()
