"""Coverage reports of other people's tools: what they say of the same run agrees, in every format."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tidegate.verify.coverage.gather import Covered
from tidegate.verify.coverage.readers import read_coverage

pytestmark = pytest.mark.conformance
LENGTH = 100_000


def lines_of(report: Path, paths: list[str], *, branches: bool = False) -> dict[str, object]:
    """What one report says of files of a repository."""
    added = frozenset(range(1, 1000))
    wanted = {path: Covered(LENGTH, added) for path in paths}
    files = read_coverage([report], paths, wanted).files
    return {path: (found.branch_counts() if branches else found.lines) for path, found in files.items()}


def test_three_formats_of_one_run_agree(data: Path) -> None:
    folder = data / "policy/coverage"
    paths = list(json.loads((folder / "coverage.json").read_bytes())["files"])
    found = [lines_of(folder / name, paths) for name in ("cobertura.xml", "coverage.json", "lcov.info")]
    assert found[0] == found[1] == found[2]
    lines = [executed for file in found[0].values() for executed in file.values()]  # type: ignore[attr-defined]
    assert (len(lines), sum(lines)) == (549, 541)


def test_the_sums_that_a_tracefile_states_hold(data: Path) -> None:
    folder = data / "policy/diff-cover/tests/fixtures"
    for name in ("real_cpp_coverage.lcov", "real_python_coverage.lcov", "real_typescript_coverage.lcov"):
        text = (folder / name).read_text()
        paths = re.findall(r"^SF:(.*)$", text, re.MULTILINE)
        found = lines_of(folder / name, paths)
        for path, record in zip(paths, text.split("end_of_record"), strict=False):
            stated = re.findall(r"^(?:LF|LH):(\d+)", record, re.MULTILINE)
            own = [found[path][int(line)] for line in re.findall(r"^DA:(\d+)", record, re.MULTILINE)]  # type: ignore[index]
            assert [str(len(own)), str(sum(own))] == stated, (name, path)
    total, taken = lines_of(folder / "real_typescript_coverage.lcov", ["src/calculator.ts"], branches=True).popitem()[1]  # type: ignore[misc]
    assert (total, taken) == (11, 11)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("dotnet_coverage.xml", "SampleApp/Sample.cs"),
        ("luacoverage.xml", "scripts/maths.lua"),
        ("unicode_coverage.xml", "unicode_test_src.txt"),
        ("coverage_missing_lines.xml", "test_src.txt"),
    ],
)
def test_paths_of_other_systems_are_joined(data: Path, name: str, path: str) -> None:
    found = lines_of(data / "policy/diff-cover/tests/fixtures" / name, [path, "other/README.md"])
    assert found[path]
