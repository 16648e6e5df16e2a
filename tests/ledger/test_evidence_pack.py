"""A pack is verified by the auditor's own script, says what is missing, and never that anybody complies."""

from __future__ import annotations

import hashlib
import importlib
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from bench.ledger.population import ANY_TIME, KEY, PUBLIC, REPOSITORY, append_all, make

from tidegate.errors import InputError
from tidegate.ledger.audit import Sighting
from tidegate.ledger.evidence.check import Elsewhere, check_folder
from tidegate.ledger.evidence.check_database import check_database
from tidegate.ledger.evidence.controls import CONTROLS
from tidegate.ledger.evidence.database import DatabaseSource
from tidegate.ledger.evidence.pack import Pack, Trust, make_pack, pack_files, write_pack
from tidegate.ledger.evidence.population import reconcile
from tidegate.ledger.evidence.record import read_record
from tidegate.ledger.evidence.sample import draw
from tidegate.ledger.evidence.source import FolderSource, Source
from tidegate.ledger.evidence.values import Expect, Population
from tidegate.ledger.keys import KeyKind, NoteKey, NoteSigningKey, SoftwareKey
from tidegate.ledger.log import LogSettings, open_log
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.witness import Answer, Witness
from tidegate.ledger.witness_client import RemoteWitness
from tidegate.ledger.witness_state import FolderState
from tidegate.report.evidence_html import render_evidence_html
from tidegate.store.engine import Database
from tidegate.store.migrate import prepare_database

ORIGIN = "ledger.test/acme"
LOG_KEY = NoteKey(ORIGIN, KeyKind.LOG, PUBLIC)
MADE = make(14, ("no-tests", "self-approval", "deployed-unknown"), every=4)
FACTS = b'{"facts":{}}'
SEEN_AT = 1_700_000_000
verify_alone: Callable[[list[str]], int] = importlib.import_module("tools.verify_ledger").main
"""The script has no types: it is one file for auditors."""


class Kept:
    """A ledger in a database, the same exported, and the witness that saw it."""

    def __init__(self, folder: Path) -> None:
        signer = NoteSigningKey("witness.test", KeyKind.WITNESS, SoftwareKey("ed25519", b"w" * 32), lambda: SEEN_AT)
        self.witness = Witness([signer], {ORIGIN: [LOG_KEY]}, FolderState(folder / "witness"))
        self.quorum = Quorum((signer.public,), 1)
        self.database: Database = prepare_database(f"sqlite:///{folder}/ledger.db")
        remotes = (RemoteWitness("http://witness.test", (signer.public,)),)
        settings = LogSettings(ORIGIN, folder / "outside", remotes, 1, self._post, limits=ANY_TIME)
        with open_log(self.database, KEY, settings) as log:
            append_all(log, MADE.envelopes)
            assert log.wait_witnessed(len(MADE.envelopes) - 1, 10)
            self.note = log.checkpoint()
        self.folder = folder / "exported"
        with open_log(self.database, KEY, settings) as log:
            log.export(self.folder)
        self.source = FolderSource(self.folder)
        self.record = read_record(self.source.entries(), [PUBLIC], REPOSITORY)
        self.population: Population = reconcile(self.record, MADE.world, MADE.period)

    def _post(self, _: str, body: bytes) -> Answer:
        return self.witness.answer(body)

    def pack(self, source: Source | None = None, *, sample: int = 0) -> tuple[Pack, dict[str, bytes]]:
        trust = Trust(LOG_KEY, self.quorum.witnesses, "nothing")
        drawn = draw(self.population, self.record, MADE.seed_entry, sample) if sample else None
        pack = make_pack(self.population, source or self.source, trust, Expect(), sample=drawn)
        return pack, pack_files(pack, source or self.source, lambda _: FACTS, render_evidence_html(pack))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    made = Kept(tmp_path_factory.mktemp("kept"))
    yield made
    made.database.close()


def test_the_auditors_script_verifies_the_exported_folder(kept: Kept) -> None:
    witness = kept.quorum.witnesses[0].vkey
    arguments = [str(kept.folder), "--log-key", LOG_KEY.vkey, "--witness-key", witness, "--entry-key", LOG_KEY.vkey]
    assert verify_alone(arguments) == 0
    bundle = kept.folder / "tile/entries/000.p" / str(len(MADE.envelopes) % 256)
    data = bundle.read_bytes()
    try:
        bundle.write_bytes(data.replace(b"payload", b"Payload", 1))
        assert verify_alone(arguments) == 1
    finally:
        bundle.write_bytes(data)


