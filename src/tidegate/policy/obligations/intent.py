"""`{ intent = true }`: the description says what the change does and why."""

from __future__ import annotations

from msgspec import Struct

from tidegate.policy.case import Case, listing, need
from tidegate.policy.obligations.kind import Judged, Kind, met, refuse_false, unmet


class Intent(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `intent`."""

    intent: bool


def _text(_: Intent) -> str:
    return "The description says what the change does and why"


def _judge(_: Intent, case: Case) -> Judged:
    missing = [part for part in ("what", "why") if not need(case.document, f"change.intent.{part}", str).strip()]
    if not missing:
        return met("it says what and why")
    return unmet(f"it does not say {listing(missing, joint='or')}")


def _next_step(_: Case) -> str:
    return "say in the description, or in the last commit's message, what changes and, in a line `Why: ...`, the reason"


KIND = Kind("intent", "push", Intent, refuse_false("intent"), _text, _judge, _next_step)
