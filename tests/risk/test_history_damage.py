"""Histories with holes: what is missing is noticed and said, and the rest is told whole."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.risk.histories import mine
from tidegate.risk.values import PastCommit

COMMITS = 12


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Twelve commits that each change a file of their own and a common one, with loose objects."""
    repo = Repo.init(tmp_path / "repo")
    repo.git("config", "gc.auto", "0")
    for number in range(COMMITS):
        lines = "".join(f"line {line}\n" for line in range(number + 1))
        repo.commit(f"Commit {number}", {f"folder{number}/own.py": f"own {number}\n", "common.py": lines})
    return repo


def lose(repo: Repo, name: str) -> Path:
    """Takes an object away, and says where it was."""
    oid = repo.head(name)
    path = repo.path / ".git" / "objects" / oid[:2] / oid[2:]
    path.rename(path.with_suffix(".lost"))
    return path


def find(path: Path) -> None:
    path.with_suffix(".lost").rename(path)


def counted(commits: tuple[PastCommit, ...]) -> list[str]:
    """The subjects of the commits with all their counts."""
    return [c.subject for c in commits if c.touches and all(touch.added >= 0 for touch in c.touches)]


def every(*but: int) -> list[str]:
    return [f"Commit {number}" for number in range(COMMITS) if number not in but]


def test_a_missing_blob_costs_the_counts_of_its_commits_only(repo: Repo) -> None:
    path = lose(repo, "HEAD~6:common.py")
    with mine(repo) as mined:
        commits = mined.commits()
        assert counted(commits) == every(5, 6)
        assert [commit.subject for commit in commits] == every()
        broken = commits[5]
        assert {(touch.path, touch.status, touch.added) for touch in broken.touches} == {
            ("common.py", "M", -1),
            ("folder5/own.py", "A", -1),
        }
        assert not mined.complete
        assert [unknown.path for unknown in mined.unknowns] == ["history"]
        assert "numbers of changed lines" in mined.unknowns[0].reason
        assert "2 commits" in mined.unknowns[0].reason
        assert len(mined.touching(["common.py"])["common.py"]) == COMMITS
    with mine(repo) as mined:
        assert not mined.complete
    find(path)
    with mine(repo) as mined:
        assert mined.complete
        assert counted(mined.commits()) == every()


def test_a_missing_tree_costs_the_files_of_its_commits_only(repo: Repo) -> None:
    path = lose(repo, "HEAD~6:folder5")
    with mine(repo) as mined:
        commits = mined.commits()
        assert [commit.subject for commit in commits] == every()
        assert counted(commits) == every(5)
        assert commits[5].touches == ()
        assert "changed files" in mined.unknowns[0].reason
    find(path)
    with mine(repo) as mined:
        assert mined.complete
        assert counted(mined.commits()) == every()


def test_a_missing_commit_cuts_history_and_that_is_said(repo: Repo) -> None:
    path = lose(repo, "HEAD~6")
    with mine(repo) as mined:
        commits = mined.commits()
        assert [commit.subject for commit in commits] == every(0, 1, 2, 3, 4, 5)
        assert counted(commits) == every(0, 1, 2, 3, 4, 5, 6)
        assert not mined.complete
        assert any("cut" in unknown.reason for unknown in mined.unknowns)
    repo.commit("Commit 12", {"new.py": "1\n"})
    with mine(repo) as mined:
        assert mined.commits()[-1].subject == "Commit 12"
        assert not mined.complete
    find(path)
    with mine(repo) as mined:
        assert mined.complete
        assert len(counted(mined.commits())) == COMMITS + 1


def test_a_broken_object_is_as_a_missing_one(repo: Repo) -> None:
    oid = repo.head("HEAD~6:common.py")
    path = repo.path / ".git" / "objects" / oid[:2] / oid[2:]
    path.chmod(0o600)
    path.write_bytes(b"broken")
    with mine(repo) as mined:
        assert counted(mined.commits()) == every(5, 6)
        assert len(mined.commits()) == COMMITS
        assert not mined.complete


def test_without_any_blob(repo: Repo, tmp_path: Path) -> None:
    shutil.rmtree(repo.path / ".git" / "hooks", ignore_errors=True)
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    source = f"file://{repo.path}"
    subprocess.run(["git", "clone", "-q", "--bare", "--filter=blob:none", source, clone / ".git"], check=True)
    partial = Repo(clone)
    with mine(partial) as mined:
        commits = mined.commits()
        assert [commit.subject for commit in commits] == every()
        assert counted(commits) == []
        assert all(len(commit.touches) == 2 for commit in commits)
        assert "12 commits" in mined.unknowns[0].reason


def test_without_any_tree(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    source = f"file://{repo.path}"
    subprocess.run(["git", "clone", "-q", "--bare", "--filter=tree:0", source, clone / ".git"], check=True)
    with mine(Repo(clone)) as mined:
        assert [commit.subject for commit in mined.commits()] == every()
        assert all(commit.touches == () for commit in mined.commits())
        assert "12 commits" in mined.unknowns[0].reason


def test_a_shallow_clone_and_its_deepening(repo: Repo, tmp_path: Path) -> None:
    clone = Repo(tmp_path / "clone")
    source = f"file://{repo.path}"
    subprocess.run(["git", "clone", "-q", "--depth=4", source, clone.path], check=True)
    with mine(clone) as mined:
        commits = mined.commits()
        assert [commit.subject for commit in commits] == every()[-4:]
        assert counted(commits) == every()[-3:]
        assert "shallow" in mined.unknowns[0].reason
    clone.git("fetch", "-q", "--depth=6")
    with mine(clone) as mined:
        assert counted(mined.commits()) == every()[-5:]
    clone.git("fetch", "-q", "--unshallow")
    with mine(clone) as mined:
        assert mined.complete
        assert counted(mined.commits()) == every()


def test_many_holes_at_once(repo: Repo) -> None:
    for name in ("HEAD~2:common.py", "HEAD~5:folder6/own.py", "HEAD~8:folder3", "HEAD~10"):
        lose(repo, name)
    with mine(repo) as mined:
        commits = mined.commits()
        assert [commit.subject for commit in commits] == every(0, 1)
        assert counted(commits) == every(0, 1, 2, 3, 6, 9, 10)
        assert len(mined.unknowns) == 3


def test_replace_refs_and_grafts_are_not_believed(repo: Repo) -> None:
    oids = [commit.oid for commit in _commits(repo)]
    repo.git("replace", oids[5], oids[2])
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "grafts").write_text(f"{oids[8]}\n")
    shutil.rmtree(repo.path / ".git" / "tidegate")
    assert [commit.oid for commit in _commits(repo)] == oids


def _commits(repo: Repo) -> tuple[PastCommit, ...]:
    with mine(repo) as mined:
        assert mined.complete
        return mined.commits()
