"""`{ killed = 0.7, in = "critical" }`: at least this share of faults put into the changed lines is noticed by tests."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from tidegate.policy.case import Case, change_range, need
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet


class Killed(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `killed`: the least share, and of which lines: all, or those of critical domains."""

    killed: float
    in_: Literal["all", "critical"] = field(name="in", default="all")


def _check(terms: Killed) -> None:
    if not 0 < terms.killed <= 1:
        raise ValueError(f"killed = {terms.killed:g}: ask for more than 0 and at most 1")


def _text(terms: Killed) -> str:
    where = " in critical domains" if terms.in_ == "critical" else ""
    return f"{terms.killed:.0%} of the faults put into the changed lines{where} are noticed by tests"


def _judge(terms: Killed, case: Case) -> Judged:
    path = "verification.mutation." + ("critical_killed_share" if terms.in_ == "critical" else "killed_share")
    share = need(case.document, path, float)
    said = f"{int(share * 100)} % are"
    return met(said) if share >= terms.killed else unmet(said)


def _next_step(case: Case) -> str:
    return f"tidegate verify mutate {change_range(case.document)}"


KIND = Kind("killed", "merge", Killed, _check, _text, _judge, _next_step)
