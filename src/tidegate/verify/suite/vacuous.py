"""Added and changed tests that cannot fail, with the reason, and whether that may be meant."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.verify.suite.matching import Matched
from tidegate.verify.suite.values import TestCase
from tidegate.verify.suite.weakened import Weakening
from tidegate.verify.suite.worth import worthless
from tidegate.verify.values import Subject


class Verdict(Struct, frozen=True):
    """Why a test cannot fail. `meant` is true where its name or its comments say that it only shows that nothing is
    raised."""

    reason: str
    line: int
    meant: bool = False


def vacuous(subject: Subject, matched: Matched) -> list[Weakening]:
    """The tests that cannot fail by their text, and those that were run and noticed nothing of this change.

    A test that could not fail before either is the change's no more.
    """
    said = {(one.path, name): one for name, one in _by_text(matched)}
    found = list(said.values())
    changed = {(path, test.name): test for path, test in _changed(matched)}
    for one in worthless(subject):
        test = changed.get((one.path, one.name))
        if test is not None and (one.path, one.name) not in said:
            mend = "assert what the change is for; the faults are listed by tidegate verify mutate"
            severity: Severity = "medium" if one.sure else "low"
            found.append(Weakening("test-vacuous", severity, f"{test.name} {one.reason}", one.path, test.line, mend))
    return found


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


# Private


def _by_text(matched: Matched) -> Iterator[tuple[str, Weakening]]:
    before = {id(kept.after): kept.before for kept in matched.kept}
    for path, test in _changed(matched):
        verdict = judge(test)
        old = before.get(id(test))
        if verdict is None or (old is not None and (judge(old) is not None or test.skipped)):
            continue
        message = f"{test.name} cannot fail: {verdict.reason}"
        severity: Severity = "low" if test.skipped else "medium"
        if verdict.meant:
            message, severity = f"{test.name} asserts nothing; it only shows that nothing is raised", "note"
        mend = "assert what the change is for"
        yield test.name, Weakening("test-vacuous", severity, message, path, verdict.line, mend)


def _changed(matched: Matched) -> Iterator[tuple[str, TestCase]]:
    yield from ((one.path, one.test) for one in matched.added)
    yield from ((kept.path, kept.after) for kept in matched.kept if kept.before.text != kept.after.text)
