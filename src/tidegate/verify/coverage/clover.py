"""Reads Clover: OpenClover, PHPUnit and Istanbul write it. Statements, conditions and declarations are lines.

Format: https://openclover.org/doc/manual/latest/general--about-openclover.html (clover.xsd)
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.verify.coverage.gather import Covered, Gathering
from tidegate.verify.reports import Report
from tidegate.verify.xml import read_xml


def read_clover(report: Report, gathering: Gathering) -> None:
    """Takes in the lines and branches of the report. Raises InputError."""
    reading = _Reading(report, gathering)
    read_xml(report.chunks(), report.name, reading.start, reading.end)


# Private


class _Reading:
    def __init__(self, report: Report, gathering: Gathering) -> None:
        self._report = report
        self._gathering = gathering
        self._package = ""
        self._file: Covered | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "line":
            if self._file is not None:
                self._line(self._file, attributes)
        elif name == "file":
            path = attributes.get("path") or attributes.get("name")
            if not path:
                raise self._report.refused("a <file> in it has no name")
            if "/" not in path and "\\" not in path and self._package:
                path = f"{self._package.replace('.', '/')}/{path}"
            self._file = self._gathering.file(path)
        elif name == "package":
            self._package = attributes.get("name", "")

    def end(self, name: str) -> None:
        if name == "file":
            self._file = None
        elif name == "package":
            self._package = ""

    def _line(self, file: Covered, attributes: Mapping[str, str]) -> None:
        number = self._report.count(attributes.get("num", ""), "the number of a line")
        kind = attributes.get("type", "")
        if kind in ("stmt", "method"):
            file.line(number, executed=self._count(attributes, "count", number) > 0)
        elif kind == "cond":
            true, false = (self._count(attributes, side, number) for side in ("truecount", "falsecount"))
            seen = self._report.count(attributes.get("count", "0"), f"the count of line {number}")
            file.line(number, executed=max(true, false, seen) > 0)
            file.counted(number, (true > 0) + (false > 0), 2)

    def _count(self, attributes: Mapping[str, str], name: str, number: int) -> int:
        return self._report.count(attributes.get(name, ""), f"the {name} of line {number}")
