"""Faults in changed lines: which are made, which tests notice, what is kept, and what other tools report."""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from tests.conftest import ROOT
from tests.repos import Repo
from tidegate.change.configuration import read_settings
from tidegate.change.ends import Question
from tidegate.change.git import open_repository
from tidegate.change.read import read_change, read_ends
from tidegate.cli.verify_mutate import dismiss as dismiss_command
from tidegate.cli.verify_mutate import mutate as mutate_command
from tidegate.errors import InputError
from tidegate.facts import MutationFacts
from tidegate.report.mutation_text import render_mutation_text
from tidegate.report.style import PLAIN
from tidegate.verify.mutate.check import check
from tidegate.verify.mutate.dismissals import parse_dismissals
from tidegate.verify.mutate.engine import mutants_of, mutated, pick
from tidegate.verify.mutate.foreign import read_mutation_report
from tidegate.verify.mutate.journey import Request, mutate, subject_of
from tidegate.verify.mutate.kept import write_kept
from tidegate.verify.mutate.plan import plan
from tidegate.verify.mutate.values import Mutation
from tidegate.verify.values import Part

CALC = """\
import logging

LIMIT = 10
UNUSED = 7
log = logging.getLogger(__name__)


def small(n):
    if n < 3:
        return True
    return False


def total(items):
    result = 0
    while items:
        result += items.pop()
    return result


def over(n):
    log.warning("called %s", n)
    return n > LIMIT


def lonely(n):
    return n + 1


def fragile(n):
    return n * 2
"""
TESTS = """\
import os
import pytest
from shop.calc import LIMIT, fragile, over, small, total

SHARED = [1, 2]


def test_small():
    assert small(1) and not small(9)


@pytest.mark.parametrize("items", [SHARED])
def test_total(items):
    assert total(items) == 3


def test_over():
    assert over(11) and not over(10)


def test_wavers():
    seen = os.path.join(os.path.dirname(__file__), "seen")
    first = not os.path.exists(seen)
    open(seen, "w").close()
    assert first and fragile(1)


def test_fails_anyway():
    assert fragile(1) == 5
"""
QUICK = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
HERE = Request(QUICK, python=sys.executable, budget=60)


def words(source: str, lines: set[int] | None = None) -> list[str]:
    every = frozenset(range(1, source.count("\n") + 2))
    return [mutant.words for mutant in mutants_of("a.py", source.encode(), lines or every)]


def body(statement: str) -> list[str]:
    return words(f"def f(a, b, xs):\n    {statement}\n", {2})


# What is made


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("return a < b", "`<` became `<=`"),
        ("return a == b and b", "`==` became `!=`"),
        ("return a is  not b", "`is  not` became `is`"),
        ("return a not in xs", "`not in` became `in`"),
        ("return (a) + (b)", "`+` became `-`"),
        ("return a and b", "`and` became `or`"),
        ("return not a", "`not a` lost its `not`"),
        ("return f(a)", "`return f(a)` became `return None`"),
        ("return min(a, b)", "`min` became `max`"),
        ("a += b", "`+=` became `-=`"),
        ("f(a)", "`f(a)` was removed"),
        ("raise ValueError(a)", "`raise ValueError(a)` was removed"),
        ("a.b = xs", "`xs` became `None`"),
        ("a = 5", "`5` became `6`"),
        ("a = f(b, c=True)", "`True` became `False`"),
        ("yield a", "`yield a` became `yield None`"),
        ("return a if b else xs", "`b` became `not b`"),
        ("return [x for x in xs if x]", "`x` became `not x`"),
        ("for x in xs: pass", "the loop runs over nothing"),
        ("return a if a < b else b", "`<` became `>=`"),
    ],
)
def test_one_fault_a_statement_the_most_productive(statement: str, said: str) -> None:
    assert body(statement) == [said]


@pytest.mark.parametrize(
    "statement",
    [
        "log.info('x %s', a > b)",
        "print(a + b)",
        "warnings.warn('old', stacklevel=2)",
        "assert a > b, 'x'",
        "raise NotImplementedError",
        "'''a text'''",
        "x: int",
        "import os",
        "return",
        "return a + b  # pragma: no cover",
        "if sys.version_info < (3, 9): a = 1",
        "if a: log.debug(a)",
        "if not _PYPY: a = 1",
        "raise RuntimeError('this should never happen')",
        "return a + b  # TODO: tell the years too",
        "return self + 1  # deprecated @classmethod",
        "RETRY_DELAY = 5",
        "Point = namedtuple('Point', 'x y')",
        "use_files = WIN or sys.platform.startswith('os2')",
        "pass",
    ],
)
def test_none_where_it_would_teach_nothing(statement: str) -> None:
    assert body(statement) == []


