"""Reads coverage.py's JSON report, versions 2 and 3: lines, excluded lines, branches, and which test ran a line.

Format: https://coverage.readthedocs.io/en/latest/commands/cmd_json.html
"""

from __future__ import annotations

import re

from tidegate.verify.coverage.gather import Covered, Gathering
from tidegate.verify.json_stream import JsonStream
from tidegate.verify.reports import Report

_PHASE = re.compile(r"\|(?:run|setup|teardown)$")


def read_coverage_json(report: Report, gathering: Gathering) -> None:
    """Takes in the lines and branches of the report. Raises InputError."""
    stream = JsonStream(report.texts(), report.name)
    found = False
    for key in stream.members():
        if key == "runs":
            raise report.refused("it is SARIF, not coverage", "give it with --sarif")
        if key != "files":
            stream.skip()
            continue
        found = True
        for path in stream.members():
            file = gathering.file(path)
            if file is None:
                stream.skip()
            else:
                _file(report, stream, file)
    stream.end()
    if not found:
        raise report.refused("it is JSON, but no report of coverage.py", "write it with: coverage json; or as LCOV")


# Private


def _file(report: Report, stream: JsonStream, file: Covered) -> None:
    seen: set[str] = set()
    for key in stream.members():
        seen.add(key)
        if key in ("executed_lines", "missing_lines"):
            for number in _numbers(report, stream.value(), key):
                file.line(number, executed=key == "executed_lines")
        elif key == "excluded_lines":
            file.excluded.update(_numbers(report, stream.value(), key))
        elif key in ("executed_branches", "missing_branches"):
            for one in _arcs(report, stream.value(), key):
                file.branch(one[0], f"{one[1]}", taken=key == "executed_branches", way="arc")
        elif key == "contexts":
            for line in stream.members():
                _tests(report, stream, file, line)
        else:
            stream.skip()
    if not {"executed_lines", "missing_lines"} <= seen:
        raise report.refused("a file in it has no executed_lines and missing_lines", "write it with: coverage json")


def _numbers(report: Report, value: object, key: str) -> list[int]:
    if not isinstance(value, list):
        raise report.refused(f"{key} in it is no list")
    return [_number(report, one, key) for one in value]


def _number(report: Report, value: object, key: str) -> int:
    if type(value) is not int or not 0 < value < 2**31:
        raise report.refused(f"{key} in it holds {str(value)[:30]!r}, which is no line")
    return value


def _arcs(report: Report, value: object, key: str) -> list[tuple[int, int]]:
    """Branches as (from, to); a negative end leaves the code that begins there."""
    if not isinstance(value, list):
        raise report.refused(f"{key} in it is no list")
    arcs = []
    for one in value:
        if not isinstance(one, list) or len(one) != 2 or any(type(end) is not int for end in one):
            raise report.refused(f"{key} in it holds what is no branch")
        arcs.append((abs(one[0]), one[1]))
    return arcs


def _tests(report: Report, stream: JsonStream, file: Covered, written: str) -> None:
    line = report.count(written, "the line of a context")
    for _ in stream.elements():
        name = stream.value()
        if isinstance(name, str):
            file.ran(line, (_PHASE.sub("", name),))
