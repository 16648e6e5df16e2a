"""A receipt: proof, without a network, that an entry is in the log and that witnesses saw it there.

The text is `c2sp.org/tlog-proof@v1`: the index, the inclusion proof, and the checkpoint with its signatures.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from tidegate.ledger.checkpoint import VerifiedCheckpoint, open_checkpoint
from tidegate.ledger.keys import NoteKey
from tidegate.ledger.merkle import Proof, ProofError, leaf_hash, verify_inclusion
from tidegate.ledger.notes import MAX_NOTE_BYTES, NoteError, decode_base64, decode_number
from tidegate.ledger.quorum import Quorum

FIRST_LINE = b"c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_PROOF = 63
MAX_EXTRA_BYTES = 128 << 10


class Receipt(msgspec.Struct, frozen=True):
    """A receipt as it was read. Nothing in it is to be believed before `verify_receipt`, and `extra` not even then.

    `checkpoint` is the signed note as it is.
    """

    index: int
    proof: Proof
    checkpoint: bytes
    extra: bytes = b""

    @property
    def text(self) -> bytes:
        extra = [b"extra " + base64.b64encode(self.extra)] if self.extra else []
        hashes = [base64.b64encode(hash_) for hash_ in self.proof]
        return b"\n".join([FIRST_LINE, *extra, b"index %d" % self.index, *hashes, b"", self.checkpoint])


class VerifiedReceipt(msgspec.Struct, frozen=True):
    """The entry is in the log `checkpoint` speaks of, at `index`; `witnesses` are the names of those who saw that."""

    index: int
    checkpoint: VerifiedCheckpoint
    witnesses: tuple[str, ...]


def parse_receipt(data: bytes) -> Receipt:
    """Splits a receipt. Raises NoteError for anything that tlog-proof does not allow."""
    if len(data) > MAX_NOTE_BYTES + MAX_EXTRA_BYTES:
        raise NoteError("a receipt is not that long")
    head, blank, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if not blank or lines.pop(0) != FIRST_LINE:
        raise NoteError(f"a receipt begins with {FIRST_LINE.decode()}")
    extra = b""
    if lines and lines[0].startswith(b"extra "):
        extra = decode_base64(lines.pop(0).removeprefix(b"extra "))
        if not extra:
            raise NoteError("a receipt without extra data has no line for it")
    if not lines or not lines[0].startswith(b"index "):
        raise NoteError("a receipt has an index")
    index = decode_number(lines.pop(0).removeprefix(b"index "))
    if len(lines) > MAX_PROOF:
        raise NoteError(f"a proof has at most {MAX_PROOF} hashes")
    return Receipt(index, tuple(decode_base64(line) for line in lines), checkpoint, extra)


def verify_receipt(
    receipt: Receipt, entry: bytes, origin: str, log_keys: Sequence[NoteKey], quorum: Quorum
) -> VerifiedReceipt:
    """Returns what the receipt proves of this entry. Raises NoteError or ProofError where it does not.

    A checkpoint that too few witnesses cosigned proves nothing against the log's own keeper, and is refused.
    """
    verified = open_checkpoint(receipt.checkpoint, origin, log_keys, quorum.witnesses)
    checkpoint = verified.checkpoint
    if receipt.index >= checkpoint.size:
        raise ProofError(f"there is no entry {receipt.index} in a log of {checkpoint.size}")
    verify_inclusion(receipt.index, checkpoint.size, leaf_hash(entry), receipt.proof, checkpoint.root)
    return VerifiedReceipt(receipt.index, verified, quorum.require(verified))
