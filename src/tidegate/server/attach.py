"""Takes what was measured of a change elsewhere: reports of tests and scanners, plans, transcripts.

Whoever attaches a file vouches that it is of this head; the table says who did. A run of tests is an entry of the
ledger too, so that an auditor finds it.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from tidegate.errors import InputError
from tidegate.ledger.fields import Resource, Subject
from tidegate.ledger.predicates.test_result import TestResult
from tidegate.ledger.statements import Statement
from tidegate.server.again import ask_again
from tidegate.server.entries import append
from tidegate.server.service import Service
from tidegate.store import attachments
from tidegate.store.attachments import NewAttachment, Put
from tidegate.verify.junit import Case, read_cases

_NAMED = 512
_LONGEST = 500


def attach(service: Service, given: NewAttachment) -> Put:
    """Keeps the file and has the change looked at again. InputError where it is no report that can be read."""
    statement = _run_of_tests(given) if given.kind == "junit" else None
    put = service.database.change(lambda connection: attachments.put(connection, given, service.now()))
    if statement is not None and put.attachment.entry is None:
        key = f"test-result:{given.change}:{given.head}:{put.attachment.digest}"
        entry = append(service, key, statement, f"change:{given.change}")
        service.database.change(lambda connection: attachments.set_entry(connection, put.attachment.id, entry))
    if put.new:
        ask_again(service, given.change, f"attached-{put.attachment.digest[:32]}")
    return put


# Private


def _run_of_tests(given: NewAttachment) -> Statement:
    """What the run came to: failed where a test did or the report counts a failure that it does not name."""
    with tempfile.TemporaryDirectory(prefix="tidegate-junit-") as folder:
        path = Path(folder) / "report.xml"
        path.write_bytes(given.body)
        try:
            cases, suites = read_cases(path)
        except InputError as error:
            raise InputError(error.what, where=given.name, mend=error.mend) from error
    failed = _labels(cases, lambda case: case.outcome == "failed")
    flaky = _labels(cases, lambda case: case.outcome == "passed" and case.retried)
    worst = any(case.outcome == "failed" for case in cases) or suites.unnamed > 0
    passed = not worst and any(case.outcome == "passed" for case in cases)
    says = TestResult(
        result="FAILED" if worst else "PASSED" if passed and not flaky else "WARNED",
        configuration=(Resource(digest={"sha256": hashlib.sha256(given.body).hexdigest()}, name="junit"),),
        warned_tests=flaky,
        failed_tests=failed,
    )
    return Statement((Subject(digest={"gitCommit": given.head}),), says)


def _labels(cases: tuple[Case, ...], wanted: Callable[[Case], bool]) -> tuple[str, ...]:
    names = (re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", case.full_name)[:_LONGEST] for case in cases if wanted(case))
    return tuple(sorted({name or "unnamed" for name in names})[:_NAMED])
