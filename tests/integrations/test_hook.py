"""The pre-commit hook, run by git itself on a real commit."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.repos import Repo, _environment

PROGRAM = Path(sys.executable).parent / "tidegate"


def hooks() -> dict[str, dict[str, Any]]:
    found = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return {hook["id"]: hook for hook in found}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose policy asks for tests, and whose hook is ours, as pre-commit would install it."""
    repo = Repo.init(tmp_path / "repo")
    repo.write(
        "tidegate.toml",
        """
        [policy]
        pack = "none"
        [[rule]]
        id = "source-alone"
        title = "Source changes come with tests"
        when.all = ["change.source_files > 0", "change.test_files == 0"]
        effect = "hold"
        owner = "alice"
        reason = "A change without a test is a guess."
        """,
    )
    repo.write("cart.py", "total = 1\n")
    repo.commit("Open the shop")
    entry = hooks()["tidegate"]["entry"].split()
    hook = repo.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {shlex.join([str(PROGRAM), *entry[1:]])}\n", encoding="utf-8")
    hook.chmod(0o755)
    return repo


def commit(repo: Repo, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "commit", "-q", "-m", "A change", *arguments],
        cwd=repo.path,
        env=_environment(repo.clock + 60),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_the_definitions_say_what_pre_commit_needs() -> None:
    for name, hook in hooks().items():
        assert hook["entry"].split()[:2] == ["tidegate", "check"], name
        assert hook["language"] == "python"
        assert hook["pass_filenames"] is False
        assert hook["stages"] in (["pre-commit"], ["pre-push"])


def test_a_staged_change_that_is_held_is_not_committed(repo: Repo) -> None:
    before = repo.head()
    repo.write("cart.py", "total = 2\n")
    repo.git("add", "-A")
    done = commit(repo)
    assert done.returncode == 1
    assert "HELD" in done.stdout + done.stderr
    assert "source-alone" in done.stdout + done.stderr
    assert repo.head() == before


def test_a_staged_change_that_passes_is_committed(repo: Repo) -> None:
    before = repo.head()
    repo.write("cart.py", "total = 2\n")
    repo.write("tests/test_cart.py", "def test_total(): pass\n")
    repo.git("add", "-A")
    done = commit(repo)
    assert done.returncode == 0, done.stdout + done.stderr
    assert repo.head() != before


def test_what_commit_a_adds_by_itself_is_seen(repo: Repo) -> None:
    """`git commit -a` and `git commit PATH` stage into an index of their own (GIT_INDEX_FILE)."""
    repo.write("cart.py", "total = 2\n")
    assert commit(repo, "-a").returncode == 1
    assert commit(repo, "cart.py").returncode == 1


def test_what_is_not_staged_is_not_judged(repo: Repo) -> None:
    repo.write("cart.py", "total = 2\n")
    repo.write("README.md", "The shop.\n")
    repo.git("add", "README.md")
    done = commit(repo)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_push_hook_asks_for_what_is_due_at_a_push(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "remote.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    repo.git("fetch", "-q", "origin")
    repo.git("checkout", "-q", "-b", "feature", "--track", "origin/main")
    (repo.path / ".git" / "hooks" / "pre-commit").unlink()
    repo.commit("Change the total", {"cart.py": "total = 3\n"})
    entry = hooks()["tidegate-push"]["entry"].split()
    done = subprocess.run([str(PROGRAM), *entry[1:]], cwd=repo.path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "before it may be pushed" in done.stdout or "stands in the way" in done.stdout
