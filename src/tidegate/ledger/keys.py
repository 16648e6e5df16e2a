"""Keys: what signs and what verifies, their texts (vkey, skey), and the file of a private key.

`Signer` is all that the rest asks of a private key, so that one in a KMS or behind PKCS#11 can take the place of a
file. Who signs a note needs a name beside the key, and the kind of signature says what exactly is signed:

    0x01  Ed25519 over the text of a note                            what a log makes
    0x04  Ed25519 over `cosignature/v1`, the time and the text       what a witness makes (C2SP tlog-cosignature)
    0x06  ML-DSA-44 over `subtree/v1`, name, time, origin and root   the same against quantum computers
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import msgspec

from tidegate.errors import InputError
from tidegate.ledger.checkpoint import parse_checkpoint
from tidegate.ledger.notes import KEY_ID_BYTES, NoteError, check_key_name, decode_base64, key_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

Algorithm: TypeAlias = Literal["ed25519", "ml-dsa-44"]
Now: TypeAlias = Callable[[], int]
"""Answers the time in whole seconds since 1970."""

SEED_BYTES = 32


class KeyKind(IntEnum):
    """What a key signs, as the signature type of a note."""

    LOG = 0x01
    WITNESS = 0x04
    WITNESS_ML_DSA = 0x06


class Signer(Protocol):
    """A private key, wherever it is."""

    @property
    def algorithm(self) -> Algorithm: ...
    @property
    def public_key(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


class PublicKey(msgspec.Struct, frozen=True):
    """A raw public key: 32 bytes of Ed25519, or 1312 of ML-DSA-44."""

    algorithm: Algorithm
    data: bytes

    @property
    def fingerprint(self) -> str:
        """`ed25519:` and the SHA-256 of the key in hex: how DSSE envelopes and people name it."""
        return f"{self.algorithm}:{hashlib.sha256(self.data).hexdigest()}"

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether this key signed the message."""
        from cryptography.exceptions import InvalidSignature

        try:
            _load_public(self.algorithm, self.data).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SoftwareKey:
    """A private key in the memory of this process. It never shows its seed but to `seed`."""

    def __init__(self, algorithm: Algorithm, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise NoteError(f"a private key has {SEED_BYTES} bytes")
        self.algorithm: Algorithm = algorithm
        self._seed = seed
        self._key = _load_private(algorithm, seed)
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def seed(self) -> bytes:
        """The secret itself, for writing it into a file."""
        return self._seed

    def __repr__(self) -> str:
        return f"SoftwareKey({PublicKey(self.algorithm, self.public_key).fingerprint})"


class NoteKey(msgspec.Struct, frozen=True):
    """A public key that signs notes under a name. Satisfies `NoteVerifier`."""

    name: str
    kind: KeyKind
    public_key: PublicKey

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.kind, self.public_key.data)

    @property
    def vkey(self) -> str:
        """`name+keyid+base64`: what a person gives to others."""
        data = base64.b64encode(bytes([self.kind]) + self.public_key.data).decode()
        return f"{self.name}+{self.key_id.hex()}+{data}"

    def verify(self, text: bytes, signature: bytes) -> bool:
        if self.kind == KeyKind.LOG:
            return self.public_key.verify(text, signature)
        time = cosignature_time(signature)
        if time is None:
            return False
        try:
            message = _cosigned(self.kind, self.name, text, time)
        except NoteError:
            return False
        return self.public_key.verify(message, signature[_TIME_BYTES:])


class NoteSigningKey:
    """A private key that signs notes under a name. Satisfies `NoteSigner`.

    `now` is asked by witnesses' kinds only; the time that it answers is what the witness vouches for.
    """

    def __init__(self, name: str, kind: KeyKind, signer: Signer, now: Now) -> None:
        if signer.algorithm != _ALGORITHMS[kind]:
            raise NoteError(f"a key of kind {kind.value:#04x} is of {_ALGORITHMS[kind]}")
        self.name = check_key_name(name)
        self._signer = signer
        self._now = now
        self.public = NoteKey(name, kind, PublicKey(signer.algorithm, signer.public_key))
        self.key_id = self.public.key_id

    def sign(self, text: bytes) -> bytes:
        kind = self.public.kind
        if kind == KeyKind.LOG:
            return self._signer.sign(text)
        time = self._now()
        if not 0 < time < 1 << 63:
            raise NoteError("a cosignature has a time after 1970")
        return time.to_bytes(_TIME_BYTES, "big") + self._signer.sign(_cosigned(kind, self.name, text, time))


def cosignature_time(signature: bytes) -> int | None:
    """The time that a witness's signature of a note vouches for, in seconds since 1970; None where it has none."""
    time = int.from_bytes(signature[:_TIME_BYTES], "big")
    return time if len(signature) > _TIME_BYTES and 0 < time < 1 << 63 else None


def new_key(algorithm: Algorithm = "ed25519") -> SoftwareKey:
    """A fresh private key from the system's randomness."""
    return SoftwareKey(algorithm, secrets.token_bytes(SEED_BYTES))


