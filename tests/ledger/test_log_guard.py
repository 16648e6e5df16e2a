"""A log never signs two histories: restored backups, rewritten tables, witnesses that remember more."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.ledger.keepers import ADA, BEN, ORIGIN, PUBLIC, Witnesses, a_log, entry
from tidegate.errors import InputError, TidegateError
from tidegate.ledger import bodies
from tidegate.ledger.checkpoint import read_checkpoint
from tidegate.ledger.log import LedgerRefusesError, Log
from tidegate.ledger.log_verify import verify_log
from tidegate.ledger.predicates.recovery import Recovery
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.statements import open_entry
from tidegate.store.engine import Database, open_database
from tidegate.store.migrate import prepare_database


class Machine:
    """A service's disk: the database, and the folder of the key; each can be put back to an earlier day."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"sqlite:///{folder}/db/tidegate.db"
        prepare_database(self.url).close()

    @property
    def key_folder(self) -> Path:
        return self._folder / "key"

    def run(self, work: Callable[[Log], object], witnesses: Witnesses | None = None, needed: int = 0) -> Database:
        database = open_database(self.url)
        with a_log(database, self.key_folder, witnesses, needed) as log:
            work(log)
        database.close()
        return database

    def back_up(self, name: str) -> None:
        for part in ("db", "key"):
            shutil.copytree(self._folder / part, self._folder / "backups" / name / part, dirs_exist_ok=True)

    def put_back(self, name: str, *parts: str) -> None:
        for part in parts:
            shutil.rmtree(self._folder / part)
            shutil.copytree(self._folder / "backups" / name / part, self._folder / part)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def appends(*names: object) -> Callable[[Log], object]:
    return lambda log: [log.append(entry(name)) for name in names]


def refused(log: Log) -> None:
    with pytest.raises(LedgerRefusesError, match="refuses to sign") as caught:
        log.append(entry("after"))
    assert list(caught.value.refusal.lost) == [3, 4]
    assert "lost are the entries 3 to 4" in str(caught.value)
    assert log.size() == 3


def test_a_database_put_back_is_noticed_and_goes_on_after_two_people_said_so(machine: Machine) -> None:
    machine.run(appends("a", "b", "c"))
    machine.back_up("old")
    machine.run(appends("d", "e"))
    machine.put_back("old", "db")
    machine.run(refused)
    machine.run(refused)

    def recovers(log: Log) -> None:
        for first, second in ((ADA, ADA), (ADA, "ben"), ("", "")):
            with pytest.raises(TidegateError):
                log.recover(first, second, "the disk died")
        recovered = log.recover(ADA, BEN, "the disk died")
        assert (recovered.index, recovered.origin, list(recovered.lost)) == (3, f"{ORIGIN}/epoch/2", [3, 4])
        kept = log.entry(3)
        assert kept is not None
        said = open_entry(kept.envelope, [PUBLIC])[0].predicate
        assert isinstance(said, Recovery)
        assert (said.known_size, said.restored_size, said.people) == (5, 3, (ADA, BEN))
        assert read_checkpoint(log.checkpoint()).origin == f"{ORIGIN}/epoch/2"
        with pytest.raises(InputError, match="nothing to recover"):
            log.recover(ADA, BEN, "again")
        assert log.append(entry("after")) == 4

    machine.run(recovers)
    machine.run(appends("later"))
    database = open_database(machine.url)
    report = verify_log(database, [PUBLIC], Quorum())
    assert (report.findings, report.size) == ((), 6)
    with database.read() as connection:
        reason = connection.execute(text("SELECT reason FROM epochs WHERE number = 2")).scalar_one()
        body = bodies.read(connection, reason)
    assert body is not None
    assert (body.owner, body.data) == (ADA, b"the disk died")
    database.close()


def test_a_database_put_back_under_a_running_log_is_noticed(machine: Machine, tmp_path: Path) -> None:
    database = prepare_database(machine.url)
    with a_log(database, machine.key_folder) as log:
        log.append(entry("a"))
        with database.write() as connection:
            frontier = connection.execute(text("SELECT frontier FROM heads")).scalar_one()
            tile = connection.execute(text("SELECT hashes FROM tiles")).scalar_one()
        log.append(entry("b"))
        with database.write() as connection:
            for statement in (
                "UPDATE heads SET size = 1, frontier = :frontier",
                "UPDATE tiles SET hashes = :tile",
                'DELETE FROM entries WHERE "index" = 1',
                "DELETE FROM checkpoints WHERE size = 2",
            ):
                used = {"frontier": frontier, "tile": tile}
                connection.execute(text(statement), {name: used[name] for name in used if f":{name}" in statement})
        with pytest.raises(LedgerRefusesError, match="2 entries were signed, and the database holds 1"):
            log.append(entry("c"))
        assert str(log.refusal()).endswith("lost are the entries 1 to 1")
    database.close()


