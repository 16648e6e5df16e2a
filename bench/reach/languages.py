"""Reach in languages besides Python: `python -m bench.reach.languages --repos DIR --truth DIR [--project NAME ...]`.

The truth of a project is `TRUTH/NAME.json`: {"commit", "tests", "functions": {"path:Name": {"tests": [number of a
test, ...], "import": bool}}}. Tests are names ("mux_test.go:TestHost", recorded by `go test -run` with a cover profile
for each) or files ("src/hono.test.ts", recorded by V8's coverage of each file; "src/test/java/...Test.java", by
JaCoCo's dump for each class). `REPOS/NAME` is a clone that has the commit. What has no truth or clone is left out.

What is scored is the static reach, without a threshold: every test that can execute a function. Functions that also
ran on import are not scored. All these projects may be looked at while rules are written.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.reach.score import score
from tidegate.change.git import open_repository
from tidegate.reach.contexts import reach_of_entries
from tidegate.reach.index import read_index
from tidegate.reach.linking.assemble import assemble
from tidegate.reach.linking.tree import link_tree
from tidegate.reach.store import open_store

PROJECTS = {
    "mux": "Go",
    "pflag": "Go",
    "httprouter": "Go",
    "hono": "TypeScript",
    "h3": "TypeScript",
    "gson": "Java",
    "commons-cli": "Java",
    "commons-csv": "Java",
}
HEADER = f"{'language':11}{'project':13}{'n':>5}{'recall':>8}{'prec.':>7}{'F1':>7}{'safe':>7}{'zero':>7}{'CPU s':>7}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.reach.languages", description=__doc__)
    parser.add_argument("--repos", type=Path, required=True, help="a folder with a clone of every project")
    parser.add_argument("--truth", type=Path, required=True, help="a folder with the truth of every project")
    parser.add_argument("--project", action="append", help="only this project; may be repeated")
    asked = parser.parse_args(arguments)
    print(HEADER)
    for name in asked.project or PROJECTS:
        file, clone = asked.truth / f"{name}.json", asked.repos / name
        if file.exists() and clone.exists():
            truth = json.loads(file.read_bytes())
            began = time.process_time()
            found, _ = score(truth, read_reach(clone, truth["commit"]))
            print(
                f"{PROJECTS.get(name, ''):11}{name:13}{found.functions:5}{found.recall:8.3f}{found.precision:7.3f}"
                f"{found.f1:7.3f}{found.safe:7.3f}{found.false_zero:7.3f}{time.process_time() - began:7.1f}",
                flush=True,
            )
    return 0


def read_reach(clone: Path, commit: str) -> Callable[[str], Mapping[str, float]]:
    """What answers with the tests that can execute a function, each with probability 1, at this commit of a clone."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        index = read_index(open_repository(clone, bare=True), commit, store)
        tree = link_tree(index, index.read_bytes)
    graph = assemble(tree.paths, {path: tree.symbols[path].definitions for path in tree.paths}, tree.linked)
    tests = list(graph.tests)
    reach = reach_of_entries(graph, [[test] for test in tests])
    names = [graph.nodes[test].removesuffix(":") for test in tests]
    number = {name: node for node, name in enumerate(graph.nodes)}

    def answer(function: str) -> Mapping[str, float]:
        node = number.get(function)
        entries = reach[node] if node is not None else 0
        return {name: 1.0 for bit, name in enumerate(names) if entries >> bit & 1}

    return answer


if __name__ == "__main__":
    sys.exit(main())
