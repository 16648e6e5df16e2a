"""DSSE 1.0.2 envelopes: the payload, and signatures of people's and machines' keys over its type and its bytes.

The key id in an envelope is a hint that nothing hangs on. Who signed is found by trying the trusted keys, and a key
counts once however often it signed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from tidegate.ledger.fields import StatementError
from tidegate.ledger.keys import PublicKey, Signer
from tidegate.ledger.notes import NoteError, decode_base64
from tidegate.ledger.strict_json import canonical, load_canonical
from tidegate.ledger.tiles import MAX_ENTRY_BYTES

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_SIGNATURES = 16


class EnvelopeSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sig: Annotated[str, Meta(max_length=8192)]
    keyid: Annotated[str, Meta(max_length=256)] = ""


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An envelope as it was read. Nothing in it is to be believed before `verify_envelope`."""

    payload: str
    payload_type: Annotated[str, Meta(max_length=128)]
    signatures: Annotated[tuple[EnvelopeSignature, ...], Meta(min_length=1, max_length=MAX_SIGNATURES)]


class VerifiedEnvelope(msgspec.Struct, frozen=True):
    """The very bytes that were verified, and the keys that signed them."""

    payload: bytes
    keys: tuple[PublicKey, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_envelope(payload: bytes, signers: Iterable[Signer], payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The envelope as canonical JSON. Raises StatementError for one that is too long for an entry of the log."""
    message = pae(payload_type, payload)
    signatures = tuple(
        EnvelopeSignature(
            sig=base64.b64encode(signer.sign(message)).decode(),
            keyid=PublicKey(signer.algorithm, signer.public_key).fingerprint,
        )
        for signer in signers
    )
    envelope = Envelope(base64.b64encode(payload).decode(), payload_type, signatures)
    data = canonical(msgspec.to_builtins(envelope))
    if len(data) > MAX_ENTRY_BYTES:
        raise StatementError(f"an entry of {len(data)} bytes is too long", mend="keep bodies out of statements")
    return data


def read_envelope(data: bytes) -> Envelope:
    """Parses canonical JSON. Raises InputError for anything else."""
    try:
        return msgspec.convert(load_canonical(data, MAX_ENTRY_BYTES), Envelope)
    except msgspec.ValidationError as error:
        raise StatementError(f"this is no DSSE envelope: {error}") from error


def verify_envelope(
    data: bytes, keys: Sequence[PublicKey], threshold: int = 1, payload_type: str = PAYLOAD_TYPE
) -> VerifiedEnvelope:
    """The payload, if at least `threshold` different trusted keys signed it. Raises InputError otherwise."""
    envelope = read_envelope(data)
    if envelope.payload_type != payload_type:
        raise StatementError(f"the envelope holds {envelope.payload_type!r}, and not {payload_type!r}")
    if threshold < 1:
        raise StatementError("an envelope needs at least one signature")
    try:
        payload = decode_base64(envelope.payload.encode("utf-8", "replace"))
        signatures = [decode_base64(signature.sig.encode("utf-8", "replace")) for signature in envelope.signatures]
    except NoteError as error:
        raise StatementError("the envelope is not in canonical base64") from error
    message = pae(payload_type, payload)
    signed = tuple(
        key for key in dict.fromkeys(keys) if any(key.verify(message, signature) for signature in signatures)
    )
    if len(signed) < threshold:
        raise StatementError(f"{len(signed)} trusted keys signed the envelope, and {threshold} must")
    return VerifiedEnvelope(payload, signed)
