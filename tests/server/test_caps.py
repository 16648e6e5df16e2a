"""What one person may have of everything, and what is forgotten in time."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from tests.server.conftest import Made
from tests.server.test_api_use import Caller
from tests.server.test_work_journey import make_place
from tidegate.errors import InputError
from tidegate.server.api.reviewing import MOST_OPEN, MOST_QUESTIONS
from tidegate.server.service import Service
from tidegate.server.work.sweep import Sweeper
from tidegate.store import accounts, changes, keys, questions, tables, values
from tidegate.store.accounts import Session
from tidegate.store.clock import later
from tidegate.store.clock import now as moment
from tidegate.store.keys import NewKey
from tidegate.store.questions import NewQuestion


def test_questions_are_so_many(client: TestClient, made: Made) -> None:
    path = f"/changes/{made.world.change}/questions"
    reviewer, admin = Caller(client, made, "reviewer"), Caller(client, made, "admin")
    with made.service.database.write() as connection:
        change = changes.get(connection, made.world.change)
        assert change is not None
        head = change.head
        new = NewQuestion(made.world.change, made.people["reviewer"], head, "a.py:1-2", "Why?")
        asked = [questions.ask(connection, new, moment()) for _ in range(MOST_OPEN)]
    body = {"head": head, "hunk": "a.py:1-2", "text": "And why?"}
    reviewer("POST", path, body, status=409)
    admin("POST", path, body, status=201)
    admin("POST", f"/questions/{asked[0].id}/answer", {"text": "Because."})
    reviewer("POST", path, body, status=201)
    with made.service.database.write() as connection:
        other = NewQuestion(made.world.change, made.people["viewer"], head, "a.py:1-2", "Why?")
        for _ in range(MOST_QUESTIONS - MOST_OPEN - 2):
            questions.ask(connection, other, moment())
    admin("POST", path, body, status=409)


def test_keys_are_so_many(made: Made) -> None:
    with made.service.database.write() as connection:
        for number in range(keys.MOST_LIVE):
            keys.add(connection, NewKey(made.people["approver"], "ssh", f"SHA256:{number}", b"key", "key"), moment())
        one_more = NewKey(made.people["approver"], "ssh", "SHA256:more", b"key", "key")
        with pytest.raises(InputError, match="20 keys at most"):
            keys.add(connection, one_more, moment())
        known = keys.by_fingerprint(connection, "SHA256:0")
        assert known is not None
        keys.revoke(connection, known.id, moment())
        assert keys.add(connection, one_more, moment()).label == "key"


def test_what_counts_for_nothing_any_more_is_forgotten(service: Service, tmp_path: Path) -> None:
    place = make_place(service, tmp_path)
    now = service.now()
    ages = {"failures/name/a": 25, "oidc/b": 25, "webauthn/c": 25, "device/1/d": 24 * 91, "pseudonym/1": 24 * 900}
    with service.database.write() as connection:
        for name, hours in ages.items():
            values.write(connection, name, "{}", later(now, -3600.0 * hours))
            values.write(connection, f"{name}-young", "{}", later(now, -3600.0))
        root = accounts.add_person(connection, "someone", "Root", "admin", now).id
        for name, ends in (("over", -1), ("live", 60)):
            accounts.open_session(connection, Session(name, root, "csrf", now, now, later(now, ends)))
    Sweeper(place.way, "w", place.errands, lambda _: 0, 10.0, 60.0).forget()
    with service.database.read() as connection:
        kept = {name for name in ages if values.read(connection, name) is not None}
        young = {name for name in ages if values.read(connection, f"{name}-young") is not None}
        sessions = connection.execute(select(tables.sessions.c.digest)).scalars().all()
    assert kept == {"pseudonym/1"}
    assert young == set(ages)
    assert sessions == ["live"]
