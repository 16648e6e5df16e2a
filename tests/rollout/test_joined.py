"""A deployment joined to its changes, on real repositories."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.repos import Repo, build
from tests.rollout.helpers import deployment
from tidegate.change.git import Repository, open_repository
from tidegate.rollout.joined import Joined, Unjoined, join, join_deployment

SCRIPT = """
commit Begin
  file a.py
    . one
tag start
commit Add two
  file b.py
    . two
branch topic
commit Add three
  file c.py
    . three
commit Add four
  file d.py
    . four
checkout main
commit Add five
  file e.py
    . five
merge topic
tag now
checkout start
branch hotfix
commit Mend one
  file a.py
    . mended
tag mended
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return build(tmp_path / "r", SCRIPT)


def joined(repo: Repo, previous: str, revision: str) -> Joined | Unjoined:
    with open_repository(repo.path) as repository:
        return join(repository, repo.head(previous), repo.head(revision))


def test_a_merge_stands_for_what_it_brought(repo: Repo) -> None:
    found = joined(repo, "start", "now")
    assert isinstance(found, Joined)
    assert found.direction == "forward"
    assert [one.title for one in found.comes] == ["Merge topic", "Add five", "Add two"]
    assert set(found.comes[0].brings) == {repo.head("topic"), repo.head("topic~1")}
    assert found.goes == ()


def test_a_forced_roll_back_is_the_range_backwards(repo: Repo) -> None:
    there, back = joined(repo, "start", "now"), joined(repo, "now", "start")
    assert isinstance(there, Joined)
    assert isinstance(back, Joined)
    assert (back.direction, back.comes, back.goes) == ("backward", (), there.comes)


def test_two_branches_bring_and_take_away(repo: Repo) -> None:
    found = joined(repo, "now", "mended")
    assert isinstance(found, Joined)
    assert found.direction == "sideways"
    assert [one.title for one in found.comes] == ["Mend one"]
    assert len(found.goes) == 3


def test_the_same_again_is_no_change(repo: Repo) -> None:
    found = joined(repo, "now", "now")
    assert found == Joined(repo.head("now"), repo.head("now"), "same")


def test_what_cannot_be_joined_is_named(repo: Repo, tmp_path: Path) -> None:
    now, start = repo.head("now"), repo.head("start")
    repo.git("checkout", "-q", "--orphan", "other")
    other = repo.commit("Another beginning", {"z": "z\n"})
    tree = repo.head("now^{tree}")
    with open_repository(repo.path) as repository:
        assert _kind(repository, "", now) == "no-previous"
        assert _kind(repository, start, "") == "no-revision"
        assert _kind(repository, start, "main") == "a-name"
        assert _kind(repository, "--all", now) == "a-name"
        assert _kind(repository, start, "0" * 40) == "unknown-revision"
        assert _kind(repository, "1" * 40, now) == "unknown-previous"
        assert _kind(repository, start, tree) == "unknown-revision"
        assert _kind(repository, start, other) == "unrelated"
        assert isinstance(join(repository, start[:9], now[:9]), Joined)
    repo.git("clone", "-q", "--depth=1", "--branch=now", f"file://{repo.path}", str(tmp_path / "shallow"))
    repo.git("-C", str(tmp_path / "shallow"), "fetch", "-q", "--depth=1", "origin", start)
    with open_repository(tmp_path / "shallow") as repository:
        assert _kind(repository, start, now) == "shallow"


def _kind(repository: Repository, previous: str, revision: str) -> str:
    found = join(repository, previous, revision)
    assert isinstance(found, Unjoined), found
    return found.kind


def test_what_ran_before_is_the_last_that_succeeded(repo: Repo) -> None:
    start, now, mended = (repo.head(name) for name in ("start", "now", "mended"))
    first = deployment(id="1", started=1.0, revision=start)
    failed = deployment(id="2", started=2.0, revision=mended, status="failed")
    elsewhere = deployment(id="3", started=3.0, revision=mended, environment="production")
    gone = deployment(id="4", started=3.5, revision=mended, action="remove")
    this = deployment(id="5", started=4.0, revision=now, previous="", repository="acme/shop")
    with open_repository(repo.path) as repository:
        found = join_deployment(repository, this, [elsewhere, this, failed, gone, first], ["acme/shop"])
        assert isinstance(found, Joined)
        assert found.previous == start
        other = join_deployment(repository, this, [first], ["acme/other"])
        assert isinstance(other, Unjoined)
        assert other.kind == "other-repository"
        alone = join_deployment(repository, replace(this, repository=""), [])
        assert isinstance(alone, Unjoined)
        assert alone.kind == "no-previous"


def test_every_commit_between_is_a_change_or_came_with_one(tmp_path: Path) -> None:
    repo, dice = Repo.init(tmp_path / "r"), random.Random(8)
    repo.commit("Begin", {"main": "0\n"})
    for number in range(12):
        if dice.random() < 0.5:
            repo.git("checkout", "-q", "-b", f"b{number}", dice.choice(["HEAD", "HEAD~1"]) if number else "HEAD")
            repo.commit(f"Branch {number}", {f"f{number}": "1\n"})
            repo.git("checkout", "-q", "main")
            repo.clock += 3600
            repo.git("merge", "-q", "--no-ff", "-m", f"Merge b{number}", f"b{number}")
        else:
            repo.commit(f"Main {number}", {f"g{number}": "1\n"})
    oids = repo.git("rev-list", "--all").split()
    with open_repository(repo.path) as repository:
        for _ in range(12):
            old, new = dice.choice(oids), dice.choice(oids)
            found = join(repository, old, new)
            assert isinstance(found, Joined)
            told = [oid for one in found.comes for oid in (one.commit, *one.brings)]
            assert sorted(told) == sorted(repo.git("rev-list", new, f"^{old}").split())
