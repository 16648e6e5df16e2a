"""`{ covered = 0.8, in = "critical" }`: at least this share of the changed lines are executed by tests."""

from __future__ import annotations

from msgspec import Struct, field

from tidegate.policy.case import Case
from tidegate.policy.obligations.kind import Judged, Kind
from tidegate.policy.obligations.shares import Lines, check_share, judge_share, where


class Covered(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `covered`: the least share, and of which lines: all, or those of critical domains."""

    covered: float
    in_: Lines = field(name="in", default="all")


def _check(terms: Covered) -> None:
    check_share("covered", terms.covered)


def _text(terms: Covered) -> str:
    return f"{terms.covered:.0%} of the changed lines{where(terms.in_)} are executed by tests"


def _judge(terms: Covered, case: Case) -> Judged:
    share = "critical_share" if terms.in_ == "critical" else "share"
    return judge_share(case, "coverage", share, terms.covered)


def _next_step(_: Case) -> str:
    return "give a report of a run with the change: tidegate check --coverage FILE"


KIND = Kind("covered", "merge", Covered, _check, _text, _judge, _next_step)
