"""The policy of a repository became another one, and which approvals allowed that."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from tidegate.ledger.fields import EntryRef, Person, Predicate, Sha256, StatementError, Time, Uri, check_times

TYPE = "urn:tidegate:predicate:policy-change:1"


class PolicyChange(Predicate, frozen=True, kw_only=True):
    """`before` is absent for the first policy. Both are the SHA-256 of the policy as it is in force."""

    repository: Uri
    after: Sha256
    at: Time
    before: Sha256 | None = None
    person: Person | None = None
    approvals: Annotated[tuple[EntryRef, ...], Meta(max_length=64)] = ()

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        if self.before == self.after:
            raise StatementError("a policy that is the same did not change")
