"""What was brought where. The subjects of the statement are the artefacts, by digest."""

from __future__ import annotations

from typing import Literal

from tidegate.ledger.fields import EntryRef, GitOid, Name, OptionalUri, Person, Predicate, Time, Uri, check_times

TYPE = "urn:tidegate:predicate:deployment:1"


class Deployment(Predicate, frozen=True, kw_only=True):
    """`decision` is the gate's decision that it rests on. Without one it is an exception of the population."""

    repository: Uri
    commit: GitOid
    environment: Name
    result: Literal["started", "succeeded", "failed", "rolled-back"]
    at: Time
    deployer: Person | None = None
    run: OptionalUri = ""
    decision: EntryRef | None = None

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
