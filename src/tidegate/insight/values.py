"""What shipped, what ran, and the figures that follow, as values. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Writer = Literal["ai", "human", "mixed", "unknown"]
Fate = Literal["clean", "reverted", "fixed", "incident", "rolled-back", "pending"]
Every = Literal["week", "month"]
TestKind = Literal["flaky", "never-failing", "duplicated"]
WRITERS: tuple[Writer, ...] = ("ai", "human", "mixed", "unknown")


class Shipped(Struct, frozen=True, kw_only=True):
    """A change that landed. `began` is its first commit, `deployed` its first deployment to production.

    `fate` is "pending" where it is too young to be judged: neither good nor bad. `size` is changed lines; `lines` of
    them by who wrote them. None is what nobody knows.

    `redeploys`: how often it, or a repair of it, was deployed again until it held. `debugged`: people had to look for
    the fault in production. `reviewed` lines were looked at by others for `seconds`; `reviewers` are those who said
    what they think of it, its author left out, and None where nobody wrote down whether anybody did. `merged_by` is who
    brought it in. `effort` are changed lines of all that is written by hand, `test_lines` those of tests among them;
    `complexity`, `cloned` and `todos` are what it adds to pay later.
    """

    commit: str
    landed: float
    writer: Writer
    size: int
    fate: Fate
    repository: str = ""
    team: str = ""
    author: str = ""
    tool: str = ""
    model: str = ""
    began: float | None = None
    deployed: float | None = None
    lines: Mapping[str, int] = {}
    redeploys: int | None = None
    reviewed: int | None = None
    seconds: float | None = None
    reviewers: tuple[str, ...] | None = None
    merged_by: str = ""
    debugged: bool | None = None
    effort: int | None = None
    test_lines: int | None = None
    complexity: int | None = None
    cloned: int | None = None
    todos: int | None = None


class Ran(Struct, frozen=True, kw_only=True):
    """A deployment to production. `failed`: it needed a roll-back, a hot-fix or another immediate repair, None where
    that is not known yet; `recovered` seconds until it was mended; `rework`: nobody planned it, an incident made it.
    """

    at: float
    writer: Writer
    failed: bool | None
    service: str = ""
    repository: str = ""
    team: str = ""
    tool: str = ""
    model: str = ""
    recovered: float | None = None
    rework: bool | None = None


class Figure(Struct, frozen=True, kw_only=True):
    """A number with its 95 % interval and what it rests on. `value` is None where nothing can be said: `says` why.

    `n` counts what it was made of, `left_out` what could not be used.
    """

    name: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    left_out: int = 0
    says: str = ""


class Written(Struct, frozen=True, kw_only=True):
    """Changed lines of one group by who wrote them, as (writer, lines); `by` is how the changes were split."""

    by: str
    group: str
    lines: tuple[tuple[Writer, int], ...]


class Row(Struct, frozen=True, kw_only=True):
    """The figures of one group, in the order of the table's columns."""

    group: str
    figures: tuple[Figure, ...]


class Table(Struct, frozen=True, kw_only=True):
    """Figures by group; `whole` is all groups together."""

    by: str
    whole: Row
    rows: tuple[Row, ...]


class Change(Struct, frozen=True, kw_only=True):
    """The later half of a period against the earlier one. `difference` has the unit of both, and its interval."""

    before: Figure
    after: Figure
    difference: Figure


class Series(Struct, frozen=True, kw_only=True):
    """One figure over time, for one group. `points` are in the order of time, without gaps; their names are labels such
    as `2026-W03` and `2026-03`, and `starts` (Unix seconds) says when each begins. A point may have no value.

    `change` is None where either half says nothing.
    """

    name: str
    unit: str
    group: str
    points: tuple[Figure, ...]
    starts: tuple[float, ...]
    change: Change | None = None


class Reviewer(Struct, frozen=True, kw_only=True):
    """What one person reviewed, under a pseudonym. `seconds` None: nobody measured; `share` is of all reviews."""

    person: str
    reviews: int
    lines: int
    seconds: float | None
    share: Figure


class Load(Struct, frozen=True, kw_only=True):
    """How reviews are spread over people, the busiest first. `gini`: 0 all the same, near 1 one does all; `top`: the
    share of the busiest. `warning` belongs beside every page that shows it: it measures work, never a person.
    """

    reviews: int
    people: tuple[Reviewer, ...]
    people_total: int
    gini: Figure
    top: Figure
    warning: str


class SuiteTest(Struct, frozen=True, kw_only=True):
    """A test that asks for upkeep, and why in words. `runs` and `failed` are of the reports that name it."""

    name: str
    kind: TestKind
    runs: int
    failed: int
    why: str


class Family(Struct, frozen=True, kw_only=True):
    """Tests that are near copies of each other: how many, their lines together, and the first of their names."""

    tests: int
    lines: int
    names: tuple[str, ...]


class Copies(Struct, frozen=True, kw_only=True):
    """Near copies among the tests of a tree. `share` is of those long enough to tell; `unread` files are not in it."""

    tests: int
    unread: int
    share: Figure
    families: tuple[Family, ...]
    families_total: int


class Suite(Struct, frozen=True, kw_only=True):
    """What reports of test runs tell of the suite. `figures`: flaky, never failing and duplicated tests, as shares."""

    reports: int
    tests: int
    figures: tuple[Figure, ...]
    worst: tuple[SuiteTest, ...]
