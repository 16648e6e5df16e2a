"""Killed writers and cut power, a few times; the benches do the same at full size."""

from __future__ import annotations

import random
from pathlib import Path

from bench.ledger.crash import crash
from bench.ledger.places import ORIGIN
from bench.ledger.power import power

from tidegate.ledger.log import LogSettings
from tidegate.store.migrate import prepare_database


def test_killed_writers_lose_nothing_that_was_acknowledged(database_url: str, tmp_path: Path) -> None:
    prepare_database(database_url).close()
    outcome = crash(database_url, LogSettings(ORIGIN, tmp_path / "log.checkpoint"), 3, random.Random(7))
    assert outcome.clean, outcome
    assert outcome.kills == 6
    assert outcome.acknowledged > 0


def test_cut_power_loses_nothing_that_was_acknowledged() -> None:
    outcome = power(12, seed=7)
    assert outcome.clean, outcome
    assert (outcome.kills, outcome.acknowledged > 0) == (12, True)


def test_the_disk_of_these_tests_does_forget() -> None:
    """With synchronous=NORMAL a commit is not synced, and the same cuts lose acknowledged entries."""
    assert power(12, seed=7, synchronous="normal").lost > 0
