"""What a pattern of failure is: where it can strike here, what would have done it, and what people would see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.drill.ground import Ground
from tidegate.drill.values import Source

Verdict: TypeAlias = Literal["best", "part", "poor"]


class Chance(Struct, frozen=True):
    """Where a pattern strikes here. `edits` is the new text of each file, None for one that is deleted.

    `line` is in the new text of `path`. `what` says what the change does, `why` why this place, each in a sentence;
    `subject` and `prompt` are what its commit and its session say. `words` fill the tale.
    `less` is by how much the pattern fits worse here than where it is at home.
    """

    path: str
    line: int
    edits: Mapping[str, str | None]
    what: str
    why: str
    subject: str
    prompt: str
    words: Mapping[str, str] = {}
    less: int = 0


class Move(Struct, frozen=True):
    """A first move: what is done, where it leads, and what it is worth."""

    text: str
    leads: str
    worth: Verdict
    why: str


class Tale(Struct, frozen=True):
    """What people would see, in the order in which they would. Words in braces are filled in.

    `alert` and `graph` go to whoever is on call, `claim` is what the session said when it was done, `noise` something
    true that misleads, `customer` comes from outside, `twist` is what makes it worse. `back` says whether taking the
    change back also brings back what it did.
    """

    alert: str
    graph: str
    claim: str
    noise: str
    customer: str
    twist: str
    moves: tuple[Move, ...]
    back: bool
    lesson: str


class Rule(Struct, frozen=True):
    """A rule that would ask the right question next time, as it stands in TOML; `{path}` and the like are filled in.

    `when` are conditions of CEL that all must hold, `require` is a TOML array.
    """

    id: str
    title: str
    when: tuple[str, ...]
    require: str
    reason: str
    effect: Literal["hold", "block"] = "hold"


class Pattern(Struct, frozen=True):
    """One way in which changes made by agents have failed in public.

    `needs` says in words what the repository must have; `fits` is how near it lies where it has that.
    """

    id: str
    title: str
    needs: str
    fits: int
    sources: tuple[Source, ...]
    find: Callable[[Ground, Random], Chance | None]
    tale: Tale
    rules: tuple[Rule, ...]
