"""Reads JaCoCo's XML: a line was executed when one of its instructions was.

Format: https://www.jacoco.org/jacoco/trunk/coverage/report.dtd
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.verify.coverage.gather import Covered, Gathering
from tidegate.verify.reports import Report
from tidegate.verify.xml import read_xml


def read_jacoco(report: Report, gathering: Gathering) -> None:
    """Takes in the lines and branches of the report. Raises InputError."""
    package = ""
    file: Covered | None = None

    def count(attributes: Mapping[str, str], name: str) -> int:
        return report.count(attributes.get(name, ""), f"the {name} of a line")

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal package, file
        if name == "line" and file is not None:
            number, executed = count(attributes, "nr"), count(attributes, "ci")
            file.line(number, executed=executed > 0)
            missed, covered = count(attributes, "mb"), count(attributes, "cb")
            file.counted(number, covered, covered + missed)
        elif name == "sourcefile":
            source = attributes.get("name")
            if not source:
                raise report.refused("a <sourcefile> in it has no name")
            file = gathering.file(f"{package}/{source}" if package else source)
        elif name == "package":
            package = attributes.get("name", "")

    def end(name: str) -> None:
        nonlocal file
        if name == "sourcefile":
            file = None

    read_xml(report.chunks(), report.name, start, end)
