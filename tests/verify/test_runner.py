"""Temporary trees and bounded runs, with hostile names, links and commands."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.verify.runner import Entry, Limits, find_python, lay_out, list_tree, python_roots, run_limited

HERE = {"PATH": os.environ["PATH"]}


def run(code: str, folder: Path, seconds: float = 20.0, keep: int = 1000) -> tuple[int, bool, str]:
    ran = run_limited([sys.executable, "-c", code], folder, HERE, Limits(seconds=seconds, output_bytes=keep))
    return ran.exit_code, ran.timed_out, ran.output


def test_only_plain_paths_below_the_folder_are_written(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("Begin", {"ok.sh": "echo\n"})
    (repo.path / "ok.sh").chmod(0o755)
    repo.commit("Let it run", {})
    with open_repository(repo.path) as repository:
        listing = list_tree(repository, "HEAD^{tree}")
        blob = listing["ok.sh"]
        assert blob.mode == 0o100755
        hostile = dict.fromkeys(("../out", ".git/hooks/x", "a/.GIT/config", "/abs", "a//b", "a/../../b", ""), blob)
        folder = tmp_path / "tree"
        folder.mkdir()
        left_out = lay_out(repository, {**listing, **hostile, "sub": Entry(0o160000, blob.oid)}, folder)
    assert sorted(str(path.relative_to(tmp_path)) for path in folder.rglob("*")) == ["tree/ok.sh"]
    assert os.access(folder / "ok.sh", os.X_OK)
    assert not (tmp_path / "out").exists()
    assert len(left_out) == len(hostile) + 1


def test_links_stay_inside(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("a/f.txt", "f")
    for name, target in {"in": "a/f.txt", "abs": "/etc/passwd", "up": "../x", "loop": "loop", "a/up": "../.."}.items():
        (repo.path / name).symlink_to(target)
    # Each step stays inside by its text, and both together do not.
    (repo.path / "step").symlink_to("a/..")
    for name in ("a_two", "two"):
        (repo.path / name).symlink_to("step/../x")
    repo.commit("Begin", {})
    folder = tmp_path / "tree"
    folder.mkdir()
    with open_repository(repo.path) as repository:
        left_out = lay_out(repository, list_tree(repository, "HEAD^{tree}"), folder)
    kept = sorted(path.name for path in folder.rglob("*") if path.is_symlink())
    assert kept == ["in", "loop", "step"]
    assert [said.partition(":")[0] for said in left_out] == ["a/up", "a_two", "abs", "two", "up"]


def test_time_is_bounded_and_what_was_started_ends_too(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1.5); open(\"alive\", \"w\")'])\n"
        "print('begun', flush=True); time.sleep(60)"
    )
    begun = time.monotonic()
    assert run(code, tmp_path, seconds=0.7) == (-9, True, "begun\n")
    assert time.monotonic() - begun < 30
    time.sleep(1.2)
    assert not (tmp_path / "alive").exists()


def test_a_process_that_stays_behind_is_not_waited_for(tmp_path: Path) -> None:
    code = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nprint(1)"
    assert run(code, tmp_path) == (0, False, "1\n")


def test_only_the_end_of_the_output_is_kept(tmp_path: Path) -> None:
    code, _, output = run("print('x' * 300_000); print('end'); raise SystemExit(3)", tmp_path, keep=100)
    assert (code, len(output), output[-4:]) == (3, 100, "end\n")


@pytest.mark.parametrize("command", [["no-such-command-here"], ["\0"], ["/"]])
def test_a_command_that_cannot_be_started_is_an_input_error(tmp_path: Path, command: list[str]) -> None:
    with pytest.raises(InputError, match="cannot be started"):
        run_limited(command, tmp_path, HERE, Limits())


def test_the_python_of_the_repository_comes_before_that_of_the_path(tmp_path: Path) -> None:
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    assert find_python(tmp_path, "", HERE) == str(own)
    assert find_python(tmp_path, sys.executable, HERE) == sys.executable
    with pytest.raises(InputError, match="no interpreter"):
        find_python(tmp_path, str(tmp_path / "none"), HERE)


@pytest.mark.parametrize(
    ("files", "near", "roots"),
    [
        (["shop/__init__.py", "tests/test_a.py"], [], ("",)),
        (["src/shop/a.py", "setup.py"], [], ("src", "")),
        (["src/__init__.py"], [], ("",)),
        (["web/setup.py", "web/src/a.py", "web/tests/test_a.py"], ["web/tests/test_a.py"], ("web/src", "web", "")),
    ],
)
def test_where_packages_are_imported_from(files: list[str], near: list[str], roots: tuple[str, ...]) -> None:
    assert python_roots(files, near) == roots


@given(st.lists(st.text("ab/._-", min_size=1, max_size=12)))
def test_any_listing_has_the_tree_itself_as_its_last_root(paths: list[str]) -> None:
    assert python_roots(paths)[-1] == ""
