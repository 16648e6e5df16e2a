"""What an audit finds and what it says that it cannot find, and a small run of the bench of attacks."""

from __future__ import annotations

import random
from pathlib import Path

from bench.ledger.attacks import append_honestly, attack

from tests.ledger.logs import MemoryLog
from tidegate.ledger.audit import ClockLimits, Finding, Sighting, audit_clock, audit_tree, describe_exposure
from tidegate.ledger.merkle import EMPTY_ROOT


def log_of(size: int) -> MemoryLog:
    log = MemoryLog()
    log.append(*(b"entry %d" % number for number in range(size)))
    return log


def kinds(findings: list[Finding]) -> list[tuple[str, int, int]]:
    return [(finding.kind, finding.begin, finding.end) for finding in findings]


def sightings(log: MemoryLog, *sizes: int) -> list[Sighting]:
    return [Sighting(1000 + size, size, log.root(size)) for size in sizes]


def test_every_attack_on_witnessed_entries_is_found_and_no_honest_work_is_accused(tmp_path: Path) -> None:
    tallies, alone = attack(120, random.Random(1), tmp_path / "attacks")
    for name, tally in tallies.items():
        assert tally.missed == [], name
        assert tally.found == tally.made - tally.exposed
        assert tally.made == 10
    # Without a witness only the careless are found.
    assert alone == tallies["careless"].made
    assert append_honestly(1000, random.Random(2), tmp_path / "honest") == 0


def test_an_audit_says_where_two_stories_part() -> None:
    log = log_of(100)
    seen = sightings(log, 0, 10, 40, 80, 100)
    assert audit_tree(log.leaves, log.checkpoint(), seen) == []
    forked = log.copy(60)
    forked.append(*(b"other" for _ in range(40)))
    assert kinds(audit_tree(forked.leaves, forked.checkpoint(), seen)) == [("rewritten", 40, 80)]
    shorter = log.copy(50)
    assert kinds(audit_tree(shorter.leaves, shorter.checkpoint(), seen)) == [("shorter", 50, 100)]
    assert kinds(audit_tree(log.leaves[:50], log.checkpoint(), [])) == [("checkpoint", 0, 100)]
    assert kinds(audit_tree([], log.checkpoint(), [])) == [("checkpoint", 0, 100)]


def test_two_witnesses_that_were_shown_different_logs_cannot_both_be_right() -> None:
    log, other = log_of(9), MemoryLog()
    other.append(*(b"other %d" % number for number in range(9)))
    seen = [*sightings(log, 9), *sightings(other, 9)]
    for shown in (log, other):
        assert [finding.kind for finding in audit_tree(shown.leaves, shown.checkpoint(), seen)] == ["rewritten"]
    wrong = [Sighting(1, 0, b"x" * 32)]
    assert kinds(audit_tree(log.leaves, log.checkpoint(), wrong)) == [("rewritten", 0, 0)]
    assert audit_tree(log.leaves, log.checkpoint(), [Sighting(1, 0, EMPTY_ROOT)]) == []


def test_a_long_log_is_compared_in_pieces() -> None:
    log = log_of(9000)
    seen = sightings(log, 1, 4095, 4096, 4097, 8192, 8999)
    assert audit_tree(iter(log.leaves), log.checkpoint(), seen) == []
    leaves = list(log.leaves)
    leaves[4096] = EMPTY_ROOT
    assert kinds(audit_tree(leaves, log.checkpoint(), seen)) == [("rewritten", 4096, 4097), ("checkpoint", 0, 9000)]


def test_a_clock_is_held_between_the_sightings_around() -> None:
    log = log_of(30)
    seen = [Sighting(10_000, 10, log.root(10)), Sighting(20_000, 20, log.root(20))]
    limits = ClockLimits(ahead=300, behind=3600)
    for index, stated, accused in [
        (0, 0, False),
        (9, 10_300, False),
        (9, 10_301, True),
        (10, 6_400, False),
        (10, 6_399, True),
        (19, 20_300, False),
        (19, 20_301, True),
        (20, 16_399, True),
        (20, 16_400, False),
        (29, 10**12 // 1000, False),
    ]:
        assert bool(audit_clock([(index, stated)], seen, limits)) is accused, (index, stated)
    assert audit_clock([(5, 12_000)], []) == []
    assert limits.allow(96_400, 100_000)
    assert limits.allow(100_300, 100_000)
    assert not limits.allow(96_399, 100_000)
    assert not limits.allow(100_301, 100_000)


def test_exposure_is_said_plainly() -> None:
    log = log_of(10)
    assert describe_exposure(0, []) == "The log is empty."
    alone = describe_exposure(10, [])
    assert alone.startswith(
        "Nobody outside has seen this log. Whoever holds its database and its key could have changed"
    )
    assert "any of its 10 entries" in alone
    assert describe_exposure(10, sightings(log, 4, 7)) == (
        "The first 7 entries were seen at 1970-01-01T00:16:47Z by somebody outside: a change to them is found. Whoever "
        "holds the database and the log's key could still change, remove or reorder the last 3, which nobody has seen."
    )
    assert describe_exposure(10, sightings(log, 10)).endswith("a change to them is found. That is all of them.")
    assert describe_exposure(10, [Sighting(1, 11, EMPTY_ROOT)]) == alone
