"""What a WebAuthn authenticator made of an approval: kept with it, and verified anywhere without the console.

The challenge is the SHA-256 of what an SSH key would sign, so that an assertion is of one statement and of nothing
else. Source: W3C Web Authentication Level 3, 7.2 and 6.1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from tidegate.errors import InputError
from tidegate.ledger.sshsig import LEAST_RSA_BITS
from tidegate.ledger.strict_json import canonical, load_canonical

MOST_BYTES = 6_000
WORD = "webauthn"

_PRESENT, _VERIFIED, _DATA_BYTES = 0x01, 0x04, 37


class ProofError(InputError):
    """An authenticator's key or assertion that is malformed, or that does not prove what it should."""


class WebAuthnKey(Struct, frozen=True):
    """A public key that was made for one site. `origin` is the console's; `spki` the key in DER."""

    origin: str
    spki: bytes

    @property
    def fingerprint(self) -> str:
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.spki).digest()).decode().rstrip("=")

    @property
    def evidence(self) -> Literal["webauthn"]:
        return "webauthn"

    @property
    def line(self) -> str:
        """`webauthn ORIGIN BASE64`, as settings hold it."""
        return f"{WORD} {self.origin} {base64.b64encode(self.spki).decode()}"

    @property
    def rp_id(self) -> str:
        """The host alone: what the authenticator knows the site by."""
        return urlsplit(self.origin).hostname or ""


class Assertion(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the browser answered; each is base64url without padding."""

    authenticator_data: Annotated[str, Meta(max_length=1_024)]
    client_data: Annotated[str, Meta(max_length=2_048)]
    signature: Annotated[str, Meta(max_length=1_024)]


def parse_key(line: str) -> WebAuthnKey:
    """The key of a line `webauthn ORIGIN BASE64`. Raises ProofError for anything else."""
    words = line.split()
    if len(words) != 3 or words[0] != WORD:
        raise ProofError("an authenticator's key is a line `webauthn ORIGIN BASE64`", mend="copy it from the console")
    if not _ORIGIN.fullmatch(words[1]):
        raise ProofError("the origin is no https address of a console", mend="copy the line from the console")
    try:
        spki = base64.b64decode(words[2].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ProofError("the authenticator's key is no base64") from error
    key = WebAuthnKey(words[1], spki)
    _load(key)
    return key


def challenge_of(message: bytes) -> bytes:
    """What the authenticator is asked to sign for this message."""
    return hashlib.sha256(message).digest()


def encode_proof(assertion: Assertion) -> bytes:
    """The bytes that stand as the signature in the envelope."""
    return canonical(msgspec.to_builtins(assertion))


def read_proof(proof: bytes) -> Assertion:
    """Raises InputError for anything but what `encode_proof` writes."""
    try:
        return msgspec.convert(load_canonical(proof, MOST_BYTES), Assertion)
    except msgspec.ValidationError as error:
        raise ProofError("this is no assertion of an authenticator") from error


def verify(message: bytes, proof: bytes, key: WebAuthnKey) -> int:
    """The authenticator's counter. Raises InputError unless this key signed this message on its own site.

    The person must have been there (touch) and have been verified (PIN, finger or face).
    """
    assertion = read_proof(proof)
    data, client = _base64url(assertion.authenticator_data), _base64url(assertion.client_data)
    _check_client(client, message, key)
    if len(data) < _DATA_BYTES or not hmac.compare_digest(data[:32], hashlib.sha256(key.rp_id.encode()).digest()):
        raise ProofError("the assertion was made for another site")
    flags = data[32]
    if not flags & _PRESENT:
        raise ProofError("nobody touched the authenticator")
    if not flags & _VERIFIED:
        raise ProofError("the authenticator did not verify the person: it takes its PIN, a finger or a face")
    _check_signature(key, _base64url(assertion.signature), data + hashlib.sha256(client).digest())
    return int.from_bytes(data[33:37], "big")


# Private

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(?::[0-9]{1,5})?|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")


class _ClientData(Struct, frozen=True, rename="camel"):
    """Browsers add fields of their own (6.1: ignore them)."""

    type: str
    challenge: str
    origin: str
    cross_origin: bool = False
    top_origin: str | None = None


def _check_client(client: bytes, message: bytes, key: WebAuthnKey) -> None:
    from tidegate.ledger.strict_json import load_strict

    try:
        said = msgspec.convert(load_strict(client, MOST_BYTES), _ClientData)
    except msgspec.ValidationError as error:
        raise ProofError("the browser's part of the assertion is malformed") from error
    if said.type != "webauthn.get":
        raise ProofError("the assertion was made for something else than signing")
    if said.origin != key.origin:
        raise ProofError("the assertion was made on another page than the console's")
    if said.cross_origin or said.top_origin is not None:
        raise ProofError("the assertion was made inside a page of another site")
    if not hmac.compare_digest(_base64url(said.challenge), challenge_of(message)):
        raise ProofError("the assertion is of another statement")


def _check_signature(key: WebAuthnKey, signature: bytes, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    public = _load(key)
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, signed, PKCS1v15(), hashes.SHA256())
        elif isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, signed)
        else:
            raise ProofError("the authenticator's key is of an unknown kind")
    except InvalidSignature as error:
        raise ProofError("the assertion is not one of this key over this statement") from error


def _load(key: WebAuthnKey) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        public = load_der_public_key(key.spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ProofError("the authenticator's key cannot be read") from error
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= LEAST_RSA_BITS:
        return public
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return public
    if isinstance(public, ed25519.Ed25519PublicKey):
        return public
    raise ProofError("the authenticator's key is of a kind that does not approve", mend="ES256, EdDSA or RS256")


def _base64url(text: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ProofError("this is no base64url") from error
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise ProofError("the base64url is not in its one spelling")
    return data
