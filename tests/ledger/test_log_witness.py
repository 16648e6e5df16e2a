"""Witnesses: an entry counts as witnessed when a quorum cosigned a checkpoint over it, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.ledger.keepers import KEY, ORIGIN, PUBLIC, Witnesses, a_log, entry
from tidegate.errors import InputError
from tidegate.ledger.checkpoint import open_checkpoint
from tidegate.ledger.log import LogSettings, open_log
from tidegate.ledger.log_verify import verify_log
from tidegate.ledger.receipt import verify_receipt
from tidegate.store.engine import Database


def test_an_entry_is_witnessed_by_a_quorum_and_its_receipt_says_so(database: Database, tmp_path: Path) -> None:
    watching = Witnesses(tmp_path / "w", 3)
    with a_log(database, tmp_path / "k", watching, 2) as log:
        for number in range(4):
            log.append(entry(number))
        assert log.wait_witnessed(3, 20)
        assert log.witnessed_size() == 4
        receipt = log.receipt(2)
        verified = verify_receipt(receipt, entry(2).envelope, ORIGIN, [log.public_key()], watching.quorum(2))
        assert len(verified.witnesses) >= 2
        kept = open_checkpoint(log.checkpoint(), ORIGIN, [log.public_key()], watching.quorum(2).witnesses)
        assert kept.checkpoint.size == 4
        exposure = log.exposure()
        assert exposure.unwitnessed == 0
        assert exposure.measured >= 1
        assert 0 < exposure.p50 <= exposure.p99 < 20
    report = verify_log(database, [PUBLIC], watching.quorum(2))
    assert (report.findings, report.witnessed) == ((), 4)
    assert "That is all of them" in report.exposure


def test_too_few_witnesses_are_none(database: Database, tmp_path: Path) -> None:
    watching = Witnesses(tmp_path / "w", 2)
    watching.away = {"witness-1"}
    with a_log(database, tmp_path / "k", watching, 2) as log:
        log.append(entry("a"))
        assert not log.wait_witnessed(0, 0.3)
        assert log.witnessed_size() == 0
        assert log.exposure().unwitnessed == 1
        assert log.exposure().oldest > 0
        watching.away = set()
        assert log.wait_witnessed(0, 20)


def test_without_witnesses_there_is_nothing_to_wait_for_and_the_report_says_what_that_means(
    database: Database, tmp_path: Path
) -> None:
    with a_log(database, tmp_path / "k") as log:
        log.append(entry("a"))
        assert log.wait_witnessed(0, 0)
    report = verify_log(database, [PUBLIC], Witnesses(tmp_path / "w", 1).quorum(1))
    assert report.whole
    assert "Nobody outside has seen this log" in report.exposure


def test_a_cosignature_that_no_witness_made_does_not_count(database: Database, tmp_path: Path) -> None:
    watching = Witnesses(tmp_path / "w", 1)
    with a_log(database, tmp_path / "k", watching, 1) as log:
        log.append(entry("a"))
        assert log.wait_witnessed(0, 20)
        watching.away = {"witness-0"}
        log.append(entry("b"))
        with database.write() as connection:
            connection.execute(
                text("INSERT INTO cosignatures SELECT 2, witness, line, at FROM cosignatures WHERE size = 1")
            )
        assert not log.wait_witnessed(1, 0.2)
    report = verify_log(database, [PUBLIC], watching.quorum(1))
    assert [str(finding) for finding in report.findings] == [
        "checkpoint 2, witness witness-0.test: did not cosign this"
    ]
    assert report.witnessed == 1


def test_a_quorum_that_can_never_be_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 witnesses cannot give 1"):
        open_log(database, KEY, LogSettings(ORIGIN, tmp_path / "c", needed=1))


def test_a_log_that_another_key_signs_is_not_cosigned(database: Database, tmp_path: Path) -> None:
    from tidegate.ledger.keys import SoftwareKey

    watching = Witnesses(tmp_path / "w", 1)
    with a_log(database, tmp_path / "k", watching, 1, key=SoftwareKey("ed25519", b"X" * 32)) as log:
        log.append(entry("a"))
        assert not log.wait_witnessed(0, 0.3)
