"""What guidance is made of."""

from __future__ import annotations

from msgspec import Struct


class Item(Struct, frozen=True):
    """One thing that holds here. `says` is a sentence or a command; `evidence` is where that is seen, or how often.

    `says` stays the same while what it rests on stays; figures stand in `evidence`.
    """

    says: str
    evidence: str


class Guidance(Struct, frozen=True):
    """What an agent should know of one file, or of the whole repository where `path` is "".

    `rules` are what a gate holds a change for, `owners` who answers and must approve, `commands` what checks it,
    `history` what had to be repaired or changes together, `conventions` what was counted, `notes` what is not known.
    """

    path: str
    rules: tuple[Item, ...] = ()
    owners: tuple[Item, ...] = ()
    commands: tuple[Item, ...] = ()
    history: tuple[Item, ...] = ()
    conventions: tuple[Item, ...] = ()
    notes: tuple[Item, ...] = ()
