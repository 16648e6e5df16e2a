"""What is known of the changed tests of a change: which they are, and what became of them in each run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

Class: TypeAlias = Literal["fail_before", "pass_before", "unknown", "failed"]
"""What a test proves: see `facts.FailBeforeFacts`."""

Shows: TypeAlias = Literal["behaviour", "existence", ""]
"""What a test that fails before shows: what the change does, or only that something which it adds is there."""

CaseOutcome: TypeAlias = Literal["passed", "failed", "broken", "skipped", "unknown"]
"""`failed` in the test itself, `broken` before it began (import, set-up), `unknown` where the run was cut short."""


class TestName(Struct, frozen=True, order=True):
    """A test function: its file and its name in it, with its classes (`TestCart.test_total`)."""

    __test__ = False  # pytest takes classes of this name for tests

    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}::{self.name}" if self.name else self.path


class Selected(Struct, frozen=True):
    """A test that the change adds or changes. `line` is where it begins at the head, 0 where that is not known.

    `direct` is False for one whose own text stays, and only a helper or a fixture that it uses was changed.
    """

    test: TestName
    line: int = 0
    direct: bool = True


class Problem(Struct, frozen=True):
    """An exception as the test runner saw it. `names` are the names that its message quotes or it carries."""

    kind: str
    message: str = ""
    names: tuple[str, ...] = ()
    module: str = ""

    def __str__(self) -> str:
        first = self.message.strip().split("\n", 1)[0][:160]
        return f"{self.kind}: {first}" if first else self.kind


class Case(Struct, frozen=True):
    """What became of one test with one set of parameters. `wavers`: it failed, and passed when it was tried again."""

    id: str
    outcome: CaseOutcome
    reason: str = ""
    problem: Problem | None = None
    wavers: bool = False


class Trial(Struct, frozen=True):
    """One run of the tests. `files` are those that could not be collected, with why ("" for all of them).

    `trouble` says why the whole run tells nothing, "" where it does.
    """

    cases: Mapping[TestName, tuple[Case, ...]] = {}
    files: Mapping[str, Problem] = {}
    trouble: str = ""
    cut_short: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Added(Struct, frozen=True):
    """What the change adds to the sources: identifiers on its added lines, modules that are new, and whose they are.

    `tops` are the first names of the project's own modules.
    """

    identifiers: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    tops: frozenset[str] = frozenset()


class TestResult(Struct, frozen=True):
    """The class of one test with its reason, in words. `shows` is "" for a test that does not fail before."""

    __test__ = False

    path: str
    name: str
    line: int
    class_: Class
    reason: str
    cases: int = 0
    direct: bool = True
    shows: Shows = ""


class Result(Struct, frozen=True):
    """What was found for one change. `notes` say what was done to make the tests run, and what was left out."""

    base_tree: str
    head_tree: str
    command: str
    runner: str
    tests: tuple[TestResult, ...]
    notes: tuple[str, ...] = ()
    schema: Literal["tidegate.fail-before/1"] = "tidegate.fail-before/1"
