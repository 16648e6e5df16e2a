"""`{ reason = "tests" }`: the description says why tests were weakened or taken away."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from tidegate.policy.case import Case, need, one_line
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `reason`: what is to be given a reason for."""

    reason: Literal["tests"]


def _text(_: Reason) -> str:
    return "The description says why the tests are weaker than before"


def _judge(_: Reason, case: Case) -> Judged:
    said = need(case.document, "change.intent.tests", str)
    return met(f"it says: {one_line(said, 60)}") if said.strip() else unmet("it says nothing of the tests")


def _next_step(_: Case) -> str:
    return "put the tests back, or add a heading `## Tests changed` that says why each of them had to go or to loosen"


KIND = Kind("reason", "push", Reason, lambda _: None, _text, _judge, _next_step)
