"""Bodies that were erased: which commitments nobody can open any more, and on what ground."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tidegate.ledger.commitments import Commitment
from tidegate.ledger.fields import Count, Person, Predicate, StatementError, Time, check_times

TYPE = "urn:tidegate:predicate:erasure:1"


class Erasure(Predicate, frozen=True, kw_only=True):
    """`commitments` names the bodies; of more than 512 it names the first, and `count` is always of all."""

    ground: Literal["request", "retention", "secret", "error"]
    count: Count
    at: Time
    commitments: Annotated[tuple[Commitment, ...], Meta(max_length=512)] = ()
    person: Person | None = None

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        if len(self.commitments) > self.count:
            raise StatementError("an erasure counts all that it names")
