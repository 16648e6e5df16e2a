"""Whose word is enough: k of n witnesses, each counted once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tidegate.ledger.checkpoint import VerifiedCheckpoint
from tidegate.ledger.keys import KeyKind, NoteKey, cosignature_time
from tidegate.ledger.notes import NoteError


class Quorum(msgspec.Struct, frozen=True):
    """The witnesses that are trusted, and how many of them must have cosigned. None of none is no protection."""

    witnesses: tuple[NoteKey, ...] = ()
    needed: int = 0

    def require(self, verified: VerifiedCheckpoint) -> tuple[str, ...]:
        """The names of the witnesses that cosigned. Raises NoteError where they are too few."""
        names = tuple(sorted({witness.name for witness, _ in self.cosignatures(verified)}))
        if len(names) < self.needed:
            raise NoteError(f"{len(names)} trusted witnesses cosigned, and {self.needed} must")
        return names

    def cosignatures(self, verified: VerifiedCheckpoint) -> list[tuple[NoteKey, int]]:
        """Each trusted witness that cosigned, with the time it vouches for in seconds since 1970."""
        known = {(witness.name, witness.key_id): witness for witness in self.witnesses}
        found = [
            (known.get((line.name, line.key_id)), cosignature_time(line.signature)) for line in verified.signatures
        ]
        return [(witness, time) for witness, time in found if witness is not None and time is not None]


def make_quorum(witnesses: Sequence[NoteKey], needed: int) -> Quorum:
    """Raises NoteError for a quorum that can never be met, or that one witness could meet alone under two names."""
    if any(witness.kind == KeyKind.LOG for witness in witnesses):
        raise NoteError("a log's key cannot cosign", mend="give the key of a witness")
    names = {witness.name for witness in witnesses}
    if not 0 <= needed <= len(names):
        raise NoteError(f"{len(names)} witnesses cannot give {needed} cosignatures")
    owners = {witness.public_key: witness.name for witness in witnesses}
    if any(owners[witness.public_key] != witness.name for witness in witnesses):
        raise NoteError("one witness stands there under two names")
    return Quorum(tuple(witnesses), needed)
