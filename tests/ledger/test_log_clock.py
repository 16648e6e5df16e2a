"""A log takes no time that an audit would not believe, and an audit believes every time that a log took."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.ledger.examples import PREDICATES, SUBJECT
from tests.ledger.keepers import KEY, ORIGIN, PUBLIC
from tidegate.ledger.audit import ClockLimits, Sighting
from tidegate.ledger.evidence.check_database import check_database
from tidegate.ledger.evidence.record import read_record
from tidegate.ledger.fields import Predicate, StatementError, format_time, parse_time
from tidegate.ledger.keys import KeyKind, NoteKey
from tidegate.ledger.log import Log, LogSettings, NewEntry, open_log
from tidegate.ledger.merkle import EMPTY_ROOT
from tidegate.ledger.predicates.approval import Approval, approval_text
from tidegate.ledger.predicates.assessment import TYPE, Assessment
from tidegate.ledger.predicates.deployment import Deployment
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.statements import Statement, encode_statement, read_statement, sign_statement
from tidegate.store.engine import Database

NOW = 1_800_000_000
HOUR = 3600


class Kept:
    """A log whose clock is moved by hand."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.time = NOW
        self.settings = LogSettings(ORIGIN, folder / "outside", now=lambda: f"{format_time(self.time)[:-1]}.000000Z")
        self.log: Log = open_log(database, KEY, self.settings)

    def append(self, key: str, at: int, *, recorded: int | None = None) -> int:
        return self.log.append(NewEntry(key, TYPE, "s", envelope(assessment(at, recorded))))

    def findings(self) -> tuple[str, ...]:
        """What an audit finds with a witness who looked before the first entry and after the last."""
        size = self.log.size()
        root = self.log.checkpoint().split(b"\n")[2]
        seen = [Sighting(NOW, 0, EMPTY_ROOT), Sighting(self.time, size, base64.b64decode(root))]
        key = NoteKey(ORIGIN, KeyKind.LOG, PUBLIC)
        return check_database(self.database, key, Quorum(), ((), seen), [PUBLIC]).findings


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Kept:
    return Kept(database, tmp_path)


def assessment(at: int, recorded: int | None = None) -> Assessment:
    found = next(each for each in PREDICATES if isinstance(each, Assessment))
    return replace(found, at=format_time(at), recorded="" if recorded is None else format_time(recorded))


def envelope(says: Predicate) -> bytes:
    return sign_statement(Statement((SUBJECT,), says), [KEY])


@pytest.mark.parametrize("off", [-HOUR - 1, -30 * HOUR, 301, 30 * HOUR])
def test_a_time_that_cannot_be_true_is_refused_and_nothing_is_written(kept: Kept, off: int) -> None:
    with pytest.raises(StatementError, match="says that it is of"):
        kept.append("a", NOW + off)
    with pytest.raises(StatementError, match="says that it is of"):
        kept.append("b", NOW - 40 * HOUR, recorded=NOW + off)
    assert kept.log.size() == 0


@pytest.mark.parametrize("off", [-HOUR, 0, 300])
def test_a_time_within_the_limits_is_taken_and_believed(kept: Kept, off: int) -> None:
    assert kept.append("a", NOW + off) == 0
    assert kept.findings() == ()


def test_what_is_said_late_says_so_and_is_believed(kept: Kept) -> None:
    assert kept.append("late", NOW - 400 * HOUR, recorded=NOW) == 0
    kept.time += 10 * HOUR
    assert kept.append("later", NOW, recorded=kept.time) == 1
    assert kept.findings() == ()


def test_what_an_insider_dates_back_is_found(kept: Kept) -> None:
    """Whoever has the database and the keys goes round the refusal; the witness's times do not."""
    kept.append("honest", NOW)
    loose = replace(kept.settings, limits=ClockLimits(2**40, 2**40))
    with open_log(kept.database, KEY, loose) as log:
        log.append(NewEntry("back", TYPE, "s", envelope(assessment(NOW - 40 * HOUR))))
        log.append(NewEntry("both", TYPE, "s", envelope(assessment(NOW - 50 * HOUR, NOW - 40 * HOUR))))
        log.append(NewEntry("ahead", TYPE, "s", envelope(assessment(NOW, NOW + 40 * HOUR))))
    assert [found[:7] for found in kept.findings()] == ["entry 1", "entry 2", "entry 3"]


def test_the_same_sent_again_is_the_same_however_late(kept: Kept) -> None:
    first = kept.append("a", NOW)
    kept.time += 10 * HOUR
    assert kept.append("a", NOW) == first
    with pytest.raises(StatementError):
        kept.append("b", NOW)


def test_nothing_is_written_down_before_it_happened() -> None:
    with pytest.raises(StatementError, match="before its beginning"):
        encode_statement(Statement((SUBJECT,), assessment(NOW, NOW - 1)))


@pytest.mark.parametrize("says", PREDICATES, ids=lambda says: type(says).__name__)
def test_every_kind_can_be_said_late(says: Predicate) -> None:
    late = replace(says, recorded="2027-02-15T08:00:00Z")
    read = read_statement(encode_statement(Statement((SUBJECT,), late))).predicate
    assert read == late
    assert read.said == "2027-02-15T08:00:00Z"
    assert says.said == says.time


def test_an_entry_that_is_no_statement_of_its_kind_is_refused(kept: Kept) -> None:
    with pytest.raises(StatementError, match="no statement"):
        kept.log.append(NewEntry("a", TYPE, "s", b"{}"))
    assert kept.log.append(NewEntry("b", "urn:another:kind", "s", b"opaque")) == 0


def test_what_allows_counts_from_when_it_was_written_down_and_what_happened_from_when_it_did() -> None:
    late = format_time(NOW + HOUR)
    approved = next(each for each in PREDICATES if isinstance(each, Approval))
    deployed = next(each for each in PREDICATES if isinstance(each, Deployment))
    entries = [envelope(replace(each, recorded=late)) for each in (approved, deployed)]
    record = read_record(enumerate(entries), [PUBLIC], approved.repository)
    assert [noted.at for noted in record.approvals[approved.head]] == [NOW + HOUR]
    assert [noted.at for noted in record.deployments] == [parse_time(deployed.at).timestamp()]
    assert approval_text(approved) == approved.statement
