"""Every parser of the ledger against damaged input: it answers, or refuses with an error for people, and no more."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.examples import STATEMENTS
from tests.ledger.logs import MemoryLog, seeded_key
from tidegate.errors import InputError
from tidegate.ledger.checkpoint import parse_checkpoint, read_checkpoint, sign_checkpoint
from tidegate.ledger.dsse import read_envelope, verify_envelope
from tidegate.ledger.keys import KeyKind, PublicKey, SoftwareKey, parse_vkey
from tidegate.ledger.notes import parse_note, parse_signatures
from tidegate.ledger.receipt import Receipt, parse_receipt
from tidegate.ledger.statements import encode_statement, read_statement, sign_statement
from tidegate.ledger.strict_json import load_strict
from tidegate.ledger.tiles import decode_bundle, encode_bundle, parse_path, split_tile
from tidegate.ledger.witness import Request, parse_request

KEY = SoftwareKey("ed25519", b"k" * 32)
LOG = MemoryLog()
LOG.append(*(b"entry %d" % number for number in range(9)))
WITNESS = seeded_key("witness.example", KeyKind.WITNESS)
NOTE = sign_checkpoint(LOG.checkpoint(), [LOG.key, WITNESS])
ENTRY = sign_statement(STATEMENTS[4], [KEY])


def text(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    return lambda data: parse(data.decode("utf-8", "replace"))


PARSERS: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    "note": (parse_note, NOTE),
    "signatures": (parse_signatures, NOTE.split(b"\n\n")[1]),
    "checkpoint": (parse_checkpoint, LOG.checkpoint().text),
    "checkpoint note": (read_checkpoint, NOTE),
    "vkey": (text(parse_vkey), WITNESS.public.vkey.encode()),
    "receipt": (parse_receipt, Receipt(3, LOG.include(3), NOTE, b"extra").text),
    "request": (parse_request, Request(3, LOG.prove(3, 9), NOTE).data),
    "envelope": (read_envelope, ENTRY),
    "signed envelope": (lambda data: verify_envelope(data, [PublicKey("ed25519", KEY.public_key)]), ENTRY),
    "statement": (read_statement, encode_statement(STATEMENTS[0])),
    "json": (lambda data: load_strict(data, 1 << 20), encode_statement(STATEMENTS[2])),
    "bundle": (lambda data: decode_bundle(data, 3), encode_bundle(LOG.entries)),
    "tile": (lambda data: split_tile(data, 3), b"".join(LOG.leaves)),
    "path": (text(parse_path), b"tile/entries/x001/234.p/56"),
}
PIECES = (
    b"\n",
    b"\n\n",
    b" ",
    b"\0",
    b"\xff",
    b"\xe2\x80\x94 ",
    b"=",
    b"+",
    b"-1",
    b"9" * 30,
    b'"',
    b"{",
    b"[" * 50,
    b"\\u",
)


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_input(name: str) -> None:
    parse, sample = PARSERS[name]
    parse(sample)
    chance = random.Random(name)
    refused = sum(not accepts(parse, damaged(sample, chance)) for _ in range(400))
    assert refused > 50


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=40)
@given(data=st.binary(max_size=400))
def test_any_bytes(name: str, data: bytes) -> None:
    accepts(PARSERS[name][0], data)


def accepts(parse: Callable[[bytes], Any], data: bytes) -> bool:
    try:
        parse(data)
    except InputError:
        return False
    return True


def damaged(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        begin = chance.randrange(len(data) + 1)
        end = min(len(data), begin + chance.choice([0, 1, 1, 4, 40]))
        piece = chance.choice([b"", chance.randbytes(1), chance.choice(PIECES), data[begin:end] * 2, data[:end]])
        data = data[:begin] + piece + data[end:]
    return data
