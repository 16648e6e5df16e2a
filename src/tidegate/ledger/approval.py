"""A signed approval: what one person says about one result of a merge, signed by a key in their hand.

It is a DSSE envelope with one in-toto statement and one signature: an SSHSIG of OpenSSH or an assertion of a WebAuthn
authenticator. It names a person, so it is no entry of the log; `predicates/approval.py` is, and commits to it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tidegate.errors import InputError
from tidegate.ledger import sshsig, webauthn_proof
from tidegate.ledger.dsse import PAYLOAD_TYPE, Envelope, EnvelopeSignature, pae, read_envelope
from tidegate.ledger.fields import GitOid, Name, Part, Ref, Sha256, Time, Uri, check_times, parse_time
from tidegate.ledger.notes import NoteError, decode_base64
from tidegate.ledger.sshsig import SshKey
from tidegate.ledger.strict_json import canonical, load_canonical
from tidegate.ledger.webauthn_proof import Assertion, WebAuthnKey

TYPE = "urn:tidegate:predicate:signed-approval:1"
LONGEST = timedelta(days=90)
MOST_BYTES = 16_384

Word: TypeAlias = Literal["approved", "withdrawn"]
KeyEvidence: TypeAlias = Literal["ssh", "sk-ssh", "webauthn"]
Key: TypeAlias = SshKey | WebAuthnKey
Keyring: TypeAlias = Mapping[str, tuple[Key, ...]]
"""The keys of each person, by the name that `[people.NAME]` gives them."""


class ApprovalError(InputError):
    """This document is no approval that anybody signed, or not by whom it says."""


class Terms(Part, frozen=True, kw_only=True):
    """What a signed approval is bound to. Another value of any field is another approval.

    `policy` and `facts` are SHA-256; `merge_tree` is the tree that merging head into the target makes. `person` is the
    key of `[people.NAME]`.
    """

    word: Word
    repository: Uri
    target: Ref
    base: GitOid
    head: GitOid
    merge_tree: GitOid
    policy: Sha256
    facts: Sha256
    stage: Name
    person: Annotated[str, Meta(min_length=1, max_length=128)]
    evidence: KeyEvidence
    at: Time
    expires: Time

    def __post_init__(self) -> None:
        check_times(self.at, self.expires)
        if parse_time(self.expires) - parse_time(self.at) > LONGEST:
            raise ApprovalError(f"an approval holds for {LONGEST.days} days at most")
        if not self.person.isprintable() or self.person != self.person.strip():
            raise ApprovalError("the name of the person is not printable")

    @property
    def text(self) -> str:
        """What the person reads before signing: every field, one on a line."""
        says = "I approve this change." if self.word == "approved" else "I take my approval of this change back."
        return (
            f"{says}\n"
            f"repository: {self.repository}\n"
            f"target: {self.target}\n"
            f"base: {self.base}\n"
            f"head: {self.head}\n"
            f"merge tree: {self.merge_tree}\n"
            f"policy: sha256:{self.policy}\n"
            f"facts: sha256:{self.facts}\n"
            f"stage: {self.stage}\n"
            f"person: {self.person}\n"
            f"evidence: {self.evidence}\n"
            f"at: {self.at}\n"
            f"expires: {self.expires}\n"
        )


class Opened(Struct, frozen=True):
    """An approval whose signature was verified. `digest` is the SHA-256 of what was signed."""

    terms: Terms
    key: Key
    digest: str
    verified: bool
    """Whether the key asked for a PIN or a finger, beyond a touch."""
    counter: int


def parse_key(line: str) -> Key:
    """A key as settings hold it. Raises InputError for one that cannot approve."""
    if line.split(maxsplit=1)[:1] == [webauthn_proof.WORD]:
        return webauthn_proof.parse_key(line)
    return sshsig.parse_key(line)


def make_keyring(lines: Mapping[str, Iterable[str]]) -> Keyring:
    """The keys of each person. Raises InputError for a key that cannot approve, and for one that two people have."""
    found = {person: tuple(dict.fromkeys(map(parse_key, own))) for person, own in lines.items()}
    owner_of: dict[str, str] = {}
    for person, keys in found.items():
        for key in keys:
            if owner_of.setdefault(key.fingerprint, person) != person:
                raise ApprovalError(
                    f"one key belongs to both {owner_of[key.fingerprint]} and {person}",
                    where=key.fingerprint,
                    mend="a key is one person's: make another one",
                )
    return found


def owner_of(key: Key, keyring: Keyring) -> str:
    """The person who has this key, "" for nobody."""
    return next((person for person, keys in keyring.items() if key in keys), "")


def encode(terms: Terms) -> bytes:
    """The statement in its one spelling: the payload of the envelope."""
    return canonical(
        {
            "_type": _STATEMENT,
            "subject": [_subject(terms)],
            "predicateType": TYPE,
            "predicate": {**msgspec.to_builtins(terms), "statement": terms.text},
        }
    )


def decode(payload: bytes) -> Terms:
    """Raises InputError for anything but what `encode` writes."""
    document = load_canonical(payload, MOST_BYTES)
    try:
        statement = msgspec.convert(document, _Statement)
    except msgspec.ValidationError as error:
        raise ApprovalError(f"this is no statement of an approval: {error}") from error
    predicate = dict(statement.predicate)
    predicate.pop("statement", None)
    try:
        terms = msgspec.convert(predicate, Terms)
    except msgspec.ValidationError as error:
        raise ApprovalError(f"the approval is malformed: {error}") from error
    if encode(terms) != payload:
        raise ApprovalError("the statement does not say what its fields say")
    return terms


def signed_bytes(payload: bytes) -> bytes:
    """What a key signs: DSSE's encoding of the kind of the payload and of the payload itself."""
    return pae(PAYLOAD_TYPE, payload)


