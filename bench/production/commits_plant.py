"""Plants faults for `commits.py`: mutants in lines that a batch's commits own, those that the project's tests kill."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from tidegate.change.git import Repository, open_repository
from tidegate.change.lines import LineRun, read_line_origins
from tidegate.verify.mutate.engine import mutants_of, mutated
from tidegate.verify.mutate.values import Mutant

BATCH = 60
SEED = 20261121
PER_COMMIT = 4
WANTED = 30
MOST_FAILING = 15
TEST_SECONDS, RUN_SECONDS = 2, 40
OLDER = 6
PLUGIN = Path(__file__).with_name("commits_plugin.py")


class Project(NamedTuple):
    """`head` is the newest commit of the batch, `package` the folder that faults are planted in."""

    name: str
    mirror: str
    head: str
    package: str
    tests: str = "tests"
    options: tuple[str, ...] = ()
    written: str = ""
    """The file with the version that a build would write."""


FIT = (
    Project(
        "humanize",
        "python-humanize+humanize",
        "c3a124cdeb",
        "src/humanize",
        "tests",
        ("--ignore=tests/test_benchmarks.py",),
        "src/humanize/_version.py",
    ),
    Project("boltons", "mahmoud+boltons", "967864f897", "boltons"),
    Project("jinja", "pallets+jinja", "7eb5758063", "src/jinja2"),
    Project("structlog", "hynek+structlog", "a06c89b6a6", "src/structlog"),
    Project("cachetools", "tkem+cachetools", "28d4506f2a", "src/cachetools"),
    Project("parso", "davidhalter+parso", "bfe3058441", "parso", "test"),
)
KEPT_BACK = (
    Project("click", "pallets+click", "131c86aadd", "src/click", "tests", ("-m", "not stress")),
    Project("werkzeug", "pallets+werkzeug", "0ada8fa1e5", "src/werkzeug", "tests", ("--ignore=tests/test_serving.py",)),
    Project("sqlparse", "andialbrecht+sqlparse", "60cdc64972", "sqlparse"),
    Project(
        "tomlkit", "python-poetry+tomlkit", "d8ed1e3cdb", "tomlkit", "tests", ("--ignore=tests/test_toml_tests.py",)
    ),
    Project("flask", "pallets+flask", "52df9eed45", "src/flask"),
    Project("toolz", "pytoolz+toolz", "568c2b8393", "toolz", "toolz"),
    Project("dateutil", "dateutil+dateutil", "9282e6ca99", "dateutil", "dateutil/test"),
)


class Bench(NamedTuple):
    """Where clones are, the interpreter that has what the tests need, and the folder of results."""

    mirrors: Path
    python: Path
    out: Path


def plant(bench: Bench, project: Project) -> dict[str, Any]:
    """Plant, run and write `out/PROJECT.json`."""
    tree = bench.out / "work" / project.name
    git = ["git", "-C", str(tree)]
    if not tree.exists():
        clone = ["git", "clone", "-q", "--no-checkout", str(bench.mirrors / project.mirror / "repo"), str(tree)]
        subprocess.run(clone, check=True)
    subprocess.run([*git, "checkout", "-q", "-f", project.head], check=True)
    if project.written:
        (tree / project.written).write_text('__version__ = version = "0.0.0"\n__version_tuple__ = (0, 0, 0)\n')
    with open_repository(tree) as repository:
        batch, previous = _batch(repository, project.head)
        owners = _owners(repository, project, batch, previous)
    base = run_tests(bench, project, tree)
    print(project.name, "passed", len(base["passed"]), "failed", len(base["failures"]), flush=True)
    covering = _covering(base)
    cases: list[dict[str, Any]] = []
    tried = 0
    for path, run, mutant in _drawn(tree, owners):
        if len(cases) >= WANTED:
            break
        tests = covering.get((path, mutant.line), set())
        if not tests:
            continue
        tried += 1
        case = _try(bench, project, tree, (path, run, mutant), sorted(tests))
        if case:
            cases.append(case)
            if len(cases) % 10 == 0:
                print(project.name, len(cases), "of", tried, flush=True)
    older = _plant_older(bench, project, tree, owners, covering)
    cases += older
    answer = {
        "project": project.name,
        "batch": batch,
        "previous": previous,
        "tried": tried,
        "cases": cases,
        "passed": base["passed"],
        "lines": base["lines"],
    }
    (bench.out / f"{project.name}.json").write_text(json.dumps(answer, separators=(",", ":")))
    print(project.name, "planted", len(cases), "tried", tried, flush=True)
    return answer


def run_tests(bench: Bench, project: Project, tree: Path, only: list[str] | None = None) -> dict[str, Any]:
    out, wanted = bench.out / f"{project.name}.run", bench.out / f"{project.name}.only"
    out.unlink(missing_ok=True)
    if only is not None:
        wanted.write_text(json.dumps(only))
    files = sorted({test.split("::")[0] for test in only}) if only is not None else [project.tests]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tree / Path(project.package).parent}:{bench.out / 'plugin'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "COMMITS_OUT": str(out),
        "COMMITS_PACKAGE": str(tree / project.package),
        "COMMITS_ONLY": str(wanted) if only is not None else "",
    }
    (bench.out / "plugin").mkdir(exist_ok=True)
    (bench.out / "plugin" / "commits_plugin.py").write_bytes(PLUGIN.read_bytes())
    options = ["-q", "--tb=no", "-p", "no:cacheprovider", "-p", "commits_plugin", "-W", "ignore", "--no-header"]
    options += ["-p", "pytest_timeout", "-p", "pytest_asyncio.plugin", f"--timeout={TEST_SECONDS}", "-o", "addopts="]
    options.append(f"--maxfail={MOST_FAILING if only is not None else 10_000}")
    command = ["nice", str(bench.python), "-m", "pytest", *options, *project.options, *files]
    limit = RUN_SECONDS if only is not None else 900
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"passed": [], "failures": {}, "lines": {}}
    if not out.exists():
        if only is None:
            raise SystemExit(f"{project.name}: {done.stdout.decode()[-2000:]}")
        return {"passed": [], "failures": {}, "lines": {}}
    answer: dict[str, Any] = json.loads(out.read_bytes())
    return answer


# Private


def _batch(repository: Repository, head: str) -> tuple[list[str], str]:
    """The 60 newest commits that are no merges, newest first, and the commit before them."""
    arguments = ("rev-list", "--no-merges", "--topo-order", f"--max-count={BATCH + 1}", head)
    commits = repository.run(*arguments).decode().split()
    return commits[:BATCH], commits[BATCH]


def _owners(repository: Repository, project: Project, batch: list[str], previous: str) -> dict[str, dict[int, LineRun]]:
    """Path to line to its origin, for the lines of the package that the batch's commits wrote."""
    owned = set(batch)
    found: dict[str, dict[int, LineRun]] = {}
    for raw, runs in read_line_origins(repository, previous, batch[0]).runs.items():
        path = raw.decode("utf-8", "surrogateescape")
        if path.startswith(f"{project.package}/") and path.endswith(".py") and "/test" not in path:
            found[path] = {
                run.line + step: LineRun(run.line + step, 1, run.commit, run.path, run.commit_line + step)
                for run in runs
                if run.commit in owned
                for step in range(run.count)
            }
    return found


