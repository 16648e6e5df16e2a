"""SSH keys of people and the signatures that `ssh-keygen -Y sign` makes with them: parsed and verified, never made.

Sources: OpenSSH's PROTOCOL.sshsig, PROTOCOL.u2f and PROTOCOL.agent; RFC 4253, 5656, 8332 and 8709. Stricter than
OpenSSH where that costs nobody anything: no certificates, no SHA-1, no DSA, no RSA below 2048 bits, no trailing bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from tidegate.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

NAMESPACE = "tidegate-approval"
LEAST_RSA_BITS = 2048
MOST_BYTES = 6_000

SshEvidence: TypeAlias = Literal["ssh", "sk-ssh"]

_MAGIC = b"SSHSIG"
_PRESENT, _VERIFIED = 0x01, 0x04
_ED25519_BYTES, _ED25519_SIGNATURE_BYTES = 32, 64


class SshError(InputError):
    """A key or a signature that is malformed, too weak, or of a kind that is not accepted."""


class SshKey(Struct, frozen=True):
    """A public key as OpenSSH writes it on one line. `kind` is its type, `blob` its encoding without base64."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:...`, as `ssh-keygen -l` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def evidence(self) -> SshEvidence:
        """A key that lies in a file, or one that a piece of hardware keeps and that somebody has to touch."""
        return "sk-ssh" if self.kind in _HARDWARE else "ssh"

    @property
    def line(self) -> str:
        """`TYPE BASE64`, as `authorized_keys` and the settings hold it."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"


class Made(Struct, frozen=True):
    """What a signature says of the moment: whether the authenticator asked for a PIN or a finger, and its counter."""

    verified: bool = False
    counter: int = 0


def parse_key(line: str) -> SshKey:
    """The key of a line `TYPE BASE64 [COMMENT]`. Raises SshError for anything else, and for kinds that do not count."""
    words = line.split()
    if len(words) < 2:
        raise SshError("an SSH public key is a line `TYPE BASE64`", mend="copy the line of the .pub file")
    kind = words[0]
    if "-cert-" in kind:
        raise SshError("certificates do not approve: whoever signs them could be anybody", mend="name the key itself")
    if kind not in _PARSERS:
        raise SshError(
            f"{kind[:60]!r} is no kind of key that approves",
            mend=f"known: {', '.join(_PARSERS)}",
        )
    blob = _base64(words[1])
    if len(blob) > MOST_BYTES:
        raise SshError("the key is too long")
    _check_key(kind, blob)
    return SshKey(kind, blob)


def signer_of(signature: bytes) -> SshKey:
    """The key that a signature names as its own. It proves nothing before `verify` with a key that is trusted."""
    return _open(signature).key


def verify(message: bytes, signature: bytes, key: SshKey, namespace: str = NAMESPACE) -> Made:
    """Raises SshError unless this very key signed the message for this namespace.

    `signature` is the SSHSIG blob, without its armour (see `unarmour`). A hardware key must have been touched.
    """
    opened = _open(signature)
    if opened.key != key:
        raise SshError("another key made the signature")
    if opened.namespace != namespace.encode():
        shown = opened.namespace[:40].decode("utf-8", "replace")
        raise SshError(f"the signature was made for {shown!r}, and not for {namespace!r}")
    digest = hashlib.new(opened.hash_name, message).digest()
    signed = _MAGIC + b"".join(map(_string, (opened.namespace, opened.reserved, opened.hash_name.encode(), digest)))
    return _verify(key, signed, opened)


def armour(signature: bytes) -> str:
    """The blob as `ssh-keygen -Y sign` writes it."""
    text = base64.b64encode(signature).decode()
    lines = [text[start : start + 70] for start in range(0, len(text), 70)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def unarmour(text: str) -> bytes:
    """The blob of what `ssh-keygen -Y sign` wrote. Raises SshError where that is something else."""
    lines = text.strip().split("\n")
    if len(lines) < 3 or lines[0].strip() != _BEGIN or lines[-1].strip() != _END or len(text) > 4 * MOST_BYTES:
        raise SshError("this is no SSH signature", mend="make it with ssh-keygen -Y sign")
    return _base64("".join(line.strip() for line in lines[1:-1]))


# Private

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


class _Opened(Struct, frozen=True):
    key: SshKey
    namespace: bytes
    reserved: bytes
    hash_name: str
    format: str
    signature: bytes
    rest: bytes
    """What a hardware key adds after its signature: flags and counter."""


class _Reader:
    """RFC 4251's strings, one after another, to the last byte."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if len(part) != count:
            raise SshError("the encoding is cut off")
        self._at += count
        return part

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))

    def mpint(self) -> int:
        data = self.string()
        if not data or data[0] & 0x80 or (data[0] == 0 and (len(data) == 1 or not data[1] & 0x80)):
            raise SshError("a number is not in its one spelling")
        return int.from_bytes(data, "big")

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)

    def end(self) -> None:
        if self._at != len(self._data):
            raise SshError("bytes follow the encoding")


