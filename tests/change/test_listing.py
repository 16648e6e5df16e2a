"""A tree that is listed beside another one is the same as listed alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.listing import MOST_KEPT, Listing, list_tree

NAMES = ["a", "b/c", "b/d", "b.d", "e é", "\U0001f30a", "\uff5e"]


def _listed(path: Path, tree: str, beside: str = "") -> Listing:
    with open_repository(path) as opened:
        if beside:
            list_tree(opened, beside)
        return list_tree(opened, tree)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.init(tmp_path)


@settings(max_examples=12)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), st.text("xy", max_size=2)), min_size=1, max_size=2))
def test_a_second_tree_is_listed_as_if_alone(
    tmp_path_factory: pytest.TempPathFactory, trees: list[dict[str, str]]
) -> None:
    repo = Repo.init(tmp_path_factory.mktemp("pair"))
    commits = []
    for content in trees:
        gone = dict.fromkeys(repo.git("-c", "core.quotePath=false", "ls-files", "-z").split("\0")[:-1])
        commits.append(repo.commit("x", {**gone, **content}))
    alone = _listed(repo.path, commits[0])
    beside = _listed(repo.path, commits[0], beside=commits[-1])

    assert list(alone.files) == sorted(trees[0], key=os.fsencode)
    assert list(beside.files.items()) == list(alone.files.items())


def test_links_and_submodules_come_and_go_between_trees(repo: Repo) -> None:
    (repo.path / "link").symlink_to("a")
    repo.commit("First", {"a": "1\n", "sub": "a file yet\n", "was/link": "2\n"})
    first = repo.head()
    (repo.path / "link").unlink()
    (repo.path / "also").symlink_to("a")
    repo.commit("Second", {"link": "a file now\n", "sub": None, "was/link": None})
    (repo.path / "was").rmdir()
    (repo.path / "was").symlink_to("a")
    (repo.path / "sub").mkdir()
    repo.git("add", "-A")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{first},sub")
    repo.git("commit", "-q", "-m", "Third")
    last = repo.head()

    assert _listed(repo.path, first).links == ("link",)
    after = _listed(repo.path, last)
    assert (after.links, after.submodules, list(after.files)) == (("also", "was"), ("sub",), ["a", "link"])
    assert _listed(repo.path, last, beside=first) == after
    assert _listed(repo.path, first, beside=last) == _listed(repo.path, first)


def test_names_that_are_no_text_keep_their_bytes_and_their_order(repo: Repo) -> None:
    names = [b"\xff", "\U0001f30a".encode(), "\uff5e".encode(), b"b"]
    for name in names[:3]:
        Path(os.fsdecode(os.fsencode(repo.path) + b"/" + name)).write_text("1\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "First")
    first = repo.head()
    repo.commit("Second", {"b": "1\n"})
    beside = _listed(repo.path, repo.head(), beside=first)

    assert [os.fsencode(path) for path in beside.files] == sorted(names)


def test_few_listings_are_kept(repo: Repo) -> None:
    commits = [repo.commit("x", {"a": f"{number}\n"}) for number in range(MOST_KEPT + 3)]
    with open_repository(repo.path) as opened:
        blobs = {commit: list_tree(opened, commit).files["a"] for commit in commits}
        assert blobs == {commit: repo.head(f"{commit}:a") for commit in commits}
        assert list(opened.kept["listings"]) == commits[-MOST_KEPT:]
