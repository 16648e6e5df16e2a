"""Reads Go's cover profiles: blocks of statements with their counts.

Format: https://pkg.go.dev/golang.org/x/tools/cover
"""

from __future__ import annotations

import re

from tidegate.verify.coverage.gather import Gathering
from tidegate.verify.reports import Report

_BLOCK = re.compile(r"(.+):(\d{1,9})\.\d{1,9},(\d{1,9})\.(\d{1,9}) (\d{1,9}) (\d{1,19})\s*")
_LONGEST_BLOCK = 100_000


def read_go_cover(report: Report, gathering: Gathering) -> None:
    """Takes in the lines of the report. Raises InputError."""
    for at, line in enumerate(report.lines(), 1):
        if line.startswith("mode:") or not line.strip():
            continue
        found = _BLOCK.fullmatch(line)
        if found is None:
            raise report.refused(f"line {at} is no block of a cover profile")
        file = gathering.file(found[1])
        if file is None or found[5] == "0":
            continue
        first, last, column = int(found[2]), int(found[3]), int(found[4])
        if last > file.length or last - first > _LONGEST_BLOCK:
            file.line(last, executed=False)
            continue
        # A block that ends at a brace alone has no statement in its last line.
        for number in range(first, max(last if column > 2 else last - 1, first) + 1):
            file.line(number, executed=int(found[6]) > 0)
