"""An index of the history changes how long an answer takes, never the answer, and nothing in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.risk.szz import sweep
from tidegate.risk.szz.indexed import indexed
from tidegate.risk.szz.sweep import trace_all
from tidegate.risk.szz.trace import trace_fix


def grown(path: Path, object_format: str = "sha1") -> Repo:
    repo = Repo.init(path, object_format=object_format)
    for number in range(6):
        repo.commit(f"Fix part {number}", {f"part{number % 2}.py": f"a = {number}\nb = {number * 2}\n"})
    return repo


def everything_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_the_answers_are_the_same(tmp_path: Path, object_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = grown(tmp_path / 'a "quoted" repo', object_format)
    before = everything_below(repo.path)
    fixes = repo.git("rev-list", "HEAD").split()
    with open_repository(repo.path) as repository:
        plain = {fix: trace_fix(repository, fix) for fix in fixes}
        with indexed(repository, "HEAD") as quick:
            assert quick is not repository
            assert list((quick.path / "objects" / "info").glob("commit-graph*"))
            assert {fix: trace_fix(quick, fix) for fix in fixes} == plain
        assert not quick.path.exists()
        monkeypatch.setattr(sweep, "FEW", 2)
        assert trace_all(repository, "HEAD", dict.fromkeys(fixes)) == plain
    assert everything_below(repo.path) == before


def test_without_an_index_the_repository_itself_answers(tmp_path: Path) -> None:
    repo = grown(tmp_path / "whole")
    repo.git("clone", "-q", "--depth=3", f"file://{repo.path}", str(tmp_path / "shallow"))
    with open_repository(tmp_path / "shallow") as shallow, indexed(shallow, "HEAD") as same:
        assert same is shallow


def test_a_clone_that_lacks_objects_is_answered_as_far_as_it_goes(tmp_path: Path) -> None:
    repo = grown(tmp_path / "torn")
    fixes = repo.git("rev-list", "HEAD").split()
    tree = repo.head("HEAD~2^{tree}")
    (repo.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with open_repository(repo.path) as repository:
        traces = trace_all(repository, "HEAD", dict.fromkeys(fixes))
        with indexed(repository, "HEAD") as same:
            assert same is repository
    assert list(traces) == fixes
    torn = traces[fixes[1]]
    assert not torn.suspects
    assert "cannot be read" in torn.blameless
    assert all(trace.suspects or trace.blameless for trace in traces.values())
