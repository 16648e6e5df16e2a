"""One fault that can be put into a changed line, and what the tests said of it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Lane: TypeAlias = Literal["call", "import"]
Outcome: TypeAlias = Literal["killed", "timeout", "survived", "uncovered", "unknown"]


class Mutant(Struct, frozen=True):
    """A replacement of some bytes of one file. `line` to `end_line` is the changed code, counted from 1.

    `first` to `last` are the lines of the statement at the top of the module that holds it. `lane` says whether it
    takes effect when a function is called or when the module is imported; in the latter case `names` are those by
    which tests may use it. `key` is the text of the line: dismissals are remembered by it.
    """

    path: str
    line: int
    end_line: int
    statement: int
    start: int
    end: int
    after: str
    words: str
    operator: str
    rank: int
    lane: Lane
    names: tuple[str, ...]
    function: str
    first: int
    last: int
    key: str


class Judged(Struct, frozen=True):
    """What became of one mutant. `reason` says why it is unknown, `killer` is the first test that failed."""

    path: str
    line: int
    words: str
    operator: str
    outcome: Outcome
    covered: bool
    key: str
    critical: bool = False
    killer: str = ""
    tests: int = 0
    reason: str = ""


class TestWorth(Struct, frozen=True):
    """One test against the mutants that it was run on: how many it executes, was run on, and made fail."""

    test: str
    covers: int
    ran: int
    killed: int


class Mutation(Struct, frozen=True):
    """The answer of `tidegate verify mutate` about one change.

    `left_out` are tests that fail or waver without any mutant, `notes` what else a reader should know, `untried` the
    mutants beyond the most that are tried.
    """

    schema: Literal["tidegate.mutation/1"]
    base_tree: str
    head_tree: str
    command: str
    python: str
    judged: tuple[Judged, ...]
    dismissed: int = 0
    untried: int = 0
    tests: int = 0
    left_out: tuple[str, ...] = ()
    left_out_total: int = 0
    worth: tuple[TestWorth, ...] = ()
    notes: tuple[str, ...] = ()
