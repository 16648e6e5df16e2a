"""`{ tests = true }`: the change brings tests of its own."""

from __future__ import annotations

from msgspec import Struct

from tidegate.policy.case import Case, count, need
from tidegate.policy.obligations.kind import Judged, Kind, met, refuse_false, unmet


class Tests(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `tests`."""

    tests: bool


def _text(_: Tests) -> str:
    return "The change brings tests"


def _judge(_: Tests, case: Case) -> Judged:
    lines = need(case.document, "change.test_lines_added", int)
    if lines:
        return met(f"{count(lines, 'line')} of tests added")
    source = need(case.document, "change.source_lines_added", int)
    return unmet(f"{count(source, 'source line')} added and no line of tests")


def _next_step(_: Case) -> str:
    return "add a test that fails without this change; [files] tests = [...] names test files that were missed"


KIND = Kind("tests", "push", Tests, refuse_false("tests"), _text, _judge, _next_step)
