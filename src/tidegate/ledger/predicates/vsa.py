"""SLSA Verification Summary v1: a decision of the gate."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from tidegate.ledger.fields import (
    Count,
    Name,
    OptionalTime,
    Part,
    Predicate,
    Resource,
    Result,
    StatementError,
    Time,
    Uri,
    check_times,
)

TYPE = "https://slsa.dev/verification_summary/v1"

Level = Annotated[str, Meta(pattern=r"\A(?:SLSA_[A-Z]+_LEVEL_(?:[0-4]|UNEVALUATED)|ORG_SOURCE_[A-Z0-9_]+|FAILED)\Z")]


class Verifier(Part, frozen=True, kw_only=True):
    id: Uri
    version: dict[Name, Name] = msgspec.field(default_factory=dict)


class VerificationSummary(Predicate, frozen=True, kw_only=True):
    """`input_attestations` names all attestations that were used, by digest; none are left out.

    `policy` has a URI and a digest: a decision that does not say which policy it followed proves nothing.
    """

    verifier: Verifier
    time_verified: Time
    resource_uri: Uri
    policy: Resource
    verification_result: Result
    verified_levels: Annotated[tuple[Level, ...], Meta(min_length=1, max_length=32)]
    input_attestations: Annotated[tuple[Resource, ...], Meta(max_length=256)] = ()
    dependency_levels: dict[Level, Count] | None = None
    slsa_version: Annotated[str, Meta(pattern=r"\A(?:[0-9]+\.[0-9]+)?\Z", max_length=8)] = ""
    recorded: OptionalTime = msgspec.field(default="", name="tidegate_recorded")

    @property
    def time(self) -> str:
        return self.time_verified

    def __post_init__(self) -> None:
        check_times(self.time_verified)
        if not self.policy.uri or not self.policy.digest:
            raise StatementError("a decision names its policy by URI and digest")
        if not all(attestation.digest for attestation in self.input_attestations):
            raise StatementError("a decision names its attestations by digest")
        if (self.verification_result == "FAILED") != ("FAILED" in self.verified_levels):
            raise StatementError("a decision that failed has the level FAILED, and no other has it")
        tracks = [level.rpartition("_LEVEL_")[0] for level in self.verified_levels if level.startswith("SLSA_")]
        if len(set(tracks)) != len(tracks) or len(set(self.verified_levels)) != len(self.verified_levels):
            raise StatementError("a decision has one level for each track")
