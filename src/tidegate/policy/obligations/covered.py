"""`{ covered = 0.8, in = "critical" }`: at least this share of the changed lines are executed by tests."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from tidegate.policy.case import Case, need
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet


class Covered(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `covered`: the least share, and of which lines: all, or those of critical domains."""

    covered: float
    in_: Literal["all", "critical"] = field(name="in", default="all")


def _check(terms: Covered) -> None:
    if not 0 < terms.covered <= 1:
        raise ValueError(f"covered = {terms.covered:g}: ask for more than 0 and at most 1")


def _text(terms: Covered) -> str:
    where = " in critical domains" if terms.in_ == "critical" else ""
    return f"{terms.covered:.0%} of the changed lines{where} are executed by tests"


def _judge(terms: Covered, case: Case) -> Judged:
    path = "verification.coverage." + ("critical_share" if terms.in_ == "critical" else "share")
    share = need(case.document, path, float)
    said = f"{int(share * 100)} % are"
    return met(said) if share >= terms.covered else unmet(said)


def _next_step(_: Case) -> str:
    return "give a report of a run with the change: tidegate check --coverage FILE"


KIND = Kind("covered", "merge", Covered, _check, _text, _judge, _next_step)