@pytest.mark.parametrize("where", ["folder", "database"])
def test_every_receipt_of_a_pack_is_verified_by_the_auditors_script(kept: Kept, where: str, tmp_path: Path) -> None:
    source: Source = kept.source if where == "folder" else DatabaseSource(kept.database, 1)
    _, files = kept.pack(source, sample=4)
    write_pack(tmp_path / "pack", files)
    receipts = sorted((tmp_path / "pack/receipts").iterdir())
    assert len(receipts) > 10
    for receipt in receipts:
        entry = tmp_path / "pack/entries" / f"{receipt.stem}.json"
        arguments = [
            "--receipt",
            str(receipt),
            "--entry",
            str(entry),
            "--log-key",
            str(tmp_path / "pack/keys/log.vkey"),
        ]
        assert verify_alone([*arguments, "--witness-key", str(tmp_path / "pack/keys/witness-0.vkey")]) == 0
    entry.write_bytes(entry.read_bytes().replace(b"payload", b"Payload", 1))
    assert verify_alone(arguments) == 1


def test_a_pack_lists_the_sum_of_every_file_and_is_the_same_again(kept: Kept, tmp_path: Path) -> None:
    _, files = kept.pack()
    sums = {tuple(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines()}
    assert sums == {(hashlib.sha256(data).hexdigest(), path) for path, data in files.items() if path != "SHA256SUMS"}
    for name in ("one.zip", "two.zip"):
        write_pack(tmp_path / name, kept.pack()[1])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    with pytest.raises(InputError, match="something already"):
        write_pack(tmp_path / "one.zip", files)


def test_the_index_says_all_and_the_page_says_the_same(kept: Kept) -> None:
    pack, files = kept.pack()
    assert msgspec.json.decode(files["index.json"], type=Pack) == pack
    assert pack.commits == len(kept.population.items) == len(pack.changes)
    assert {each.kind: each.count for each in pack.exceptions} == {
        kind: sum(planted.kind == kind for planted in MADE.planted) for kind in {each.kind for each in MADE.planted}
    }
    page = files["index.html"].decode()
    for each in pack.exceptions:
        assert each.means in page
    assert all(item.change.commit in page for item in pack.changes)
    assert not re.search(r"<script|complian|(?:src|href)=.http", page, re.IGNORECASE)
    assert "complian" not in files["index.json"].decode().lower()


def test_a_sample_does_not_hide_the_exceptions_beside_it(kept: Kept) -> None:
    pack, _ = kept.pack(sample=2)
    assert len(pack.changes) == 2
    assert sum(each.count for each in pack.exceptions) == kept.population.count
    assert pack.sample is not None
    assert pack.sample.seed_entry == MADE.seed_entry


def test_each_control_says_for_each_thing_whether_it_was_found(kept: Kept) -> None:
    pack, _ = kept.pack()
    named = {(each.control.framework, each.control.number) for each in pack.controls}
    assert named == {(control.framework, control.number) for control in CONTROLS}
    states = {answer.want: answer.state for answered in pack.controls for answer in answered.answers}
    assert states["decision"] == states["impact"] == "found"
    assert states["tests"] == states["separation"] == states["deployment"] == "missing"
    assert states["identity"] == states["population"] == "found"
    assert states["fall-back"] == "not collected"
    assert states["emergency"] == "does not apply"


class TestCheck:
    def test_what_a_witness_saw_is_held_against_the_folder_and_the_database(self, kept: Kept) -> None:
        good = Sighting(SEEN_AT, 0, hashlib.sha256(b"").digest())
        other = Sighting(SEEN_AT, 3, b"x" * 32)
        for sightings, whole in (((good,), True), ((good, other), False)):
            folder = check_folder(kept.source, LOG_KEY, kept.quorum, Elsewhere((), sightings))
            database = check_database(kept.database, LOG_KEY, kept.quorum, ((), sightings))
            assert (folder.whole, database.whole) == (whole, whole)

    def test_without_a_witness_it_says_what_an_insider_could_have_done(self, kept: Kept) -> None:
        found = check_folder(kept.source, LOG_KEY, Quorum(), Elsewhere())
        assert found.whole
        assert "Nobody outside has seen this log" in found.exposure
        assert "could have changed" in found.exposure
        assert "That is all of them" in check_folder(kept.source, LOG_KEY, kept.quorum, Elsewhere()).exposure

    def test_a_time_that_cannot_be_true_is_found(self, kept: Kept) -> None:
        """The witness cosigned in 2023 by its clock; the entries say 2026."""
        for found in (
            check_folder(kept.source, LOG_KEY, kept.quorum, Elsewhere(), [PUBLIC]),
            check_database(kept.database, LOG_KEY, kept.quorum, ((), ()), [PUBLIC]),
        ):
            assert not found.whole
            assert any("says 2026" in what and "was there at 2023" in what for what in found.findings)

    def test_a_checkpoint_that_somebody_kept_is_held_against_it(self, kept: Kept) -> None:
        assert check_folder(kept.source, LOG_KEY, kept.quorum, Elsewhere((kept.note,))).whole
        forged = kept.note.replace(b"ledger.test", b"ledger.tast")
        found = check_folder(kept.source, LOG_KEY, kept.quorum, Elsewhere((forged,)))
        assert any("cannot be trusted" in what for what in found.findings)
