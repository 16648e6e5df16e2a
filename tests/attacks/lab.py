"""A small shop whose change somebody tries to get past the gate, and the verdict that they get."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.repos import ALICE, CLAUDE_TRAILER, Repo

NOW = "2026-05-01T12:00:00Z"
BY_CLAUDE = f"Change it\n\nWhy: the page was slow for our users.\n\n{CLAUDE_TRAILER}"
PERSON = '[people.{0}]\nemails = ["{0}@example.com"]\naccounts = ["{0}"]\n'
SETTINGS = PERSON.format("alice") + PERSON.format("bob")


class Answer(NamedTuple):
    """`rules` are those that hold the change, or block it."""

    code: int
    rules: tuple[str, ...]
    facts: Mapping[str, Any]


class Lab:
    """The repository under attack: what is on `main` is trusted, what is on `feature` is the attacker's."""

    def __init__(self, path: Path, tidegate: Callable[..., subprocess.CompletedProcess[str]]) -> None:
        self.repo = Repo.init(path / "shop")
        self._tidegate = tidegate

    def start(self, files: Mapping[str, str | bytes | None] | None = None) -> None:
        self.repo.commit("Open the shop", {"tidegate.toml": SETTINGS, "shop/cart.py": "total = 0\n", **(files or {})})
        self.repo.git("checkout", "-q", "-b", "feature")

    def attack(
        self,
        files: Mapping[str, str | bytes | None],
        message: str = BY_CLAUDE,
        *,
        author: str = ALICE,
        committer: str | None = None,
    ) -> str:
        return self.repo.commit(message, files, author=author, committer=committer)

    def check(self, approved_by: str = "bob", change: str = "main..feature") -> Answer:
        """The verdict where one person has approved the head."""
        reviews = self.repo.path.parent / "reviews.json"
        review = {"user": {"login": approved_by, "type": "User"}, "state": "APPROVED"}
        when = {"commit_id": self.repo.head("feature"), "submitted_at": "2026-04-30T12:00:00Z"}
        reviews.write_text(json.dumps([{**review, **when}]), encoding="utf-8")
        options = ("--reviews", str(reviews), "--format", "json", "--now", NOW)
        done = self._tidegate("check", change, *options, cwd=self.repo.path)
        assert done.returncode in (0, 1), done.stderr
        document = json.loads(done.stdout)
        held = tuple(r["id"] for r in document["verdict"]["rules"] if r["outcome"] in ("hold", "block"))
        return Answer(done.returncode, held, document["facts"])


@pytest.fixture
def lab(tmp_path: Path, tidegate: Callable[..., subprocess.CompletedProcess[str]]) -> Lab:
    return Lab(tmp_path, tidegate)
