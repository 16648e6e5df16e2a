"""The mutation check: break a function at its entry, run the tests that execute it, and see which fail.

Mutants are drawn with a fixed seed from the covered functions of all Python projects, half of them with `raise`, half
with `return None`. At most 60 of the tests that the truth names are run for each. The result is kept in
`mutants.json`, so that a predictor can be held against it without running anything. A mutant that breaks pytest itself
(it uses pluggy and packaging) names no failing test, and counts as one that nothing killed.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.reach.projects import PROJECTS, Project
from bench.reach.truth import check_out, interpreter_of, write_json

MUTANTS = 200
TESTS = 60
SEED = 20261121
LINES = {"raise": "raise RuntimeError('mutant')", "return": "return None"}
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def build_mutants(clones: Path, out: Path, python: str) -> list[dict[str, Any]]:
    """Draw and run the mutants; writes `out/mutants.json` after each."""
    chance = random.Random(SEED)
    done: list[dict[str, Any]] = []
    for number in range(MUTANTS):
        project = PROJECTS[number % len(PROJECTS)]
        truth = json.loads((out / f"{project.name}.json").read_bytes())
        tree = check_out(project, clones, out, project.commit, "-mutants")
        scored = sorted(name for name, f in truth["functions"].items() if f["tests"] and not f["import"])
        kind = ("raise", "return")[number // len(PROJECTS) % 2]
        name = chance.choice(scored)
        while not mutate(tree, name, LINES[kind]):
            name = chance.choice(scored)
        passing = [n for n in truth["functions"][name]["tests"] if truth["states"][n] == "passed"]
        tests = [truth["tests"][n] for n in sorted(chance.sample(passing, min(TESTS, len(passing))))]
        failing = run_tests(project, interpreter_of(project, tree, out, python), tree, tests)
        done.append({"project": project.name, "function": name, "kind": kind, "ran": tests, "failing": failing})
        write_json(out / "mutants.json", done)
    return done


def mutate(tree: Path, function: str, line: str) -> bool:
    """Insert `line` at the entry of a function; False where its first statement has no line of its own."""
    path, _, name = function.partition(":")
    file = tree / path
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [_entry(node) for node in _named(ast.parse("".join(lines)), name)]
    if not places or any(lines[row][:column].strip() for row, column in places if row < len(lines)):
        return False
    for row, column in sorted(places, reverse=True):
        lines.insert(row, " " * column + line + "\n")
    ast.parse("".join(lines))
    file.write_text("".join(lines), encoding="utf-8")
    return True


def run_tests(project: Project, interpreter: Path, tree: Path, tests: list[str]) -> list[str]:
    """The tests among these that fail, as the truth names them."""
    if not tests:
        return []
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / Path(project.package).parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    nodes = {_node(test): test for test in tests}
    options = ["-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "--rootdir", str(tree)]
    command = [str(interpreter), "-m", "pytest", *options, *nodes]
    try:
        said = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, check=False, text=True, timeout=180
        )
    except subprocess.TimeoutExpired:
        return []
    failed = {node.split("[", 1)[0] for node in _FAILED.findall(said.stdout)}
    return sorted(nodes[node] for node in failed & nodes.keys())


# Private


def _named(tree: ast.Module, name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                if prefix + child.name == name:
                    yield child
            elif isinstance(child, ast.ClassDef):
                waiting.append((f"{prefix}{child.name}.", child))
            else:
                waiting.append((prefix, child))


def _entry(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """The line to insert at, counted from 0, and its indentation."""
    first = node.body[0]
    value = first.value if isinstance(first, ast.Expr) else None
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    if is_text and len(node.body) > 1:
        first = node.body[1]
    elif is_text:
        return first.end_lineno or first.lineno, first.col_offset
    decorators = getattr(first, "decorator_list", [])
    return min([first.lineno, *(d.lineno for d in decorators)]) - 1, first.col_offset


def _node(test: str) -> str:
    path, _, name = test.partition(":")
    return f"{path}::{name.replace('.', '::')}"


if __name__ == "__main__":
    mutants = build_mutants(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    print(len(mutants), sum(bool(m["failing"]) for m in mutants))
