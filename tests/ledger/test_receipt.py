"""Receipts: what one proves without a network, and what it does not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.ledger.logs import ORIGIN, Clock, MemoryLog, Witnesses, seeded_key
from tidegate.errors import InputError
from tidegate.ledger.keys import KeyKind, NoteKey
from tidegate.ledger.notes import NoteError
from tidegate.ledger.quorum import Quorum, make_quorum
from tidegate.ledger.receipt import Receipt, parse_receipt, verify_receipt

THREE = (KeyKind.WITNESS, KeyKind.WITNESS, KeyKind.WITNESS_ML_DSA)


class World:
    def __init__(self, folder: Path, size: int = 11) -> None:
        self.log = MemoryLog()
        self.log.append(*(b"entry %d" % number for number in range(size)))
        self.witnesses = Witnesses(folder, self.log, THREE, Clock())
        self.note = self.witnesses.cosign(self.log, 3).checkpoint.note

    def receipt(self, index: int) -> Receipt:
        return Receipt(index, self.log.include(index), self.note)

    def verify(self, receipt: Receipt, entry: bytes, needed: int = 3) -> tuple[str, ...]:
        quorum = self.witnesses.quorum(needed)
        return verify_receipt(receipt, entry, ORIGIN, [self.log.key.public], quorum).witnesses


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_receipt_proves_its_entry_and_no_other(world: World) -> None:
    for index, entry in enumerate(world.log.entries):
        receipt = parse_receipt(world.receipt(index).text)
        assert receipt == world.receipt(index)
        assert world.verify(receipt, entry) == tuple(f"witness.example/w{number}" for number in range(3))
        for other in range(len(world.log.entries)):
            if other != index:
                with pytest.raises(InputError):
                    world.verify(receipt, world.log.entries[other])
                with pytest.raises(InputError):
                    world.verify(msgspec.structs.replace(receipt, index=other), entry)


def test_the_text_is_that_of_tlog_proof(world: World) -> None:
    lines = world.receipt(4).text.decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 4"]
    assert all(len(line) == 44 for line in lines[2:6])
    assert lines[6:9] == ["", ORIGIN, "11"]
    extra = msgspec.structs.replace(world.receipt(4), extra=b"where it came from")
    assert parse_receipt(extra.text) == extra
    assert world.verify(extra, world.log.entries[4])


def test_too_few_witnesses_prove_nothing(world: World) -> None:
    lines = world.note.splitlines(keepends=True)
    world.note = b"".join(lines[:-1])
    receipt = world.receipt(4)
    assert len(world.verify(receipt, world.log.entries[4], 2)) == 2
    with pytest.raises(NoteError, match="2 trusted witnesses cosigned, and 3 must"):
        world.verify(receipt, world.log.entries[4], 3)


def test_every_byte_of_a_receipt_counts(world: World) -> None:
    text = world.receipt(4).text
    for at in range(text.index("\n\u2014 witness.example/w2".encode()) + 1):
        changed = bytearray(text)
        changed[at] ^= 1
        with pytest.raises(InputError):
            world.verify(parse_receipt(bytes(changed)), world.log.entries[4])


def test_a_receipt_of_an_entry_that_is_not_there_yet(world: World) -> None:
    receipt = world.receipt(4)
    for index in (11, 12, 2**63 - 1):
        with pytest.raises(InputError):
            world.verify(msgspec.structs.replace(receipt, index=index), world.log.entries[4])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 00\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra A\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\nno base64\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + "AAAA\n" * 64 + "\nnote",
    ],
)
def test_malformed_receipts(text: str) -> None:
    with pytest.raises(NoteError):
        parse_receipt(text.encode())


def test_a_quorum_is_of_different_witnesses() -> None:
    one, other = (seeded_key(name, KeyKind.WITNESS).public for name in ("one", "other"))
    assert make_quorum([one, other], 2).needed == 2
    assert make_quorum([], 0) == Quorum()
    twice = NoteKey("another name", KeyKind.WITNESS, one.public_key)
    for keys, needed in [([one], 2), ([one, one], 2), ([one, twice], 2), ([one], -1), ([seeded_key("log").public], 1)]:
        with pytest.raises(NoteError):
            make_quorum(keys, needed)
