"""`tidegate policy backtest` on a repository: text, JSON, page, two policies, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repos import Repo

Run = Callable[..., subprocess.CompletedProcess[str]]
NOW = "2027-06-01T00:00:00Z"
RULE = '[policy]\npack = "none"\n[[rule]]\nid = "{0}"\ntitle = "t"\neffect = "hold"\nwhen.all = ["{1}"]\n'


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Two large changes, of which the first is taken back, small ones between, and a late one."""
    repo = Repo.init(tmp_path_factory.mktemp("backtest") / "r")
    repo.commit("Start", {"a.py": "x = 1\n"})
    bad = repo.commit("Add the cache", {"cache.py": "".join(f"v{n} = {n}\n" for n in range(60))})
    repo.commit("Small", {"a.py": "x = 2\n"})
    repo.commit(f'Revert "Add the cache"\n\nThis reverts commit {bad}.', {"cache.py": None})
    repo.commit("Add the index", {"index.py": "".join(f"w{n} = {n}\n" for n in range(80))})
    repo.clock += 300 * 86_400
    repo.commit("Late", {"b.py": "y = 1\n"})
    return repo


def run(tidegate: Run, repo: Repo, *arguments: str) -> str:
    done = tidegate("policy", "backtest", "--now", NOW, "--since", "5y", *arguments, cwd=repo.path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rules(tmp_path: Path, id_: str, condition: str) -> str:
    file = tmp_path / f"{id_}.toml"
    file.write_text(RULE.format(id_, condition))
    return str(file)


def test_text(repo: Repo, tmp_path: Path, tidegate: Run) -> None:
    text = run(tidegate, repo, "--rules", rules(tmp_path, "large", "change.lines_added > 50"))
    said = " ".join(text.split())
    assert "5 changes landed between" in said
    assert "1 of them (20 %) had to be repaired later. 1 more is too young to be judged. Known by a revert (1)." in said
    assert "would have held 2 of 5 (40 %), among them 1 of the 1" in said


def test_json_is_whole(repo: Repo, tmp_path: Path, tidegate: Run) -> None:
    answer = run(tidegate, repo, "--rules", rules(tmp_path, "large", "change.lines_added > 50"), "--format", "json")
    found = json.loads(answer)
    assert found["schema"] == "tidegate.backtest/1"
    assert found["rules"][0]["figures"]["caught"]["count"] == 1
    assert found["rules"][0]["examples"][0]["subject"] == "Add the cache"


def test_the_name_of_the_file_says_the_format(repo: Repo, tmp_path: Path, tidegate: Run) -> None:
    page = tmp_path / "page.html"
    run(tidegate, repo, "-o", str(page))
    assert page.read_text().startswith("<!doctype html>")


def test_two_policies(repo: Repo, tmp_path: Path, tidegate: Run) -> None:
    one = rules(tmp_path, "large", "change.lines_added > 50")
    other = rules(tmp_path, "huge", "change.lines_added > 70")
    text = run(tidegate, repo, "--compare", one, other)
    said = " ".join(text.split())
    assert "let pass 1 change that the first holds, 1 of them repaired later" in said
    assert "Repaired, and held by the first only:" in text
    assert "Add the cache (a revert)" in text
    assert "Both would have held the same changes." in run(tidegate, repo, "--compare", "HEAD", "HEAD~1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "soon"), "no time span"),
        (("--compare", "HEAD", "nowhere"), "nowhere"),
        (("--rules", "missing.toml"), "cannot be read"),
        (("--rules", "a.toml", "--compare", "HEAD", "HEAD"), "three policies"),
    ],
)
def test_what_is_refused(repo: Repo, tidegate: Run, arguments: tuple[str, ...], words: str) -> None:
    done = tidegate("policy", "backtest", "--now", NOW, *arguments, cwd=repo.path)
    assert done.returncode == 2
    assert words in done.stderr