def _drawn(tree: Path, owners: dict[str, dict[int, LineRun]]) -> list[tuple[str, LineRun, Mutant]]:
    """In a seeded order, at most PER_COMMIT of each commit first and the rest after, so that large ones do not rule."""
    chance = random.Random(SEED)
    all_of: dict[str, list[tuple[str, LineRun, Mutant]]] = defaultdict(list)
    for path, lines in sorted(owners.items()):
        for mutant in mutants_of(path, (tree / path).read_bytes(), set(lines)):
            if mutant.line == mutant.end_line and mutant.line in lines and "\n" not in mutant.after:
                run = lines[mutant.line]
                if run.path.decode() == path:
                    all_of[run.commit].append((path, run, mutant))
    rounds: dict[int, list[tuple[str, LineRun, Mutant]]] = defaultdict(list)
    for commit in sorted(all_of):
        chance.shuffle(all_of[commit])
        for turn, one in enumerate(all_of[commit][: 3 * PER_COMMIT]):
            rounds[turn // PER_COMMIT].append(one)
    ordered = []
    for turn in sorted(rounds):
        chance.shuffle(rounds[turn])
        ordered += rounds[turn]
    return ordered


def _plant_older(
    bench: Bench,
    project: Project,
    tree: Path,
    owners: dict[str, dict[int, LineRun]],
    covering: dict[tuple[str, int], set[str]],
) -> list[dict[str, Any]]:
    """Faults in lines that the batch did not bring: the right answer is none of its commits (commit "")."""
    chance = random.Random(SEED)
    listed = sorted((tree / project.package).rglob("*.py"))
    paths = [file.relative_to(tree).as_posix() for file in listed if "/test" not in str(file)]
    drawn = []
    for path in paths:
        content = (tree / path).read_bytes()
        lines = set(range(1, content.count(b"\n") + 2)) - set(owners.get(path, {}))
        fitting = (m for m in mutants_of(path, content, lines) if m.line == m.end_line and m.line in lines)
        drawn += [(path, LineRun(m.line, 1, "", b"", 0), m) for m in fitting if "\n" not in m.after]
    chance.shuffle(drawn)
    found: list[dict[str, Any]] = []
    for path, run, mutant in drawn:
        tests = covering.get((path, mutant.line))
        if len(found) < OLDER and tests:
            case = _try(bench, project, tree, (path, run, mutant), sorted(tests))
            found += [case] if case else []
    return found


def _covering(base: dict[str, Any]) -> dict[tuple[str, int], set[str]]:
    good = set(base["passed"]) - set(base["failures"])
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    for context, files in base["lines"].items():
        tests = good if context == "" else {context} & good
        for path, lines in files.items():
            for line in lines:
                found[path, line] |= tests
    return found


def _try(
    bench: Bench, project: Project, tree: Path, what: tuple[str, LineRun, Mutant], tests: list[str]
) -> dict[str, Any] | None:
    path, run, mutant = what
    file = tree / path
    content = file.read_bytes()
    changed = mutated(content, mutant)
    file.write_bytes(changed)
    try:
        answer = run_tests(bench, project, tree, tests)
    finally:
        file.write_bytes(content)
    if not answer["failures"]:
        return None
    return {
        "commit": run.commit,
        "path": path,
        "line": mutant.line,
        "commit_line": run.commit_line,
        "old": content.split(b"\n")[mutant.line - 1].decode(),
        "new": changed.split(b"\n")[mutant.line - 1].decode(),
        "words": mutant.words,
        "lane": mutant.lane,
        "ran": len(tests),
        "failures": answer["failures"],
        "lines": {test: answer["lines"].get(test, {}) for test in answer["failures"]},
    }


def main() -> int:
    bench = Bench(Path(sys.argv[1]), Path(sys.argv[2]).absolute(), Path(sys.argv[3]))
    bench.out.mkdir(exist_ok=True, parents=True)
    by_name = {project.name: project for project in (*FIT, *KEPT_BACK)}
    for name in sys.argv[4:] or by_name:
        plant(bench, by_name[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
