"""However large a change is, git is started the same number of times."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.change.trees import Content, commit_tree
from tests.repos import Repo
from tidegate.change.collect import collect_change, collect_repository
from tidegate.change.diff import read_commit_diffs
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.values import Context
from tidegate.settings import Settings


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that writes down every start, in front of the real one."""
    log, folder, real = tmp_path / "started", tmp_path / "bin", shutil.which("git")
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\necho "$*" >> {log}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def _repo(path: Path, many: int) -> Repo:
    repo = Repo.init(path)
    commit_tree(repo, {b"%d/app.py" % n: b"import os\n" * 5 for n in range(many)}, "base")
    repo.git("branch", "base", "main")
    for number in range(many):
        files: dict[bytes, Content] = {b"%d/app.py" % n: b"import os\n" * 5 + b"%d\n" % number for n in range(many)}
        commit_tree(repo, {**files, b"new/%d/tidegate.py" % number: b"1\n", b"%d.bin" % number: b"\0"})
    return repo


@pytest.fixture(scope="module")
def repos(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Repo]:
    folder = tmp_path_factory.mktemp("processes")
    return {many: _repo(folder / str(many), many) for many in (1, 40)}


@pytest.mark.parametrize(
    "question", [Question(change="base..main"), Question(change="main"), Question(staged=True), Question()]
)
def test_reading_a_change_starts_git_a_constant_number_of_times(
    repos: dict[int, Repo], started: Path, question: Question
) -> None:
    counts = {}
    for many, repo in repos.items():
        started.write_text("")
        with open_repository(repo.path) as repository:
            change = read_change(read_ends(question, repository), repository, Settings())
            context = Context(repository=repository, settings=Settings(), now="2026-03-01T00:00:00Z")
            collect_change(change, context)
            collect_repository(change, context)
            if question.change == "base..main":
                assert len(list(read_commit_diffs(repository, [c.oid for c in change.commits]))) == many
        counts[many] = started.read_text().splitlines()

    assert len(counts[1]) == len(counts[40]) <= 30, counts[40]
