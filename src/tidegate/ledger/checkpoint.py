"""A checkpoint: the name of a log, its size and its root, as C2SP tlog-checkpoint v1.0.0 writes them into a note."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

import msgspec

from tidegate.ledger.merkle import EMPTY_ROOT, HASH_SIZE
from tidegate.ledger.notes import (
    NoteError,
    NoteSignature,
    NoteSigner,
    NoteVerifier,
    decode_base64,
    decode_number,
    parse_note,
    sign_note,
    verify_note,
)

MAX_ORIGIN_BYTES = 255
"""An ML-DSA cosignature holds the origin behind a length of one byte."""


class Checkpoint(msgspec.Struct, frozen=True):
    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin} at {self.size}, root {base64.b64encode(self.root).decode()}"

    @property
    def text(self) -> bytes:
        """What is signed. Raises NoteError for an origin that is not one line of printable text."""
        check_origin(self.origin)
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


class VerifiedCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint that its log signed, the note as it was read, and all signatures of known keys."""

    checkpoint: Checkpoint
    note: bytes
    signatures: tuple[NoteSignature, ...]


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[NoteSigner]) -> bytes:
    """The checkpoint as a signed note. The caller vouches that the log never signed an inconsistent one."""
    return sign_note(checkpoint.text, signers)


def parse_checkpoint(text: bytes) -> Checkpoint:
    """The checkpoint of a note's text. Raises NoteError for malformed lines, and for extension lines.

    Nobody can audit extension lines, an ML-DSA cosignature does not cover them, and our logs write none.
    """
    lines = text.split(b"\n")
    if len(lines) != 4 or lines[3]:
        raise NoteError("a checkpoint has an origin, a size and a root, each on a line")
    try:
        origin = check_origin(lines[0].decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    size, root = decode_number(lines[1]), decode_base64(lines[2])
    if len(root) != HASH_SIZE:
        raise NoteError("a root has 32 bytes")
    return Checkpoint(origin, size, root)


def read_checkpoint(data: bytes) -> Checkpoint:
    """What a note says, without asking who signed it: for finding out whose keys to verify it with."""
    return parse_checkpoint(parse_note(data).text)


def open_checkpoint(
    data: bytes, origin: str, log_keys: Sequence[NoteVerifier], witness_keys: Sequence[NoteVerifier] = ()
) -> VerifiedCheckpoint:
    """The checkpoint of this log. Raises NoteError unless a key of the log signed it, and no known key's line fails."""
    note = parse_note(data)
    verified = verify_note(note, [*log_keys, *witness_keys])
    checkpoint = parse_checkpoint(verified.text)
    if checkpoint.origin != origin:
        raise NoteError(f"the checkpoint is of {checkpoint.origin!r}", mend=f"give the one of {origin!r}")
    ours = {(key.name, key.key_id) for key in log_keys}
    if not any((signature.name, signature.key_id) in ours for signature in verified.signatures):
        raise NoteError("the log did not sign its checkpoint")
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise NoteError("an empty log has another root")
    return VerifiedCheckpoint(checkpoint, data, verified.signatures)


def check_origin(origin: str) -> str:
    """The origin, if it can be a line of a note. Raises NoteError."""
    if not origin.isprintable() or not 0 < len(origin.encode("utf-8", "replace")) <= MAX_ORIGIN_BYTES:
        raise NoteError("an origin is one line of 1 to 255 bytes of printable text")
    return origin
