"""Reviewers are never those who made the change, nor those who prompted an agent for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.repos import ALICE, BOB, CLAUDE_TRAILER, Repo
from tidegate.change.git import open_repository
from tidegate.cli.reach import _makers
from tidegate.cli.reach import reach as command
from tidegate.reach.journey import read_reach


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "r")
    repo.commit("start", {"shop.py": "def price():\n    return 1\n"}, author=BOB)
    repo.commit(f"raise it\n\n{CLAUDE_TRAILER}", {"shop.py": "def price():\n    return 2\n"}, author=ALICE)
    return repo


def test_who_knows_the_lines_is_asked_unless_they_made_the_change(shop: Repo) -> None:
    with open_repository(shop.path) as repository:
        plain = read_reach("HEAD~1..HEAD", repository, environment={})
        kept = read_reach("HEAD~1..HEAD", repository, environment={}, makers=lambda _change, _settings: (BOB,))
    assert any("Bob" in one for one in plain.reviewers), "Bob wrote the line"
    assert not any("Bob" in one for one in kept.reviewers), "a prompter is no reviewer"
    assert not any("Alice" in one for one in plain.reviewers), "an author is no reviewer"


def test_the_command_asks_provenance_for_the_makers(shop: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    with open_repository(shop.path) as repository:
        makers = _makers(repository)
        read_reach("HEAD~1..HEAD", repository, environment={}, makers=lambda c, s: found.extend(makers(c, s)) or ())
    assert any("Alice" in one for one in found), "whoever committed an agent's lines answers for them"
    monkeypatch.chdir(shop.path)
    done = CliRunner().invoke(command, ["HEAD~1..HEAD"])
    assert "Bob Jones" in done.output
