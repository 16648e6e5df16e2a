"""A witness: it cosigns a log's checkpoint only if the log has grown since the last one, and never forgets that one.

C2SP tlog-witness v1.0.0. `answer` is what stands behind `POST add-checkpoint`: bytes in, status and bytes out; the door
that speaks HTTP is elsewhere. The state is compared and replaced in one step and is on the disk before the answer is.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from tidegate.errors import InputError
from tidegate.ledger.checkpoint import Checkpoint, parse_checkpoint
from tidegate.ledger.keys import KeyKind, NoteKey, NoteSigningKey, cosignature_time
from tidegate.ledger.merkle import EMPTY_ROOT, Proof, ProofError, verify_growth
from tidegate.ledger.notes import (
    MAX_NOTE_BYTES,
    Note,
    NoteError,
    NoteSignature,
    decode_base64,
    decode_number,
    parse_note,
    verify_note,
)

MAX_PROOF = 63
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 8192
TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    media_type: str = TEXT


class Request(msgspec.Struct, frozen=True):
    """What a log asks of a witness: to cosign `checkpoint`, which `proof` shows to continue the one of size `old`."""

    old: int
    proof: Proof
    checkpoint: bytes

    @property
    def data(self) -> bytes:
        lines = [b"old %d" % self.old, *(base64.b64encode(hash_) for hash_ in self.proof), b"", self.checkpoint]
        return b"\n".join(lines)


class Seen(msgspec.Struct, frozen=True):
    """The latest checkpoint of one log that the witness cosigned: the note with the log's lines and the witness's.

    `time` is when, in seconds since 1970.
    """

    size: int
    root: bytes
    note: bytes
    time: int


class State(Protocol):
    """What a witness remembers. Whatever keeps it must survive a power cut and never go back."""

    def latest(self, origin: str) -> Seen | None: ...

    def replace(self, origin: str, before: Seen | None, after: Seen) -> bool:
        """Stores `after` durably if `before` is still the latest, in one step; False where it is not."""


class Witness:
    """One witness: the keys that it cosigns with, and the logs that it watches, each with the keys of its keeper."""

    def __init__(self, signers: Sequence[NoteSigningKey], logs: Mapping[str, Sequence[NoteKey]], state: State) -> None:
        if not signers or any(signer.public.kind == KeyKind.LOG for signer in signers):
            raise InputError("a witness has keys to cosign with, and no key of a log")
        self._signers = tuple(signers)
        self._logs = dict(logs)
        self._state = state

    def answer(self, request: bytes) -> Answer:
        """What tlog-witness prescribes for the body of an add-checkpoint request. It raises nothing for any request."""
        try:
            return self._add_checkpoint(request)
        except _RefusedError as refused:
            return refused.answer

    def checkpoint(self, origin_hash: str) -> Answer:
        """The latest cosigned checkpoint of the log whose origin has this SHA-256 in hex, for monitors."""
        for origin in self._logs:
            if hashlib.sha256(origin.encode()).hexdigest() == origin_hash:
                seen = self._state.latest(origin)
                if seen is not None:
                    return Answer(200, seen.note)
        return Answer(404, b"no checkpoint of that log was cosigned here\n")

    def _add_checkpoint(self, data: bytes) -> Answer:
        request, note, checkpoint = _read(data)
        lines = self._verified(note, checkpoint)
        if request.old > checkpoint.size:
            raise _refused(400, "the old size is larger than the checkpoint")
        seen = self._state.latest(checkpoint.origin)
        size, root = (seen.size, seen.root) if seen is not None else (0, EMPTY_ROOT)
        if request.old != size:
            return Answer(409, b"%d\n" % size, SIZE)
        try:
            verify_growth(size, checkpoint.size, root, checkpoint.root, request.proof)
        except ProofError as error:
            raise _refused(422, error.what) from error
        cosigned = tuple(NoteSignature(key.name, key.key_id, key.sign(note.text)) for key in self._signers)
        time = max(cosignature_time(signature.signature) or 0 for signature in cosigned)
        after = Seen(checkpoint.size, checkpoint.root, Note(note.text, lines + cosigned).data, time)
        if not self._state.replace(checkpoint.origin, seen, after):
            newer = self._state.latest(checkpoint.origin)
            return Answer(409, b"%d\n" % (newer.size if newer is not None else 0), SIZE)
        return Answer(200, b"".join(signature.line for signature in cosigned))

    def _verified(self, note: Note, checkpoint: Checkpoint) -> tuple[NoteSignature, ...]:
        """The log's own lines, which alone are kept."""
        keys = self._logs.get(checkpoint.origin)
        if keys is None:
            raise _refused(404, "that log is not watched here")
        try:
            return verify_note(note, keys).signatures
        except NoteError as error:
            raise _refused(403, error.what) from error


def parse_request(data: bytes) -> Request:
    """Splits an add-checkpoint request. Raises NoteError for anything malformed."""
    if len(data) > MAX_REQUEST_BYTES:
        raise NoteError("the request is too long")
    head, blank, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    first = lines.pop(0)
    if not blank or not first.startswith(b"old ") or len(lines) > MAX_PROOF:
        raise NoteError(f"a request has an old size, at most {MAX_PROOF} hashes, a blank line and a checkpoint")
    proof = tuple(decode_base64(line) for line in lines)
    if any(len(hash_) != len(EMPTY_ROOT) for hash_ in proof):
        raise NoteError("a hash has 32 bytes")
    return Request(decode_number(first.removeprefix(b"old ")), proof, checkpoint)


# Private


class _RefusedError(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _refused(status: int, why: str) -> _RefusedError:
    return _RefusedError(Answer(status, why.encode() + b"\n"))


def _read(data: bytes) -> tuple[Request, Note, Checkpoint]:
    try:
        request = parse_request(data)
        note = parse_note(request.checkpoint)
        return request, note, parse_checkpoint(note.text)
    except NoteError as error:
        raise _refused(400, error.what) from error