def parse_vkey(text: str) -> NoteKey:
    """Reads `name+keyid+base64`. Raises NoteError where it is malformed, of an unknown kind, or its key id is wrong."""
    name, id_, data = _split_key(text)
    try:
        kind = KeyKind(data[0])
    except ValueError as error:
        raise NoteError(f"a key of kind {data[0]:#04x} is not known here", where=name) from error
    algorithm = _ALGORITHMS[kind]
    if len(data) != 1 + _PUBLIC_BYTES[algorithm]:
        raise NoteError("the public key has a wrong length", where=name)
    key = NoteKey(name, kind, PublicKey(algorithm, data[1:]))
    if key.key_id.hex() != id_:
        raise NoteError("the key id is not the one of the key", where=name)
    return key


def write_key(path: Path, name: str, kind: KeyKind, key: SoftwareKey) -> None:
    """Writes a private key into a new file that only its owner can read. Raises InputError if the file is there.

    The text is that of Go's note package: `PRIVATE+KEY+name+keyid+base64`.
    """
    public = NoteKey(check_key_name(name), kind, PublicKey(key.algorithm, key.public_key))
    data = base64.b64encode(bytes([kind]) + key.seed()).decode()
    text = f"{_PRIVATE}{name}+{public.key_id.hex()}+{data}\n"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise InputError("there is a key already", where=str(path), mend="move it away first") from error
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def make_key(path: Path, name: str, kind: KeyKind) -> None:
    """A new key in the file, whole or not at all. Where one is there already, or another process is quicker, that one
    stays."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_key(draft, name, kind, new_key())
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_key(path: Path, now: Now) -> NoteSigningKey:
    """Reads a private key that `write_key` wrote. Raises InputError for one that others can read.

    No error shows any part of the key.
    """
    name, kind, key = read_software_key(path)
    return NoteSigningKey(name, kind, key, now)


def read_software_key(path: Path) -> tuple[str, KeyKind, SoftwareKey]:
    """The name, the kind and the key of a file: for signing what is no note."""
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & 0o077:
                raise InputError(
                    "others can read this private key", where=str(path), mend="chmod 600, or make a new one"
                )
            text = stream.read(_MAX_KEY_FILE).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("this private key cannot be read", where=str(path)) from error
    if not text.startswith(_PRIVATE) or not text.endswith("\n"):
        raise InputError("this is no file of a private key", where=str(path))
    return _parse_private(text.removeprefix(_PRIVATE).removesuffix("\n"), path)


# Private

_TIME_BYTES = 8
_MAX_KEY_FILE = 1024
_PRIVATE = "PRIVATE+KEY+"
_ALGORITHMS: dict[KeyKind, Algorithm] = {
    KeyKind.LOG: "ed25519",
    KeyKind.WITNESS: "ed25519",
    KeyKind.WITNESS_ML_DSA: "ml-dsa-44",
}
_PUBLIC_BYTES: dict[Algorithm, int] = {"ed25519": 32, "ml-dsa-44": 1312}


@lru_cache(maxsize=64)
def _load_public(algorithm: Algorithm, data: bytes) -> Ed25519PublicKey | MLDSA44PublicKey:
    if algorithm == "ed25519":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(data)
    with _ml_dsa():
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

        return MLDSA44PublicKey.from_public_bytes(data)


def _load_private(algorithm: Algorithm, seed: bytes) -> Ed25519PrivateKey | MLDSA44PrivateKey:
    if algorithm == "ed25519":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(seed)
    with _ml_dsa():
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        return MLDSA44PrivateKey.from_seed_bytes(seed)


@contextmanager
def _ml_dsa() -> Iterator[None]:
    """Older builds of `cryptography`, or of its OpenSSL, have no ML-DSA."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        yield
    except (ImportError, UnsupportedAlgorithm) as error:
        raise InputError("the cryptography library has no ml-dsa-44", mend="update it, or use ed25519") from error


def _cosigned(kind: KeyKind, name: str, text: bytes, time: int) -> bytes:
    """What a witness signs. Raises NoteError where the text is no checkpoint."""
    checkpoint = parse_checkpoint(text)
    if kind == KeyKind.WITNESS:
        return b"cosignature/v1\ntime %d\n" % time + text
    cosigner, origin = name.encode(), checkpoint.origin.encode()
    if len(cosigner) > 255:
        raise NoteError("the name of this cosigner is too long")
    return b"".join(
        (
            b"subtree/v1\n\0",
            bytes([len(cosigner)]) + cosigner,
            time.to_bytes(8, "big"),
            bytes([len(origin)]) + origin,
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _split_key(text: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3 or len(parts[1]) != 2 * KEY_ID_BYTES:
        raise NoteError("a key is a name, a key id and base64, with a plus sign between them")
    data = decode_base64(parts[2].encode("utf-8", "replace"))
    if len(data) < 2:
        raise NoteError("a key is a name, a key id and base64, with a plus sign between them")
    return check_key_name(parts[0]), parts[1], data


def _parse_private(text: str, path: Path) -> tuple[str, KeyKind, SoftwareKey]:
    try:
        name, id_, data = _split_key(text)
        kind = KeyKind(data[0])
        key = SoftwareKey(_ALGORITHMS[kind], data[1:])
    except (NoteError, ValueError):
        raise InputError("this is no file of a private key", where=str(path)) from None
    if key_id(name, kind, key.public_key).hex() != id_:
        raise InputError("the key id is not the one of the key", where=str(path))
    return name, kind, key
