"""Reads LCOV tracefiles. Negative counts, which gcov writes after an overflow, prove nothing: not executed.

Format: https://github.com/linux-test-project/lcov/blob/master/man/geninfo.1 (FILES)
"""

from __future__ import annotations

from tidegate.verify.coverage.gather import Covered, Gathering
from tidegate.verify.reports import Report

_IGNORED = frozenset(
    "TN VER FNL FNA FNF FNH LF LH BRF BRH MCDC MCF MRF MRH BRFC end_of_record".split()
)  # sums, and what says nothing of lines
_FUNCTIONS_LIMIT = 100_000


def read_lcov(report: Report, gathering: Gathering) -> None:
    """Takes in the lines and branches of the report. Raises InputError."""
    record: _Record | None = None
    for at, line in enumerate(report.lines(), 1):
        key, _, rest = line.partition(":")
        if key in ("DA", "BRDA", "FN", "FNDA"):
            if record is not None:
                record.take(key, rest.strip(), at)
        elif key == "SF":
            if record is not None:
                raise report.refused(f"a file begins in line {at} before the one above ends")
            record = _Record(report, gathering.file(rest.strip()))
        elif line.strip() == "end_of_record":
            if record is not None:
                record.close()
            record = None
        elif key not in _IGNORED and line.strip() and not line.startswith("#"):
            raise report.refused(f"line {at} is none of LCOV: {line.strip()[:40]!r}")
    if record is not None:
        raise report.refused("it ends too early: the last file in it has no end_of_record")


# Private


class _Record:
    """What one record says of its file. Lines that only functions and branches name were executed where those were."""

    def __init__(self, report: Report, file: Covered | None) -> None:
        self._report = report
        self._file = file
        self._lines: set[int] = set()
        self._functions: dict[str, int] = {}
        self._called: dict[str, bool] = {}
        self._branches: dict[int, tuple[bool, bool]] = {}

    def take(self, key: str, rest: str, at: int) -> None:
        """One line of the record."""
        if self._file is None:
            return
        if key == "DA":
            number, _, count = rest.partition(",")
            line = self._report.count(number, "the number of a line", at)
            executed = self._times(count.partition(",")[0], at) > 0
            self._file.line(line, executed=executed)
            if line <= self._file.length:
                self._lines.add(line)
        elif key == "BRDA":
            self._branch(self._file, rest, at)
        elif key == "FN":
            number, _, name = rest.partition(",")
            self._functions[name] = self._report.count(number, "the number of a line", at)
            if len(self._functions) > _FUNCTIONS_LIMIT:
                raise OverflowError("functions")
        else:
            count, _, name = rest.partition(",")
            if len(self._called) <= _FUNCTIONS_LIMIT:
                self._called[name] = self._times(count, at) > 0

    def close(self) -> None:
        """The record is whole."""
        if self._file is None:
            return
        for line, (some, every) in self._branches.items():
            if line not in self._lines:
                self._file.line(line, executed=every)
            elif some:
                self._file.line(line, executed=True)
        for name, line in self._functions.items():
            # FN may name the last line of a function before its name; FNDA does not.
            last, _, own = name.partition(",")
            called = self._called.get(name, self._called.get(own, False) if last.isdecimal() else False)
            if line not in self._lines and line not in self._branches:
                self._file.line(line, executed=called)

    def _branch(self, file: Covered, rest: str, at: int) -> None:
        fields = rest.split(",")
        if len(fields) < 4:
            raise self._report.refused(f"the branch in line {at} is not whole")
        number = self._report.count(fields[0], "the number of a line", at)
        taken = fields[-1] != "-" and self._times(fields[-1], at) > 0
        file.branch(number, ",".join(fields[1:-1]), taken=taken, way="lcov")
        if number <= file.length:
            some, every = self._branches.get(number, (False, True))
            self._branches[number] = (some or taken, every and taken)

    def _times(self, text: str, at: int) -> int:
        negative = text.startswith("-")
        count = self._report.count(text.removeprefix("-"), "a count", at)
        return -count if negative else count
