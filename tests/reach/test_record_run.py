"""The recorder, for real: a generated project, its tests run by each interpreter that there is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reach.recorded import EXPECTED, environment, make_project, modern_python, pure_packages
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.reach.languages.python import PYTHON
from tidegate.reach.record.collect import collect_map
from tidegate.reach.record.maps import TestMap, numbers_in
from tidegate.reach.record.run import Run, record

Recorded = Callable[..., tuple[Run, TestMap]]


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    pure = pure_packages(tmp_path_factory.mktemp("pure") / "site")
    return environment({"PYTHONPATH": str(pure), "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("pycache"))})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("project") / "repo"
    make_project(path)
    return path


@pytest.fixture(scope="module")
def recorded(surroundings: dict[str, str], project: Path) -> Recorded:
    def run(*arguments: str, python: str = modern_python() or sys.executable) -> tuple[Run, TestMap]:
        done = record([python, "-m", "pytest", "-q", *arguments], project, surroundings, project)
        with open_repository(project) as repository:
            return done, collect_map(repository, done.recording, "2026-11-21T10:00:00Z", (PYTHON,))

    return run


@pytest.fixture(params=["profile", "monitoring"], scope="module")
def how(request: pytest.FixtureRequest) -> str:
    if request.param == "monitoring" and modern_python() is None:
        pytest.skip("no interpreter with sys.monitoring (3.12 or later) on this machine")
    if request.param == "profile" and sys.version_info >= (3, 12):
        pytest.skip("the interpreter of these tests has sys.monitoring")
    return str(request.param)


@pytest.fixture(scope="module")
def whole(recorded: Recorded, how: str) -> tuple[Run, TestMap]:
    return recorded(python=sys.executable) if how == "profile" else recorded()


def test_every_test_with_what_it_executed(whole: tuple[Run, TestMap], how: str) -> None:
    found = executed(whole[1])
    assert found == {f"tests/test_core.py:{name}": symbols for name, symbols in EXPECTED.items()}
    assert whole[0].recording.how == how


def test_what_ran_at_import_is_apart(whole: tuple[Run, TestMap]) -> None:
    core = next(file for file in whole[1].files if file.path == "pkg/core.py")
    outside = {symbol.name for symbol in core.symbols if symbol.outside}
    assert outside == {"", "at_import", "logged", "Base", "Derived"}
    assert {symbol.name for symbol in core.symbols if not symbol.tests and not symbol.outside} == {
        "unused",
        "Base.step",
    }


def test_states_nodes_and_definitions(whole: tuple[Run, TestMap]) -> None:
    tests = {test.symbol.name: test for test in whole[1].tests}
    assert whole[0].exit_code == 1, "the command's own exit code"
    assert {name for name, test in tests.items() if test.state == "failed"} == {"test_fails"}
    assert {name for name, test in tests.items() if test.state == "skipped"} == {"test_skipped"}
    assert tests["test_folded"].node == "tests/test_core.py::test_folded"
    assert str(tests["TestClasses.test_inherited"].defined) == "tests/shared.py:Shared.test_inherited"
    assert str(tests["TestClasses.test_dispatch"].defined) == "tests/test_core.py:TestClasses.test_dispatch"


def test_workers_of_xdist_are_merged(recorded: Recorded) -> None:
    _, split = recorded("-n", "2", "-p", "xdist.plugin")
    assert executed(split) == {f"tests/test_core.py:{name}": symbols for name, symbols in EXPECTED.items()}


def test_two_runs_say_the_same(recorded: Recorded) -> None:
    assert recorded()[1] == recorded("-q")[1]


def test_a_partial_run_says_which_tests_it_saw(recorded: Recorded) -> None:
    _, part = recorded("-k", "test_generator")
    assert [test.symbol.name for test in part.tests] == ["test_generator"]
    assert len(part.files) == 5, "what existed is known for every file"


def test_a_pytest_inside_a_test_belongs_to_that_test(recorded: Recorded, tmp_path: Path) -> None:
    inner = tmp_path / "test_outer.py"
    inner.write_text(
        "import os, sys, subprocess\n"
        "def test_outer():\n"
        "    subprocess.run([sys.executable, '-m', 'pytest', '-q', '-k', 'test_generator', os.getcwd()], check=True)\n",
        encoding="utf-8",
    )
    _, found = recorded(str(inner), "--rootdir=.", "-c", "pytest.ini")
    outer = [test for test in found.tests if test.symbol.name == "test_outer"]
    assert len(found.tests) == len(outer) == 1
    assert "numbers" in next(iter(executed(found).values()))


def test_a_command_that_runs_no_pytest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="left no recording"):
        record([sys.executable, "-c", "pass"], tmp_path, dict(os.environ), tmp_path)


def test_a_command_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be started"):
        record([str(tmp_path / "missing")], tmp_path, dict(os.environ), tmp_path)


def test_the_users_own_sitecustomize_still_runs(surroundings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos.environ['OWN'] = 'yes'\n", encoding="utf-8")
    (tmp_path / "test_own.py").write_text("import os\ndef test_own():\n    assert os.environ['OWN'] == 'yes'\n")
    paths = os.pathsep.join([str(tmp_path), surroundings["PYTHONPATH"]])
    command = [modern_python() or sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    assert record(command, tmp_path, {**surroundings, "PYTHONPATH": paths}, tmp_path).exit_code == 0


def executed(found: TestMap) -> dict[str, set[str]]:
    """For each test, the functions of pkg/core.py that it executed."""
    ran: dict[str, set[str]] = {str(test.symbol): set() for test in found.tests}
    for file in found.files:
        for symbol in file.symbols:
            # The bodies of module and classes ran where a child process imported them.
            if file.path == "pkg/core.py" and symbol.name not in ("", "Base", "Derived"):
                for number in numbers_in(symbol.tests):
                    ran[str(found.tests[number].symbol)].add(symbol.name)
    return ran
