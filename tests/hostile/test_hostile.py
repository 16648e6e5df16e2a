"""Whatever a repository holds, looking at it runs nothing, writes nothing, and reads nothing from outside of it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest

from tests.hostile.corpus import CORPUS, Entry
from tests.hostile.yard import SECRET, Yard
from tidegate.change import git, git_output
from tidegate.cli.main import tidegate
from tidegate.errors import TidegateError

JOURNEYS: tuple[tuple[str, ...], ...] = (
    ("check", "--color", "never"),
    ("check", "--staged"),
    ("reach", "main..feature"),
    ("check", "main..feature", "--format", "json"),
    ("who", "a.txt", "--color", "never"),
    ("provenance", "audit"),
)
"""What a person does in a repository that somebody sent."""

PIPE = "pipe_for_an_object"
"""Git waits for it until its time is up: minutes, in a process of its own."""

LARGEST_CHILD = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""Runs a command and says last how many KB the largest of its processes held."""


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard.lay_out(tmp_path / "yard")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_output, "TIMEOUT_SECONDS", 1)
    monkeypatch.setattr(git, "TIMEOUT_SECONDS", 1)


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_a_hostile_repository_runs_and_writes_nothing(
    entry: Entry, yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry.lay(yard)
    before = yard.snapshot()
    _become_the_victim(yard, monkeypatch)

    for journey in (*JOURNEYS, *yard.extra):
        code, output = _walk(journey)
        said = f"{journey}: exit {code}\n{output[:3000]}"
        assert code in (0, 1, 2), said
        assert "collector failed" not in output, said
        assert SECRET not in output, said
        assert "\x1b" not in output, said

    assert yard.marks == []
    assert yard.changes(before) == {}
    assert list((yard.top / "tmp").iterdir()) == []


@pytest.mark.parametrize("entry", [e for e in CORPUS if e.name != PIPE], ids=lambda entry: entry.name)
def test_a_hostile_repository_takes_little_memory(entry: Entry, yard: Yard) -> None:
    """Under 500 MB in any process: measured by a small one, because a child begins with what its parent held."""
    entry.lay(yard)

    done = subprocess.run(
        [sys.executable, "-c", LARGEST_CHILD, _program(), "check", "main..feature", "--format", "json"],
        cwd=yard.start or yard.repo.path,
        env=_environment(yard),
        capture_output=True,
        check=False,
        timeout=120,
    )

    assert done.returncode in (0, 1, 2), done.stderr
    assert int(done.stderr.splitlines()[-1]) < 500_000


@pytest.mark.parametrize("entry", [e for e in CORPUS if e.fires], ids=lambda entry: entry.name)
def test_the_traps_are_real(entry: Entry, yard: Yard) -> None:
    """Plain git walks into them: the oracle sees what it has to see."""
    entry.lay(yard)

    yard.fire(*entry.fires)

    assert yard.marks != []


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 20
    assert len({entry.name for entry in CORPUS}) == len(CORPUS)


def test_the_installed_command_walks_through_every_trap_at_once(yard: Yard) -> None:
    """One process of its own per journey, as a person has it."""
    together = [e for e in CORPUS[:18] if e.name not in ("lazy_fetch", "signatures", "work_tree_elsewhere")]
    for entry in together:
        entry.lay(yard)
    before = yard.snapshot()

    for journey in JOURNEYS[:3]:
        done = subprocess.run(
            [_program(), *journey],
            cwd=yard.repo.path,
            env=_environment(yard),
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode in (0, 1), done.stderr

    assert yard.marks == []
    assert yard.changes(before) == {}


def _program() -> str:
    program = shutil.which("tidegate", path=str(Path(sys.executable).parent))
    assert program is not None
    return program


def _environment(yard: Yard) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(yard.top / "home"),
        "TMPDIR": str(yard.top / "tmp"),
        **yard.environment,
    }


def _become_the_victim(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name not in ("PATH", "PYTEST_CURRENT_TEST", "LC_ALL"):
            monkeypatch.delenv(name)
    for name, value in {"HOME": str(yard.top / "home"), "TMPDIR": str(yard.top / "tmp"), **yard.environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(yard.start or yard.repo.path)


def _walk(journey: tuple[str, ...]) -> tuple[int, str]:
    """The exit code and all that was said, as `cli/main.py` has it; 3 is a failure of our own."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="utf-8", errors="backslashreplace", write_through=True)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        try:
            code = tidegate.main(list(journey), standalone_mode=False)
        except click.ClickException as error:
            code = 2
            stream.write(error.format_message())
        except TidegateError as error:
            code = error.exit_code
            stream.write(str(error))
    return int(code or 0), written.getvalue().decode("utf-8", "replace")