def test_another_history_of_the_same_length_is_noticed(machine: Machine) -> None:
    machine.run(appends("a"))
    machine.back_up("old")
    machine.run(appends("b", "c"))
    machine.back_up("one")
    machine.put_back("old", "db", "key")
    machine.run(appends("x", "y", "z"))
    machine.put_back("one", "key")

    def refused_as_another(log: Log) -> None:
        with pytest.raises(LedgerRefusesError, match="another history than was signed"):
            log.append(entry("after"))
        assert log.recover(ADA, BEN, "two machines ran").index == 4

    machine.run(refused_as_another)


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"ledger.test/acme\n1\n"])
def test_a_damaged_checkpoint_beside_the_key_is_no_reason_to_trust_the_database(
    machine: Machine, damage: bytes
) -> None:
    machine.run(appends("a"))
    (machine.key_folder / "log.checkpoint").write_bytes(damage)

    def refuses(log: Log) -> None:
        with pytest.raises(LedgerRefusesError, match="tampered with"):
            log.append(entry("b"))

    machine.run(refuses)


def test_a_forged_checkpoint_beside_the_key_is_refused(machine: Machine) -> None:
    machine.run(appends("a", "b"))
    path = machine.key_folder / "log.checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n2\n", b"\n1\n"))

    def refuses(log: Log) -> None:
        with pytest.raises(LedgerRefusesError, match="tampered with"):
            log.append(entry("c"))

    machine.run(refuses)


def test_a_missing_checkpoint_refuses_unless_witnesses_know_the_log(machine: Machine, tmp_path: Path) -> None:
    watching = Witnesses(tmp_path / "w", 2)
    machine.run(lambda log: (log.append(entry("a")), log.wait_witnessed(0, 20)), watching, 2)
    (machine.key_folder / "log.checkpoint").unlink()

    def refuses(log: Log) -> None:
        with pytest.raises(LedgerRefusesError, match="not where it is kept"):
            log.append(entry("b"))

    machine.run(refuses)
    machine.run(appends("b"), watching, 2)
    assert read_checkpoint((machine.key_folder / "log.checkpoint").read_bytes()).size == 2


def test_a_checkpoint_that_is_behind_is_no_alarm(machine: Machine) -> None:
    """A crash between the commit and the file leaves the file behind."""
    machine.run(appends("a"))
    machine.back_up("old")
    machine.run(appends("b", "c"))
    machine.put_back("old", "key")
    machine.run(appends("d"))
    assert read_checkpoint((machine.key_folder / "log.checkpoint").read_bytes()).size == 4


def test_a_whole_machine_put_back_is_known_to_the_witnesses_alone(machine: Machine, tmp_path: Path) -> None:
    watching = Witnesses(tmp_path / "w", 2)
    machine.run(lambda log: (appends("a", "b", "c")(log), log.wait_witnessed(2, 20)), watching, 1)
    machine.back_up("old")
    machine.run(lambda log: (appends("d", "e")(log), log.wait_witnessed(4, 20)), watching, 2)
    machine.put_back("old", "db", "key")

    def refuses_and_recovers(log: Log) -> None:
        refused(log)
        assert not log.wait_witnessed(3, 0.01)
        assert log.recover(ADA, BEN, "the machine was put back").index == 3
        assert log.append(entry("after")) == 4
        assert log.wait_witnessed(4, 20)

    machine.run(refuses_and_recovers, watching, 2)


def test_nothing_is_signed_at_the_start_before_witnesses_confirm(machine: Machine, tmp_path: Path) -> None:
    watching = Witnesses(tmp_path / "w", 2)
    machine.run(lambda log: (log.append(entry("a")), log.wait_witnessed(0, 20)), watching, 2)
    watching.away = {"witness-1"}

    def waits(log: Log) -> None:
        with pytest.raises(InputError, match="too few witnesses confirm"):
            log.append(entry("b"))
        watching.away = set()
        assert log.append(entry("b")) == 1

    machine.run(waits, watching, 2)


def test_an_epoch_that_nobody_signed_is_not_taken(machine: Machine) -> None:
    """Whoever writes the database cannot end an epoch: that takes an entry of the log's key."""
    machine.run(appends("a"))
    machine.back_up("old")
    machine.run(appends("b"))
    machine.put_back("old", "db")
    database = open_database(machine.url)
    with database.write() as connection:
        connection.execute(
            text("INSERT INTO epochs VALUES (2, :origin, 0, '', '', '')"), {"origin": f"{ORIGIN}/epoch/2"}
        )
        connection.execute(text("UPDATE heads SET epoch = 2"))
    database.close()

    def refuses(log: Log) -> None:
        with pytest.raises(TidegateError):
            log.append(entry("c"))
        assert log.size() == 1

    machine.run(refuses)
    database = open_database(machine.url)
    assert "epoch 2" in " ".join(finding.place for finding in verify_log(database, [PUBLIC], Quorum()).findings)
    database.close()
