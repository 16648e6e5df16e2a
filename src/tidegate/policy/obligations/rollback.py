"""`{ rollback = true }`: the description says how the change is taken back."""

from __future__ import annotations

from msgspec import Struct

from tidegate.policy.case import Case, need, one_line
from tidegate.policy.obligations.kind import Judged, Kind, met, refuse_false, unmet


class Rollback(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `rollback`."""

    rollback: bool


def _text(_: Rollback) -> str:
    return "The description says how to take the change back"


def _judge(_: Rollback, case: Case) -> Judged:
    plan = need(case.document, "change.intent.rollback", str)
    return (
        met(f"roll-back plan: {one_line(plan, 60)}") if plan.strip() else unmet("no roll-back plan in the description")
    )


def _next_step(_: Case) -> str:
    return "add a heading `## Roll-back` or a line `Rollback: ...` that says how to undo it and what is lost then"


KIND = Kind("rollback", "push", Rollback, refuse_false("rollback"), _text, _judge, _next_step)
