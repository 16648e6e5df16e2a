"""Takes back what an earlier entry said, or the trust in a key. The earlier entry stays."""

from __future__ import annotations

from typing import Literal

from tidegate.ledger.fields import EntryRef, Name, Person, Predicate, Reason, StatementError, Time, check_times

TYPE = "urn:tidegate:predicate:revocation:1"


class Revocation(Predicate, frozen=True, kw_only=True):
    """`key` is the fingerprint of a key that is trusted no more; anything else is an `entry`."""

    what: Literal["approval", "break-glass", "assessment", "deployment-word", "key"]
    person: Person
    at: Time
    reason: Reason
    entry: EntryRef | None = None
    key: Name | None = None

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        if (self.what == "key") != (self.key is not None) or (self.what == "key") == (self.entry is not None):
            raise StatementError("a revocation names one key, or one entry")
