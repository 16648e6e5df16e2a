"""The entries that an audit itself appends: the seed of a sample, and what was erased."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from tidegate.ledger.fields import Subject
from tidegate.ledger.keys import Signer
from tidegate.ledger.predicates import erasure, sample_seed
from tidegate.ledger.predicates.erasure import Erasure
from tidegate.ledger.predicates.sample_seed import SampleSeed
from tidegate.ledger.statements import Statement, sign_statement

if TYPE_CHECKING:
    from tidegate.ledger.log_rows import NewEntry

Ground = Literal["request", "retention", "secret", "error"]
NAMED = 512
"""An erasure names so many commitments at most, and counts all."""


def seed_entry(signer: Signer, seed: SampleSeed, origin: str) -> NewEntry:
    """One seed for one audit and period: sent again, it is the entry that is there."""
    key = f"sample-seed:{seed.audit}:{seed.begin}:{seed.end}"
    return _entry(signer, seed, sample_seed.TYPE, key, origin)


class Erased(Struct, frozen=True):
    """Whose bodies were erased and why, by their commitments. `person` is "" where it is nobody's that is known."""

    person: str
    ground: Ground
    commitments: Sequence[str]


def erasure_entry(signer: Signer, erased: Erased, at: str, origin: str) -> NewEntry:
    """Says that these bodies were erased."""
    named, person = tuple(erased.commitments[:NAMED]), erased.person or None
    says = Erasure(ground=erased.ground, count=len(erased.commitments), commitments=named, at=at, person=person)
    digest = hashlib.sha256("\n".join(erased.commitments).encode()).hexdigest()
    return _entry(signer, says, erasure.TYPE, f"erasure:{erased.person}:{digest}", origin)


# Private


def _entry(signer: Signer, says: SampleSeed | Erasure, kind: str, key: str, origin: str) -> NewEntry:
    from tidegate.ledger.log_rows import NewEntry

    subject = Subject(digest={"sha256": hashlib.sha256(key.encode()).hexdigest()}, name=key[:512])
    return NewEntry(key, kind, origin, sign_statement(Statement((subject,), says), [signer]))
