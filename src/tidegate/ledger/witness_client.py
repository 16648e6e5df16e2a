"""How a log asks its witnesses to cosign a checkpoint, and what it makes of their answers.

The network comes in as `post(url, body)`, which raises OSError where no answer came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from tidegate.ledger.checkpoint import VerifiedCheckpoint, open_checkpoint, read_checkpoint
from tidegate.ledger.keys import NoteKey
from tidegate.ledger.merkle import Proof
from tidegate.ledger.notes import (
    Note,
    NoteError,
    NoteSignature,
    decode_number,
    parse_note,
    parse_signatures,
    verify_note,
)
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.witness import Answer, Request

Post: TypeAlias = Callable[[str, bytes], Answer]
Prove: TypeAlias = Callable[[int, int], Proof]
"""Answers the consistency proof between two sizes of the log."""

Trouble: TypeAlias = Literal["unreachable", "refused", "ahead", "forked"]
"""`ahead`: the witness saw a longer log, so ours went back. `forked`: it saw another one. Both want a person."""


class RemoteWitness(msgspec.Struct, frozen=True):
    """Where a witness is, and the keys that it cosigns with. `url` is its submission prefix."""

    url: str
    keys: tuple[NoteKey, ...]


class Refusal(msgspec.Struct, frozen=True):
    url: str
    trouble: Trouble
    why: str

    def __str__(self) -> str:
        return f"{self.url}: {self.why}"


class Cosigned(msgspec.Struct, frozen=True):
    """The checkpoint with all signatures that were had, by whom, and who gave none and why."""

    checkpoint: VerifiedCheckpoint
    witnesses: tuple[str, ...]
    refusals: tuple[Refusal, ...]

    @property
    def alarms(self) -> tuple[Refusal, ...]:
        """The refusals that mean that the log went back or forked."""
        return tuple(refusal for refusal in self.refusals if refusal.trouble in ("ahead", "forked"))


def ask_witness(
    note: bytes, witness: RemoteWitness, old: int, prove: Prove, post: Post
) -> tuple[NoteSignature, ...] | Refusal:
    """The cosignatures of one witness that saw the log at size `old`; a wrong `old` is put right by its answer."""
    try:
        parsed, size = parse_note(note), read_checkpoint(note).size
        for _ in range(_TRIES):
            reply = _post(note, witness, (old, size), prove, post)
            if reply.status != 409:
                break
            old = decode_number(reply.body.removesuffix(b"\n"))
            if old > size:
                return Refusal(witness.url, "ahead", f"it saw a log of {old} entries, and this one has {size}")
        return _judged(parsed, witness, reply)
    except OSError as error:
        return Refusal(witness.url, "unreachable", str(error) or type(error).__name__)
    except NoteError as error:
        return Refusal(witness.url, "refused", f"its answer cannot be read: {error.what}")


def combine(
    note: bytes,
    origin: str,
    log_keys: Sequence[NoteKey],
    quorum: Quorum,
    answers: Sequence[tuple[NoteSignature, ...] | Refusal],
) -> Cosigned:
    """The checkpoint with these cosignatures. Raises NoteError where the quorum is not met: then nothing is released.

    An alarm of one witness outweighs any number of cosignatures: who forks a log shows some witnesses one side of it.
    """
    refusals = tuple(answer for answer in answers if isinstance(answer, Refusal))
    parsed = parse_note(note)
    lines = dict.fromkeys(parsed.signatures)
    for answer in answers:
        if not isinstance(answer, Refusal):
            lines.update(dict.fromkeys(answer))
    whole = Note(parsed.text, tuple(lines)).data
    verified = open_checkpoint(whole, origin, log_keys, quorum.witnesses)
    cosigned = Cosigned(verified, quorum.require(verified), refusals)
    if cosigned.alarms:
        raise NoteError(f"a witness contradicts this log: {cosigned.alarms[0]}", mend="find out what it saw")
    return cosigned


# Private

_TRIES = 3
_TROUBLE: dict[int, Trouble] = {422: "forked"}


def _post(note: bytes, witness: RemoteWitness, sizes: tuple[int, int], prove: Prove, post: Post) -> Answer:
    old, size = sizes
    proof = prove(old, size) if 0 < old < size else ()
    return post(f"{witness.url.rstrip('/')}/add-checkpoint", Request(old, proof, note).data)


def _judged(note: Note, witness: RemoteWitness, reply: Answer) -> tuple[NoteSignature, ...] | Refusal:
    if reply.status != 200:
        why = f"{reply.status} {reply.body[:200].decode('utf-8', 'replace').strip()}"
        return Refusal(witness.url, _TROUBLE.get(reply.status, "refused"), why)
    return verify_note(Note(note.text, parse_signatures(reply.body)), witness.keys).signatures
