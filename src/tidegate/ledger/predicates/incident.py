"""Something went wrong in production, and which commits are thought to have caused it."""

from __future__ import annotations

from typing import Literal

from tidegate.ledger.fields import Name, Oids, Predicate, Reason, Time, Uri, check_times

TYPE = "urn:tidegate:predicate:incident:1"


class Incident(Predicate, frozen=True, kw_only=True):
    """`opened` is when it began, `at` when this was said. Several statements with one `id` tell its story."""

    id: Name
    state: Literal["opened", "mitigated", "resolved"]
    severity: Literal["low", "medium", "high", "critical"]
    repository: Uri
    opened: Time
    at: Time
    summary: Reason
    environment: Name | None = None
    causes: Oids = ()

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.opened, self.at)