def seal(payload: bytes, key: Key, proof: bytes | Assertion) -> bytes:
    """The envelope. `proof` is the SSHSIG blob, or what the browser answered; it is not verified here."""
    raw = proof if isinstance(proof, bytes) else webauthn_proof.encode_proof(proof)
    signature = EnvelopeSignature(base64.b64encode(raw).decode(), key.fingerprint)
    envelope = Envelope(base64.b64encode(payload).decode(), PAYLOAD_TYPE, (signature,))
    return canonical(msgspec.to_builtins(envelope))


def open_sealed(data: bytes, keyring: Keyring) -> Opened:
    """The approval, if a key of the person that it names signed it. Raises InputError otherwise, with the reason.

    Whether it is of the change at hand, still holds, and counts, is for the caller.
    """
    if len(data) > 2 * MOST_BYTES:
        raise ApprovalError("the document is too long for an approval")
    envelope = read_envelope(data.removesuffix(b"\n"))
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ApprovalError("the envelope holds another kind of document")
    if len(envelope.signatures) != 1:
        raise ApprovalError("an approval has one signature; a second person signs a document of their own")
    try:
        payload = decode_base64(envelope.payload.encode("utf-8", "replace"))
        proof = decode_base64(envelope.signatures[0].sig.encode("utf-8", "replace"))
    except NoteError as error:
        raise ApprovalError("the envelope is not in canonical base64") from error
    terms = decode(payload)
    digest = hashlib.sha256(payload).hexdigest()
    if terms.evidence == "webauthn":
        return _by_authenticator(terms, payload, proof, keyring, digest)
    key = sshsig.signer_of(proof)
    if key not in keyring.get(terms.person, ()):
        raise ApprovalError(_stranger(terms.person, key, keyring))
    if key.evidence != terms.evidence:
        raise ApprovalError(f"it says {terms.evidence}, and its key is {key.evidence}")
    made = sshsig.verify(signed_bytes(payload), proof, key)
    return Opened(terms, key, digest, made.verified, made.counter)


# Private

_STATEMENT = "https://in-toto.io/Statement/v1"


class _Statement(Part, frozen=True, kw_only=True):
    type_: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: tuple[dict[str, dict[str, str]], ...]
    predicate_type: Literal["urn:tidegate:predicate:signed-approval:1"]
    predicate: dict[str, str]


def _subject(terms: Terms) -> dict[str, dict[str, str]]:
    return {"digest": {"gitCommit": terms.head, "gitTree": terms.merge_tree}}


def _by_authenticator(terms: Terms, payload: bytes, proof: bytes, keyring: Keyring, digest: str) -> Opened:
    """The key is not in an assertion: each of the person's authenticators is tried."""
    keys = [key for key in keyring.get(terms.person, ()) if isinstance(key, WebAuthnKey)]
    if not keys:
        raise ApprovalError(f"no authenticator of {terms.person} is known")
    for number, key in enumerate(keys, 1):
        try:
            counter = webauthn_proof.verify(signed_bytes(payload), proof, key)
        except InputError:
            if number == len(keys):
                raise
            continue
        return Opened(terms, key, digest, True, counter)
    raise ApprovalError("no authenticator signed it")


def _stranger(person: str, key: Key, keyring: Keyring) -> str:
    other = owner_of(key, keyring)
    if other:
        return f"it speaks for {person}, and {other} signed it"
    return f"{key.fingerprint} is no key of {person}"
