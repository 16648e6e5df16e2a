"""Reviews that look like a person's approval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.lab import NOW, Lab, lab
from tests.test_check import Tidegate

__all__ = ["lab"]

AT = "2026-04-30T12:00:00Z"


def of_github(head: str, **user: Any) -> Any:
    return [{"user": {"login": "bob", **user}, "state": "APPROVED", "commit_id": head, "submitted_at": AT}]


def of_gh(head: str, **author: Any) -> Any:
    review = {"author": {"login": "bob", **author}, "state": "APPROVED", "commit": {"oid": head}, "submittedAt": AT}
    return {"reviews": [review]}


def of_gitlab(head: str, **user: Any) -> Any:
    versions = [{"head_commit_sha": head, "created_at": "2026-04-29T12:00:00Z"}]
    return {"approved_by": [{"user": {"username": "bob", **user}, "approved_at": AT}], "versions": versions}


@pytest.mark.parametrize(
    ("shape", "account"),
    [
        (of_github, {"type": "Bot"}),
        (of_github, {"type": "Mannequin"}),
        (of_github, {"type": "Organization"}),
        (of_gh, {"is_bot": True}),
        (of_gitlab, {"bot": True}),
    ],
)
def test_only_a_persons_own_account_approves(
    lab: Lab, tidegate: Tidegate, tmp_path: Path, shape: Any, account: dict[str, Any]
) -> None:
    lab.start()
    lab.attack({"shop/x.py": "x = 1\n"})

    def asked(**user: Any) -> int:
        file = tmp_path / "reviews.json"
        file.write_text(json.dumps(shape(lab.repo.head("feature"), **user)), encoding="utf-8")
        return tidegate("check", "main..feature", "--reviews", str(file), "--now", NOW, cwd=lab.repo.path).returncode

    assert asked() == 0
    assert asked(**account) == 1
