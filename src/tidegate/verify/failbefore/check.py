"""The check `fail-before`: reads back what the changed tests were seen to do. It runs nothing."""

from __future__ import annotations

import re

from tidegate.change.values import Change
from tidegate.facts import FailBeforeFacts, Finding, Place, Severity, Unknown
from tidegate.verify.failbefore.judge import facts_of
from tidegate.verify.failbefore.kept import read_kept
from tidegate.verify.failbefore.overlay import changes_source
from tidegate.verify.failbefore.values import Result, TestResult
from tidegate.verify.values import Part, Subject


def check(subject: Subject) -> Part:
    """The field `tests`, and `test-passes-before` for each changed test that passes without a change to the source.

    Unknown where `tidegate verify fail-before` was not run for exactly these trees. A change without tests needs no
    run.
    """
    change = subject.change
    if not any(file.kind == "test" and file.status != "deleted" for file in change.files):
        return Part(fields={"tests": FailBeforeFacts()})
    kept = read_kept(subject.kept, change.base_tree, change.head_tree)
    if isinstance(kept, str):
        return Part(unknowns=(Unknown("verification.tests", kept),))
    return Part(fields={"tests": facts_of(kept.tests)}, findings=findings_of(kept, change))


def findings_of(result: Result, change: Change) -> tuple[Finding, ...]:
    """One finding for each changed test that proves nothing of this change; none where no source changed.

    Medium where the change says that it fixes something and none of its tests fails without it; else low.
    """
    if not changes_source(change):
        return ()
    proven = any(test.class_ == "fail_before" for test in result.tests)
    fixes = claims_fix(change)
    severity: Severity = "medium" if fixes and not proven else "low"
    passing = [test for test in result.tests if test.class_ == "pass_before" and test.direct]
    return tuple(_finding(test, severity, fixes and not proven) for test in passing)


def claims_fix(change: Change) -> bool:
    """Whether the change says that it fixes something: in the title or a subject, or by closing an issue."""
    subjects = [commit.subject for commit in change.commits]
    messages = [commit.message for commit in change.commits]
    if change.pull_request is not None:
        subjects.append(change.pull_request.title)
        messages.append(change.pull_request.body)
    return any(map(_FIX.search, subjects)) or any(map(_CLOSES.search, messages))


# Private

_FIX = re.compile(r"\b(fix(e[sd]|ing)?|bug ?fix(es)?|hot ?fix(es)?|repair(s|ed)?|regressions?)\b", re.IGNORECASE)
_CLOSES = re.compile(r"\b(fix(e[sd])?|close[sd]?|resolve[sd]?):?\s+([\w./-]+)?#\d+", re.IGNORECASE)


def _finding(test: TestResult, severity: Severity, unproven_fix: bool) -> Finding:
    name = test.name or test.path
    message = f"{name} passes without the change too: it does not show that the change does anything"
    if unproven_fix:
        message += ", and no changed test shows the fix"
    return Finding(
        rule="test-passes-before",
        severity=severity,
        message=message,
        place=Place(test.path, test.line),
        mend="let it assert what only the change makes true; a refactoring needs nothing",
    )
