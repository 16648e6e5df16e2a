"""The seed of an audit's sample, on record before the population that it is drawn from is complete."""

from __future__ import annotations

from tidegate.ledger.fields import Name, Predicate, Sha256, StatementError, Time, check_times, parse_time

TYPE = "urn:tidegate:predicate:sample-seed:1"


class SampleSeed(Predicate, frozen=True, kw_only=True):
    """Whoever knows the seed and the population draws the same sample. `begin` to `end` is the period of the audit."""

    audit: Name
    seed: Sha256
    begin: Time
    end: Time
    at: Time

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.begin, self.end)
        if parse_time(self.at) >= parse_time(self.end):
            raise StatementError("a seed is on record before the period ends, or it could have been chosen")
