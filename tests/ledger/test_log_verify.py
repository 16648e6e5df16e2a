"""Whatever an insider does to the tables is a finding with its place, and never an exception."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.ledger.keepers import KEY, PUBLIC, Witnesses, a_log, entry
from tests.store.world import at
from tidegate.ledger.fields import Subject
from tidegate.ledger.keys import PublicKey, new_key
from tidegate.ledger.log import NewEntry
from tidegate.ledger.log_verify import Depth, verify_log
from tidegate.ledger.predicates.sample_seed import TYPE, SampleSeed
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.statements import Statement, sign_statement
from tidegate.store.clock import now
from tidegate.store.engine import Database, open_database
from tidegate.store.migrate import prepare_database

SIZE = 300


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    with a_log(database, tmp_path / "k") as log:
        for batch in range(0, SIZE, 150):
            for future in [log.submit(entry(number)) for number in range(batch, batch + 150)]:
                future.result()
    return database


TAMPERINGS = {
    'UPDATE entries SET envelope = :blob WHERE "index" = 7': ("entry 7", "is not the one that was signed"),
    'UPDATE entries SET leaf = :blob WHERE "index" = 7': ("entry 7", "its leaf hash was changed"),
    'DELETE FROM entries WHERE "index" = 299': ("entry 299", "is missing or cannot be read"),
    'UPDATE entries SET "index" = 1000 WHERE "index" = 9': ("entry 1000", "is beyond the end of the log"),
    'UPDATE tiles SET hashes = :blob WHERE level = 0 AND "index" = 1': ("tile/0/1", "has a wrong length"),
    'DELETE FROM tiles WHERE level = 0 AND "index" = 0': ("tile/0/0", "is missing"),
    "DELETE FROM tiles WHERE level = 1": ("tile/1/000.p/1", "is missing"),
    "UPDATE tiles SET hashes = :blob WHERE level = 1": ("tile/1/000.p/1", "is not what follows from the leaves"),
    "INSERT INTO tiles VALUES (0, 7, :blob)": ("tile/0 7", "is beyond the end of the log"),
    "UPDATE heads SET frontier = :blob": ("heads", "its frontier is not that of the tiles"),
    "UPDATE heads SET size = 299": ("tile/0/1", "has a wrong length"),
    "UPDATE heads SET origin = 'another'": ("epoch 1", "is none of this log"),
    "DELETE FROM heads": ("heads", "0 rows instead of one"),
    "DELETE FROM checkpoints WHERE size = 300": ("checkpoints", "the last is of "),
    "UPDATE checkpoints SET note = 'x' WHERE size = 300": ("checkpoint 300", "was not signed by the log"),
    "UPDATE checkpoints SET size = 299 WHERE size = 300": ("checkpoint 299", "is not of these entries"),
    "DELETE FROM epochs": ("epochs", "do not follow one another"),
    "INSERT INTO epochs VALUES (2, 'x', 5, '', '', '')": ("epoch 2", "is none of this log"),
}


@pytest.mark.parametrize("statement", TAMPERINGS)
def test_each_tampering_is_found_in_its_place(filled: Database, statement: str) -> None:
    place, what = TAMPERINGS[statement]
    with filled.write() as connection:
        assert connection.execute(text(statement), {"blob": b"\1" * 32} if ":blob" in statement else {}).rowcount > 0
    report = verify_log(filled, [PUBLIC], Quorum())
    assert not report.whole
    assert any(found.place == place and found.what.startswith(what) for found in report.findings), report.findings


def test_an_untouched_log_is_whole_at_any_depth_and_under_its_own_key_alone(filled: Database) -> None:
    depths: tuple[Depth, ...] = ("tiles", "entries")
    for depth in depths:
        report = verify_log(filled, [PUBLIC], Quorum(), depth=depth)
        assert (report.findings, report.size, report.whole) == ((), SIZE, True)
        assert report.checkpoints >= 2
    other = new_key()
    assert not verify_log(filled, [PublicKey(other.algorithm, other.public_key)], Quorum()).whole
    assert not verify_log(filled, [], Quorum()).whole


def test_who_signs_everything_anew_is_found_by_what_others_remember_alone(filled: Database, tmp_path: Path) -> None:
    """The key was stolen: the log is made again, with one entry changed, and everything in it agrees."""
    with a_log(filled, tmp_path / "k") as log:
        remembered = log.checkpoint()
    with filled.write() as connection:
        for table in ("entries", "tiles", "checkpoints", "cosignatures", "epochs", "heads"):
            connection.execute(text(f"DELETE FROM {table}"))
    with a_log(filled, tmp_path / "thief") as log:
        futures = [log.submit(entry(number, body=b"forged" if number == 7 else b"")) for number in range(SIZE)]
        assert [future.result() for future in futures] == list(range(SIZE))
    assert verify_log(filled, [PUBLIC], Quorum()).whole
    report = verify_log(filled, [PUBLIC], Quorum(), seen=[remembered])
    assert [found.what for found in report.findings] == ["are not those of a checkpoint from elsewhere"]


def test_what_others_remember_is_held_against_the_log(filled: Database, tmp_path: Path) -> None:
    with a_log(filled, tmp_path / "k") as log:
        earlier = log.checkpoint()
        log.append(entry("more"))
        later = log.checkpoint()
    assert verify_log(filled, [PUBLIC], Quorum(), seen=[earlier, later]).whole
    forged = later.replace(b"\n301\n", b"\n300\n")
    assert not verify_log(filled, [PUBLIC], Quorum(), seen=[forged]).whole
    assert not verify_log(filled, [PUBLIC], Quorum(), seen=[b"", b"\xff"]).whole


def test_statements_are_held_against_the_keys_that_may_make_them(database: Database, tmp_path: Path) -> None:
    seed = SampleSeed(audit="2026", seed="0" * 64, begin=at(0), end="2099-01-01T00:00:00Z", at=now())
    envelope = sign_statement(Statement((Subject(digest={"sha256": "1" * 64}),), seed), [KEY])
    with a_log(database, tmp_path / "k") as log:
        log.append(NewEntry("a", TYPE, "subject", envelope))
        assert verify_log(database, [PUBLIC], Quorum(), entry_keys=[PUBLIC]).whole
        log.append(NewEntry("b", "urn:another:kind", "subject", envelope))
        log.append(entry("no statement"))
    findings = [str(found) for found in verify_log(database, [PUBLIC], Quorum(), entry_keys=[PUBLIC]).findings]
    assert findings[0] == "entry 1: is looked up as another kind of statement"
    assert findings[1].startswith("entry 2: is no statement of a trusted key")
    other = new_key()
    stranger = PublicKey(other.algorithm, other.public_key)
    assert len(verify_log(database, [PUBLIC], Quorum(), entry_keys=[stranger]).findings) == 3


def test_a_truncated_log_is_found_by_a_longer_memory(database: Database, tmp_path: Path) -> None:
    watching = Witnesses(tmp_path / "w", 1)
    with a_log(database, tmp_path / "k", watching, 1) as log:
        log.append(entry("a"))
        log.append(entry("b"))
        log.wait_witnessed(1, 20)
        remembered = log.checkpoint()
    with database.write() as connection:
        for table in ("entries", "tiles", "cosignatures", "checkpoints", "epochs", "heads"):
            connection.execute(text(f"DELETE FROM {table}"))
    with a_log(database, tmp_path / "thief") as log:
        log.append(entry("a"))
    report = verify_log(database, [PUBLIC], watching.quorum(1), seen=[remembered])
    assert [found.what for found in report.findings] == ["tells of 2 entries, and the log has 1"]


def test_no_table_at_all_is_a_finding(filled: Database) -> None:
    with filled.write() as connection:
        connection.execute(text("ALTER TABLE entries RENAME TO hidden"))
    try:
        assert not verify_log(filled, [PUBLIC], Quorum()).whole
    finally:
        with filled.write() as connection:
            connection.execute(text("ALTER TABLE hidden RENAME TO entries"))


@pytest.fixture(scope="module")
def bytes_of_a_log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("bytes")
    database = prepare_database(f"sqlite:///{folder}/tidegate.db")
    with a_log(database, folder / "k") as log:
        for future in [log.submit(entry(number)) for number in range(60)]:
            future.result()
    database.close()
    with sqlite3.connect(folder / "tidegate.db") as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    return (folder / "tidegate.db").read_bytes()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_whatever_bytes_of_the_file_are_turned_it_says_so_and_raises_nothing(
    bytes_of_a_log: bytes, tmp_path: Path, places: list[tuple[float, int]]
) -> None:
    """A turned byte may stand where nothing is kept of the log; what is read of it then is what was written."""
    turned = bytearray(bytes_of_a_log)
    for place, with_ in places:
        turned[100 + int(place * (len(turned) - 101))] ^= with_
    path = tmp_path / "turned.db"
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(turned)
    try:
        database = open_database(f"sqlite:///{path}", any_version=True)
    except Exception:  # noqa: BLE001  what cannot be opened is no log to verify
        return
    report = verify_log(database, [PUBLIC], Quorum())
    if report.whole:
        with database.read() as connection:
            kept = connection.execute(text('SELECT envelope FROM entries ORDER BY "index"')).scalars().all()
        assert kept == [entry(number).envelope for number in range(60)]
    database.close()
