"""The changed tests run with the change and without it: on real repositories, by the real pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Given, Trees, pairs_of
from tidegate.change.values import Change
from tidegate.cli.verify_fail_before import _json, _text
from tidegate.errors import InputError
from tidegate.facts import FailBeforeFacts
from tidegate.settings import Settings
from tidegate.verify.failbefore.check import check, findings_of
from tidegate.verify.failbefore.go_run import read_go
from tidegate.verify.failbefore.job import Request
from tidegate.verify.failbefore.journey import fail_before
from tidegate.verify.failbefore.judge import Trials, judge
from tidegate.verify.failbefore.kept import read_kept, write_kept
from tidegate.verify.failbefore.select import select_python
from tidegate.verify.failbefore.settings import other_runner, variables_of_tests
from tidegate.verify.failbefore.values import Added, Case, Result, Selected, TestName, TestResult, Trial
from tidegate.verify.runner import Ran
from tidegate.verify.values import Part, Subject

Files = Mapping[str, "str | None"]

SHOP = "def total(prices):\n    return sum(prices)\n"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.devnull, "LC_ALL": "C.UTF-8"}


def run(
    path: Path, base: Files, head: Files, message: str = "Change the shop", **settings: object
) -> tuple[Result, Change]:
    """What is found for the change from `base` to `base` with `head` over it."""
    repo = Repo.init(path)
    repo.commit("Begin", base)
    repo.commit(message, head)
    request = Request(environment=ENVIRONMENT, **{"python": sys.executable, **settings})  # type: ignore[arg-type]
    with open_repository(path) as repository:
        change = read_change(read_ends(Question(change="HEAD^..HEAD"), repository), repository, Settings())
        return fail_before(change, repository, request).result, change


def read(path: Path) -> tuple[Change, Trees]:
    """The last commit of a repository, with the files of its tests read."""
    with open_repository(path) as repository:
        change = read_change(read_ends(Question(change="HEAD^..HEAD"), repository), repository, Settings())
        before, after = GitTree(repository, change.base_tree), GitTree(repository, change.head_tree)
        contents = [tree.read(tree.paths()) for tree in (before, after)]
        return change, Trees(Given(contents[0]), Given(contents[1]), pairs_of(change))


def classes(result: Result) -> dict[str, str]:
    return {test.name: test.class_ for test in result.tests}


def reason(result: Result, name: str) -> str:
    return next(test.reason for test in result.tests if test.name == name)


BASE = {
    "src/shop/__init__.py": SHOP + "NEW = None\n",
    "tests/test_shop.py": """\
import pytest
from shop import total

def test_old():
    assert total([1]) == 1

def test_moved_on():
    assert total([1, 2]) == 3

def test_prices(prices):
    assert total(prices) == sum(prices)
""",
    "src/shop/far.py": "def far():\n    import a_library_far_away\n",
    "tests/conftest.py": "import pytest\n\n@pytest.fixture\ndef prices():\n    return [1]\n",
    "tests/data/prices.txt": "1",
}
HEAD = {
    "src/shop/__init__.py": "NAME = 'shop'\nNEW = 1\n\ndef total(prices):\n    return sum(map(int, prices))\n"
    "\n\ndef rebate(prices):\n    return total(prices) // 2\n",
    "src/shop/far.py": "def far():\n    return 1\n",
    "src/shop/tax.py": "def tax(price):\n    return price // 5\n",
    "tests/conftest.py": "import pytest\n\n@pytest.fixture\ndef prices():\n    return ['2', '3']\n",
    "tests/data/prices.txt": "2 3",
    "tests/test_tax.py": "from shop.tax import tax\n\ndef test_tax():\n    assert tax(5) == 1\n",
    "tests/test_name.py": "from shop import NAME\n\ndef test_name():\n    assert NAME\n",
    "tests/test_lib.py": "import a_library_far_away\n\ndef test_lib():\n    pass\n",
    "tests/test_far.py": "from shop.far import far\n\ndef test_far():\n    assert far()\n",
    "tests/test_data.py": "from pathlib import Path\nfrom shop import total\n\ndef test_data():\n"
    "    text = Path(__file__).with_name('data').joinpath('prices.txt').read_text()\n"
    "    assert total(text.split()) == 5\n",
    "tests/test_shop.py": """\
