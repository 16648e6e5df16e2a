"""Why a test cannot fail, and whether that may be meant."""

from __future__ import annotations

from msgspec import Struct

from tidegate.verify.suite.values import TestCase


class Verdict(Struct, frozen=True):
    """Why a test cannot fail. `meant` is true where its name or its comments say that it only shows that nothing is
    raised."""

    reason: str
    line: int
    meant: bool = False


def judge(test: TestCase) -> Verdict | None:
    """Why a test cannot fail; None where it can, or where that cannot be told from its text."""
    if test.skipped:
        return Verdict(f"it never runs: {test.skipped}", test.line)
    if test.live or test.unseen:
        return None
    idle = [one for one in test.assertions if not (one.opaque and one.idle.startswith("it runs only if"))]
    if idle:
        first = idle[0]
        lead = "its only assertion cannot fail" if len(idle) == 1 else f"none of its {len(idle)} assertions can fail"
        return Verdict(f"{lead}; line {first.line}: {first.idle}", first.line)
    if test.commented:
        count = f"its {test.commented} assertions are" if test.commented > 1 else "its assertion is"
        return Verdict(f"{count} commented out", test.line)
    return Verdict("it asserts nothing", test.line, meant=bool(test.excused))
