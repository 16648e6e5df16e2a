"""Keys of people: made by OpenSSH where they lie in files, and by hand where hardware would keep them."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tidegate.ledger import sshsig
from tidegate.ledger.webauthn_proof import Assertion, WebAuthnKey, challenge_of

ORIGIN = "https://gate.example.com"


@dataclass
class FileKey:
    """A key that ssh-keygen made. Its private half lies in a file without a passphrase."""

    path: Path

    @classmethod
    def make(cls, path: Path, kind: str = "ed25519", bits: int = 0) -> FileKey:
        size = ["-b", str(bits)] if bits else []
        subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "test", "-f", str(path)], check=True)
        return cls(path)

    @property
    def line(self) -> str:
        return " ".join(self.path.with_name(f"{self.path.name}.pub").read_text().split()[:2])

    def sign(self, message: bytes, namespace: str = sshsig.NAMESPACE, *options: str) -> bytes:
        arguments = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(self.path), *options]
        done = subprocess.run(arguments, input=message, capture_output=True, check=True)
        return sshsig.unarmour(done.stdout.decode())


def text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def mpint(number: int) -> bytes:
    return text(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def blob(line: str) -> bytes:
    return base64.b64decode(line.split()[1])


def preimage(message: bytes, namespace: str = sshsig.NAMESPACE, hash_name: str = "sha512") -> bytes:
    digest = hashlib.new(hash_name, message).digest()
    return b"SSHSIG" + text(namespace.encode()) + text(b"") + text(hash_name.encode()) + text(digest)


def envelope(
    public: bytes, inner: bytes, namespace: str = sshsig.NAMESPACE, hash_name: str = "sha512", version: int = 1
) -> bytes:
    head = b"SSHSIG" + struct.pack(">I", version) + text(public) + text(namespace.encode()) + text(b"")
    return head + text(hash_name.encode()) + text(inner)


@dataclass
class HardwareKey:
    """What a FIDO key does, without the plastic. `flags` 1: touched, 4: the person was verified."""

    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
    application: bytes = b"ssh:"
    counter: int = 7

    @classmethod
    def make(cls, *, ecdsa: bool = False, application: bytes = b"ssh:") -> HardwareKey:
        private = ec.generate_private_key(ec.SECP256R1()) if ecdsa else ed25519.Ed25519PrivateKey.generate()
        return cls(private, application)

    @property
    def kind(self) -> bytes:
        ecdsa = isinstance(self.private, ec.EllipticCurvePrivateKey)
        return b"sk-ecdsa-sha2-nistp256@openssh.com" if ecdsa else b"sk-ssh-ed25519@openssh.com"

    @property
    def public(self) -> bytes:
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return text(self.kind) + text(b"nistp256") + text(point) + text(self.application)
        return text(self.kind) + text(self.private.public_key().public_bytes_raw()) + text(self.application)

    @property
    def line(self) -> str:
        return f"{self.kind.decode()} {base64.b64encode(self.public).decode()}"

    def sign(self, message: bytes, namespace: str = sshsig.NAMESPACE, *, flags: int = 1) -> bytes:
        rest = bytes([flags]) + struct.pack(">I", self.counter)
        by_hardware = hashlib.sha256(self.application).digest() + rest
        by_hardware += hashlib.sha256(preimage(message, namespace)).digest()
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.private.sign(by_hardware, ec.ECDSA(hashes.SHA256())))
            inner = text(self.kind) + text(mpint(r) + mpint(s)) + rest
        else:
            inner = text(self.kind) + text(self.private.sign(by_hardware)) + rest
        return envelope(self.public, inner, namespace)


@dataclass
class Authenticator:
    """What a browser and its authenticator do. Each part can be made to lie."""

    private: ec.EllipticCurvePrivateKey
    origin: str = ORIGIN
    credential: bytes = b"credential-of-a-test"
    counter: int = 1

    @classmethod
    def make(cls, origin: str = ORIGIN) -> Authenticator:
        return cls(ec.generate_private_key(ec.SECP256R1()), origin)

    @property
    def spki(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def key(self) -> WebAuthnKey:
        return WebAuthnKey(self.origin, self.spki)

    @property
    def line(self) -> str:
        return self.key.line

    def sign(
        self,
        message: bytes,
        *,
        flags: int = 5,
        origin: str = "",
        rp_id: str = "",
        kind: str = "webauthn.get",
        challenge: bytes | None = None,
        more: dict[str, object] | None = None,
    ) -> Assertion:
        client = {
            "type": kind,
            "challenge": url64(challenge_of(message) if challenge is None else challenge),
            "origin": origin or self.origin,
            "crossOrigin": False,
            **(more or {}),
        }
        said = json.dumps(client).encode()
        data = hashlib.sha256((rp_id or self.key.rp_id).encode()).digest() + bytes([flags])
        data += struct.pack(">I", self.counter)
        signature = self.private.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        return Assertion(url64(data), url64(said), url64(signature))


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


Sign = Callable[[bytes], "bytes | Assertion"]