def _open(signature: bytes) -> _Opened:
    if len(signature) > MOST_BYTES or not signature.startswith(_MAGIC):
        raise SshError("this is no SSH signature")
    reader = _Reader(signature[len(_MAGIC) :])
    if reader.take(4) != b"\0\0\0\1":
        raise SshError("the signature is of an unknown version")
    blob, namespace, reserved, hash_name, inner = (reader.string() for _ in range(5))
    reader.end()
    if hash_name not in (b"sha256", b"sha512"):
        raise SshError("the signature is over an unknown digest")
    if reserved:
        raise SshError("the signature uses a reserved field")
    kind = _Reader(blob).string().decode("ascii", "replace")
    key = parse_key(f"{kind} {base64.b64encode(blob).decode()}")
    parts = _Reader(inner)
    format_, raw = parts.string().decode("ascii", "replace"), parts.string()
    return _Opened(key, namespace, reserved, hash_name.decode(), format_, raw, parts.rest())


def _check_key(kind: str, blob: bytes) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm

    reader = _Reader(blob)
    if reader.string() != kind.encode():
        raise SshError("the key is not of the kind that its line says")
    try:
        _PARSERS[kind](reader)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SshError("the key is no valid key of its kind") from error
    reader.end()


def _verify(key: SshKey, signed: bytes, opened: _Opened) -> Made:
    from cryptography.exceptions import InvalidSignature

    reader = _Reader(key.blob)
    reader.string()
    try:
        return _VERIFIERS[key.kind](reader, signed, opened)
    except (InvalidSignature, ValueError) as error:
        raise SshError("the signature is not one of this key over these bytes") from error


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise SshError("this is no base64") from error
    if base64.b64encode(data).decode() != text:
        raise SshError("the base64 is not in its one spelling")
    return data


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


# Private: the kinds of keys. A parser reads what follows the kind, a verifier raises InvalidSignature.


def _parse_ed25519(reader: _Reader) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    Ed25519PublicKey.from_public_bytes(reader.string())


def _parse_sk_ed25519(reader: _Reader) -> None:
    _parse_ed25519(reader)
    _check_application(reader.string())


def _parse_ecdsa(reader: _Reader, curve: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    if reader.string() != curve.encode():
        raise SshError("the key is on another curve than its kind says")
    curves: dict[str, ec.EllipticCurve] = {"nistp256": ec.SECP256R1(), "nistp384": ec.SECP384R1()}
    curves["nistp521"] = ec.SECP521R1()
    ec.EllipticCurvePublicKey.from_encoded_point(curves[curve], reader.string())


def _parse_sk_ecdsa(reader: _Reader) -> None:
    _parse_ecdsa(reader, "nistp256")
    _check_application(reader.string())


def _parse_rsa(reader: _Reader) -> None:
    _rsa(reader)


def _rsa(reader: _Reader) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    exponent, modulus = reader.mpint(), reader.mpint()
    if not LEAST_RSA_BITS <= modulus.bit_length() <= 16_384:
        raise SshError(
            f"an RSA key of {modulus.bit_length()} bits does not approve",
            mend=f"it takes {LEAST_RSA_BITS} bits, better an ed25519 key: ssh-keygen -t ed25519-sk",
        )
    if exponent < 65_537 or exponent.bit_length() > 64:
        raise SshError("an RSA key with such an exponent does not approve")
    return RSAPublicNumbers(exponent, modulus).public_key()


def _check_application(application: bytes) -> None:
    """A hardware key that was made for a web site must not be one of SSH's."""
    if not application.startswith(b"ssh:"):
        raise SshError("the hardware key was not made for SSH")


def _verify_ed25519(reader: _Reader, signed: bytes, opened: _Opened) -> Made:
    _plain(opened, "ssh-ed25519")
    _ed25519(reader.string(), opened.signature, signed)
    return Made()


def _verify_sk_ed25519(reader: _Reader, signed: bytes, opened: _Opened) -> Made:
    if opened.format != "sk-ssh-ed25519@openssh.com":
        raise SshError("the signature is of another kind than the key")
    public, application = reader.string(), reader.string()
    made, by_hardware = _touched(application, signed, opened.rest)
    _ed25519(public, opened.signature, by_hardware)
    return made


def _ed25519(public: bytes, signature: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(public) != _ED25519_BYTES or len(signature) != _ED25519_SIGNATURE_BYTES:
        raise SshError("the signature has a wrong length")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)


def _verify_ecdsa(reader: _Reader, signed: bytes, opened: _Opened, curve: str) -> Made:
    _plain(opened, f"ecdsa-sha2-{curve}")
    reader.string()
    _ecdsa(curve, reader.string(), opened.signature, signed)
    return Made()


def _verify_sk_ecdsa(reader: _Reader, signed: bytes, opened: _Opened) -> Made:
    if opened.format != "sk-ecdsa-sha2-nistp256@openssh.com":
        raise SshError("the signature is of another kind than the key")
    reader.string()
    point, application = reader.string(), reader.string()
    made, by_hardware = _touched(application, signed, opened.rest)
    _ecdsa("nistp256", point, opened.signature, by_hardware)
    return made


def _ecdsa(curve: str, point: bytes, signature: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    known: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
        "nistp256": (ec.SECP256R1(), hashes.SHA256()),
        "nistp384": (ec.SECP384R1(), hashes.SHA384()),
        "nistp521": (ec.SECP521R1(), hashes.SHA512()),
    }
    group, hash_ = known[curve]
    numbers = _Reader(signature)
    r, s = numbers.mpint(), numbers.mpint()
    numbers.end()
    key = ec.EllipticCurvePublicKey.from_encoded_point(group, point)
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hash_))


