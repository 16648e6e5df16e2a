"""Signatures and content hashes of Agent Trace records.

The specification defines neither. Signatures are read as AgentDiff writes them: `sig{alg, key_id, value}` holds an
ed25519 signature of the record without `sig` as canonical JSON (RFC 8785), and `key_id` the first 16 hex digits of the
key's SHA-256. Hashes are read as `NAME:HEX`, for the names in `HASHES`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tidegate.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SignatureState: TypeAlias = Literal["none", "valid", "invalid", "unknown-key"]


class TrustedKeys:
    """The public keys that a repository trusts, by AgentDiff's key id."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = keys

    def get(self, key_id: str) -> Ed25519PublicKey | None:
        return self._keys.get(key_id)

    def __len__(self) -> int:
        return len(self._keys)


def read_trusted_keys(texts: Iterable[str]) -> TrustedKeys:
    """The keys of `provenance.trusted_keys`. Raises InputError for one that is not 32 bytes in base64."""
    keys: dict[str, Ed25519PublicKey] = {}
    for text in texts:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            raw = base64.b64decode(text, validate=True)
            keys[key_id(raw)] = Ed25519PublicKey.from_public_bytes(raw)
        except (binascii.Error, ValueError) as error:
            raise InputError(
                f"{text[:20]!r} is not an ed25519 public key",
                where="provenance.trusted_keys",
                mend="write its 32 bytes in base64",
            ) from error
    return TrustedKeys(keys)


def key_id(public_key: bytes) -> str:
    """How AgentDiff names a key."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def check_signature(record: bytes, keys: TrustedKeys | None) -> SignatureState:
    """Whether a trusted key signed this record, which is known to be a JSON object with a `sig`."""
    from cryptography.exceptions import InvalidSignature

    try:
        document = json.loads(record)
        signature = document.pop("sig")
        key = (keys or TrustedKeys({})).get(signature["key_id"])
        if signature["alg"] != "ed25519" or key is None:
            return "unknown-key"
        key.verify(base64.b64decode(signature["value"], validate=True), canonical_json(document))
    except InvalidSignature:
        return "invalid"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "invalid"
    return "valid"


def canonical_json(document: Any) -> bytes:
    """The document as RFC 8785 writes it: keys in the order of UTF-16, numbers as ECMAScript prints them."""
    return _canonical(document).encode("utf-8", "surrogatepass")


def matches_hash(content_hash: str, lines: Sequence[bytes]) -> bool | None:
    """Whether these lines have that hash; None when it is of no kind that is known.

    Nobody says whether the last line break belongs to the content, so both readings count.
    """
    name, colon, value = content_hash.partition(":")
    make = HASHES.get(name.lower()) if colon else None
    if make is None:
        return None
    text = b"\n".join(lines)
    return value.lower() in (make(text), make(text + b"\n"))


# Private


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(key)}:{_canonical(inner)}" for key, inner in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_canonical(inner) for inner in value) + "]"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    """ECMAScript's Number::toString, from the shortest digits that Python finds too."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("JSON has no such number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, power = _shortest(abs(value))
    if 0 < power <= 21:
        shown = digits.ljust(power, "0") if len(digits) <= power else f"{digits[:power]}.{digits[power:]}"
    elif -6 < power <= 0:
        shown = f"0.{'0' * -power}{digits}"
    else:
        head = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
        shown = f"{head}e{'+' if power > 0 else '-'}{abs(power - 1)}"
    return sign + shown


def _shortest(value: float) -> tuple[str, int]:
    """The digits d and the power n with value = 0.d * 10^n."""
    head, _, exponent = repr(value).partition("e")
    whole, _, fraction = head.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    return digits.rstrip("0"), len(whole) - leading + int(exponent or 0)


def _murmur3(text: bytes) -> str:
    """MurmurHash3, x86, 32 bits, seed 0: the eight hex digits of the specification's example."""
    mask = 0xFFFFFFFF
    hash_ = 0
    whole = len(text) & ~3
    for at in range(0, whole, 4):
        hash_ ^= _mixed(int.from_bytes(text[at : at + 4], "little"))
        hash_ = (((hash_ << 13) | (hash_ >> 19)) * 5 + 0xE6546B64) & mask
    if len(text) > whole:
        hash_ ^= _mixed(int.from_bytes(text[whole:], "little"))
    hash_ ^= len(text)
    hash_ = ((hash_ ^ (hash_ >> 16)) * 0x85EBCA6B) & mask
    hash_ = ((hash_ ^ (hash_ >> 13)) * 0xC2B2AE35) & mask
    return f"{hash_ ^ (hash_ >> 16):08x}"


def _mixed(block: int) -> int:
    block = (block * 0xCC9E2D51) & 0xFFFFFFFF
    return (((block << 15) | (block >> 17)) * 0x1B873593) & 0xFFFFFFFF


HASHES: Mapping[str, Callable[[bytes], str]] = {
    "sha256": lambda text: hashlib.sha256(text).hexdigest(),
    "sha512": lambda text: hashlib.sha512(text).hexdigest(),
    "murmur3": _murmur3,
}
"""The kinds of content hashes that can be checked."""
