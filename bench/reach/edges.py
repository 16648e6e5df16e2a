"""Which function really called which: pairs for fitting the probabilities of edges.

`PROJECT.edges.json` holds [[caller, callee], ...] of calls with nothing in between, `PROJECT.through.json` those that
went through code outside of the repository (a callback that a library calls). Units are as in the truth, tests and
other files included: "path:Class.method", "path:Class" for a class body, "path:" for a module.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.reach.projects import PROJECTS, Project
from bench.reach.truth import check_out, interpreter_of, write_json
from tidegate.reach.record.raw import Code


def build_edges(project: Project, clones: Path, out: Path, python: str) -> tuple[int, int]:
    """Run the suite with the edge recorder and write both files; how many pairs are direct, and how many are not."""
    tree = check_out(project, clones, out, project.commit)
    interpreter = interpreter_of(project, tree, out, python)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copyfile(Path(__file__).with_name("edges_plugin.py"), folder / "gt_edges_plugin.py")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([name, str(tree / Path(project.package).parent)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_ADDOPTS": "-p gt_edges_plugin",
            "GT_EDGES": str(folder / "edges.json"),
            "GT_ROOT": str(tree),
        }
        command = [str(interpreter), "-m", "pytest", "-q", "-p", "no:cacheprovider", *project.pytest]
        subprocess.run(command, cwd=tree, env=environment, check=False, stdout=subprocess.DEVNULL)
        found = json.loads((folder / "edges.json").read_bytes())
    pairs: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for caller, callee, direct in found:
        pair = (_unit(Code(*caller)), _unit(Code(*callee)))
        if pair[0] != pair[1]:
            pairs[direct].add(pair)
    write_json(out / f"{project.name}.edges.json", sorted(pairs[True]))
    write_json(out / f"{project.name}.through.json", sorted(pairs[False] - pairs[True]))
    return len(pairs[True]), len(pairs[False] - pairs[True])


def _unit(code: Code) -> str:
    return f"{code.path}:{code.outermost}"


if __name__ == "__main__":
    for each in PROJECTS:
        if len(sys.argv) < 5 or each.name in sys.argv[4:]:
            print(each.name, *build_edges(each, Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
