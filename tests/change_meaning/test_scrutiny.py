"""How closely people read a change, as a console measured it: facts of the review section, and of the pace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.repos import Repo
from tidegate.assess import Request, assess
from tidegate.change.git import open_repository
from tidegate.change.read import Question
from tidegate.errors import InputError
from tidegate.facts import ReaderFact, ReviewFacts

PEOPLE = """
[people.alice]
name = "Alice"
emails = ["alice@example.com"]
[people.erin]
name = "Erin"
accounts = ["erin-hub"]
emails = ["erin@example.com"]
"""
LINES = [f"line_{number} = {number}" for number in range(1, 61)]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Three hunks: two lines changed, a line removed, and eight added in a file of their own."""
    made = Repo.init(tmp_path_factory.mktemp("scrutiny"))
    made.commit("old", {"a.py": _text(LINES), "tidegate.toml": PEOPLE})
    after = LINES.copy()
    after[9] = "ten = 10"
    del after[40]
    made.commit("head", {"a.py": _text(after), "b.py": _text(LINES[:8]), "poetry.lock": "generated\n" * 50})
    return made


def test_a_reader_is_told_by_name_with_what_they_never_opened(repo: Repo, tmp_path: Path) -> None:
    looks = [_look("a.py", 10, 10, 30.0, understood=True), _look("a.py", 40, 40, 1.0), _look("b.py", 1, 8, 29.0)]
    facts = _review(repo, tmp_path, [{"accounts": ["Erin-Hub"], "emails": ["erin@example.com"], "hunks": looks}])
    assert facts.readers == (ReaderFact("erin", 11, 60.0, 660.0, 3, 1, 1),)
    assert facts.status == "complete"


def test_the_pace_of_an_approval_is_the_measured_one(repo: Repo, tmp_path: Path) -> None:
    reader = {"accounts": ["erin-hub"], "hunks": [_look("b.py", 1, 8, 60.0)]}
    assert _review(repo, tmp_path, []).lines_per_hour == 11.0, "an hour lay between the head and the approval"
    assert _review(repo, tmp_path, [reader]).lines_per_hour == 660.0
    others = {"emails": ["alice@example.com"], "hunks": [_look("b.py", 1, 8, 2.0)]}
    assert _review(repo, tmp_path, [others]).lines_per_hour == 11.0, "who looked in passing did not approve"


def test_measured_time_never_makes_an_approval_slower(repo: Repo, tmp_path: Path) -> None:
    reader = {"accounts": ["erin-hub"], "hunks": [_look("b.py", 1, 8, 90_000.0)]}
    assert _review(repo, tmp_path, [reader]).lines_per_hour == 11.0


def test_looks_at_another_head_say_nothing(repo: Repo, tmp_path: Path) -> None:
    reader = {"accounts": ["erin-hub"], "hunks": [_look("b.py", 1, 8, 60.0)]}
    facts = _review(repo, tmp_path, [reader], head=repo.head("HEAD~1"))
    assert facts.readers == ()
    assert facts.lines_per_hour == 11.0


def test_accounts_of_two_people_are_nobodys(repo: Repo, tmp_path: Path) -> None:
    reader = {"accounts": ["erin-hub"], "emails": ["alice@example.com"], "hunks": [_look("b.py", 1, 8, 60.0)]}
    facts = _review(repo, tmp_path, [reader])
    assert [each.person for each in facts.readers] == [""]
    assert facts.lines_per_hour == 11.0


def test_what_nobody_writes_by_hand_is_not_read_either(repo: Repo, tmp_path: Path) -> None:
    reader = {"accounts": ["erin-hub"], "hunks": [_look("poetry.lock", 1, 50, 60.0)]}
    assert _review(repo, tmp_path, [reader]).readers == ()


@pytest.mark.parametrize(
    "damage",
    [{"schema": "tidegate.looks/2"}, {"head": None}, {"lookers": [{"hunks": [{"path": "a", "first": -1}]}]}],
)
def test_a_damaged_document_is_refused(repo: Repo, tmp_path: Path, damage: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not as documented"):
        _review(repo, tmp_path, **{"lookers": [], **damage})


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _look(path: str, first: int, last: int, seconds: float, *, understood: bool = False) -> dict[str, Any]:
    return {"path": path, "first": first, "last": last, "seconds": seconds, "understood": understood}


def _review(repo: Repo, folder: Path, lookers: list[dict[str, Any]], **changed: Any) -> ReviewFacts:
    """The review section with an approval by Erin, an hour after the head was committed."""
    head = repo.head()
    document = {"schema": "tidegate.looks/1", "head": head, "lookers": lookers, **changed}
    looks, reviews = folder / "looks.json", folder / "reviews.json"
    looks.write_text(json.dumps(document))
    at = repo.git("log", "-1", "--format=%cd", "--date=format:%Y-%m-%dT%H:%M:%SZ")
    later = f"{at[:11]}{int(at[11:13]) + 1:02}{at[13:]}"
    approval = {"user": {"login": "erin-hub", "type": "User"}, "state": "APPROVED", "commit_id": head}
    reviews.write_text(json.dumps([{**approval, "submitted_at": later}]))
    with open_repository(repo.path) as repository:
        asked = Request(Question("HEAD~1..HEAD"), "merge", "2026-03-01T00:00:00Z", {}, reviews=reviews, looks=looks)
        return assess(asked, repository).facts.review
