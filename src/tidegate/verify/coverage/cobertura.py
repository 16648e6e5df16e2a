"""Reads Cobertura: coverage.py's XML, coverlet and other tools write it, with conditions and `sources`.

Format: http://cobertura.sourceforge.net/xml/coverage-04.dtd
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tidegate.verify.coverage.gather import Covered, Gathering
from tidegate.verify.reports import Report
from tidegate.verify.xml import read_xml

_CONDITIONS = re.compile(r"\((\d{1,6})/(\d{1,6})\)")
_SOURCES_LIMIT = 100


def read_cobertura(report: Report, gathering: Gathering) -> None:
    """Takes in the lines and branches of the report. Raises InputError."""
    reading = _Reading(report, gathering)
    read_xml(report.chunks(), report.name, reading.start, reading.end, reading.text)


# Private


class _Reading:
    def __init__(self, report: Report, gathering: Gathering) -> None:
        self._report = report
        self._gathering = gathering
        self._sources: list[str] = []
        self._source: list[str] | None = None
        self._file: Covered | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "line":
            if self._file is not None:
                self._line(self._file, attributes)
        elif name == "class":
            filename = attributes.get("filename")
            if filename is None:
                raise self._report.refused("a <class> in it names no file")
            self._file = self._gathering.file(filename, self._sources)
        elif name == "source":
            self._source = []

    def text(self, piece: str) -> None:
        if self._source is not None and len(self._source) < 64:
            self._source.append(piece)

    def end(self, name: str) -> None:
        if name == "class":
            self._file = None
        elif name == "source" and self._source is not None:
            path = "".join(self._source).strip()
            if path and len(self._sources) < _SOURCES_LIMIT:
                self._sources.append(path)
            self._source = None

    def _line(self, file: Covered, attributes: Mapping[str, str]) -> None:
        number = self._report.count(attributes.get("number", ""), "the number of a line")
        hits = self._report.count(attributes.get("hits", ""), f"the hits of line {number}")
        file.line(number, executed=hits > 0)
        found = _CONDITIONS.search(attributes.get("condition-coverage", ""))
        if found:
            file.counted(number, int(found[1]), int(found[2]))
