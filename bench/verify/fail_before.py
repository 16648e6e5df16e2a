"""Fail-before on 100 real commits of 5 projects, against labels that were given by hand before it ran.

    python -m bench.verify.fail_before --clones FOLDER --pythons FOLDER [--held-out]

`--held-out` takes 20 commits of 5 further projects that the tool was not mended on.

`--clones` holds a clone of each project by its name, `--pythons` a virtual environment of that name in which its tests
run. Bars: at least 95 % of the commits in the labelled class, no accusation where tests were skipped, and less than
2 CPU seconds a commit beyond the two runs of the tests themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.verify.failbefore.check import findings_of
from tidegate.verify.failbefore.job import Request
from tidegate.verify.failbefore.journey import fail_before
from tidegate.verify.failbefore.values import Result

LABELS = Path(__file__).with_name("fail_before_labels.json")
AGREEMENT, CPU_SECONDS = 0.95, 2.0


class Label(msgspec.Struct, frozen=True):
    project: str
    commit: str
    kind: str
    expected: str


class Row(msgspec.Struct, frozen=True):
    label: Label
    result: Result
    found: str
    beyond: float
    tests_cpu: float
    wall: float
    accused: int


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clones", type=Path, required=True)
    parser.add_argument("--pythons", type=Path, required=True)
    parser.add_argument("--only", default="", help="one project")
    parser.add_argument("--tests", action="store_true", help="print every test")
    parser.add_argument("--held-out", action="store_true", help="the commits that nothing was mended on")
    asked = parser.parse_args()
    chosen = "held_out" if asked.held_out else "commits"
    labels = msgspec.convert(json.loads(LABELS.read_text(encoding="utf-8"))[chosen], list[Label])
    rows = []
    for label in labels:
        if asked.only in ("", label.project):
            rows.append(_run(label, asked.clones, asked.pythons))
            _print(rows[-1], asked.tests)
    return _bars(rows)


def class_of(result: Result) -> str:
    """The class of a whole commit, in the words of the labels."""
    seen: Counter[str] = Counter(test.class_ for test in result.tests)
    for class_, words in (
        ("fail_before", "fails before"),
        ("failed", "fails with it"),
        ("pass_before", "passes before"),
    ):
        if seen[class_]:
            return words
    return "cannot be run" if seen["unknown"] else "none"


def _run(label: Label, clones: Path, pythons: Path) -> Row:
    start, used = time.monotonic(), _cpu()
    with open_repository(clones / label.project) as repository:
        ends = read_ends(Question(change=f"{label.commit}^..{label.commit}"), repository)
        change = read_change(ends, repository, read_settings(repository, "", os.environ).settings)
        python = str(pythons / label.project / "bin" / "python")
        answer = fail_before(change, repository, Request(environment=os.environ, python=python))
    tests_cpu = sum(answer.cpu_seconds[:2])
    accused = {(finding.place.path, finding.place.line) for finding in findings_of(answer.result, change)}
    not_run = {(test.path, test.line) for test in answer.result.tests if test.class_ == "unknown" and test.line}
    return Row(
        label=label,
        result=answer.result,
        found=class_of(answer.result),
        beyond=_cpu() - used - tests_cpu,
        tests_cpu=tests_cpu,
        wall=time.monotonic() - start,
        accused=len(accused & not_run),
    )


def _print(row: Row, tests: bool) -> None:
    mark = " " if row.found == row.label.expected else "*"
    figures = f"{row.tests_cpu:5.1f} +{row.beyond:4.2f} CPU s"
    words = f"{row.label.kind:<12}{row.label.expected:<15}{row.found:<15}"
    print(f"{mark} {row.label.project:<10}{row.label.commit[:10]} {words}{figures}")
    for test in row.result.tests if tests or mark == "*" else ():
        print(f"      {test.class_:<12}{test.path}::{test.name}  {test.reason[:140]}")


def _bars(rows: list[Row]) -> int:
    agree = sum(row.found == row.label.expected for row in rows)
    classes = Counter(test.class_ for row in rows for test in row.result.tests)
    beyond = [row.beyond for row in rows]
    accused = sum(row.accused for row in rows)
    print(f"tests {sum(classes.values())}: {dict(sorted(classes.items()))}")
    print(f"agreement with labels       {agree}/{len(rows)} = {agree / len(rows):.1%}   bar {AGREEMENT:.0%}")
    print(f"accused though not run      {accused}   bar 0")
    print(
        f"CPU beyond the two runs     median {statistics.median(beyond):.2f} s, mean {statistics.mean(beyond):.2f} s, "
        f"largest {max(beyond):.2f} s, {sum(one >= CPU_SECONDS for one in beyond)} above"
        f"   bar {CPU_SECONDS:.0f} s;  the runs themselves: median {statistics.median(r.tests_cpu for r in rows):.2f} s"
    )
    return int(agree < AGREEMENT * len(rows) or accused > 0 or statistics.mean(beyond) >= CPU_SECONDS)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    sys.exit(main())
