"""Signed notes, checkpoints, cosignatures and keys: the examples of C2SP, and all that must be refused."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.logs import ORIGIN, Clock, MemoryLog, seeded_key
from tidegate.errors import InputError
from tidegate.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, read_checkpoint, sign_checkpoint
from tidegate.ledger.keys import KeyKind, NoteSigningKey, cosignature_time, new_key, parse_vkey, read_key, write_key
from tidegate.ledger.merkle import EMPTY_ROOT
from tidegate.ledger.notes import NoteError, open_note, parse_note, sign_note

EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERY"
    "NZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
KINDS = [KeyKind.LOG, KeyKind.WITNESS, KeyKind.WITNESS_ML_DSA]


def test_the_example_of_signed_note() -> None:
    verified = open_note(EXAMPLE, [parse_vkey(EXAMPLE_KEY)])
    assert verified.text == b"This is an example message.\n"
    assert parse_note(EXAMPLE).data == EXAMPLE
    assert parse_vkey(EXAMPLE_KEY).vkey == EXAMPLE_KEY


def test_every_byte_of_a_note_counts() -> None:
    key = parse_vkey(EXAMPLE_KEY)
    for at in range(len(EXAMPLE)):
        changed = bytearray(EXAMPLE)
        changed[at] ^= 1
        with pytest.raises(NoteError):
            open_note(bytes(changed), [key])


def test_unknown_keys_are_ignored_and_known_ones_must_hold() -> None:
    first, second = seeded_key("first"), seeded_key("second")
    note = sign_note(b"text\n", [first, second])
    assert [signature.name for signature in open_note(note, [second.public]).signatures] == ["second"]
    with pytest.raises(NoteError, match="no known key"):
        open_note(note, [seeded_key("third").public])
    with pytest.raises(NoteError, match="same name"):
        open_note(note, [first.public, first.public])
    other = sign_note(b"other\n", [first, second])
    lines = [*note.splitlines(True)[:3], other.splitlines(True)[3]]
    with pytest.raises(NoteError, match="second does not hold"):
        open_note(b"".join(lines), [first.public, second.public])
    assert open_note(b"".join(lines), [first.public]).text == b"text\n"


def test_one_key_counts_once() -> None:
    key = seeded_key("first")
    note = sign_note(b"text\n", [key, key])
    assert len(open_note(note, [key.public]).signatures) == 1


def test_the_text_is_separated_by_the_last_blank_line() -> None:
    key = seeded_key("first")
    assert open_note(sign_note(b"a\n\nb\n\n", [key]), [key.public]).text == b"a\n\nb\n\n"


SIGNATURE = "\u2014 name AAAAAAA=\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        f"text\n{SIGNATURE}",
        f"text{SIGNATURE}",
        f"te\txt\n\n{SIGNATURE}",
        f"te\0xt\n\n{SIGNATURE}",
        f"te\rxt\n\n{SIGNATURE}",
        "text\n\n\u2014 name AAAAAAA=",
        "text\n\n\u2014 name AAAAAAA\n",
        "text\n\n\u2014 name AAAAAAB=\n",
        "text\n\n\u2014 name AAAA====\n",
        "text\n\n\u2014 name AAAAAA==\n",
        "text\n\n\u2014 na+me AAAAAAA=\n",
        "text\n\n\u2014  AAAAAAA=\n",
        "text\n\n\u2014 na\u00a0me AAAAAAA=\n",
        "text\n\n\u2014 name  AAAAAAA=\n",
        "text\n\n- name AAAAAAA=\n",
        f"text\n\n{SIGNATURE}rest\n",
        f"text\n\n{SIGNATURE * 65}",
    ],
)
def test_malformed_notes(note: str) -> None:
    with pytest.raises(NoteError):
        parse_note(note.encode())


def test_limits_of_notes() -> None:
    assert len(parse_note(f"text\n\n{SIGNATURE * 64}".encode()).signatures) == 64
    for data in (b"\xff\n\n" + SIGNATURE.encode(), b"x" * 600_000 + b"\n\n" + SIGNATURE.encode()):
        with pytest.raises(NoteError):
            parse_note(data)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b+c",
        EXAMPLE_KEY.replace("530d", "530e"),
        EXAMPLE_KEY[:-4],
        EXAMPLE_KEY.replace("foo", "f oo"),
        EXAMPLE_KEY.replace("+Aeky", "+Beky"),
        EXAMPLE_KEY + "\n",
        "name+12345678+AQ==",
        "name+12345678+é",
    ],
)
def test_malformed_keys(vkey: str) -> None:
    with pytest.raises(NoteError):
        parse_vkey(vkey)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key_signs_checkpoints_and_is_read_back(kind: KeyKind, tmp_path: Path) -> None:
    clock = Clock()
    key = new_key("ml-dsa-44" if kind == KeyKind.WITNESS_ML_DSA else "ed25519")
    write_key(tmp_path / "key", "signer.example", kind, key)
    signer = read_key(tmp_path / "key", clock)
    assert signer.public == NoteSigningKey("signer.example", kind, key, clock).public
    note = sign_checkpoint(Checkpoint(ORIGIN, 7, EMPTY_ROOT), [signer])
    opened = open_note(note, [parse_vkey(signer.public.vkey)])
    assert cosignature_time(opened.signatures[0].signature) == clock.time or kind == KeyKind.LOG
    for changed in (note.replace(b"\n7\n", b"\n8\n"), note.replace(b"main", b"mine")):
        with pytest.raises(NoteError):
            open_note(changed, [signer.public])


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_cosignature_vouches_for_its_time_and_for_checkpoints_only(kind: KeyKind) -> None:
    key = seeded_key("witness", kind)
    text = Checkpoint(ORIGIN, 7, EMPTY_ROOT).text
    signature = key.sign(text)
    assert key.public.verify(text, signature)
    assert not key.public.verify(text, (Clock().time + 1).to_bytes(8, "big") + signature[8:])
    assert not key.public.verify(text, bytes(8) + signature[8:])
    assert not key.public.verify(text, b"\xff" * 8 + signature[8:])
    assert not key.public.verify(text, b"")
    assert not key.public.verify(b"no checkpoint\n", signature)
    with pytest.raises(NoteError):
        key.sign(b"no checkpoint\n")
    with pytest.raises(NoteError):
        seeded_key("witness", kind, Clock(0)).sign(text)


def test_the_message_of_a_cosignature_is_the_one_of_the_specification() -> None:
    """Byte for byte as tlog-cosignature draws them, and verified by the key alone."""
    text = Checkpoint("o.example", 7, b"r" * 32).text
    time = Clock().time
    ed25519 = seeded_key("w.example", KeyKind.WITNESS)
    assert ed25519.public.public_key.verify(b"cosignature/v1\ntime %d\n" % time + text, ed25519.sign(text)[8:])
    ml_dsa = seeded_key("w.example", KeyKind.WITNESS_ML_DSA)
    head = b"subtree/v1\n\0\x09w.example" + time.to_bytes(8, "big") + b"\x09o.example"
    message = head + bytes(8) + (7).to_bytes(8, "big") + b"r" * 32
    assert len(ml_dsa.sign(text)) == 8 + 2420
    assert ml_dsa.public.public_key.verify(message, ml_dsa.sign(text)[8:])


def test_a_key_file_is_for_its_owner_alone_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = new_key()
    write_key(path, "name", KeyKind.LOG, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="already"):
        write_key(path, "name", KeyKind.LOG, key)
    path.chmod(0o640)
    with pytest.raises(InputError, match="others can read"):
        read_key(path, Clock())


def test_no_error_and_no_repr_shows_a_private_key(tmp_path: Path) -> None:
    key = new_key()
    path = tmp_path / "key"
    write_key(path, "name", KeyKind.LOG, key)
    secret = base64.b64encode(b"\x01" + key.seed()).decode()
    assert secret in path.read_text()
    assert key.seed().hex() not in repr(key)
    for text in (path.read_text().replace("name", "other"), path.read_text()[:-9] + "\n", "", "x" + path.read_text()):
        path.write_text(text)
        with pytest.raises(InputError) as error:
            read_key(path, Clock())
        shown = f"{error.value} {error.value.__cause__} {error.value.__context__}"
        assert secret[:12] not in shown
        assert secret[20:32] not in shown
    with pytest.raises(InputError):
        read_key(tmp_path / "absent", Clock())


def test_kinds_and_algorithms_belong_together() -> None:
    with pytest.raises(NoteError):
        NoteSigningKey("name", KeyKind.WITNESS_ML_DSA, new_key(), Clock())
    with pytest.raises(NoteError):
        NoteSigningKey("a name", KeyKind.LOG, new_key(), Clock())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        f"\n1\n{'A' * 43}=\n",
        f"origin\n01\n{'A' * 43}=\n",
        f"origin\n-1\n{'A' * 43}=\n",
        f"origin\n+1\n{'A' * 43}=\n",
        f"origin\n1 \n{'A' * 43}=\n",
        f"origin\n\u0661\n{'A' * 43}=\n",
        f"origin\n9223372036854775808\n{'A' * 43}=\n",
        f"origin\n{'9' * 5000}\n{'A' * 43}=\n",
        "origin\n1\nAAAA\n",
        f"origin\n1\n{'A' * 43}\n",
        f"origin\n1\n{'A' * 43}=",
        f"origin\n1\n{'A' * 43}=\nextension\n",
        f"{'o' * 256}\n1\n{'A' * 43}=\n",
    ],
)
def test_malformed_checkpoints(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text.encode())


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=60),
    st.integers(0, 2**63 - 1),
)
def test_a_checkpoint_is_read_as_it_was_written(origin: str, size: int) -> None:
    checkpoint = Checkpoint(origin, size, EMPTY_ROOT)
    assert parse_checkpoint(checkpoint.text) == checkpoint


def test_a_checkpoint_is_believed_only_from_its_log() -> None:
    log = MemoryLog()
    log.append(b"one")
    witness = seeded_key("witness", KeyKind.WITNESS)
    keys, watchers = [log.key.public], [witness.public]
    note = sign_checkpoint(log.checkpoint(), [log.key, witness])
    assert open_checkpoint(note, ORIGIN, keys, watchers).checkpoint == log.checkpoint() == read_checkpoint(note)
    with pytest.raises(NoteError, match="is of"):
        open_checkpoint(note, "another.example", keys, watchers)
    with pytest.raises(NoteError, match="did not sign"):
        open_checkpoint(sign_checkpoint(log.checkpoint(), [witness]), ORIGIN, keys, watchers)
    with pytest.raises(NoteError, match="another root"):
        open_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, 0, b"x" * 32), [log.key]), ORIGIN, keys)
    with pytest.raises(NoteError, match="origin"):
        sign_checkpoint(Checkpoint("two\nlines", 0, EMPTY_ROOT), [log.key])
