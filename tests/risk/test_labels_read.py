"""Labels of real repositories, with what is kept between two readings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.change.git import Repository, open_repository
from tidegate.risk.history.mine import open_history
from tidegate.risk.labels.labels import Outcome, read_labels
from tidegate.risk.values import Label
from tidegate.settings import Settings

BODY = "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n"
WRONG = BODY.replace("result = 0", "result = 1  # start")


def labels_of(repository: Repository, folder: Path, outcomes: tuple[Outcome, ...] = ()) -> tuple[Label, ...]:
    with open_history(repository, repository.resolve("HEAD"), folder) as mined:
        return read_labels(mined, repository, Settings(), outcomes)


def test_a_bug_its_fix_and_a_revert(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("Add the total", {"src/total.py": BODY})
    bug = repo.commit("Begin with one", {"src/total.py": WRONG})
    repo.commit("Add a name", {"src/name.py": "NAME = 'x'\n"})
    fix = repo.commit("fix: totals are off by one", {"src/total.py": BODY.replace("result = 0", "result = int()")})
    bad = repo.commit("Add a cache", {"src/cache.py": "CACHE = {}\n"})
    undo = repo.commit(f'Revert "Add a cache"\n\nThis reverts commit {bad}.', {"src/cache.py": None})
    with open_repository(repo.path) as repository:
        found = labels_of(repository, tmp_path / "kept")
        assert {(label.commit, label.by, label.source) for label in found if label.source == "revert"} == {
            (bad, undo, "revert")
        }
        assert (bug, fix) in {(label.commit, label.by) for label in found if label.source == "fix"}
        assert labels_of(repository, tmp_path / "kept") == found
        outcome = Outcome(bug, "incident", "INC-7", 5)
        assert labels_of(repository, tmp_path / "kept", (outcome,))[0].source in ("incident", "fix")
        times = {label.by: label.known_at for label in found}
        assert times[fix] < times[undo]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_one_commit_has_no_labels(tmp_path: Path, object_format: str) -> None:
    repo = Repo.init(tmp_path / "r", object_format=object_format)
    repo.commit("fix: everything", {"src/a.py": BODY})
    with open_repository(repo.path) as repository:
        assert labels_of(repository, tmp_path / "kept") == ()
