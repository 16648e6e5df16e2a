"""Reads coverage reports of any kind into one picture: a line was executed where one report says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tidegate.verify.coverage.clover import read_clover
from tidegate.verify.coverage.cobertura import read_cobertura
from tidegate.verify.coverage.coverage_json import read_coverage_json
from tidegate.verify.coverage.gather import Covered, Gathering
from tidegate.verify.coverage.go_cover import read_go_cover
from tidegate.verify.coverage.jacoco import read_jacoco
from tidegate.verify.coverage.lcov import read_lcov
from tidegate.verify.places import Places
from tidegate.verify.reports import Kind, Report, open_report

_READERS: Mapping[Kind, Callable[[Report, Gathering], None]] = {
    "clover": read_clover,
    "cobertura": read_cobertura,
    "go-cover": read_go_cover,
    "jacoco": read_jacoco,
    "json": read_coverage_json,
    "lcov": read_lcov,
}


def read_coverage(files: Iterable[Path], paths: Iterable[str], wanted: Mapping[str, Covered]) -> Gathering:
    """What these reports together say of the `wanted` files of a tree with these `paths`.

    Raises InputError for a report that cannot be read, is cut off, or is none of coverage.
    """
    gathering = Gathering(Places(paths), wanted)
    for file in files:
        report = open_report(file)
        if report.kind == "junit":
            raise report.refused("it is JUnit, not coverage", "give it with --junit")
        gathering.begin(report)
        try:
            _READERS[report.kind](report, gathering)
        except OverflowError as error:
            what = f"it names more {error} of the changed lines than can be held"
            raise report.refused(what, "write it without contexts or branches") from error
    return gathering
