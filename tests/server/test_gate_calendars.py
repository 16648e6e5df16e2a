"""Calendars at an address, from a real server on loopback: fetched where the operator says, and kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.repos import build
from tests.rollout.test_calendars import ics
from tests.server import test_gates
from tests.server.test_gates import House
from tidegate.errors import InputError
from tidegate.rollout.document_tables import Loaded
from tidegate.server.rollout import calendars
from tidegate.server.rollout.calendars import calendars_of
from tidegate.store.clock import later, now

app_key, running, fake = test_gates.app_key, test_gates.running, test_gates.fake
received, github, house = test_gates.received, test_gates.github, test_gates.house
QUIET, FROZEN = ics("DTSTART:20010101"), ics("DTSTART:20010101|DURATION:P30000D|SUMMARY:Year end")


class Calendars(ThreadingHTTPServer):
    """Answers what a test says: a status, a body, and how often it was asked."""

    status, body, asked = 200, QUIET, 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/secret-name.ics"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.asked += 1
        self.send_response(server.status)
        self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def serving() -> Iterator[Calendars]:
    server = Calendars(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def server(serving: Calendars) -> Calendars:
    serving.status, serving.body, serving.asked = 200, QUIET, 0
    return serving


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory, serving: Calendars) -> Path:
    """As that of the gates, with a freeze by a calendar of the server."""
    document = f"""
[environments.staging]
tier = "low"
[calendars.company]
url = "{serving.url}"
[[freeze]]
name = "company"
calendar = "company"
"""
    lines = test_gates._lines
    script = f"""
commit Open the shop
  file shop.py
    . price = 1
  file .tidegate/rollout.toml
{lines(document)}
  file tidegate.toml
{lines(test_gates.SETTINGS)}
commit Raise the price (#1)
  file shop.py
    . price = 2
"""
    return build(tmp_path_factory.mktemp("dated"), script).path


@pytest.fixture
def allowed(house: House, server: Calendars, tmp_path: Path) -> House:
    return _with_hosts(house, tmp_path, server.host)


def _with_hosts(house: House, folder: Path, host: str, ahead: float = 0.0) -> House:
    file = folder / "production.toml"
    file.write_text(f'prometheus = "http://127.0.0.1:9"\ncalendar_hosts = ["{host}"]\n', encoding="utf-8")
    config = replace(house.service.config, production=file)
    return house.with_service(config=config, now=lambda: later(now(), ahead))


def _freeze(house: House) -> dict[str, Any]:
    found = [one for one in house.ask("staging").json()["obligations"] if one["kind"] == "freeze"]
    assert len(found) < 2
    return found[0] if found else {"state": "none", "why": ""}


def test_a_gate_holds_by_the_calendar_that_is_served(allowed: House, server: Calendars) -> None:
    server.body = FROZEN
    found = _freeze(allowed)
    assert found["state"] == "unmet"
    assert "the freeze company, Year end, holds until" in found["why"]
    assert _freeze(allowed)["state"] == "unmet"
    assert server.asked == 1


def test_no_host_is_asked_that_the_operator_does_not_name(house: House, server: Calendars, tmp_path: Path) -> None:
    for one in (house, _with_hosts(house, tmp_path, "calendar.example.com")):
        found = _freeze(one)
        assert found["state"] == "unknown"
        assert f"fetches no calendar of {server.host}" in found["why"]
    service = _with_hosts(house, tmp_path, server.host).service
    for url in (f"http://user@{server.host}/", f"http://{server.host}.example.com/", "http://127.0.0.1:1/", "http://["):
        with pytest.raises(InputError):
            calendars_of(service)(url)
    assert server.asked == 0


@pytest.mark.parametrize(("status", "body"), [(302, QUIET), (500, QUIET), (200, b"<html>"), (200, b"B" * (1 << 21))])
def test_without_a_good_answer_it_is_frozen(allowed: House, server: Calendars, status: int, body: bytes) -> None:
    server.status, server.body = status, body
    found = _freeze(allowed)
    assert found["state"] == "unknown"
    assert server.host in found["why"]
    assert "secret" not in found["why"]
    _freeze(allowed)
    assert server.asked == 1  # not again at once


def test_the_last_good_one_stands_for_a_day_and_its_age_is_said(
    allowed: House, server: Calendars, tmp_path: Path
) -> None:
    def fetched(hours: float) -> Loaded:
        return calendars_of(_with_hosts(allowed, tmp_path, server.host, hours * 3600).service)(server.url)

    assert fetched(0) == Loaded(QUIET)
    server.status, server.body = 503, FROZEN
    old = fetched(2)
    assert old.content == QUIET
    assert old.note.endswith(f"2.0 hours ago: {server.host} answers 503")
    with pytest.raises(InputError, match="older than 24 hours"):
        fetched(25)
    server.status = 200
    assert fetched(26) == Loaded(FROZEN)


def test_a_gate_says_how_old_the_calendar_is_that_it_goes_by(allowed: House, server: Calendars, tmp_path: Path) -> None:
    assert _freeze(allowed)["state"] == "none"
    server.status = 503
    found = _freeze(_with_hosts(allowed, tmp_path, server.host, 1000.0))
    assert (found["state"], found["text"]) == ("met", "the freeze company does not hold")
    assert "answers 503" in found["why"]


def test_a_clock_that_went_back_makes_nothing_fresh(allowed: House, server: Calendars, tmp_path: Path) -> None:
    assert _freeze(allowed)["state"] == "none"
    server.status = 503
    assert _freeze(_with_hosts(allowed, tmp_path, server.host, -3000.0))["state"] == "unknown"


def test_what_is_kept_and_damaged_is_fetched_again(allowed: House, server: Calendars) -> None:
    assert _freeze(allowed)["state"] == "none"
    service = allowed.service
    with service.database.write() as connection:
        connection.exec_driver_sql("UPDATE \"values\" SET value = '\"AAAA\"' WHERE name LIKE 'calendar/%'")
    assert calendars_of(service)(server.url).content == QUIET
    assert server.asked == 2


def test_one_question_waits_for_all_calendars_together(allowed: House, server: Calendars) -> None:
    fetch = calendars._bring
    with pytest.raises(InputError, match="could not be asked"):
        fetch(allowed.service, server.url, [calendars.ASKING_SECONDS])
    assert server.asked == 0
