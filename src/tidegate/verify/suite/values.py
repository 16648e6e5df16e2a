"""What a file of tests says, in every language that is read: its tests, and what each of them asserts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

EXACT, CLOSE, ROUGH, BARE = 4, 3, 2, 1
"""How much an assertion pins down: one value, a range or a part, whether something is there, hardly anything."""


class Assertion(Struct, frozen=True):
    """One assertion. `text` is its normal form, `subject` what it is about, in its normal form.

    `idle` says why it can never fail, "" where it can. `limit` is a tolerance, 0 where it has none. `opaque` is a call
    of a helper whose assertions are not counted one by one.
    """

    line: int
    text: str
    subject: str
    strength: int
    idle: str = ""
    limit: float = 0.0
    opaque: bool = False
    expected: str = ""


class TestCase(Struct, frozen=True):
    """One test. `text` is its normal form without documentation, `words` every name and word in it.

    `skipped` says how it is switched off always, `maybe_skipped` that it is under a condition. `excused` says why a
    test without an assertion is meant to be one. `unseen` is true where something that it calls may assert.
    """

    name: str
    line: int
    end_line: int
    text: str
    words: frozenset[str]
    assertions: tuple[Assertion, ...]
    skipped: str = ""
    maybe_skipped: str = ""
    expected_to_fail: str = ""
    alone: bool = False
    excused: str = ""
    unseen: bool = False
    commented: int = 0
    cases: int = 1
    repeats: bool = False
    retries: bool = False

    @property
    def live(self) -> tuple[Assertion, ...]:
        """The assertions that can fail."""
        return tuple(one for one in self.assertions if not one.idle)


class TestFile(Struct, frozen=True):
    """The tests of one file by their full names, and the names of the project that it imports."""

    tests: Mapping[str, TestCase]
    imports: Mapping[str, str] = {}


Lookup: TypeAlias = Callable[[str], bytes | None]
"""The content of a file of the same tree by its path, None where there is none."""
