"""in-toto's Test Result v0.1: one run of a test suite."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tidegate.ledger.fields import Labels, OptionalTime, OptionalUri, Predicate, Resource, StatementError

TYPE = "https://in-toto.io/attestation/test-result/v0.1"


class TestResult(Predicate, frozen=True, kw_only=True):
    """The predicate has no time of its own: the checkpoints around the entry tell when it was there."""

    __test__ = False

    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: Annotated[tuple[Resource, ...], Meta(min_length=1, max_length=64)]
    url: OptionalUri = ""
    passed_tests: Labels = ()
    warned_tests: Labels = ()
    failed_tests: Labels = ()
    recorded: OptionalTime = msgspec.field(default="", name="tidegate_recorded")

    @property
    def time(self) -> str:
        return ""

    def __post_init__(self) -> None:
        if self.result == "PASSED" and (self.failed_tests or self.warned_tests):
            raise StatementError("a run that passed has no tests that failed or warned")
