"""Old recordings: the product's own maps as they would have been recorded 20 and 100 first-parent commits ago."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from bench.reach.projects import AGES, OLD_MAPS, PROJECTS, Project
from bench.reach.truth import check_out, run_suite
from tidegate.change.git import open_repository
from tidegate.reach.languages.python import PYTHON
from tidegate.reach.record.collect import collect_map
from tidegate.reach.record.values import TestMap


def build_old_map(project: Project, clones: Path, out: Path, python: str, age: int) -> TestMap:
    """Record the suite as it was `age` first-parent commits before the pinned one; writes `PROJECT.mapAGE.json`.

    The virtual environment is that of the pinned commit: tests that cannot run with it fail, which is kept.
    """
    tree = check_out(project, clones, out, f"{project.commit}~{age}", f"-{age}")
    recording = run_suite(project, tree, out, python)
    at = subprocess.run(
        ["git", "-C", str(tree), "log", "-1", "--format=%cI"], capture_output=True, check=True, text=True
    )
    with open_repository(tree) as repository:
        recorded = collect_map(repository, recording, at.stdout.strip(), (PYTHON,))
    file = old_map_file(project.name, out, age)
    file.write_bytes(msgspec.json.encode(recorded))
    return recorded


def read_old_map(name: str, out: Path, age: int) -> TestMap:
    """The map that `build_old_map` wrote."""
    return msgspec.json.decode(old_map_file(name, out, age).read_bytes(), type=TestMap)


def old_map_file(name: str, out: Path, age: int) -> Path:
    return out / f"{name}.map{age}.json"


if __name__ == "__main__":
    for each in PROJECTS:
        if each.name in (sys.argv[4:] or OLD_MAPS):
            for years in AGES:
                made = build_old_map(each, Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], years)
                print(each.name, years, made.recordings[0].commit, len(made.tests), len(made.files), made.unread)
