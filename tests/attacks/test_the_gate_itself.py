"""Changes to what decides: the policy, what runs it, and the point that a change is compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.lab import Lab, lab
from tests.test_check import Tidegate

__all__ = ["lab"]


@pytest.mark.parametrize(
    "path",
    [
        ".circleci/config.yml",
        ".github/actions/gate/action.yml",
        "azure-pipelines.yml",
        "Jenkinsfile",
        ".husky/pre-push",
    ],
)
def test_a_pipeline_that_stops_asking_is_a_change_of_policy(lab: Lab, path: str) -> None:
    lab.start({path: "run: tidegate check\n"})
    lab.attack({path: "run: true\n"}, "Make it faster")
    answer = lab.check()
    assert answer.facts["change"]["policy_files"] == [path]
    assert "policy-changes-need-owners" in answer.rules


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_moment_beyond_the_calendar_is_bad_input(lab: Lab, tidegate: Tidegate, tmp_path: Path, moment: str) -> None:
    lab.start()
    lab.attack({"shop/x.py": "x = 1\n"})
    ends: dict[str, Any] = {e: {"sha": lab.repo.head(b), "ref": b} for e, b in (("base", "main"), ("head", "feature"))}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 1, "created_at": moment, **ends}}), encoding="utf-8")
    done = tidegate("check", "--pr", str(event), cwd=lab.repo.path)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "no moment" in done.stderr


def test_a_range_with_two_starting_points_is_not_taken_for_one(lab: Lab) -> None:
    """After a criss-cross merge git has two starts, and the change since the one is not the change since the other."""
    lab.start({"auth/login.py": "let_in = ask()\n"})
    git = lab.repo.git
    lab.attack({"a.py": "a = 1\n"}, "Add a")
    git("checkout", "-q", "main")
    lab.repo.commit("Add b", {"b.py": "b = 1\n"})
    ours, theirs = lab.repo.head("main"), lab.repo.head("feature")
    git("merge", "-q", "--no-edit", theirs)
    git("checkout", "-q", "feature")
    git("merge", "-q", "--no-edit", ours)
    lab.attack({"c.py": "c = 1\n"}, "Add c")
    answer = lab.check()
    assert "facts-complete" in answer.rules
    assert any("2 places" in unknown["reason"] for unknown in answer.facts["change"]["unknowns"])
