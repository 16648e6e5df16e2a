"""Salted commitments: a leaf vouches for a body (a prompt, a diff, a name) without holding it.

The body and its salt stand in a store that can forget them. Then nobody can tell any more what the leaf vouched for, or
try guesses, because the salt is gone as well; the tree and all its proofs stay as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Annotated, TypeAlias

from msgspec import Meta

from tidegate.errors import InputError

Commitment: TypeAlias = Annotated[str, Meta(pattern=r"\Ahmac-sha256:[0-9a-f]{64}\Z")]

SALT_BYTES = 32


def commit(salt: bytes, body: bytes) -> Commitment:
    """HMAC-SHA-256 of the body under its salt. Raises InputError for a salt that is too short to hide anything."""
    if len(salt) != SALT_BYTES:
        raise InputError(f"a salt has {SALT_BYTES} bytes")
    return f"hmac-sha256:{hmac.new(salt, body, hashlib.sha256).hexdigest()}"


def check(commitment: Commitment, salt: bytes, body: bytes) -> bool:
    """Whether this is the body that the leaf vouches for."""
    return hmac.compare_digest(commitment.encode("utf-8", "replace"), commit(salt, body).encode())


def new_salt(random: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """A salt for one body. Salts are never shared: one that is known lets others guess only its own body."""
    return random(SALT_BYTES)


def new_pseudonym(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """How statements call a person from now on. It follows from nothing, so it tells nothing."""
    return f"person:{random(16).hex()}"
