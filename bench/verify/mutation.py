"""Mutation on the changed lines of real commits: what it costs beyond one run of the tests, and what survives.

There are three sets of five projects. The rules of `verify/mutate` were made while looking at the `first`. The `second`
was named before any mutant of it was seen; then a fault was mended (functions that a decorator compiles anew were taken
for judged), and code that is deprecated, unfinished or tuned was left alone. The `held-out` ones were named before that
and looked at after it: 20 commits cost 2.4 CPU seconds at the median and 25 s of wall time at the 90th percentile; of
44 survivors (further commits with `--skip 4`) 33 were productive, 75 % where 80 % are wanted. After this, release
scripts, benchmarks and names of tuples were left alone too, and that was not measured again. The commits are the
newest four of each project, up to the pinned one, that have at least one mutant: nobody chose them.

    python -m bench.verify.mutation CLONES [--set NAME] [--only NAME] [--each N] [--skip N] [--peer SECONDS]

wants a folder with clones of the projects; the environments are made in .cache/mutation-bench. Survivors are printed
with the judgements in `survivors.json`, which were made by hand: a mutant is productive when a test that tells it from
the original would be worth having. `--peer` gives cosmic-ray as many seconds for the first commit of each project, on
the lines of the same files that the commit changed, with the same tests.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.verify.mutation_peer import Ask, Tried, try_cosmic_ray
from tidegate.change.configuration import read_settings
from tidegate.change.ends import Question
from tidegate.change.git import Repository, open_repository
from tidegate.change.read import read_change, read_ends
from tidegate.change.values import Change
from tidegate.settings import Settings
from tidegate.verify.mutate.journey import Answer, Request, mutate, subject_of
from tidegate.verify.mutate.plan import plan

CACHE = Path(".cache/mutation-bench")
JUDGED = Path(__file__).with_name("survivors.json")
PACKAGES = {
    "first": "pytest hypothesis pretend cloudpickle Pympler pytest-xdist tomli-w freezegun humanize more-itertools"
    " packaging click attrs",
    "second": "pytest more-itertools typeguard pygments PyYAML",
    "held-out": "pytest<9 pytest-cov pytz simplejson freezegun hypothesis six packaging marshmallow python-dateutil",
}
EACH = 4
MEDIAN_CPU_SECONDS, P90_WALL_SECONDS, PRODUCTIVE_SHARE, JUDGED_SURVIVORS = 5.0, 60.0, 0.8, 50


class Project(NamedTuple):
    name: str
    pinned: str
    command: str = "pytest -q"


PROJECTS = {
    "first": (
        Project("humanize", "c3a124cdeb272d7f63bc0aa66f79c6fbafd2fc6d", "pytest -q --ignore=tests/test_benchmarks.py"),
        Project("more-itertools", "2fe1b2eeb9d75f994113fe3ac76d14b6bcd6fb10"),
        Project("pluggy", "e382e72789f8d791991c489d4322aa04e660b952"),
        Project("click", "2c8cd3ac958a7eb316d67f2d316c27086c4c0369"),
        Project("attrs", "c1dc5dcba16ed827aa6dcad896b41a3afedb4e32"),
    ),
    "second": (
        Project("boltons", "967864f89791509f9eb36b22b4579d36b72a6df2"),
        Project("cachetools", "28d4506f2a49d781ffbcecb095fa7aba5bb80aff"),
        Project("tomlkit", "d8ed1e3cdb024dfc2c6f12b45a0dfd4d4d91f727"),
        Project("parso", "bfe30584415cde2e5a686512c2b109e1d06da3b6"),
        Project("inflect", "262a247d2d99a47a520cdb2d46adb90df88b4326"),
    ),
    "held-out": (
        Project("sqlparse", "60cdc649726bf1bc4f1b336050560b336da715ec"),
        Project("toolz", "568c2b8393973cd172a466546c9d95779c452438"),
        Project("marshmallow", "341b927f219205704728c05cd61f04d7e9727523"),
        Project("itsdangerous", "672971d66a2ef9f85151e53283113f33d642dabd"),
        Project("dateutil", "c981f9c7aa91b83cc9bd33a09ecee9e751b06e8d"),
    ),
}


class Row(NamedTuple):
    """One commit: its outcomes by name, CPU seconds beyond the one run of all tests, and wall seconds in all."""

    project: str
    commit: str
    answer: Answer
    wall: float

    @property
    def survivors(self) -> Iterator[tuple[str, str]]:
        for one in self.answer.mutation.judged:
            if one.outcome in ("survived", "uncovered"):
                yield f"{self.project} {self.commit} {one.path}:{one.line} {one.words}", one.outcome


class Beside(NamedTuple):
    """One commit, judged here and by cosmic-ray."""

    row: Row
    tried: Tried


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("clones", type=Path)
    parser.add_argument("--set", choices=PROJECTS, default="held-out")
    parser.add_argument("--only", default="", help="one project")
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--peer", type=int, default=0, metavar="SECONDS")
    asked = parser.parse_args()
    python = environment(asked.set, PACKAGES[asked.set].split())
    rows = []
    peers = []
    for project in PROJECTS[asked.set]:
        if asked.only in ("", project.name):
            own = list(_rows(asked.clones, project, python, (asked.skip, asked.each)))
            rows += own
            if asked.peer and own:
                peers.append(_beside(own[0], asked.clones / project.name, project.command, python, asked.peer))
    _report(rows)
    _report_peers(peers)
    return 0


# Private


def environment(name: str, packages: list[str]) -> Path:
    python = CACHE / name / "bin" / "python"
    if not python.exists():
        subprocess.run([os.environ.get("BENCH_PYTHON", sys.executable), "-m", "venv", CACHE / name], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python.absolute()


def _beside(row: Row, clone: Path, command: str, python: Path, seconds: int) -> Beside:
    files = tuple(sorted({one.path for one in row.answer.mutation.judged}))
    tools = environment("cosmic-ray", ["cosmic-ray"]).parent
    return Beside(row, try_cosmic_ray(Ask(clone, row.commit, files, command, str(python)), tools, seconds))


def _rows(clones: Path, project: Project, python: Path, wanted: tuple[int, int]) -> Iterator[Row]:
    with open_repository(clones / project.name) as repository:
        for commit, change, settings in _commits(repository, project, *wanted):
            request = Request(os.environ, project.command, str(python))
            start = time.monotonic()
            answer = mutate(change, repository, settings, request)
            row = Row(project.name, commit, answer, time.monotonic() - start)
            print(_line(row), flush=True)
            yield row


def _commits(repository: Repository, project: Project, skip: int, each: int) -> Iterator[tuple[str, Change, Settings]]:
    listed = repository.run("rev-list", "--no-merges", "--max-count=200", project.pinned).decode().split()
    taken = 0
    for commit in listed:
        ends = read_ends(Question(change=commit), repository)
        settings = read_settings(repository, ends.policy_at, os.environ).settings
        change = read_change(ends, repository, settings)
        if plan(subject_of(change, repository, settings)).mutants:
            taken += 1
            if taken > skip:
                yield commit[:10], change, settings
        if taken == skip + each:
            return


def _line(row: Row) -> str:
    outcomes = [one.outcome for one in row.answer.mutation.judged]
    counts = " ".join(f"{name} {outcomes.count(name)}" for name in dict.fromkeys(sorted(outcomes)))
    cost = f"run {row.answer.hearing_seconds:.2f} beyond {row.answer.cpu_seconds:.2f} CPU s, wall {row.wall:.1f} s"
    reasons = {one.reason for one in row.answer.mutation.judged if one.reason}
    return f"{row.project} {row.commit}: {len(outcomes)} mutants, {counts}; {cost} {'; '.join(sorted(reasons))}"


def _report(rows: list[Row]) -> None:
    cpu, wall = [row.answer.cpu_seconds for row in rows], sorted(row.wall for row in rows)
    aborted = sum(all(one.outcome == "unknown" for one in row.answer.mutation.judged) for row in rows)
    p90 = wall[min(len(wall) - 1, int(0.9 * len(wall)))]
    print(f"\n{len(rows)} commits: median CPU beyond one run {statistics.median(cpu):.2f} s (bar {MEDIAN_CPU_SECONDS})")
    print(f"p90 wall {p90:.1f} s (bar {P90_WALL_SECONDS}), aborted {aborted} (bar 0)")
    judged = json.loads(JUDGED.read_bytes()) if JUDGED.exists() else {}
    survivors = [survivor for row in rows for survivor in row.survivors]
    for text, outcome in survivors:
        known = judged.get(text)
        said = "not judged" if known is None else f"{known['judgement']}: {known['because']}"
        print(f"  {outcome:9} {text} [{said}]")
    known = [judged[text]["judgement"] for text, _ in survivors if text in judged]
    if known:
        share = known.count("productive") / len(known)
        print(f"{len(known)} survivors judged by hand, productive {share:.0%} (bar {PRODUCTIVE_SHARE:.0%})")


def _report_peers(peers: list[Beside]) -> None:
    for row, tried in peers:
        outcomes = [one.outcome for one in row.answer.mutation.judged]
        ours = f"{len(outcomes)} mutants, {outcomes.count('killed')} killed in {row.wall:.0f} s"
        theirs = f"cosmic-ray {tried.done} of {tried.mutants}, {tried.killed} killed in {tried.seconds:.0f} s"
        print(f"{row.project} {row.commit}: {ours}; {theirs}")


if __name__ == "__main__":
    sys.exit(main())
