"""Two people let a change pass for a while without what the policy asks for. Always an exception of the population."""

from __future__ import annotations

from tidegate.ledger.fields import (
    GitOid,
    Names,
    People,
    Predicate,
    Reason,
    Ref,
    Time,
    Uri,
    check_times,
    check_two_people,
)

TYPE = "urn:tidegate:predicate:break-glass:1"


class BreakGlass(Predicate, frozen=True, kw_only=True):
    """`waived` are the rules that were not met. What was let through is the merge tree, and nothing after it."""

    repository: Uri
    target: Ref
    head: GitOid
    merge_tree: GitOid
    people: People
    waived: Names
    reason: Reason
    at: Time
    expires: Time

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at, self.expires)
        check_two_people(self.people)
