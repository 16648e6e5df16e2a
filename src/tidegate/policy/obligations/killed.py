"""`{ killed = 0.7, in = "critical" }`: at least this share of faults put into the changed lines is noticed by tests."""

from __future__ import annotations

from msgspec import Struct, field

from tidegate.policy.case import Case, change_range
from tidegate.policy.obligations.kind import Judged, Kind
from tidegate.policy.obligations.shares import Lines, check_share, judge_share, where


class Killed(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `killed`: the least share, and of which lines: all, or those of critical domains."""

    killed: float
    in_: Lines = field(name="in", default="all")


def _check(terms: Killed) -> None:
    check_share("killed", terms.killed)


def _text(terms: Killed) -> str:
    return f"{terms.killed:.0%} of the faults put into the changed lines{where(terms.in_)} are noticed by tests"


def _judge(terms: Killed, case: Case) -> Judged:
    share = "critical_killed_share" if terms.in_ == "critical" else "killed_share"
    return judge_share(case, "mutation", share, terms.killed)


def _next_step(case: Case) -> str:
    return f"tidegate verify mutate {change_range(case.document)}"


KIND = Kind("killed", "merge", Killed, _check, _text, _judge, _next_step)
