"""A sample that anybody can draw again: by a seed that was on record before the population was."""

from __future__ import annotations

import hashlib
import hmac

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.ledger.evidence.record import Record
from tidegate.ledger.evidence.values import Item, Period, Population
from tidegate.ledger.fields import parse_time


class Sample(Struct, frozen=True, kw_only=True):
    """`seed_entry` is where the seed is on record. `revealed`: the seed was a digest, and this is what of."""

    seed_entry: int
    seed: str
    audit: str
    revealed: str
    wanted: int
    items: tuple[Item, ...]


def draw(population: Population, record: Record, seed_entry: int, wanted: int, *, secret: str | None = None) -> Sample:
    """`wanted` commits, or all where there are fewer, in the order in which they were drawn.

    Of a change that landed as several commits the last one stands for all. Each commit's place is
    HMAC-SHA-256(seed, "REF COMMIT"): nothing but seed and commit decides, so a commit that is added or removed moves
    no other. Whoever knows the seed early could try commits until none is drawn; so a seed may be the SHA-256 of a
    secret that the auditor keeps until the period is over. InputError where the seed was not on record in time, is for
    another period, or the secret is another one.
    """
    noted = record.seeds.get(seed_entry)
    if noted is None:
        raise InputError(f"entry {seed_entry} is no seed of a sample", mend="publish one: tidegate ledger seed")
    says = noted.says
    _check_period(population.period, says.begin, says.end)
    key = bytes.fromhex(says.seed)
    if secret is not None:
        if hashlib.sha256(secret.encode()).digest() != key:
            raise InputError("this is not the secret whose SHA-256 is on record", where=f"entry {seed_entry}")
        key = secret.encode()
    changes = [item for item in population.items if not item.part_of]
    chosen = sorted(changes, key=lambda item: _place(key, item))[:wanted]
    return Sample(
        seed_entry=seed_entry,
        seed=says.seed,
        audit=says.audit,
        revealed=secret or "",
        wanted=wanted,
        items=tuple(chosen),
    )


# Private


def _place(key: bytes, item: Item) -> bytes:
    return hmac.new(key, f"{item.ref} {item.commit}".encode(), hashlib.sha256).digest()


def _check_period(period: Period, begin: str, end: str) -> None:
    if (parse_time(begin).timestamp(), parse_time(end).timestamp()) != (period.begin, period.end):
        raise InputError(
            f"the seed is for the period from {begin} to {end}",
            mend="draw the sample from that period, or publish a seed for this one before it ends",
        )
