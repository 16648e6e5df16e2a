"""`{ accountable = true }`: a person answers for every AI line."""

from __future__ import annotations

from msgspec import Struct

from tidegate.policy.case import Case, change_range, count, need
from tidegate.policy.obligations.kind import Judged, Kind, met, refuse_false, unmet


class Accountable(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `accountable`."""

    accountable: bool


def _text(_: Accountable) -> str:
    return "A person answers for every AI line"


def _judge(_: Accountable, case: Case) -> Judged:
    lines = need(case.document, "provenance.unaccountable_lines", int)
    if not lines:
        return met("somebody answers for each of them")
    return unmet(f"nobody answers for {count(lines, 'AI line')}")


def _next_step(case: Case) -> str:
    where = change_range(case.document)
    return f"whoever asked the agent runs: tidegate annotate {where} --tool TOOL --model MODEL"


KIND = Kind("accountable", "push", Accountable, refuse_false("accountable"), _text, _judge, _next_step)