import os
import pytest
import shop
from shop import total

def test_old() -> None:
    \"\"\"Only annotated and described: the same test.\"\"\"
    assert total([1]) == 1

def test_moved_on():
    assert total([1, 2, 3]) == 6

def test_rebate():
    assert shop.rebate([4]) == 2

@pytest.mark.parametrize("prices", [[1], [2]])
def test_each(prices):
    assert shop.rebate(prices) == prices[0] // 2

@pytest.mark.skip(reason="not today")
def test_skipped():
    assert shop.rebate([4]) == 2

def test_prices(prices):
    assert total(prices) == sum(prices)

@pytest.mark.xfail(reason="some day")
def test_expected():
    assert shop.rebate([4]) == 3

def test_wrong():
    assert shop.rebate([4]) == 1

@pytest.fixture
def broken():
    raise OSError("no database here")

def test_set_up(broken):
    pass

class TestIn:
    def test_class(self):
        assert shop.rebate([2]) == 1

def test_wavering():
    seen = "WAVERED"
    first = shop.NEW is None and not os.path.exists(seen)
    open(seen, "w").close()
    assert not first

def test_flaky(tmp_path_factory):
    seen = "SEEN"
    first = not os.path.exists(seen)
    open(seen, "w").close()
    assert not first or shop.total([]) != 0
