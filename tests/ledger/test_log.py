"""The log: what is acknowledged is there, once, proved, and the same for all who append."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.ledger.keepers import KEY, ORIGIN, PUBLIC, Witnesses, a_log, entry
from tidegate.errors import InputError, InternalError
from tidegate.ledger.checkpoint import open_checkpoint, read_checkpoint
from tidegate.ledger.log import LogSettings, NewEntry, open_log
from tidegate.ledger.log_verify import verify_log
from tidegate.ledger.merkle import ProofError, leaf_hash, root_of, verify_consistency, verify_inclusion
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.receipt import verify_receipt
from tidegate.ledger.tiles import MAX_ENTRY_BYTES
from tidegate.store.engine import Database, open_database
from tidegate.store.migrate import prepare_database
from tidegate.store.types import ValueNotKeptError

ROOT = Path(__file__).resolve().parents[2]


def test_what_was_appended_is_there_and_signed(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log:
        assert [log.append(entry(number)) for number in range(5)] == [0, 1, 2, 3, 4]
        checkpoint = open_checkpoint(log.checkpoint(), ORIGIN, [log.public_key()]).checkpoint
        leaves = [leaf_hash(entry(number).envelope) for number in range(5)]
        assert (checkpoint.size, checkpoint.root) == (5, root_of(leaves))
        kept = log.entry(3)
        assert kept is not None
        assert (kept.envelope, kept.key, kept.leaf) == (entry(3).envelope, "key:3", leaves[3])
        assert log.find("key:3") == kept
        assert log.entry(5) is None
        assert log.find("key:9") is None
        assert [each.index for each in log.entries(predicate="urn:test:predicate", after=2)] == [3, 4]
        assert [each.index for each in log.entries(subject="subject:1")] == [1]


def test_the_same_key_again_is_the_same_entry(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log:
        assert log.append(entry("a")) == 0
        assert log.append(entry("a", body=b"another envelope")) == 0
        together = [log.submit(entry(name)) for name in "bcbabcd"]
        assert [future.result() for future in together] == [1, 2, 1, 0, 1, 2, 3]
        assert log.size() == 4
    with a_log(database, tmp_path / "k") as again:
        assert again.append(entry("c")) == 2
        assert again.append(entry("e")) == 4
    assert verify_log(database, [PUBLIC], Quorum()).whole


def test_what_does_not_fit_is_refused_and_harms_nobody_beside_it(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log:
        for body in (b"", b"x" * (MAX_ENTRY_BYTES + 1)):
            with pytest.raises(InputError, match="1 to 65535 bytes"):
                log.submit(NewEntry("k", "p", "s", body))
        with pytest.raises(ValueNotKeptError):
            log.submit(NewEntry("k\0", "p", "s", b"x"))
        assert log.append(entry("big", body=b"x" * MAX_ENTRY_BYTES)) == 0
        with pytest.raises(InputError, match="has 1 entries, and not 2"):
            log.inclusion(0, 2)
        for index, size in ((1, None), (-1, None), (0, 0)):
            with pytest.raises(ProofError):
                log.inclusion(index, size)
    with pytest.raises(InputError, match="is closed"):
        log.append(entry("late"))


def test_an_empty_log_says_so(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log:
        assert log.size() == 0
        assert log.refusal() is None
        with pytest.raises(InputError, match="is empty"):
            log.checkpoint()
        with pytest.raises(InputError, match="is empty"):
            log.receipt(0)
    report = verify_log(database, [PUBLIC], Quorum())
    assert (report.whole, report.size) == (True, 0)


def test_a_database_keeps_one_log(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k"), pytest.raises(InputError, match=r"holds the ledger of ledger\.test/acme"):
        open_log(database, KEY, LogSettings("another.test/log", tmp_path / "other.checkpoint"))


def test_every_entry_is_proved_at_every_later_size(database: Database, tmp_path: Path) -> None:
    count, sizes = 300, (1, 2, 3, 255, 256, 257, 300)
    leaves = [leaf_hash(entry(number).envelope) for number in range(count)]
    with a_log(database, tmp_path / "k") as log:
        for future in [log.submit(entry(number)) for number in range(count)]:
            future.result()
        for size in sizes:
            root = root_of(leaves[:size])
            for index in {0, size // 2, size - 1}:
                verify_inclusion(index, size, leaves[index], log.inclusion(index, size), root)
            verify_consistency(size, count, root, root_of(leaves), log.consistency(size))
        assert log.hash_at(8, 0) == root_of(leaves[:256])
        assert log.hash_at(0, 299) == leaves[299]
        receipt = log.receipt(7)
        verified = verify_receipt(receipt, entry(7).envelope, ORIGIN, [log.public_key()], Quorum())
        assert verified.index == 7


def test_the_batches_do_not_show_in_the_tree(database: Database, tmp_path: Path) -> None:
    """However entries are grouped, crossing tiles or not, the tiles are those of the leaves."""
    with a_log(database, tmp_path / "k") as log:
        number = 0
        for batch in (1, 254, 1, 1, 600, 167):
            futures = [log.submit(entry(number + each)) for each in range(batch)]
            number += batch
            assert [future.result() for future in futures] == list(range(number - batch, number))
            root = root_of(leaf_hash(entry(each).envelope) for each in range(number))
            assert read_checkpoint(log.checkpoint()).root == root
    report = verify_log(database, [PUBLIC], Quorum())
    assert report.findings == ()
    assert report.size == 1024


def test_many_threads_get_an_index_each_without_gaps(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log, ThreadPoolExecutor(16) as pool:
        indexes = list(pool.map(lambda number: log.append(entry(number)), range(200)))
        assert sorted(indexes) == list(range(200))
        for number in (0, 77, 199):
            kept = log.entry(indexes[number])
            assert kept is not None
            assert kept.key == f"key:{number}"


def test_several_processes_append_to_one_log(database_url: str, tmp_path: Path) -> None:
    database = prepare_database(database_url)
    with a_log(database, tmp_path / "k"):
        pass
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        answers = pool.starmap(_append_some, [(database_url, tmp_path / "k", number) for number in range(2)])
    indexes = sorted(index for answer in answers for index in answer)
    assert indexes == list(range(40))
    with a_log(database, tmp_path / "k") as log:
        assert log.append(entry("after")) == 40
    report = verify_log(database, [PUBLIC], Quorum())
    assert report.findings == ()
    database.close()


def _append_some(url: str, folder: Path, process: int) -> list[int]:
    database = open_database(url)
    with a_log(database, folder) as log, ThreadPoolExecutor(4) as pool:
        indexes = list(pool.map(lambda number: log.append(entry(f"{process}-{number}")), range(20)))
    database.close()
    return indexes


def test_a_failure_is_told_to_all_who_wait_and_the_log_goes_on(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log:
        log.append(entry("before"))
        with database.write() as connection:
            connection.execute(text("ALTER TABLE entries RENAME TO hidden"))
        for future in [log.submit(entry(name)) for name in "ab"]:
            with pytest.raises(InternalError, match="could not be written"):
                future.result()
        with database.write() as connection:
            connection.execute(text("ALTER TABLE hidden RENAME TO entries"))
        assert log.append(entry("a")) == 1
    assert verify_log(database, [PUBLIC], Quorum()).whole


def test_nothing_is_signed_over_tiles_that_were_changed(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log:
        for number in range(3):
            log.append(entry(number))
        with database.write() as connection:
            wrong = b"\0" * 96
            connection.execute(text("UPDATE tiles SET hashes = :wrong WHERE level = 0"), {"wrong": wrong})
        with pytest.raises(InternalError, match="do not agree"):
            log.append(entry("after"))


def test_an_exported_log_is_verified_by_the_standalone_verifier(tmp_path: Path) -> None:
    database = prepare_database(f"sqlite:///{tmp_path}/tidegate.db")
    watching = Witnesses(tmp_path / "w", 2)
    with a_log(database, tmp_path / "k", watching, 2) as log:
        for future in [log.submit(entry(number)) for number in range(600)]:
            future.result()
        assert log.wait_witnessed(599, 20)
        assert log.export(tmp_path / "out") == 600
        with pytest.raises(InputError, match="not empty"):
            log.export(tmp_path / "out")
        keys = [log.public_key().vkey, *(key.vkey for key in watching.quorum(2).witnesses)]
    files = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert files == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    tool = str(ROOT / "tools" / "verify_ledger.py")
    trusted = ["--log-key", keys[0], *(part for key in keys[1:] for part in ("--witness-key", key))]
    command = [sys.executable, tool, str(tmp_path / "out"), *trusted]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    bundle = tmp_path / "out" / "tile" / "entries" / "001"
    bundle.write_bytes(bundle.read_bytes().replace(b"envelope of 300", b"envelope of 3OO"))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    database.close()


def test_a_wait_and_an_end_do_not_lock_each_other(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log:
        futures = [log.submit(entry(number)) for number in range(20)]
        ender = threading.Thread(target=log.close)
        ender.start()
        ender.join(20)
        assert not ender.is_alive()
        assert [future.result(1) for future in futures] == list(range(20))