def test_types_reprs_overloads_and_module_dunders_are_left_alone() -> None:
    source = (
        "from __future__ import annotations\n__all__ = ['f']\nif TYPE_CHECKING:\n    X = 1\n"
        "T = TypeVar('T', bound=int)\nclass A:\n    def __repr__(self):\n        return 'a' + 'b'\n"
        "    @overload\n    def f(self, a: Literal[1] = 2) -> int: ...\n"
    )
    assert words(source) == []


def test_what_is_deprecated_needs_no_new_tests() -> None:
    source = (
        "def f(a):\n    if a == 1:\n        warnings.warn('x', DeprecationWarning, stacklevel=2)\n        return g(a)\n"
    )
    assert words(source + "    return a + 1\n") == ["`+` became `-`"]
    assert words("class DeprecatedCart:\n    def f(self):\n        return 1 + 1\n") == []
    assert words("def f(a):\n    'Old.'\n    warn_old(stacklevel=3)\n    return a + 1\n") == []
    assert words("def f(a):\n    log.warning(a)\n    return a + 1\n") == ["`+` became `-`"]


def test_how_many_parts_are_split_off_is_no_matter_where_the_first_is_taken() -> None:
    assert body("return a.split(',', 1)[0]") == ["`split` became `rsplit`"]
    assert body("return a.most_common(1)[0]") == ["`return a.most_common(1)[0]` became `return None`"]
    assert body("return a.most_common(1)[1]") != body("return a.most_common(1)[0]")


def test_only_lines_that_changed_and_one_fault_a_line() -> None:
    assert words("def f(a, b):\n    x = a < b\n    y = a > b or b\n    return x\n", {3}) == ["`>` became `>=`"]


def test_every_fault_is_python_on_the_same_lines() -> None:
    seen = 0
    for path in sorted((ROOT / "src/tidegate/verify").rglob("*.py"))[::6]:
        content = path.read_bytes()
        lines = frozenset(range(content.count(b"\n") + 2))
        for mutant in mutants_of(path.name, content, lines)[::4]:
            changed = mutated(content, mutant)
            assert changed != content
            assert changed.count(b"\n") == content.count(b"\n")
            ast.parse(changed)
            seen += 1
    assert seen > 20


def test_the_pick_takes_every_function_in_turn() -> None:
    source = "def f(a):\n" + "".join(f"    a = {n}\n" for n in range(9)) + "def g(a):\n    return a < 1\n"
    mutants = mutants_of("a.py", source.encode(), frozenset(range(1, 20)))
    assert [mutant.function for mutant in pick(mutants, 2)] == ["f", "g"]


# What tests notice


def shop(path: Path, head: str = CALC, base: str = "", dismissed: str = "") -> Repo:
    repo = Repo.init(path)
    repo.write("src/shop/__init__.py", "")
    repo.write("src/shop/calc.py", base)
    repo.write("tests/test_calc.py", TESTS)
    if dismissed:
        repo.write(".tidegate/mutants.toml", dismissed)
    repo.git("add", "-A")
    repo.commit("Start")
    repo.write("src/shop/calc.py", head)
    repo.git("add", "-A")
    repo.commit("Add the calculation")
    return repo


def run(repo: Repo, request: Request = HERE) -> Mutation:
    with open_repository(repo.path) as repository:
        ends = read_ends(Question(change="HEAD"), repository)
        settings = read_settings(repository, ends.policy_at, {}).settings
        found = mutate(read_change(ends, repository, settings), repository, settings, request).mutation
        write_kept(repository.common_dir / "tidegate" / "verify", found)
    return found


def checked(repo: Repo, reports: tuple[Path, ...] = ()) -> Part:
    with open_repository(repo.path) as repository:
        ends = read_ends(Question(change="HEAD"), repository)
        settings = read_settings(repository, ends.policy_at, {}).settings
        subject = subject_of(read_change(ends, repository, settings), repository, settings)
        kept = repository.common_dir / "tidegate" / "verify"
        return check(replace(subject, kept=kept, mutation=reports))


