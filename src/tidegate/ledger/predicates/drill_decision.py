"""Somebody decided something in a tabletop exercise. What it was worth is said once the exercise is over.

Nobody signed it with a key of their own: the service says that this person did it, by their session or their token.
"""

from __future__ import annotations

from typing import Literal

from tidegate.ledger.fields import Count, GitOid, Name, Person, Predicate, Time, check_times

TYPE = "urn:tidegate:predicate:drill-decision:1"


class DrillDecision(Predicate, frozen=True, kw_only=True):
    """The first answer to `decision` of the exercise `drill`, which was built on `commit`.

    `option` is its letter, "free" for what was named instead. `seconds` were left to people to act since it was asked.
    `by` says whether somebody with the role that was asked decided, or who led the exercise.
    """

    drill: Name
    commit: GitOid
    decision: Name
    option: Name
    person: Person
    by: Literal["role", "facilitator"]
    through: Literal["session", "token"]
    at: Time
    seconds: Count = 0

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
