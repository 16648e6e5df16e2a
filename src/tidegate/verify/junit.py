"""Reads JUnit's XML as pytest, surefire, gotestsum, jest and others write it: one case after the other.

There is no standard; https://github.com/testmoapp/junitxml tells what tools agree on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.verify.reports import Report, open_report
from tidegate.verify.xml import read_xml

Outcome: TypeAlias = Literal["passed", "failed", "skipped"]
_FAULTS = frozenset({"failure", "error", "rerunFailure", "rerunError"})
_FLAKES = frozenset({"flakyFailure", "flakyError"})
_BAD = frozenset("failed failure fail error errored broken timeout timedout aborted crashed interrupted".split())
_IDLE = frozenset({"skipped", "notrun", "disabled", "ignored", "pending", "todo"})
_TEXT_LIMIT = 300
_WHOLE_PIECES = 400


class Case(Struct, frozen=True):
    """One run of one test. `retried`: it failed, was run again by its runner and passed. Lines count from 1; 0: unsaid.

    `seconds` is 0 where the report tells no time. `message` is the first line of what failed, or all of it where that
    was asked for.
    """

    suite: str
    classname: str
    name: str
    file: str
    line: int
    seconds: float
    outcome: Outcome
    retried: bool = False
    message: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.classname}.{self.name}" if self.classname else self.name


class Suites(Struct, frozen=True):
    """What a report says beside its cases.

    `unnamed` failures are counted by suites or stand in them, and belong to no case. `stated` is the number of tests
    that the suites count. `at` and `host` say when and where the first of them began, as it is written.
    """

    unnamed: int
    stated: int
    at: str
    host: str = ""


def read_junit(report: Report, take: Callable[[Case], None], *, whole: bool = False) -> Suites:
    """Hands over each case of the report, in order; with its `whole` message only where few cases are expected.

    Raises InputError for what cannot be read.
    """
    reading = _Reading(report, take, whole=whole)
    read_xml(report.chunks(), report.name, reading.start, reading.end, reading.text)
    return Suites(reading.unnamed, reading.stated, reading.at, reading.host)


def read_cases(path: Path) -> tuple[tuple[Case, ...], Suites]:
    """All cases of the report in this file, with all that is told of a failure. Raises InputError."""
    report = open_report(path)
    if report.kind != "junit":
        raise report.refused("it is no JUnit report", "name the file that the test runner wrote as JUnit XML")
    cases: list[Case] = []
    suites = read_junit(report, cases.append, whole=True)
    return tuple(cases), suites


# Private


class _Suite:
    """A suite that is open: what it counts, and what was found in it so far."""

    def __init__(self, name: str, stated: int, tests: int) -> None:
        self.name = name
        self.stated = stated
        self.found = 0
        self.tests = tests
        self.tests_below = 0


class _Reading:
    def __init__(self, report: Report, take: Callable[[Case], None], *, whole: bool) -> None:
        self._whole = whole
        self.unnamed = 0
        self.stated = 0
        self.at = ""
        self.host = ""
        self._report = report
        self._take = take
        self._suites: list[_Suite] = []
        self._case: Mapping[str, str] | None = None
        self._case_depth = 0
        self._below: list[str] = []
        self._message: str | None = None
        self._text: list[str] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._case is not None:
            if self._case_depth == 0:
                self._inside(name, attributes)
            self._case_depth += 1
        elif name == "testcase":
            self._case, self._below, self._message, self._case_depth = dict(attributes), [], None, 0
        elif name in ("testsuite", "testsuites"):
            self._open(attributes)
        elif name in ("failure", "error") and self._suites:
            self.unnamed += 1
            self._suites[-1].found += 1

    def end(self, name: str) -> None:
        if self._case is not None:
            if self._case_depth:
                self._case_depth -= 1
                if self._case_depth == 0 and self._text is not None:
                    self._message = "\n".join(filter(None, [self._message, "".join(self._text)]))
                    self._text = None
            else:
                self._close_case(self._case)
                self._case = None
        elif name in ("testsuite", "testsuites") and self._suites:
            self._close()

    def text(self, piece: str) -> None:
        if self._text is not None and len(self._text) < (_WHOLE_PIECES if self._whole else 8):
            self._text.append(piece[:_TEXT_LIMIT])

    def _inside(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element right inside a case; all others are attachments."""
        if name in _FAULTS or name in _FLAKES or name == "skipped":
            self._below.append(name)
        if name in _FAULTS and not self._message:
            self._message = attributes.get("message") or None
            self._text = [] if self._whole or not self._message else None

    def _close_case(self, attributes: Mapping[str, str]) -> None:
        found = set(self._below)
        status = (attributes.get("status") or attributes.get("result") or "").lower()
        outcome: Outcome = "passed"
        if found & _FAULTS or status in _BAD:
            outcome = "failed"
        elif "skipped" in found or status in _IDLE:
            outcome = "skipped"
        if self._suites:
            named = sum(1 for one in self._below if one in ("failure", "error"))
            self._suites[-1].found += max(named, int(outcome == "failed"))
        message = (self._message or "").strip() if outcome == "failed" else ""
        if not self._whole:
            message = message.split("\n", 1)[0][:_TEXT_LIMIT]
        line = attributes.get("line", "")
        self._take(
            Case(
                suite=next((suite.name for suite in reversed(self._suites) if suite.name), "")[:_TEXT_LIMIT],
                classname=attributes.get("classname") or attributes.get("class") or "",
                name=attributes.get("name", ""),
                file=attributes.get("file") or attributes.get("filepath") or "",
                line=int(line) if line.isascii() and line.isdecimal() and len(line) < 9 else 0,
                seconds=_seconds(attributes.get("time", "")),
                outcome=outcome,
                retried=outcome == "passed" and bool(found & _FLAKES),
                message=message,
            )
        )

    def _open(self, attributes: Mapping[str, str]) -> None:
        failures, errors, tests = (
            self._report.count(attributes.get(name) or "0", f"the {name} of a suite")
            for name in ("failures", "errors", "tests")
        )
        self.at = self.at or attributes.get("timestamp", "")
        self.host = self.host or attributes.get("hostname", "")
        self._suites.append(_Suite(attributes.get("name", ""), failures + errors, tests))

    def _close(self) -> None:
        suite = self._suites.pop()
        missing = max(0, suite.stated - suite.found)
        self.unnamed += missing
        tests = max(suite.tests, suite.tests_below)
        if self._suites:
            self._suites[-1].found += suite.found + missing
            self._suites[-1].tests_below += tests
        else:
            self.stated += tests


def _seconds(text: str) -> float:
    """A time as tools write it ("1,234.5" and "NaN" are real); 0 for what is none."""
    try:
        seconds = float(text.replace(",", "")[:40])
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
