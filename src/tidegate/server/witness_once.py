"""A witness without a host: it looks at a ledger, cosigns what continues what it saw, and ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.ledger.checkpoint import read_checkpoint
from tidegate.ledger.evidence.source import Source
from tidegate.ledger.keys import NoteKey, NoteSigningKey
from tidegate.ledger.witness import State, Witness
from tidegate.ledger.witness_client import Refusal, RemoteWitness, ask_witness


class Looked(Struct, frozen=True):
    """Whether the ledger continues what was seen of it, in words."""

    whole: bool
    words: str


def look_once(
    source: Source, logs: Mapping[str, Sequence[NoteKey]], signer: NoteSigningKey, memory: State, *, first: bool = False
) -> Looked:
    """Cosigns the ledger's checkpoint into the memory, if its own proof shows that it continues the last one there.

    InputError where nothing is remembered and nobody said that this is the `first` look: a memory that was lost, or not
    fetched, would take any history for the true one.
    """
    note = source.checkpoint()
    shown = read_checkpoint(note)
    before = memory.latest(shown.origin)
    if before is None and not first:
        raise InputError(
            "nothing is remembered of this ledger", where=shown.origin, mend="fetch the ref first, or say --first"
        )
    witness = Witness([signer], logs, memory)
    remote = RemoteWitness(f"witness:{signer.name}", (signer.public,))
    old = before.size if before is not None else 0
    answer = ask_witness(note, remote, min(old, shown.size), source.consistency, lambda _, body: witness.answer(body))
    if isinstance(answer, Refusal):
        return Looked(False, f"{shown.origin}: not cosigned: {answer.why}")
    return Looked(True, f"{shown.origin}: {shown.size} entries cosigned by {signer.name}, {old} were seen before")