""",
}


@pytest.fixture(scope="module")
def all_classes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Change]:
    return run(tmp_path_factory.mktemp("all") / "shop", BASE, HEAD, "Fix the rebate")


@pytest.mark.parametrize(
    ("name", "expected", "why"),
    [
        ("test_rebate", "fail_before", "AttributeError"),
        ("test_each", "fail_before", "rebate"),
        ("TestIn.test_class", "fail_before", "rebate"),
        ("test_moved_on", "pass_before", "without the change too"),
        ("test_skipped", "unknown", "not today"),
        ("test_expected", "unknown", "some day"),
        ("test_set_up", "unknown", "no database here"),
        ("test_wrong", "failed", "assert 2 == 1"),
        ("test_flaky", "unknown", "flaky"),
        ("test_wavering", "unknown", "it is flaky: it failed"),
        ("test_tax", "fail_before", "cannot be imported without the change"),
        ("test_name", "fail_before", "cannot import name 'NAME' from 'shop'"),
        ("test_data", "fail_before", "TypeError"),
        ("test_prices", "failed", "TypeError"),
        ("test_lib", "unknown", "a_library_far_away"),
        ("test_far", "unknown", "not of this project"),
    ],
)
def test_every_class(all_classes: tuple[Result, Change], name: str, expected: str, why: str) -> None:
    assert classes(all_classes[0])[name] == expected
    assert why in reason(all_classes[0], name)


def test_what_did_not_change_is_not_run(all_classes: tuple[Result, Change]) -> None:
    assert "test_old" not in classes(all_classes[0])
    assert next(t for t in all_classes[0].tests if t.name == "test_each").cases == 2


def test_a_finding_only_for_what_passes_before(all_classes: tuple[Result, Change]) -> None:
    found = findings_of(*all_classes)
    assert [(finding.place.line, finding.severity) for finding in found] == [(10, "low")]
    assert "test_moved_on" in found[0].message


@pytest.mark.parametrize(
    ("message", "files", "severities"),
    [
        ("Fix the total", ("shop.py", "test_shop.py"), ["medium"]),
        ("Add a total\n\nCloses #12", ("shop.py", "test_shop.py"), ["medium"]),
        ("Add a prefix to the total", ("shop.py", "test_shop.py"), ["low"]),
        ("Fix the total", ("test_shop.py",), []),
    ],
)
def test_how_grave_a_test_that_passes_before_is(
    tmp_path: Path, message: str, files: tuple[str, ...], severities: list[str]
) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Begin", dict.fromkeys(files, "x = 1\n"))
    repo.commit(message, dict.fromkeys(files, "x = 2\n"))
    change, _ = read(tmp_path)
    test = TestResult("test_shop.py", "test_a", 1, "pass_before", "it passes")
    result = Result(change.base_tree, change.head_tree, "", "pytest", (test,))
    assert [finding.severity for finding in findings_of(result, change)] == severities


def test_nothing_of_this_machine_is_kept(all_classes: tuple[Result, Change]) -> None:
    assert not [
        test.reason for test in all_classes[0].tests if "tidegate-verify-" in test.reason or "0x7" in test.reason
    ]


def test_an_installed_copy_elsewhere_must_not_win(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "shop"
    elsewhere.mkdir(parents=True)
    (elsewhere / "__init__.py").write_text("def total(prices):\n    return 0\n")
    base = {**BASE, "tests/conftest.py": f"import sys\nsys.path.insert(0, {str(elsewhere.parent)!r})\nimport shop\n"}
    head = {"tests/test_new.py": "import shop\n\ndef test_new():\n    assert shop.total([]) == 0\n"}
    result, _ = run(tmp_path / "r", base, head)
    assert classes(result) == {"test_new": "unknown"}
    assert "not from the tree under test" in reason(result, "test_new")


@pytest.mark.parametrize(
    ("body", "seconds", "why"),
    [
        ("import os; os._exit(3)", 60.0, "the interpreter crashed in this test"),
        ("import time; time.sleep(60)", 3.0, "not done"),
    ],
)
def test_a_crash_or_a_hang_without_the_change_is_unknown(tmp_path: Path, body: str, seconds: float, why: str) -> None:
    base = {"shop.py": f"def total():\n    {body}\n"}
    head = {
        "shop.py": "def total():\n    return 1\n",
        "tests/test_shop.py": "import shop\n\ndef test_a():\n    assert shop.total() == 1\n\ndef test_b():\n    pass\n",
    }
    result, _ = run(tmp_path / "r", base, head, seconds=seconds)
    assert classes(result) == {"test_a": "unknown", "test_b": "unknown"}
    assert why in reason(result, "test_a")


def test_what_the_tree_does_not_hold(tmp_path: Path) -> None:
    """A version file that the build writes comes along; a link that leads out is left out. Nothing is written here."""
    path = tmp_path / "r"
    repo = Repo.init(path)
    (path / "out").symlink_to("/etc")
    (path / "up").symlink_to("../..")
    (path / "shop2.py").symlink_to("src/shop/__init__.py")
    base = {
        "pyproject.toml": '[tool.setuptools_scm]\nversion_file = "src/shop/_version.py"\n',
        ".gitignore": "_version.py\n",
        "src/shop/__init__.py": "from shop._version import version\n",
    }
    repo.commit("Begin", base)
    repo.write("src/shop/_version.py", "version = '1'\n")
    head = {
        "test_v.py": "import os, shop, shop2\n\ndef test_v():\n    assert shop.version == shop2.version == '1'\n"
        "    assert not os.path.lexists('out')\n"
    }
    result, _ = run(path, {}, head)
    assert classes(result) == {"test_v": "pass_before"}
    assert result.notes == (
        "left out: out: a link that leads out of the tree",
        "left out: up: a link that leads out of the tree",
        f"src/shop/_version.py is written by the build: taken from {path}/src/shop",
    )
    assert repo.git("status", "--porcelain", "--ignored") == "!! src/shop/_version.py"


def test_a_project_below_runs_in_its_own_folder_with_the_settings_of_the_head(tmp_path: Path) -> None:
    base = {
        "setup.py": "",
        "web/pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--strict-markers'\n",
        "web/src/shop.py": SHOP,
        "web/names.txt": "a",
    }
    head = {
        "web/pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--strict-markers'\nmarkers = ['quick']\n",
        "web/src/shop.py": SHOP.replace("sum", "max"),
        "web/tests/test_shop.py": "import pytest, shop\n\n@pytest.mark.quick\ndef test_names():\n"
        "    assert shop.total([1, 2]) == 2 and open('names.txt').read()\n",
    }
    result, _ = run(tmp_path / "r", base, head)
    assert classes(result) == {"test_names": "fail_before"}


def test_any_command_by_its_exit_code(tmp_path: Path) -> None:
    base = {"shop.sh": "total() { echo 1; }\n"}
    head = {"shop.sh": "total() { echo 2; }\n", "tests/shop_test.sh": '. ./shop.sh\n[ "$(total)" = 2 ]\n'}
    result, _ = run(tmp_path / "r", base, head, command="sh -e {files}")
    assert [(test.path, test.class_) for test in result.tests] == [("tests/shop_test.sh", "fail_before")]
    assert result.runner == "command"


def test_a_language_without_a_command_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="how the changed tests are run"):
        run(tmp_path / "r", {"a.ts": "1"}, {"a.test.ts": "2"})


# What is selected, without running anything


def selected(path: Path, base: Files, head: Files) -> dict[str, bool]:
    repo = Repo.init(path)
    repo.commit("Begin", base)
    repo.commit("Change", head)
    return {str(one.test): one.direct for one in select_python(*read(path)).tests}


def test_a_test_that_moves_to_another_file_is_not_changed(tmp_path: Path) -> None:
    body = "def test_a():\n    assert 1\n"
    base = {"tests/test_a.py": body + "\ndef test_b():\n    assert 2\n"}
    assert selected(tmp_path / "r", base, {"tests/test_a.py": None, "tests/test_c.py": body}) == {}


def test_users_of_a_changed_helper_are_selected_beside(tmp_path: Path) -> None:
    text = "def help():\n    return {}\n\ndef use():\n    help()\n\ndef test_a():\n    use()\n\ndef test_b():\n    1\n"
    found = selected(tmp_path / "r", {"test_a.py": text.format(1)}, {"test_a.py": text.format(2)})
    assert found == {"test_a.py::test_a": False}


def test_a_file_that_cannot_be_parsed_is_selected_whole(tmp_path: Path) -> None:
    assert selected(tmp_path / "r", {"a.py": "1"}, {"test_a.py": "def test_a(:\n"}) == {"test_a.py": True}


def test_comments_and_formatting_select_nothing(tmp_path: Path) -> None:
    base = {"test_a.py": "def test_a():\n    x = {'a': 1,\n         'b': 2}\n    assert x\n"}
    assert (
        selected(tmp_path / "r", base, {"test_a.py": "# new\ndef test_a():\n    x = {'a': 1, 'b': 2}\n    assert x\n"})
        == {}
    )


# What is kept, and the check that reads it


def part_of(path: Path, kept: Path | None) -> Part:
    change, trees = read(path)
    return check(Subject(change=change, trees=trees, settings=Settings(), kept=kept))


def test_the_check_runs_nothing_and_reads_what_is_kept(tmp_path: Path, all_classes: tuple[Result, Change]) -> None:
    path, kept = tmp_path / "r", tmp_path / "kept"
    repo = Repo.init(path)
    repo.commit("Begin", BASE)
    repo.commit("Fix the rebate", HEAD)
    asked = part_of(path, kept)
    assert "tidegate verify fail-before" in asked.unknowns[0].reason
    assert asked.unknowns[0].path == "verification.tests"
    write_kept(kept, all_classes[0])
    told = part_of(path, kept)
    assert told.fields["tests"] == FailBeforeFacts(16, fail_before=6, pass_before=1, unknown=7, failed=2, existence=5)
    assert [finding.rule for finding in told.findings] == ["test-passes-before"]


def test_a_change_without_tests_needs_no_run(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("Begin", {"a.py": "1"})
    repo.commit("Go on", {"a.py": "2"})
    assert part_of(tmp_path / "r", None).fields == {"tests": FailBeforeFacts()}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema": "other"}', b"0" * 100])
def test_a_kept_result_that_is_broken_is_unknown(tmp_path: Path, content: bytes) -> None:
    base, head = "a" * 40, "b" * 40
    place = write_kept(tmp_path, Result(base, head, "pytest", "pytest", ()))
    assert isinstance(read_kept(tmp_path, base, head), Result)
    assert isinstance(read_kept(tmp_path, head, base), str)
    place.write_bytes(content)
    assert isinstance(read_kept(tmp_path, base, head), str)


def test_a_kept_result_of_other_trees_is_not_believed(tmp_path: Path) -> None:
    place = write_kept(tmp_path, Result("a" * 40, "b" * 40, "pytest", "pytest", ()))
    other = place.with_name(f"{'c' * 40}-{'d' * 40}.json")
    place.rename(other)
    assert "another change" in str(read_kept(tmp_path, "c" * 40, "d" * 40))


def test_simple_settings_of_tox_are_used(tmp_path: Path) -> None:
    text = (
        "[testenv]\nsetenv =\n    DJANGO = on\n    HOME = /x\n    T = {envtmpdir}\ncommands =\n    python -m unittest\n"
    )
    (tmp_path / "tox.ini").write_text(text)
    assert variables_of_tests(tmp_path) == {"DJANGO": "on"}
    assert other_runner(tmp_path) == "python -m unittest"
    (tmp_path / "tox.ini").write_text(text.replace("unittest", "pytest"))
    assert other_runner(tmp_path) == ""
    (tmp_path / "tox.ini").write_text("[[[")
    assert variables_of_tests(tmp_path) == {}


# Other runners

RUNNER = """\
import importlib, pathlib, sys
sys.path[:0] = [".", "tests"]
out, rows = pathlib.Path(sys.argv[1]), []
for file in sys.argv[2:]:
    module = importlib.import_module(pathlib.Path(file).stem)
    for name, body in vars(module).items():
        if name.startswith("check"):
            fault = "" if body() else "<failure message='no'/>"
            rows.append(f"<testcase classname='{module.__name__}' name='shop {name}'>{fault}</testcase>")
