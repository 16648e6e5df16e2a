"""What reports of test runs tell of the suite: tests that cannot be trusted, and tests that never said anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import InputError
from tidegate.insight.intervals import share
from tidegate.insight.values import Suite, SuiteTest
from tidegate.verify.junit import Case, read_junit
from tidegate.verify.reports import Report, open_report

LEAST_RUNS = 20
"""A test that ran less often has had little chance to fail."""
MOST_NAMED = 20
MOST_REPORTS = 2000
MOST_TESTS = 1_000_000


def read_suite(paths: Sequence[Path]) -> Suite | None:
    """Of JUnit reports, each of one run; None without any. InputError for what is no such report."""
    if not paths:
        return None
    if len(paths) > MOST_REPORTS:
        raise InputError(f"more than {MOST_REPORTS} reports", where="--junit", mend="give the last ones")
    told = Runs()
    for path in paths:
        report = open_report(path)
        if report.kind != "junit":
            raise report.refused("it is no JUnit report", "name the file that the test runner wrote as JUnit XML")
        told.add(report)
    return told.suite()


class Runs:
    """What reports say of each test, counted one after the other."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._reports = 0

    def add(self, report: Report, of: str = "") -> None:
        """A JUnit report of one run; `of` stands before the names of its tests. InputError for what is none."""
        seen: dict[str, list[Case]] = {}

        def take(case: Case) -> None:
            if len(seen) < MOST_TESTS:
                seen.setdefault(f"{of}{case.full_name}", []).append(case)

        read_junit(report, take)
        self._reports += 1
        for name, cases in seen.items():
            if name in self._counts or len(self._counts) < MOST_TESTS:
                _count(self._counts.setdefault(name, [0, 0, 0]), cases)

    def suite(self) -> Suite:
        """Of all that was added."""
        return _suite(self._counts, self._reports)


# Private


def _count(counts: list[int], cases: Sequence[Case]) -> None:
    """Of one report: runs, failures, and whether it failed and passed in the same run."""
    ran = [case for case in cases if case.outcome != "skipped"]
    failed = sum(case.outcome == "failed" for case in ran)
    counts[0] += bool(ran)
    counts[1] += bool(failed) and failed == len(ran)
    counts[2] += any(case.retried for case in ran) or 0 < failed < len(ran)


def _suite(counts: dict[str, list[int]], reports: int) -> Suite:
    ran = {name: each for name, each in counts.items() if each[0]}
    often = {name: each for name, each in ran.items() if each[0] >= LEAST_RUNS}
    flaky = {name: each for name, each in ran.items() if each[2]}
    silent = [name for name, each in often.items() if not each[1] and not each[2]]
    order = sorted(flaky, key=lambda name: (-flaky[name][2] / flaky[name][0], name))
    worst = [
        SuiteTest(
            name=name,
            kind="flaky",
            runs=flaky[name][0],
            failed=flaky[name][1] + flaky[name][2],
            why=f"failed and passed in the same run, in {flaky[name][2]} of {flaky[name][0]}",
        )
        for name in order[:MOST_NAMED]
    ]
    return Suite(
        reports=reports,
        tests=len(counts),
        figures=(
            share("flaky tests", len(flaky), len(ran), left_out=len(counts) - len(ran)),
            share(
                f"never failed in {LEAST_RUNS} runs or more", len(silent), len(often), left_out=len(ran) - len(often)
            ),
        ),
        worst=tuple(worst),
    )
