"""`tidegate reach` on the command line, and what it hands on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.repos import Repo
from tidegate.cli.reach import _format, reach
from tidegate.errors import InputError
from tidegate.reach.record.maps import read_map


def test_one_question_at_a_time() -> None:
    done = CliRunner().invoke(reach, ["a", "b"])
    assert isinstance(done.exception, InputError)
    assert str(done.exception) == "a b: 2 questions at once; ask about one range, path or symbol"
    done = CliRunner().invoke(reach, ["a", "b", "c", "--why", "x"])
    assert "3 questions at once" in str(done.exception)


def test_help_names_record_and_loads_nothing_heavy() -> None:
    done = CliRunner().invoke(reach, ["--help"])
    assert done.exit_code == 0
    assert "tidegate reach record -- pytest" in done.output
    script = (
        "import sys, tidegate.cli.reach\n"
        "heavy = {'numpy', 'tree_sitter', 'yaml', 'tidegate.reach.answer', 'tidegate.change.git'}\n"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("given", "output", "expected"),
    [
        (None, None, "text"),
        ("svg", None, "svg"),
        (None, "a.svg", "svg"),
        (None, "a.HTML", "html"),
        (None, "a.txt", "text"),
        ("dot", "a.svg", "dot"),
    ],
)
def test_the_name_of_the_file_says_the_format(given: str | None, output: str | None, expected: str) -> None:
    assert _format(given, Path(output) if output else None) == expected


def test_record_runs_the_command_and_keeps_what_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit(
        "base",
        {
            "shop.py": "def price():\n    return 1\n",
            "test_shop.py": "from shop import price\n\n\ndef test_price():\n    assert price() == 2\n",
        },
    )
    monkeypatch.chdir(repo.path)
    command = [
        "record",
        "--now",
        "2026-05-01T12:00:00Z",
        "--",
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = CliRunner().invoke(reach, command, standalone_mode=False)
    assert done.return_value == 1, "the exit code is pytest's: the test fails"
    assert "recorded 1 test, the map now holds 1 test" in done.stderr
    kept = read_map(repo.path / ".git" / "tidegate" / "reach")
    assert kept is not None
    assert [str(test.symbol) for test in kept.tests] == ["test_shop.py:test_price"]
    executed = {f"{file.path}:{symbol.name}" for file in kept.files for symbol in file.symbols if any(symbol.tests)}
    assert "shop.py:price" in executed


def test_record_wants_a_command() -> None:
    done = CliRunner().invoke(reach, ["record"])
    assert "tidegate reach record -- pytest" in str(done.exception)


def test_record_takes_what_another_tool_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit(
        "base",
        {
            "shop.py": "def price():\n    return 1\n\n\ndef other():\n    return 2\n",
            "test_shop.py": "from shop import price\n\n\ndef test_price():\n    assert price() == 1\n",
        },
    )
    report = tmp_path / "lcov.info"
    report.write_text("TN:test_shop.py::test_price\nSF:shop.py\nDA:2,1\nDA:6,0\nend_of_record\n")
    monkeypatch.chdir(repo.path)
    done = CliRunner().invoke(reach, ["record", "--from", "lcov", str(report)], standalone_mode=False)
    assert "recorded 1 test" in done.stderr, done.exception
    kept = read_map(repo.path / ".git" / "tidegate" / "reach")
    assert kept is not None
    executed = {f"{file.path}:{symbol.name}" for file in kept.files for symbol in file.symbols if any(symbol.tests)}
    assert "shop.py:price" in executed
    assert "shop.py:other" not in executed


@pytest.mark.parametrize(("kind", "told"), [("gcov", "no kind of coverage"), ("lcov", "no such file")])
def test_a_wrong_kind_or_file_is_one_clear_error(
    kind: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("base", {"a.py": "A = 1\n"})
    monkeypatch.chdir(repo.path)
    done = CliRunner().invoke(reach, ["record", "--from", kind, "missing.info"], standalone_mode=False)
    assert told in str(done.exception)
