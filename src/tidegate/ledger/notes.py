"""Signed notes, as C2SP signed-note v1.0.0 writes and reads them: text, a blank line, lines of signatures.

A signature of a key that the reader does not know is ignored. One of a known key that fails refuses the whole note.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from tidegate.errors import InputError

MAX_NOTE_BYTES = 512 << 10
MAX_SIGNATURES = 64
KEY_ID_BYTES = 4


class NoteError(InputError):
    """The note is malformed, or nobody who is known signed it."""


class NoteSigner(Protocol):
    """Signs the text of notes under a name."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def sign(self, text: bytes) -> bytes: ...


class NoteVerifier(Protocol):
    """Knows one key by name and key id. `verify` answers whether that key made the signature of this text."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def verify(self, text: bytes, signature: bytes) -> bool: ...


class NoteSignature(msgspec.Struct, frozen=True):
    """One signature line: `signature` is what follows the four bytes of the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> bytes:
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n".encode()


class Note(msgspec.Struct, frozen=True):
    """A note as it was read. Nothing in it is to be believed before `verify_note`."""

    text: bytes
    signatures: tuple[NoteSignature, ...]

    @property
    def data(self) -> bytes:
        return self.text + b"\n" + b"".join(signature.line for signature in self.signatures)


class VerifiedNote(msgspec.Struct, frozen=True):
    """A text, and the signatures that known keys made of it, one for each key, in the order of the note."""

    text: bytes
    signatures: tuple[NoteSignature, ...]


def sign_note(text: bytes, signers: Iterable[NoteSigner]) -> bytes:
    """The note with a signature of each signer. Raises NoteError for a text that no note may hold."""
    _check_text(text)
    signatures = (NoteSignature(signer.name, signer.key_id, signer.sign(text)) for signer in signers)
    return Note(text, tuple(signatures)).data


def parse_note(data: bytes) -> Note:
    """Splits a note. Raises NoteError for anything that signed-note does not allow."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"a note has at most {MAX_NOTE_BYTES} bytes")
    at = data.rfind(b"\n\n")
    if at < 0:
        raise NoteError("a note has a blank line before its signatures")
    text = data[: at + 1]
    _check_text(text)
    return Note(text, parse_signatures(data[at + 2 :]))


def parse_signatures(data: bytes) -> tuple[NoteSignature, ...]:
    """One or more signature lines. Raises NoteError for anything else."""
    lines = data.split(b"\n")
    if len(lines) < 2 or lines.pop() != b"" or len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note has 1 to {MAX_SIGNATURES} whole lines of signatures")
    return tuple(_parse_line(line) for line in lines)


def verify_note(note: Note, verifiers: Sequence[NoteVerifier]) -> VerifiedNote:
    """The note's text with the signatures of known keys.

    Raises NoteError when no known key signed it, or when a line of a known key does not hold.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    if len(known) != len(verifiers):
        raise NoteError("two trusted keys have the same name and key id")
    verified: dict[tuple[str, bytes], NoteSignature] = {}
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.verify(note.text, signature.signature):
            raise NoteError(f"the signature of {signature.name} does not hold")
        verified.setdefault((signature.name, signature.key_id), signature)
    if not verified:
        raise NoteError("no known key signed the note")
    return VerifiedNote(note.text, tuple(verified.values()))


def open_note(data: bytes, verifiers: Sequence[NoteVerifier]) -> VerifiedNote:
    """Parses and verifies."""
    return verify_note(parse_note(data), verifiers)


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    """The four bytes that stand before a signature. They are a name, not a protection."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:KEY_ID_BYTES]


def check_key_name(name: str) -> str:
    """The name, if it may name a key: not empty, without white space, control characters and plus signs."""
    if not name or any(not character.isprintable() or character.isspace() or character == "+" for character in name):
        raise NoteError(f"{name[:60]!r} cannot name a key", mend="a name has no white space and no plus sign")
    return name


def decode_base64(text: bytes) -> bytes:
    """Standard base64 in its one canonical spelling. Raises NoteError for any other."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("this is no base64") from error
    if base64.b64encode(data) != text:
        raise NoteError("this base64 is not canonical")
    return data


def decode_number(text: bytes) -> int:
    """A decimal number below 2**63 without leading zeros. Raises NoteError for anything else."""
    if not text.isdigit() or len(text) > 19 or (text.startswith(b"0") and text != b"0"):
        raise NoteError("this is no decimal number")
    number = int(text)
    if number >= 1 << 63:
        raise NoteError("this number is too large")
    return number


# Private


def _check_text(text: bytes) -> None:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    if not text.endswith(b"\n") or len(text) > MAX_NOTE_BYTES:
        raise NoteError("the text of a note ends with a line break, and is not too long")
    if any(byte < 0x20 and byte != 0x0A for byte in text):
        raise NoteError("a note has no control characters")


def _parse_line(line: bytes) -> NoteSignature:
    try:
        dash, name, signature = line.decode("utf-8").split(" ")
    except (UnicodeDecodeError, ValueError) as error:
        raise NoteError("a line of a signature is a dash, a name and base64") from error
    blob = decode_base64(signature.encode())
    if dash != "\u2014" or len(blob) <= KEY_ID_BYTES:
        raise NoteError("a line of a signature is a dash, a name and base64")
    return NoteSignature(check_key_name(name), blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])
