"""The truth: for every function of a package, the tests that really executed it.

A unit is an outermost `def`: what is defined inside a function counts for it, a method is "Class.method". A test is
named by the file that defines its function and the class that it is collected in; its parameters are folded; it counts
with set-up, tear-down and the fixtures that it used. Functions that also ran outside of any test carry "import": every
importer depends on them, so they are not scored.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.reach.projects import PROJECTS, Project
from tidegate.reach.record.raw import RecordedTest, Recording, bits
from tidegate.reach.record.run import record


def build_truth(project: Project, clones: Path, out: Path, python: str) -> dict[str, Any]:
    """Run the project's suite with the recorder, and write `out/PROJECT.json`."""
    tree = check_out(project, clones, out, project.commit)
    recording = run_suite(project, tree, out, python)
    truth = truth_of(project, tree, recording)
    write_json(out / f"{project.name}.json", truth)
    return truth


def check_out(project: Project, clones: Path, out: Path, commit: str, suffix: str = "") -> Path:
    """A clone of our own at `commit`: the given one is only read."""
    tree = out / "work" / f"{project.name}{suffix}"
    if not tree.exists():
        subprocess.run(["git", "clone", "-q", str(clones / project.name), str(tree)], check=True)
    subprocess.run(["git", "-C", str(tree), "checkout", "-q", "-f", commit], check=True)
    return tree


def run_suite(
    project: Project, tree: Path, out: Path, python: str, extra: Mapping[str, str] | None = None
) -> Recording:
    """The project's own suite, recorded; tests that fail count, they ran."""
    interpreter = interpreter_of(project, tree, out, python)
    source = tree / Path(project.package).parent
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1", **(extra or {})}
    command = [str(interpreter), "-m", "pytest", "-q", "-p", "no:cacheprovider", *project.pytest]
    recording = record(command, tree, environment, tree).recording
    if not recording.tests:
        raise SystemExit(f"{project.name}: the suite ran no test")
    return recording


def interpreter_of(project: Project, tree: Path, out: Path, python: str) -> Path:
    """The interpreter of the project's virtual environment, which is made where it is missing."""
    folder = out / "venvs" / project.name
    if not (folder / "bin" / "python").exists():
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "-q", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "-e", f"{tree}{project.extras}", *project.install], check=True)
    return folder / "bin" / "python"


def truth_of(project: Project, tree: Path, recording: Recording) -> dict[str, Any]:
    """The recording as truth: functions that never ran are there too, with no tests."""
    names = [test_name(test) for test in recording.tests]
    tests = sorted(set(names))
    number = {name: index for index, name in enumerate(tests)}
    units = _units(project, tree, recording)
    functions: dict[str, dict[str, Any]] = {
        name: {"tests": set(), "import": False} for name in defined_functions(tree, project.package)
    }
    for name, test in zip(names, recording.tests, strict=True):
        for bit in bits(test.codes):
            if bit in units:
                functions[units[bit]]["tests"].add(number[name])
    for bit in bits(recording.outside):
        if bit in units:
            functions[units[bit]]["import"] = True
    commit = subprocess.run(["git", "-C", str(tree), "rev-parse", "HEAD"], capture_output=True, check=True, text=True)
    return {
        "project": project.name,
        "commit": commit.stdout.strip(),
        "tests": tests,
        "functions": {
            name: {"tests": sorted(found["tests"]), "import": found["import"]}
            for name, found in sorted(functions.items())
        },
        "defined": [_defined(tests, names, recording)[name] for name in tests],
        "states": [_states(names, recording)[name] for name in tests],
    }


def test_name(test: RecordedTest) -> str:
    """`path:Class.test_name`, the path being that of the file that defines the function."""
    if test.defined is None:
        return test.name
    return f"{test.defined.path}:{test.name.split(':', 1)[1]}"


def defined_functions(tree: Path, package: str) -> Iterator[str]:
    """Every outermost `def` of a package: `path:Class.method`."""
    for file in sorted((tree / package).rglob("*.py")):
        path = file.relative_to(tree).as_posix()
        for name in _outermost(ast.parse(file.read_bytes())):
            yield f"{path}:{name}"


def write_json(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")
    part.replace(file)


def main() -> int:
    names = sys.argv[4:]
    for project in PROJECTS:
        if not names or project.name in names:
            truth = build_truth(project, Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
            scored = [f for f in truth["functions"].values() if f["tests"] and not f["import"]]
            loaded = sum(f["import"] for f in truth["functions"].values())
            radius = sum(len(f["tests"]) for f in scored) / max(1, len(scored)) / max(1, len(truth["tests"]))
            print(project.name, len(truth["tests"]), len(truth["functions"]), len(scored), loaded, f"{radius:.3f}")
    return 0


# Private


def _units(project: Project, tree: Path, recording: Recording) -> dict[int, str]:
    known = set(defined_functions(tree, project.package))
    named = {index: f"{code.path}:{code.outermost}" for index, code in enumerate(recording.codes)}
    return {index: name for index, name in named.items() if name in known}


def _outermost(tree: ast.Module) -> Iterator[str]:
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + child.name
            elif isinstance(child, ast.ClassDef):
                waiting.append((f"{prefix}{child.name}.", child))
            else:
                waiting.append((prefix, child))


def _defined(tests: list[str], names: list[str], recording: Recording) -> dict[str, str]:
    found = dict(zip(tests, tests, strict=True))
    for name, test in zip(names, recording.tests, strict=True):
        if test.defined is not None:
            found[name] = f"{test.defined.path}:{test.defined.name}"
    return found


def _states(names: list[str], recording: Recording) -> dict[str, str]:
    return dict(zip(names, (test.state for test in recording.tests), strict=True))


if __name__ == "__main__":
    sys.exit(main())
