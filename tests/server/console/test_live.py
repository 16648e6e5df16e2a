"""The stream of what changed: who gets it, what it says, how many there may be, and when it ends."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias
from urllib.parse import quote, urlsplit

import pytest
import uvicorn

from tests.server.console import production
from tests.server.console.house import House
from tidegate.server.app import make_app
from tidegate.server.auth.session import COOKIE
from tidegate.server.connections import PromptProtocol
from tidegate.server.console import live
from tidegate.store import accounts, incidents
from tidegate.store.clock import later, now
from tidegate.store.incidents import NewIncident


class Stream:
    """One reader, line by line."""

    def __init__(self, house: House, secret: str, since: str = "", last: str = "") -> None:
        self._connection = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=10)
        headers = {"cookie": f"{COOKIE}={secret}"} if secret else {}
        headers |= {"last-event-id": last} if last else {}
        self._connection.request("GET", f"/events?since={quote(since)}", headers=headers)
        self.answer = self._connection.getresponse()

    def next(self) -> tuple[str, list[tuple[str, int]]]:
        """The id of the next message, and what it says; ("end", []) where the stream says that it is over."""
        identifier, said = "", []
        for line in self.answer:
            text = line.decode().rstrip("\n")
            if text == "event: end":
                return "end", []
            if text.startswith("id: "):
                identifier = text[4:]
            elif text.startswith("data: "):
                one = json.loads(text[6:])
                said.append((one["kind"], one["id"]))
            elif not text and said:
                return identifier, said
        return "closed", []

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


Read: TypeAlias = Callable[..., Stream]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.2)


@pytest.fixture
def read(house: House) -> Iterator[Read]:
    """Opens streams, and closes them at the end."""
    opened: list[Stream] = []

    def begin(secret: str, since: str = "", last: str = "") -> Stream:
        opened.append(Stream(house, secret, since, last))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


def test_nobody_gets_it_who_is_not_signed_in(house: House, read: Read) -> None:
    for secret in ("", "not-a-session"):
        assert read(secret).answer.status == 401


def test_it_says_what_changed_and_nothing_of_what_it_says(house: House, read: Read, quick: None) -> None:
    stream = read(house.sign_in("vic"), now())
    assert stream.answer.getheader("content-type", "").startswith("text/event-stream")
    assert "script-src 'self'" in stream.answer.getheader("content-security-policy", "")
    time.sleep(0.2)
    number = _open(house, "secret-title")
    identifier, said = stream.next()
    while ("incident", number) not in said:
        identifier, said = stream.next()
    assert identifier <= now()
    deployment = production.deploy(house.service, "run-1", "a" * 40, "", time.time() - 60)
    _, said = stream.next()
    while ("deployment", deployment) not in said:
        _, said = stream.next()
    stream.close()


def test_who_comes_back_is_told_what_they_missed(house: House, read: Read, quick: None) -> None:
    stream = read(house.sign_in("vic"), now())
    seen = now()
    stream.close()
    number = _open(house, "missed")
    _, said = read(house.sign_in("vic"), last=seen).next()
    assert ("incident", number) in said
    for odd in ("yesterday", "9999-12-31T23:59:59Z", "\x7f", "0001-01-01T00:00:00Z", "2026-01-01"):
        assert read(house.sign_in("vic"), odd).answer.status == 200, odd


def test_it_ends_with_the_session_and_keeps_none_alive(house: House, read: Read, quick: None) -> None:
    secret = house.sign_in("vic")
    stream = read(secret, now())
    with house.service.database.write() as connection:
        person = accounts.person_named(connection, "vic")
        assert person is not None
        accounts.disable(connection, person.id, now())
    identifier, _ = stream.next()
    while identifier not in ("end", "closed"):
        identifier, _ = stream.next()
    assert identifier == "end"
    assert read(secret).answer.status == 401


def test_there_are_only_so_many_and_who_leaves_makes_room(house: House, read: Read, quick: None) -> None:
    secret = house.sign_in("vic")
    streams = [read(secret, now()) for _ in range(live.MOST_OF_SESSION)]
    assert {each.answer.status for each in streams} == {200}
    refused = read(secret, now())
    assert (refused.answer.status, refused.answer.getheader("retry-after")) == (503, "30")
    other = read(house.sign_in("erin"), now())
    assert other.answer.status == 200
    for each in streams:
        each.close()
    until = time.monotonic() + 5
    while (again := read(secret, now())).answer.status == 503 and time.monotonic() < until:
        time.sleep(0.1)
    assert again.answer.status == 200


def test_a_page_that_looks_again_by_itself_does_not_prolong_the_session(house: House) -> None:
    secret = house.sign_in("vic")
    with house.service.database.write() as connection:
        connection.exec_driver_sql("UPDATE sessions SET seen_at = ?", (later(now(), -600),))
    for headers, prolonged in (({"x-tidegate-unasked": "1"}, False), ({}, True)):
        connection_ = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=10)
        connection_.request("GET", "/incidents", headers={"cookie": f"{COOKIE}={secret}", **headers})
        assert connection_.getresponse().status == 200
        connection_.close()
        with house.service.database.read() as connection:
            (seen,) = connection.exec_driver_sql("SELECT seen_at FROM sessions").scalars().all()
        assert (seen > later(now(), -60)) is prolonged


def test_the_service_stops_at_once_while_somebody_looks_on(house: House) -> None:
    with _served_as_in_production(house) as (server, thread, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"cookie": f"{COOKIE}={house.sign_in('vic')}", "host": urlsplit(house.url).netloc}
        connection.request("GET", "/events", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        began = time.monotonic()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
        assert time.monotonic() - began < 3
        answer.close()
        connection.close()


# Private


@contextmanager
def _served_as_in_production(house: House) -> Iterator[tuple[uvicorn.Server, threading.Thread, int]]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        settings = uvicorn.Config(
            make_app(house.service), http=PromptProtocol, log_config=None, timeout_graceful_shutdown=8
        )
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield server, thread, listening.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def _open(house: House, title: str) -> int:
    new = NewIncident(key=title, title=title, severity="high", started=time.time())
    with house.service.database.write() as connection:
        return incidents.open_incident(connection, new, now()).incident.id