def test_a_change_is_judged_whatever_its_tests_do(tmp_path: Path) -> None:
    dismissed = '[[dismissed]]\npath = "src/shop/calc.py"\ntext = "UNUSED = 7"\nbecause = "nobody reads it"\n'
    repo = shop(tmp_path, dismissed=dismissed)
    assert "tidegate verify mutate" in checked(repo).unknowns[0].reason

    found = run(repo)
    outcomes = {one.key: one.outcome for one in found.judged}
    assert outcomes == {
        "LIMIT = 10": "killed",  # takes effect at import: a fresh process
        "if n < 3:": "survived",
        "return True": "killed",
        "return False": "killed",
        "result = 0": "killed",
        "while items:": "killed",  # although the test empties its own parameter
        "result += items.pop()": "killed",
        "return result": "killed",
        "return n > LIMIT": "killed",
        "return n + 1": "uncovered",
        "return n * 2": "unknown",  # its two tests fail without it too
    }
    assert found.dismissed == 1
    assert "tests/test_calc.py::test_fails_anyway: it fails without any mutant" in found.left_out
    assert not (tmp_path / "tests/seen").exists()
    assert repo.git("status", "--porcelain") == ""

    part = checked(repo)
    facts = part.fields["mutation"]
    assert isinstance(facts, MutationFacts)
    assert (facts.mutants, facts.killed, facts.survived, facts.uncovered, facts.dismissed) == (10, 8, 2, 1, 1)
    first = part.findings[0]
    assert (first.rule, first.severity, str(first.place)) == ("mutant-survived", "low", "src/shop/calc.py:9")
    text = render_mutation_text(found, "HEAD", PLAIN)
    assert "Tests notice 8 of 10 faults in the changed lines (80 %)." in text
    assert "`<` became `<=`" in text


def test_a_test_that_wavers_kills_nothing(tmp_path: Path) -> None:
    repo = shop(tmp_path)
    tests = "from shop.calc import fragile, small\nn = []\n" + (
        "def test_first():\n    n.append(1); assert small(1)\n\n\n"
        "def test_needs_the_first():\n    assert n and fragile(1) is not None\n"
    )
    repo.write("tests/test_calc.py", tests)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    found = run(repo)
    outcomes = {one.key: one.outcome for one in found.judged}
    assert outcomes["return n * 2"] != "killed"
    assert any("test_needs_the_first" in test for test in found.left_out)


