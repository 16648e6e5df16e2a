"""Two people say that the log goes on from a backup, and what was lost: the only way to sign again after one."""

from __future__ import annotations

from tidegate.ledger.fields import (
    Count,
    People,
    Predicate,
    Reason,
    Sha256,
    StatementError,
    Time,
    check_times,
    check_two_people,
)

TYPE = "urn:tidegate:predicate:recovery:1"


class Recovery(Predicate, frozen=True, kw_only=True):
    """The last checkpoint that is known to have been signed, and the one that the backup holds. Roots are SHA-256."""

    known_size: Count
    known_root: Sha256
    restored_size: Count
    restored_root: Sha256
    people: People
    reason: Reason
    at: Time

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        check_two_people(self.people)
        if self.restored_size > self.known_size:
            raise StatementError("a backup is not longer than what is known of the log")
