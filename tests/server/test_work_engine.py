"""Workers with their threads and DBOS: what they do by themselves, and what others do when they die."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from tests.repos import build
from tests.server.test_work_journey import SLUG, Place, make_place
from tidegate.cli.worker import worker
from tidegate.errors import InputError
from tidegate.ledger.dsse import verify_envelope
from tidegate.ledger.keys import PublicKey, read_software_key
from tidegate.ledger.statements import read_statement
from tidegate.server.service import Service
from tidegate.server.work.engine import Bell, Engine, Pace
from tidegate.server.work.journey import decide
from tidegate.server.work.sweep import Sweeper
from tidegate.store import assessments, changes, inbox, publications, workers
from tidegate.store.clock import later, seconds_between

QUICK = Pace(beat=0.2, dead=1.0, look=0.05, sweep=0.3, ask=0.5, batch=100)


@pytest.fixture
def place(service: Service, tmp_path: Path) -> Place:
    return make_place(service, tmp_path)


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for it; fails where it does not come."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come in time"
        time.sleep(0.05)


def sweeper_of(place: Place, at: str = "") -> Sweeper:
    """The sweeper of a worker that DBOS knows nothing of, as it is at some time."""
    service = replace(place.service, now=lambda: at) if at else place.service
    return Sweeper(replace(place.way, service=service), "w", place.errands, lambda _: 0, 10.0, 60.0)


def in_four_minutes(place: Place) -> str:
    return later(place.service.now(), 240)


@pytest.mark.slow
def test_a_worker_does_what_comes_adopts_what_the_dead_left_and_gives_up_when_told(place: Place) -> None:
    """One engine for all of it: each start of DBOS costs a second."""
    bell = Bell()
    gone = "gone" * 8
    place.forge.open_pull(SLUG, 2, place.repo.head("topic"))
    place.deliver(place.forge.pull_delivery("left", SLUG, 2))
    with place.service.database.write() as connection:
        long_ago = later(place.service.now(), -100)
        workers.start(connection, gone, "elsewhere", long_ago)
        inbox.claim(connection, gone, long_ago)
    engine = Engine(place.way, bell, 2, QUICK)
    try:
        place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
        bell.ring()
        until(lambda: place.delivery("d1").state == "done" and place.delivery("left").state == "done")
        until(lambda: all(_is_decided(place, place.repository.id, number) for number in (1, 2)))
        assert len(place.decisions(1)) == len(place.decisions(2)) == 1
        with place.service.database.read() as connection:
            assert [each.id for each in workers.living(connection)] == [engine.identifier]
        (place.forge.folder / "down").touch()
        place.forge.put(SLUG, 1, {"title": "Another title"})
        place.deliver(place.forge.pull_delivery("d2", SLUG, 1, "edited"))
        bell.ring()
        until(lambda: place.delivery("d2").attempts >= 2)
        (place.forge.folder / "down").unlink()
        until(lambda: place.delivery("d2").state == "done")
        until(lambda: len(place.decisions(1)) == 2)
        place.forge.open_pull(SLUG, 3, place.repo.head("topic"))  # nobody tells us
        until(lambda: _is_decided(place, place.repository.id, 3))
        _check_workflows(place)
        with place.service.database.write() as connection:
            workers.stop(connection, engine.identifier, place.service.now())
        until(lambda: engine.lost)
    finally:
        engine.stop()


_KEPT = """
SELECT executor_id, workflow_input.inputs, serialization FROM workflow_status JOIN workflow_input USING (workflow_uuid)
"""


def _is_decided(place: Place, repository: int, number: int) -> bool:
    with place.service.database.read() as connection:
        change = changes.find(connection, repository, number)
        return change is not None and assessments.latest(connection, change.id) is not None


def _check_workflows(place: Place) -> None:
    """What DBOS keeps: in a file that survives a crash, as JSON, under ids of workers that nobody shares."""
    assert place.service.database.path is not None
    connection = sqlite3.connect(place.service.database.path.with_name("tidegate-workflows.db"))
    try:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        rows = connection.execute(_KEPT).fetchall()
    finally:
        connection.close()
    assert rows
    for executor, inputs, kind in rows:
        assert executor not in ("", "local")
        assert kind == "portable_json"
        msgspec.json.decode(inputs)


def test_what_a_dead_worker_held_is_put_back_by_one_of_those_who_notice(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    with place.service.database.write() as connection:
        workers.start(connection, "dead", "elsewhere", place.service.now())
        inbox.claim(connection, "dead", place.service.now())
    sweeper_of(place).adopt()
    assert place.delivery("d1").state == "taken"  # it was only just heard of
    sweeper_of(place, in_four_minutes(place)).adopt()
    assert place.delivery("d1").state == "new"


def test_an_adopter_that_dies_leaves_nothing_to_nobody(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    with place.service.database.write() as connection:
        workers.start(connection, "dead", "elsewhere", place.service.now())
        inbox.claim(connection, "dead", place.service.now())
    late = replace(place.way, service=replace(place.service, now=lambda: in_four_minutes(place)))
    dying = Sweeper(late, "w", place.errands, _interrupted, 10.0, 60.0)
    with pytest.raises(KeyboardInterrupt):
        dying.adopt()
    assert place.delivery("d1").state == "new"


def test_deliveries_that_nobody_adopted_are_put_back_in_the_end(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    with place.service.database.write() as connection:
        inbox.claim(connection, "nobody", place.service.now())
    sweeper_of(place).put_back_stranded()
    assert place.delivery("d1").state == "taken"
    sweeper_of(place, in_four_minutes(place)).put_back_stranded()
    assert place.delivery("d1").state == "new"


def test_decisions_are_recorded_and_said_where_the_worker_died_before(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tidegate.server.work.journey.put_entries", lambda *_: 0)
        decide(place.way, place.repository, 1)
    assert place.decisions()[0].entry is None
    late = sweeper_of(place, in_four_minutes(place))
    late.record()
    made = place.decisions()[0]
    assert made.entry == 1
    for index in (0, 1):
        entry = place.service.log.entry(index)
        assert entry is not None
        says = read_statement(verify_envelope(entry.envelope, [_key(place)]).payload).predicate
        assert says.time[:19] == made.made_at[:19]
        assert seconds_between(says.time, says.recorded) > 200, "it says itself that it was written down late"
    late.say()
    assert place.forge.check_of(place.repo.head("topic")) is not None
    with place.service.database.read() as connection:
        assert publications.unsent(connection, in_four_minutes(place)) == ()


def test_open_changes_without_a_decision_are_found(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tidegate.server.work.journey.analyse", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            decide(place.way, place.repository, 1)
    assert place.decisions() == ()
    sweeper_of(place).find_unassessed()
    assert _waiting(place) == 0  # it is in somebody's hands
    for _ in range(2):
        sweeper_of(place, later(place.service.now(), 60)).find_unassessed()
    assert _waiting(place) == 1
    place.work()
    assert len(place.decisions()) == 1


def test_what_the_forge_knows_and_we_do_not_is_found_once(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    place.forge.open_pull(SLUG, 2, place.repo.head("topic"))  # dropped on the way
    place.forge.put(SLUG, 1, {"state": "merged"})
    sent = [
        ["d1", "11", "pull_request", "2026-01-01T00:00:00Z"],
        ["lost", "12", "pull_request", later(place.service.now(), 5400)],
    ]
    place.forge.change_state("sent", sent)
    for minute in (120, 121, 122):
        sweeper_of(place, later(place.service.now(), 60 * minute)).ask_forges()
    assert {each["id"] for each in place.forge.said("again")} == {"lost"}
    assert _waiting(place) == 2
    place.work()
    assert len(place.decisions(2)) == 1
    assert place.pull(1).state == "merged"
    sweeper_of(place, later(place.service.now(), 60 * 130)).ask_forges()
    assert _waiting(place) == 0


def test_forges_are_asked_by_one_worker_at_a_time(place: Place) -> None:
    place.forge.open_pull(SLUG, 2, place.repo.head("topic"))
    now = in_four_minutes(place)
    sweeper_of(place, now).ask_forges()
    assert _waiting(place) == 2
    place.forge.open_pull(SLUG, 3, place.repo.head("topic"))
    sweeper_of(place, later(now, 30)).ask_forges()
    assert _waiting(place) == 2
    sweeper_of(place, later(now, 61)).ask_forges()
    assert _waiting(place) == 3


def test_one_forge_that_is_away_keeps_nothing_else_from_being_done(place: Place, tmp_path: Path) -> None:
    (place.forge.folder / "down").touch()
    sweeper_of(place, in_four_minutes(place)).ask_forges()
    assert _waiting(place) == 0
    (place.forge.folder / "down").unlink()
    place.forge.add("acme/second", build(tmp_path / "second", "commit Begin\n  file a.py\n    . a = 1\n"))
    sweeper_of(place, later(in_four_minutes(place), 100)).ask_forges()
    assert _waiting(place) == 1


def _key(place: Place) -> PublicKey:
    _, _, signer = read_software_key(place.service.config.data / "ledger.key")
    return PublicKey(signer.algorithm, signer.public_key)


def _interrupted(*_: object) -> int:
    raise KeyboardInterrupt


def _waiting(place: Place) -> int:
    with place.service.database.read() as connection:
        return inbox.counts(connection).get("new", 0)


def test_a_worker_of_its_own_wants_the_key_of_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    done = CliRunner().invoke(worker, [])
    assert isinstance(done.exception, InputError)
    assert "copy ledger.key" in done.exception.mend
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_worker_of_its_own_ends_in_good_order(service: Service, tmp_path: Path) -> None:
    key = tmp_path / "token"
    key.write_text("t" * 40)
    environment = {
        **os.environ,
        "TIDEGATE_HOME": str(service.config.data),
        "TIDEGATE_GITHUB_API": "http://127.0.0.1:9",
        "TIDEGATE_GITHUB_TOKEN_FILE": str(key),
        "TIDEGATE_GITHUB_WEBHOOK_SECRET": "s" * 32,
    }
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("tidegate")), "worker"], env=environment, stderr=subprocess.PIPE
    )
    try:
        until(lambda: bool(_living(service)) or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said.decode()
    assert _living(service) == ()
    assert b"t" * 40 not in said


def _living(service: Service) -> tuple[workers.Worker, ...]:
    with service.database.read() as connection:
        return workers.living(connection)