def _verify_rsa(reader: _Reader, signed: bytes, opened: _Opened) -> Made:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    if opened.format not in ("rsa-sha2-256", "rsa-sha2-512") or opened.rest:
        raise SshError("an RSA signature is made with SHA-256 or SHA-512")
    key = _rsa(reader)
    hash_: hashes.HashAlgorithm = hashes.SHA256() if opened.format == "rsa-sha2-256" else hashes.SHA512()
    # Some agents leave leading zeros out, and OpenSSH takes that.
    key.verify(opened.signature.rjust(key.key_size // 8, b"\0"), signed, PKCS1v15(), hash_)
    return Made()


def _plain(opened: _Opened, format_: str) -> None:
    if opened.format != format_ or opened.rest:
        raise SshError("the signature is of another kind than the key")


def _touched(application: bytes, signed: bytes, rest: bytes) -> tuple[Made, bytes]:
    """What the hardware says beside its signature, and the bytes that it signed (PROTOCOL.u2f)."""
    reader = _Reader(rest)
    flags, counter = reader.take(1)[0], reader.take(4)
    reader.end()
    if not flags & _PRESENT:
        raise SshError("nobody touched the hardware key", mend="make a key without -O no-touch-required")
    by_hardware = hashlib.sha256(application).digest() + bytes([flags]) + counter + hashlib.sha256(signed).digest()
    return Made(bool(flags & _VERIFIED), int.from_bytes(counter, "big")), by_hardware


_HARDWARE = ("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")
_PARSERS: dict[str, Callable[[_Reader], None]] = {
    "ssh-ed25519": _parse_ed25519,
    "sk-ssh-ed25519@openssh.com": _parse_sk_ed25519,
    "sk-ecdsa-sha2-nistp256@openssh.com": _parse_sk_ecdsa,
    "ecdsa-sha2-nistp256": lambda reader: _parse_ecdsa(reader, "nistp256"),
    "ecdsa-sha2-nistp384": lambda reader: _parse_ecdsa(reader, "nistp384"),
    "ecdsa-sha2-nistp521": lambda reader: _parse_ecdsa(reader, "nistp521"),
    "ssh-rsa": _parse_rsa,
}
_VERIFIERS: dict[str, Callable[[_Reader, bytes, _Opened], Made]] = {
    "ssh-ed25519": _verify_ed25519,
    "sk-ssh-ed25519@openssh.com": _verify_sk_ed25519,
    "sk-ecdsa-sha2-nistp256@openssh.com": _verify_sk_ecdsa,
    "ecdsa-sha2-nistp256": lambda reader, signed, opened: _verify_ecdsa(reader, signed, opened, "nistp256"),
    "ecdsa-sha2-nistp384": lambda reader, signed, opened: _verify_ecdsa(reader, signed, opened, "nistp384"),
    "ecdsa-sha2-nistp521": lambda reader, signed, opened: _verify_ecdsa(reader, signed, opened, "nistp521"),
    "ssh-rsa": _verify_rsa,
}
