"""The hunks of a suspect change, and who or what wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repos import ALICE, SESSION, Repo, build
from tidegate.change.git import open_repository
from tidegate.operate.batch import Batch, read_batch
from tidegate.operate.lines import Hunk, hunks_of, read_written
from tidegate.settings import Settings

PATH = "src/shop/prices.py"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return build(
        tmp_path_factory.mktemp("shop") / "repo",
        """
        commit Start
          file src/shop/prices.py
            . def price(item):
            .     return item["price"]
        commit Add up
          file src/shop/prices.py
            . def price(item):
            .     return item["price"]
            a
            a
            a def total(items):
            h     result = 0
            a     for item in items:
            a         result += price(item)
            a     return result
        """,
    )


@pytest.fixture(scope="module")
def batch(shop: Repo) -> Batch:
    with open_repository(shop.path) as repository:
        return read_batch(repository, Settings(), "HEAD~1", "HEAD")


def test_hunks_are_of_one_change_and_close_ones_are_one(batch: Batch) -> None:
    (oid,) = (one.commit.oid for one in batch.changes)
    assert hunks_of(batch, oid, [(PATH, 4)]) == (Hunk(PATH, 3, 7, (4,)),)
    assert hunks_of(batch, oid, [(PATH, 9), (PATH, 4)]) == (Hunk(PATH, 3, 9, (4, 9)),)
    assert hunks_of(batch, oid, [(PATH, 1), ("other.py", 3)]) == ()


def test_lines_name_tool_model_session_and_the_human(shop: Repo, batch: Batch) -> None:
    with open_repository(shop.path) as repository:
        written, unknowns = read_written(repository, Settings(), batch.deployed, [Hunk(PATH, 5, 8, (6, 8))])
    assert unknowns == ()
    before, typed, after = written
    assert (before.line, before.end_line, before.meant, before.writer) == (5, 5, (), "ai")
    assert (typed.line, typed.meant, typed.writer, typed.lines) == (6, (6,), "human", ("    result = 0",))
    tool, session, model = SESSION
    assert (after.tool, after.session, after.model, after.human) == (tool, session, model, ALICE)
    assert after.meant == (8,)


def test_a_file_that_cannot_be_read_is_said(shop: Repo, batch: Batch) -> None:
    with open_repository(shop.path) as repository:
        written, unknowns = read_written(repository, Settings(), batch.deployed, [Hunk("gone.py", 1, 2, (1,))])
    assert written == ()
    assert unknowns == (f"who wrote gone.py:1 could not be told: no such file at {batch.deployed[:12]}",)


def test_nothing_decided_is_not_a_decision(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", "commit One\n  file a.py\n    . x = 1\ncommit Two\n  file a.py\n    . x = 2\n")
    with open_repository(repo.path) as repository:
        batch = read_batch(repository, Settings(), "HEAD~1", "HEAD")
        (oid,) = (one.commit.oid for one in batch.changes)
        written, _ = read_written(repository, Settings(), batch.deployed, hunks_of(batch, oid, [("a.py", 1)]))
    assert [(one.writer, one.tool, one.prompt) for one in written] == [("unknown", "", "")]
