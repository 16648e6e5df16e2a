"""Reads LCOV tracefiles. Negative counts, which gcov writes after an overflow, prove nothing: not executed.

Format: https://github.com/linux-test-project/lcov/blob/master/man/geninfo.1 (FILES)
"""

from __future__ import annotations

from tidegate.verify.coverage.gather import Covered, Gathering
from tidegate.verify.reports import Report

_IGNORED = frozenset(
    "TN VER FN FNDA FNL FNA FNF FNH LF LH BRF BRH MCDC MCF MRF MRH BRFC end_of_record".split()
)  # functions, sums, and what says nothing of lines


def read_lcov(report: Report, gathering: Gathering) -> None:
    """Takes in the lines and branches of the report. Raises InputError."""
    file: Covered | None = None
    is_open = False
    for at, line in enumerate(report.lines(), 1):
        key, _, rest = line.partition(":")
        if key == "DA":
            if file is not None:
                _line(report, file, rest, at)
        elif key == "BRDA":
            if file is not None:
                _branch(report, file, rest, at)
        elif key == "SF":
            if is_open:
                raise report.refused(f"a file begins in line {at} before the one above ends")
            file, is_open = gathering.file(rest.strip()), True
        elif line.strip() == "end_of_record":
            file, is_open = None, False
        elif key not in _IGNORED and line.strip() and not line.startswith("#"):
            raise report.refused(f"line {at} is none of LCOV: {line.strip()[:40]!r}")
    if is_open:
        raise report.refused("it ends too early: the last file in it has no end_of_record")


# Private


def _line(report: Report, file: Covered, rest: str, at: int) -> None:
    number, _, count = rest.partition(",")
    file.line(report.count(number, "the number of a line", at), executed=_times(report, count, at) > 0)


def _branch(report: Report, file: Covered, rest: str, at: int) -> None:
    fields = rest.strip().split(",")
    if len(fields) < 4:
        raise report.refused(f"the branch in line {at} is not whole")
    number = report.count(fields[0], "the number of a line", at)
    taken = fields[-1] != "-" and _times(report, fields[-1], at) > 0
    file.branch(number, ",".join(fields[1:-1]), taken=taken, way="lcov")


def _times(report: Report, text: str, at: int) -> int:
    text = text.partition(",")[0].strip()
    return -report.count(text[1:], "a count", at) if text.startswith("-") else report.count(text, "a count", at)