def test_a_loop_without_end_is_noticed_and_a_missing_environment_is_unknown(tmp_path: Path) -> None:
    endless = "def down(n):\n    while n > 0:\n        n -= 1\n    return n\n"
    repo = shop(tmp_path, endless)
    repo.write("tests/test_calc.py", "from shop.calc import down\ndef test_down():\n    assert down(2) == 0\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    found = {one.key: one.outcome for one in run(repo).judged}
    assert found == {"while n > 0:": "killed", "n -= 1": "timeout", "return n": "killed"}

    repo.write("tests/test_calc.py", "import no_such_module_anywhere\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    unknown = run(repo)
    assert {one.outcome for one in unknown.judged} == {"unknown"}
    assert "no_such_module_anywhere" in unknown.judged[0].reason
    part = checked(repo)
    assert not part.fields
    assert not part.findings


def test_without_forks_each_mutant_has_its_own_process(tmp_path: Path) -> None:
    """A plugin of the project takes `os.fork` away, as a process with threads would."""
    repo = shop(tmp_path, "def small(n):\n    if n < 3:\n        return True\n    return n\n")
    repo.write("conftest.py", "import os\ndel os.fork\n")
    repo.write("tests/test_calc.py", "from shop.calc import small\ndef test_small():\n    assert small(1) is True\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    found = run(repo)
    assert {one.key: one.outcome for one in found.judged} == {
        "if n < 3:": "survived",
        "return True": "killed",
        "return n": "uncovered",
    }
    assert any("process of its own" in note for note in found.notes)


def test_a_test_that_is_named_by_the_time_is_not_asked_for_again(tmp_path: Path) -> None:
    repo = shop(tmp_path, "LIMIT = 3\n")
    tests = (
        "import time, pytest\nfrom shop.calc import LIMIT\n"
        "@pytest.mark.parametrize('at', [time.strftime('%H:%M:%S') + str(time.time())])\n"
        "def test_at(at):\n    assert LIMIT\ndef test_limit():\n    assert LIMIT > 0\n"
    )
    repo.write("tests/test_calc.py", tests)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    found = run(repo)
    assert [one.outcome for one in found.judged] == ["survived"]
    assert any("holds a time" in test for test in found.left_out)


REWRITES = """\
import ast, inspect

def typed(f):
    lines, first = inspect.getsourcelines(f)
    tree = ast.parse("\\n" * (first - 1) + "".join(lines))
    tree.body[0].decorator_list = []
    made = {}
    exec(compile(tree, f.__code__.co_filename, "exec"), f.__globals__, made)
    made[f.__name__].__wrapped__ = f
    return made[f.__name__]
"""


def test_a_function_that_a_decorator_compiles_anew_is_judged_in_a_fresh_process(tmp_path: Path) -> None:
    """typeguard does so: what runs is not what stands there, and the original lives on without being called."""
    repo = shop(tmp_path, "from shop.typed import typed\n\n@typed\ndef small(n):\n    return n < 3\n")
    repo.write("src/shop/typed.py", REWRITES)
    tests = "from shop.calc import small\ndef test_small():\n    assert not small(3)\n"
    repo.write("tests/test_calc.py", tests)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    found = [one for one in run(repo).judged if one.path == "src/shop/calc.py"]
    assert [(one.key, one.outcome) for one in found] == [("return n < 3", "killed")]


def test_what_a_shared_fixture_executes_every_test_that_uses_it_executes(tmp_path: Path) -> None:
    """The first test asserts nothing of what the fixture made; the second, which runs none of the code, does."""
    repo = shop(tmp_path, "def fragile(n):\n    return n * 2\n")
    tests = (
        "import pytest\nfrom shop.calc import fragile\n\n"
        "@pytest.fixture(scope='module')\ndef made():\n    return fragile(3)\n\n"
        "def test_first(made):\n    pass\n\ndef test_second(made):\n    assert made == 6\n"
    )
    repo.write("tests/test_calc.py", tests)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    assert [(one.outcome, one.killer) for one in run(repo).judged] == [("killed", "tests/test_calc.py::test_second")]


def test_a_command_that_runs_no_pytest_is_unknown(tmp_path: Path) -> None:
    found = run(shop(tmp_path), Request(QUICK, command="true", python=sys.executable))
    assert {one.outcome for one in found.judged} == {"unknown"}
    assert "does not run pytest" in found.judged[0].reason


def test_another_copy_that_is_imported_is_unknown(tmp_path: Path) -> None:
    """An editable install that wins over the temporary folder would judge code that is not of the change."""
    repo = shop(tmp_path / "repo")
    repo.write("tests/conftest.py", f"import sys\nsys.path.insert(0, {str(tmp_path / 'repo' / 'src')!r})\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    found = run(repo)
    assert {one.outcome for one in found.judged} == {"unknown"}
    assert "not the file of the change" in found.judged[0].reason


def test_a_tool_beside_the_packages_is_not_asked_for_tests(tmp_path: Path) -> None:
    repo = shop(tmp_path, "")
    repo.write("tooling/__init__.py", "")
    repo.write("tooling/release.py", "def release(n):\n    return n + 1\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    part = checked(repo)
    assert part.fields.get("mutation") == MutationFacts(), part.unknowns


# Dismissals


def test_a_dismissal_is_written_once_and_read_back(tmp_path: Path) -> None:
    repo = shop(tmp_path)
    arguments = ["src/shop/calc.py:9", "--because", 'a "quoted" reason', "--repo", str(tmp_path)]
    for _ in range(2):
        assert CliRunner().invoke(dismiss_command, arguments, standalone_mode=False).exception is None
    content = (tmp_path / ".tidegate/mutants.toml").read_bytes()
    assert content.count(b"[[dismissed]]") == 1
    assert parse_dismissals(content).reasons == {("src/shop/calc.py", "if n < 3:"): 'a "quoted" reason'}
    # In the change itself it does not count.
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    with open_repository(repo.path) as repository:
        ends = read_ends(Question(change="HEAD"), repository)
        settings = read_settings(repository, ends.policy_at, {}).settings
        subject = subject_of(read_change(ends, repository, settings), repository, settings)
        assert plan(subject).dismissed == 0


@pytest.mark.parametrize("content", [b"dismissed = 1", b"[[dismissed]]\npath = 'a'", b"\xff", b"= "])
def test_a_broken_list_of_dismissals_is_said(content: bytes) -> None:
    with pytest.raises(InputError, match=r"mutants\.toml"):
        parse_dismissals(content)


@pytest.mark.parametrize("place", ["src/shop/calc.py", "src/shop/calc.py:99", "../x.py:1", "src/shop/calc.py:2"])
def test_a_dismissal_needs_a_line_of_code(tmp_path: Path, place: str) -> None:
    shop(tmp_path)
    result = CliRunner().invoke(dismiss_command, [place, "--because", "x", "--repo", str(tmp_path)])
    assert isinstance(result.exception, InputError)


# The command


def test_the_command_says_that_it_runs_code_and_keeps_the_answer(tmp_path: Path) -> None:
    repo = shop(tmp_path, "def small(n):\n    return n < 3\n")
    repo.write("tests/test_calc.py", "from shop.calc import small\ndef test_small():\n    assert small(2)\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    arguments = ["HEAD", "--repo", str(tmp_path), "--python", sys.executable, "--format", "json"]
    result = CliRunner().invoke(mutate_command, arguments, standalone_mode=False)
    assert result.exception is None
    assert "with your rights" in result.output
    kept = list((tmp_path / ".git/tidegate/verify/mutation").glob("*.json"))
    assert len(kept) == 1
    assert [one["outcome"] for one in json.loads(kept[0].read_bytes())["judged"]] == ["survived"]


# Reports of other tools

STRYKER = {
    "schemaVersion": "1.0",
    "files": {
        "src/cart.js": {
            "language": "javascript",
            "source": "",
            "mutants": [
                {
                    "id": "1",
                    "mutatorName": "EqualityOperator",
                    "replacement": "a <= b",
                    "status": status,
                    "coveredBy": ["t1", "t2"],
                    "location": {"start": {"line": line, "column": 1}, "end": {"line": line, "column": 9}},
                }
                for line, status in enumerate(
                    ["Killed", "Survived", "NoCoverage", "Timeout", "CompileError", "Ignored", "Survived"], 1
                )
            ],
        }
    },
}
PIT = """<?xml version="1.0" encoding="UTF-8"?>
<mutations partial="true">
<mutation detected='false' status='SURVIVED' numberOfTestsRun='3'><sourceFile>Cart.java</sourceFile>
<mutatedClass>org.shop.Cart$Line</mutatedClass><mutatedMethod>total</mutatedMethod><lineNumber>2</lineNumber>
<mutator>org.pitest.ConditionalsBoundaryMutator</mutator><killingTest/>
<description>changed conditional boundary</description></mutation>
<mutation detected='true' status='KILLED' numberOfTestsRun='1'><sourceFile>Cart.java</sourceFile>
<mutatedClass>org.shop.Cart</mutatedClass><lineNumber>3</lineNumber><mutator>x.MathMutator</mutator>
<killingTest>CartTest</killingTest><description>d</description></mutation>
</mutations>"""
CARGO = {
    "outcomes": [
        {"scenario": "Baseline", "summary": "Success"},
        {
            "scenario": {
                "Mutant": {
                    "name": "src/lib.rs:2:5: replace total -> u32 with 0",
                    "file": "src/lib.rs",
                    "span": {"start": {"line": 2, "column": 5}, "end": {"line": 4, "column": 6}},
                }
            },
            "summary": "MissedMutant",
        },
        {"scenario": {"Mutant": {"name": "x", "file": "src/lib.rs", "line": 3}}, "summary": "CaughtMutant"},
        {"scenario": {"Mutant": {"name": "x", "file": "src/lib.rs", "line": 3}}, "summary": "Unviable"},
    ]
}
MUTMUT = """<testsuites><testsuite name="mutmut">
<testcase classname="mutmut" name="Mutant #1" file="calc.py" line="2"><failure message="bad_survived"/></testcase>
<testcase classname="mutmut" name="Mutant #2" file="calc.py" line="3"/>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("path", "report", "counts"),
    [
        ("src/cart.js", json.dumps(STRYKER), (4, 2, 2, 1, 1)),
        ("src/main/java/org/shop/Cart.java", PIT, (2, 1, 1, 0, 0)),
        ("src/lib.rs", json.dumps(CARGO), (2, 1, 1, 0, 0)),
        ("calc.py", MUTMUT, (2, 1, 1, 0, 0)),
    ],
)
def test_reports_of_other_tools_count_on_changed_lines(
    tmp_path: Path, path: str, report: str, counts: tuple[int, ...]
) -> None:
    code = "".join(f"x{n} = y{n} + 1;\n" if not path.endswith(".py") else f"x{n} = y + 1\n" for n in range(6))
    repo = Repo.init(tmp_path)
    repo.write(path, "last();\n" if not path.endswith(".py") else "last()\n")
    repo.git("add", "-A")
    repo.commit("Start")
    repo.write(path, code + ("last();\n" if not path.endswith(".py") else "last()\n"))
    repo.git("add", "-A")
    repo.commit("Add")
    file = tmp_path / "report"
    file.write_text(report, encoding="utf-8")
    assert "mutation" not in checked(repo).fields
    facts = checked(repo, (file,)).fields["mutation"]
    assert (facts.mutants, facts.killed, facts.survived, facts.uncovered, facts.dismissed) == counts


def test_a_report_of_another_state_of_the_file_is_not_believed(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.write("src/cart.js", "a();\n")
    repo.git("add", "-A")
    repo.commit("Start")
    repo.write("src/cart.js", "a();\nb();\n")
    repo.git("add", "-A")
    repo.commit("Add")
    file = tmp_path / "report.json"
    stale = {"files": {"src/cart.js": {**STRYKER["files"]["src/cart.js"], "source": "b();\na();\n"}}}  # type: ignore[index]
    file.write_text(json.dumps(stale), encoding="utf-8")
    assert "not as it is at the head" in checked(repo, (file,)).unknowns[0].reason


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"{" * 100_000,
        b'{"files": {"a": {"mutants": [{"location": {"start": {"line": NaN}}, "status": "Killed"}]}}}',
        b'{"files": {"a": {"mutants": [{"location": {"start": {"line": "x"}}, "status": "Killed"}]}}}',
        b'{"killed": 3, "survived": 1, "no_tests": 0}',
        b"<mutations><mutation>",
        b"<coverage/>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><mutations>&b;</mutations>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><mutations>&a;</mutations>',
        b"\xff\xfe\x00",
        b"PK\x03\x04",
    ],
)
def test_hostile_reports_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "report"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_mutation_report(file)
    assert "\n" not in str(caught.value)
    assert caught.value.mend


# Changes that would rather not be judged

FORGED = """\
import json, os
from pathlib import Path
from shop.calc import small

def test_small():
    assert small(1) is not None

def test_forges():
    for events in Path(__file__).parents[2].glob("*/events.jsonl"):
        lines = [{"kind": "mutant"}, {"kind": "test", "test": 5}, {"kind": "collected", "imported": 7}, [1], "x", {}]
        events.write_text(events.read_text() + "".join(json.dumps(line) + "\\n" for line in lines) + "no event\\n")
"""
TAKEN = """\
import os, shutil
from pathlib import Path
from shop.calc import small

def test_small():
    assert small(1) is not None

def test_takes_away():
    {deed}
"""


def judged_with(tmp_path: Path, tests: str) -> dict[str, str]:
    repo = shop(tmp_path, "def small(n):\n    return n < 3\n")
    repo.write("tests/test_calc.py", tests)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "Add")
    return {one.key: one.outcome for one in run(repo, replace(HERE, seconds=20.0, budget=5.0)).judged}


def test_lines_that_are_no_events_are_left_out(tmp_path: Path) -> None:
    assert judged_with(tmp_path, FORGED) == {"return n < 3": "survived"}


@pytest.mark.parametrize(
    "deed",
    [
        "shutil.rmtree(Path(__file__).parents[2])",
        "[(one.unlink(), one.symlink_to('/dev/zero')) for one in Path(__file__).parents[2].glob('*/events.jsonl')]",
        "[(one.unlink(), one.mkdir()) for one in Path(__file__).parents[2].glob('*/events.jsonl')]",
    ],
)
def test_tests_that_take_away_what_they_are_judged_by_leave_it_unknown(tmp_path: Path, deed: str) -> None:
    assert judged_with(tmp_path, TAKEN.format(deed=deed)) == {"return n < 3": "unknown"}