out.write_text("<testsuite tests='1'>" + "".join(rows) + "</testsuite>")
"""


def test_a_junit_report_of_any_runner_is_read_back(tmp_path: Path) -> None:
    base = {
        "run.py": RUNNER,
        "shop.py": "def total():\n    return 1\n",
        "tests/kept_test.py": "def check_a():\n    return 1\n",
    }
    head = {
        "shop.py": "def total():\n    return 2\n\ndef more():\n    return 3\n",
        "tests/kept_test.py": "import shop\n\ndef check_a():\n    return 1\n"
        "\ndef check_b():\n    return shop.total() == 2\n"
        "\ndef check_c():\n    return True\n\ndef check_d():\n    return False\n",
    }
    command = f"{sys.executable} -P run.py {{junit}} {{files}}"
    result, _ = run(tmp_path / "r", base, head, command=command, junit="out/junit.xml")
    assert classes(result) == {
        "kept_test.shop check_b": "fail_before",
        "kept_test.shop check_c": "pass_before",
        "kept_test.shop check_d": "failed",
    }
    assert [test.line for test in result.tests] == [6, 9, 12]


def test_what_the_report_alone_tells_of_a_file_that_does_not_load_is_read(tmp_path: Path) -> None:
    runner = RUNNER.replace(
        "    module = importlib.import_module(pathlib.Path(file).stem)\n",
        "    try:\n        module = importlib.import_module(pathlib.Path(file).stem)\n"
        "    except ImportError as error:\n"
        "        fault = f'<failure message=\"no load\">at x:\\n{error}</failure>'\n"
        "        rows.append(f'<testcase name=\"load\">{fault}</testcase>')\n"
        "        out.write_text('<testsuite>' + ''.join(rows) + '</testsuite>')\n"
        "        sys.exit(1)\n",
    )
    base = {"run.py": runner, "shop.py": "def total():\n    return 1\n"}
    head = {
        "shop.py": "def total():\n    return 1\n\ndef more():\n    return 3\n",
        "tests/more_test.py": "from shop import more\n\ndef check_more():\n    return more() == 3\n",
    }
    command = f"{sys.executable} -P run.py {{junit}} {{files}}"
    result, _ = run(tmp_path / "r", base, head, command=command, junit="junit.xml")
    [test] = result.tests
    assert (test.class_, test.shows) == ("fail_before", "existence")
    assert "cannot import name 'more'" in test.reason


def test_a_report_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wrote no report"):
        run(tmp_path / "r", {"a.sh": ""}, {"tests/a_test.sh": "true\n"}, command="sh {files}", junit="junit.xml")


GO = [
    '{"Action":"output","Package":"m/a","Test":"TestB","Output":"=== RUN TestB\\n"}',
    '{"Action":"output","Package":"m/a","Test":"TestB","Output":"    a_test.go:9: got 1\\n"}',
    '{"Action":"fail","Package":"m/a","Test":"TestB"}',
    '{"Action":"pass","Package":"m/a","Test":"TestA"}',
    '{"Action":"skip","Package":"m/a","Test":"TestC"}',
    '{"Action":"pass","Package":"m/b","Test":"TestB"}',
]


def test_go_tests_are_told_apart_by_package(tmp_path: Path) -> None:
    tests = [Selected(TestName("a/a_test.go", name)) for name in ("TestA", "TestB", "TestC", "TestD")]
    ran = Ran(1, False, 1.0, 1.0, "\n".join(GO))
    trial = read_go(ran.output, ran, tests, "")
    seen = {test.name: (cases[0].outcome, cases[0].reason) for test, cases in trial.cases.items()}
    assert seen["TestA"][0] == "passed"
    assert seen["TestB"] == ("failed", "a_test.go:9: got 1")
    assert seen["TestC"][0] == "skipped"
    assert "TestD" not in seen


def test_a_go_package_that_does_not_compile_without_the_change_proves_something() -> None:
    test = Selected(TestName("a/a_test.go", "TestA"), 3)
    ran = Ran(1, False, 1.0, 1.0, "# m/a [m/a.test]\na/a_test.go:4:7: undefined: Rebate\nFAIL m/a [build failed]")
    head = Trial({test.test: (Case("TestA", "passed"),)})
    trials = Trials(head, read_go(ran.output, ran, [test], ""))
    assert [r.class_ for r in judge([test], trials, Added(frozenset({"Rebate"})))] == ["fail_before"]
    assert [r.class_ for r in judge([test], trials, Added())] == ["unknown"]


# The command


def test_the_command_says_what_it_does_and_keeps_what_it_found(tmp_path: Path) -> None:
    path = tmp_path / "r"
    repo = Repo.init(path)
    repo.commit("Begin", {"shop.sh": "total() { echo 1; }\n"})
    repo.commit("Fix", {"shop.sh": "total() { echo 2; }\n", "shop_test.sh": '. ./shop.sh\n[ "$(total)" = 2 ]\n'})
    asked = [sys.executable, "-c", "from tidegate.cli.verify_fail_before import fail_before as f; f()"]
    done = subprocess.run(
        [*asked, "HEAD^..HEAD", "--command", "sh -e {files}"], cwd=path, capture_output=True, text=True, check=True
    )
    assert "runs the tests of this repository with your rights" in done.stderr
    assert done.stdout.splitlines()[2:] == [
        "1 test: fail without the change and pass with it",
        "  shop_test.sh: without the change it fails (exit code 1: it printed nothing)",
    ]
    assert part_of(path, path / ".git" / "tidegate" / "verify").fields["tests"] == FailBeforeFacts(1, 1, 0, 0, 0)


def test_text_and_json_tell_every_test(all_classes: tuple[Result, Change]) -> None:
    text = _text(*all_classes)
    for test in all_classes[0].tests:
        assert test.name in text
    assert "2 tests: fail with the change" in text
    assert "1 test: fail without the change and pass with it" in text
    assert "5 tests: break without the change, because what it adds is not there" in text
    counts = '"counts":{"existence":5,"fail_before":6,"failed":2,"pass_before":1,"ran":16,"unknown":7}'
    assert counts in _json(all_classes[0]).decode()


def test_a_test_of_nothing_proves_nothing_by_a_name_that_is_not_there(tmp_path: Path) -> None:
    head = {
        "shop.py": SHOP + "def rebate(prices, rate=2):\n    return total(prices) // rate\n",
        "tests/test_new.py": "from shop import rebate\n\ndef test_idle():\n    rebate([4])\n"
        "\ndef test_still():\n    assert rebate([4]) or True\n\ndef test_real():\n    assert rebate([4]) == 2\n",
        "tests/test_late.py": "import shop\n\ndef test_called():\n    shop.rebate([4], rate=3)\n"
        "\ndef test_asserted():\n    assert shop.rebate([4], rate=4) == 1\n"
        "\ndef test_brought():\n    from shop import rebate\n    rebate([4])\n",
    }
    result, _ = run(tmp_path / "r", {"shop.py": SHOP}, head)
    assert classes(result) == {
        "test_idle": "unknown",
        "test_still": "unknown",
        "test_real": "fail_before",
        "test_called": "unknown",
        "test_asserted": "fail_before",
        "test_brought": "unknown",
    }
    assert reason(result, "test_idle").endswith("and it asserts nothing")
    assert {test.shows for test in result.tests if test.class_ == "fail_before"} == {"existence"}


def test_a_wrong_value_is_a_behaviour_and_a_name_that_is_not_there_an_existence(tmp_path: Path) -> None:
    base = {"shop.py": "class Cart:\n    name = None\n\ndef total(prices):\n    return sum(prices)\n"}
    head = {
        "shop.py": "class Cart:\n    name = ''.strip()\n    def lower(self): return 1\n"
        "\ndef total(prices, rate=1):\n    return sum(map(int, prices)) * rate\n",
        "tests/test_cart.py": "from shop import Cart, total\n\ndef test_parts():\n    assert total(['1']) == 1\n"
        "\ndef test_none():\n    assert Cart().name.lower() == ''\n"
        "\ndef test_rate():\n    assert total([1], rate=2) == 2\n"
        "\ndef test_method():\n    assert Cart().lower() == 1\n",
    }
    result, _ = run(tmp_path / "r", base, head)
    assert {test.name: test.shows for test in result.tests} == {
        "test_parts": "behaviour",
        "test_none": "behaviour",
        "test_rate": "existence",
        "test_method": "existence",
    }


@pytest.mark.parametrize(
    ("with_it", "without_it", "class_"),
    [
        (["at[10:45:31]", "at[7]"], ["at[10:45:32]", "at[7]"], "pass_before"),
        (["at[10:45:31]", "at[a]"], ["at[10:45:32]"], "unknown"),
        (["at[new]"], ["at[old]"], "unknown"),
    ],
)
def test_a_parameter_that_is_a_time_is_the_same_parameter(
    with_it: list[str], without_it: list[str], class_: str
) -> None:
    test = TestName("tests/test_at.py", "at")
    head, base = (Trial({test: tuple(Case(id_, "passed") for id_ in ids)}) for ids in (with_it, without_it))
    [result] = judge([Selected(test)], Trials(head, base), Added())
    assert result.class_ == class_


@pytest.mark.parametrize(
    ("deed", "file"),
    [
        ("shutil.rmtree(Path(__file__).parents[2])", ""),
        ("[(e.unlink(), os.mkfifo(e)) for e in Path(__file__).parents[2].glob('*/events.jsonl')]; os._exit(0)", ""),
        ("os.killpg(0, 9)", ""),
        ("pytest.exit('done', returncode=0)", ""),
        ("pass", "import os; os._exit(0)\n"),
        ("pass", "import sys; sys.exit(0)\n"),
        ("pass", "raise KeyboardInterrupt\n"),
    ],
)
def test_a_run_that_the_change_cuts_short_proves_nothing(tmp_path: Path, deed: str, file: str) -> None:
    head = {
        "shop.py": SHOP + "\nNEW = 1\n",
        "tests/test_new.py": "import os, shutil\nfrom pathlib import Path\nimport pytest\nimport shop\n"
        f"\ndef test_cut():\n    {deed}\n    assert shop.NEW\n",
        **({"conftest.py": file} if file else {}),
    }
    result, _ = run(tmp_path / "r", {"shop.py": SHOP}, head, seconds=30.0)
    assert classes(result) == {"test_cut": "unknown"}
