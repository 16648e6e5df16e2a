"""A tabletop exercise took place: of which scenario, what was decided, and what the gate said of the hidden change.

Nothing of it has happened to a real change. The subject of the statement is the commit that it was built on.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tidegate.ledger.fields import Count, GitOid, Name, Part, Predicate, Sha256, StatementError, Time, check_times

TYPE = "urn:tidegate:predicate:drill:1"


class Decided(Part, frozen=True, kw_only=True):
    """One decision. `option` is its letter, "free" for what was named instead, "none" for nothing.

    `points` are in halves: a late answer counts half.
    """

    decision: Name
    option: Name
    half_points: Annotated[int, Meta(ge=0, le=40)]
    seconds: Count = 0


class Drill(Predicate, frozen=True, kw_only=True):
    """`scenario` and `report` are the SHA-256 of the documents; `rules` held the change for what it does.

    `checked` says that a repository answered for its owners, revisions and gate, and not only the file.
    """

    commit: GitOid
    pattern: Name
    seed: Count
    scenario: Sha256
    report: Sha256
    half_points: Count
    most: Count
    outcome: Literal["pass", "hold", "block"]
    at: Time
    checked: bool = False
    rules: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    decisions: Annotated[tuple[Decided, ...], Meta(max_length=32)] = ()

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        if self.half_points > 2 * self.most:
            raise StatementError("an exercise brings no more points than there are")
        if self.outcome == "pass" and self.rules:
            raise StatementError("what passes is held by no rule")
