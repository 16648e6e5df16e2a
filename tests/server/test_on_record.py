"""What is always recorded: judgements of canaries and what people said caused an incident, each once in the ledger."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.server.conftest import Made
from tests.store import conftest as databases
from tidegate.ledger import bodies
from tidegate.ledger.keys import PublicKey, read_software_key
from tidegate.ledger.predicates.canary import Canary
from tidegate.ledger.predicates.cause import Cause
from tidegate.ledger.statements import open_entry
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.config import Config
from tidegate.server.production.confirming import confirm_cause, put_causes
from tidegate.server.rollout.canaries import put_canaries
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import canaries, causes, incidents
from tidegate.store.canaries import NewCanary
from tidegate.store.clock import now
from tidegate.store.incidents import NewIncident
from tidegate.store.migrate import prepare_database

COMMIT = "a" * 40
postgres = databases.postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, service_template: Path, tmp_path: Path) -> Iterator[Service]:
    """An empty service on either database."""
    folder = tmp_path / "service"
    shutil.copytree(service_template, folder)
    url = f"sqlite:///{folder}/tidegate.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
        prepare_database(url).close()
    with open_service(Config(data=folder, database=url)) as opened:
        yield opened


def test_every_judgement_is_entered_once_however_often_it_is_tried(made: Made) -> None:
    service = made.service
    with service.database.write() as connection:
        new = _judged(made)
        first = canaries.put(connection, new, now())
        canaries.put(connection, replace(new, verdict="hold", revision="", environment="eu west/ä"), now())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: put_canaries(service), range(4)))
    assert put_canaries(service) == 0
    said = _said(service, Canary)
    assert [(one.verdict, one.commit, one.environment) for one in said] == [
        ("roll-back", COMMIT, "production"),
        ("hold", "", "eu-west/-"),
    ]
    assert said[0].judgement == hashlib.sha256(new.document).hexdigest()
    assert (said[0].begins, said[0].ends) == ("1970-01-01T00:00:10Z", "1970-01-01T00:10:10Z")
    with service.database.read() as connection:
        kept = canaries.get(connection, first)
    assert kept is not None
    assert kept.entry is not None
    with service.database.write() as connection:  # it was entered, and whoever did died before saying where
        canaries.set_entry(connection, first, None)  # type: ignore[arg-type]
    assert put_canaries(service) == 1
    assert len(_said(service, Canary)) == 2


def test_a_judgement_waits_for_a_ledger_that_does_not_sign(made: Made) -> None:
    key = made.service.config.data / "ledger.key"
    kept = key.read_bytes()
    key.unlink()
    confirm_cause(made.service, _who(made), _incident(made), COMMIT)
    assert _waiting(made) == 1
    key.write_bytes(kept)
    key.chmod(0o600)
    assert put_causes(made.service) == 1
    assert (put_causes(made.service), _waiting(made)) == (0, 0)
    assert [one.commit for one in _said(made.service, Cause)] == [COMMIT]


def test_every_word_on_a_cause_is_entered_once_and_by_a_pseudonym(made: Made) -> None:
    service, incident = made.service, _incident(made)
    for word in (COMMIT, COMMIT, "load", COMMIT.upper(), "load "):
        confirm_cause(service, _who(made), incident, word)
    said = _said(service, Cause)
    assert [one.commit for one in said] == [COMMIT, "", COMMIT, ""]
    assert {one.incident for one in said} == {f"incident-{incident}"}
    assert len({one.person for one in said}) == 1
    with service.database.read() as connection:
        assert bodies.read(connection, said[1].word).data == b"load"
        assert [one.entry is not None for one in causes.of_incident(connection, incident)] == [True] * 4
        known = incidents.get(connection, incident)
    assert known is not None
    assert known.cause == "load"


def test_one_word_said_many_times_at_once_is_one_entry(made: Made) -> None:
    incident = _incident(made)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: confirm_cause(made.service, _who(made), incident, COMMIT), range(6)))
    assert [one.commit for one in _said(made.service, Cause)] == [COMMIT]


@pytest.mark.parametrize("word", ["", "two words", "a" * 41, "ä"])
def test_what_names_no_cause_is_not_recorded(made: Made, word: str) -> None:
    incident = _incident(made)
    with pytest.raises(Problem):
        confirm_cause(made.service, _who(made), incident, word)
    assert _said(made.service, Cause) == []


# Private


def _judged(made: Made) -> NewCanary:
    return NewCanary(
        repository=made.world.repository,
        name="pay",
        environment="production",
        service="pay",
        revision=COMMIT,
        rules="b" * 40,
        verdict="roll_back",
        since=10.0,
        until=610.0,
        document=b'{"decision":"roll back"}',
        asked_by="ada",
    )


def _incident(made: Made) -> int:
    with made.service.database.write() as connection:
        new = NewIncident(key="a/1", title="errors of pay", severity="high", started=1.8e9, service="pay")
        return incidents.open_incident(connection, new, now()).incident.id


def _who(made: Made) -> Who:
    return Who(person=made.people["reviewer"], name="reviewer", role="reviewer")


def _waiting(made: Made) -> int:
    with made.service.database.read() as connection:
        return len(causes.unrecorded(connection))


def _said(service: Service, kind: type) -> list[Any]:
    _, _, signer = read_software_key(service.config.data / "ledger.key")
    keys = [PublicKey(signer.algorithm, signer.public_key)]
    opened = [open_entry(entry.envelope, keys)[0].predicate for entry in service.log.entries(most=100)]
    return [one for one in opened if isinstance(one, kind)]
