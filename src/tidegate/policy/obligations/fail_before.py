"""`{ fail_before = 1 }`: a changed test fails without the change, so that it proves something about it."""

from __future__ import annotations

from msgspec import Struct

from tidegate.policy.case import Case, change_range, count, need
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet


class FailBefore(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `fail_before`: how many tests."""

    fail_before: int


def _check(terms: FailBefore) -> None:
    if not 1 <= terms.fail_before <= 1000:
        raise ValueError(f"fail_before = {terms.fail_before}: ask for 1 to 1,000")


def _text(terms: FailBefore) -> str:
    return f"{count(terms.fail_before, 'changed test')} fails without the change and passes with it"


def _judge(terms: FailBefore, case: Case) -> Judged:
    found = need(case.document, "verification.tests.fail_before", int)
    if found >= terms.fail_before:
        lacking = need(case.document, "verification.tests.existence", int) >= found
        why = ", each only because what the change adds is not there" if lacking else ""
        return met(f"{count(found, 'test')} failed without the change{why}")
    ran = need(case.document, "verification.tests.ran", int)
    before = need(case.document, "verification.tests.pass_before", int)
    if not ran:
        return unmet("no changed test was run")
    return unmet(f"{count(ran, 'changed test')} ran: {found} failed without the change, {before} passed without it too")


def _next_step(case: Case) -> str:
    return f"tidegate verify fail-before {change_range(case.document)}"


KIND = Kind("fail_before", "merge", FailBefore, _check, _text, _judge, _next_step)
