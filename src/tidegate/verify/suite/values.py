"""What a file of tests says, in every language that is read: its tests, and what each of them asserts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

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


class Draft(Struct, frozen=True):
    """A test as it is written, with what is around it. `settled` is whether two of the same text say the same."""

    text: str
    around: Any
    settled: bool = True


class Tests(Mapping[str, TestCase]):
    """Tests by their full names, each judged when it is asked for and then kept.

    `again` reads the file once more: the tree of a file is given back as soon as what changed is judged.
    """

    def __init__(
        self,
        drafts: Mapping[str, Draft],
        builds: Mapping[str, Callable[[], TestCase]],
        again: Callable[[], Tests] | None,
    ) -> None:
        self.drafts = drafts
        self._builds, self._again = builds, again
        self._built: dict[str, TestCase] = {}

    def __getitem__(self, name: str) -> TestCase:
        if name not in self._built:
            if name not in self._builds and name in self.drafts and self._again is not None:
                again, self._again = self._again(), None
                self._builds = again.builds
            self._built[name] = self._builds[name]()
        return self._built[name]

    @property
    def builds(self) -> Mapping[str, Callable[[], TestCase]]:
        """What judges each test, nothing after the tree was given back."""
        return self._builds

    def __contains__(self, name: object) -> bool:
        return name in self.drafts

    def __iter__(self) -> Iterator[str]:
        return iter(self.drafts)

    def __len__(self) -> int:
        return len(self.drafts)

    def settle(self, names: Iterable[str]) -> None:
        """Judges these tests and gives the tree of the file back."""
        for name in names:
            self[name]
        if self._again is not None:
            self._builds = {}


class TestFile(Struct, frozen=True):
    """The tests of one file by their full names, and the names of the project that it imports.

    `own` are the functions of the file, each with what a test that calls it has to know of it, and `hidden` the tests
    that never run, with their line and the reason.
    """

    tests: Mapping[str, TestCase]
    imports: Mapping[str, str] = {}
    own: Mapping[str, bool] = {}
    hidden: Mapping[str, tuple[int, str]] = {}


def unchanged(before: TestFile, after: TestFile) -> frozenset[str]:
    """The names of tests that are the same on both sides, so that nobody has to read them."""
    old, new = before.tests, after.tests
    if not (isinstance(old, Tests) and isinstance(new, Tests)):
        return frozenset()
    turned = [name for name in {*before.own, *after.own} if before.own.get(name) is not after.own.get(name)]
    called = re.compile("|".join(map(re.escape, turned))) if turned else None
    return frozenset(
        name
        for name, draft in old.drafts.items()
        if draft.settled and draft == new.drafts.get(name) and not (called and called.search(draft.text))
    )


Lookup: TypeAlias = Callable[[str], bytes | None]
"""The content of a file of the same tree by its path, None where there is none."""
