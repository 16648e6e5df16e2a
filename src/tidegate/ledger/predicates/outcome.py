"""What became of a change after it was deployed: the truth that risk is measured against."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tidegate.ledger.fields import Count, EntryRef, GitOid, Name, Predicate, Time, Uri, check_times

TYPE = "urn:tidegate:predicate:outcome:1"


class Outcome(Predicate, frozen=True, kw_only=True):
    """`days` is how long the change was watched. `clean` says that nothing was seen in that time.

    `weight` says in thousandths how sure it is that this commit is meant; 0 takes back what was said before.
    `redeploys` is how often the change was deployed again until it held. Of several about one commit, environment and
    evidence the last one stands.
    """

    repository: Uri
    commit: GitOid
    result: Literal["clean", "reverted", "fixed", "incident", "rolled-back"]
    days: Count
    at: Time
    environment: Name | None = None
    weight: Annotated[int, Meta(ge=0, le=1000)] = 1000
    redeploys: Count = 0
    evidence: Annotated[tuple[EntryRef, ...], Meta(max_length=64)] = ()

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
