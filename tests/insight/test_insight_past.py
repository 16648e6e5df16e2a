"""What a repository knows of itself, and the command that tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.repos import Repo
from tidegate.cli.main import tidegate
from tidegate.facts import Facts, Lines
from tidegate.insight.past import deployed_first, ran_of, shipped_of, writer_of
from tidegate.policy.backtest.values import Fate, PastChange
from tidegate.rollout.values import Deployment


@pytest.mark.parametrize(
    ("lines", "writer"),
    [
        (Lines(added=10, ai=9, human=1), "ai"),
        (Lines(added=10, ai=1, human=9), "human"),
        (Lines(added=10, ai=5, human=5), "mixed"),
        (Lines(added=10, ai=5, unknown=5), "unknown"),
        (Lines(added=10, ai=6, unknown=4), "ai"),
        (Lines(), "unknown"),
    ],
)
def test_whose_change_it_is(lines: Lines, writer: str) -> None:
    assert writer_of(lines) == writer


@pytest.mark.parametrize(
    ("repaired", "source", "matured", "fate"),
    [
        (False, "", True, "clean"),
        (False, "", False, "pending"),
        (True, "fix", True, "fixed"),
        (True, "revert", True, "reverted"),
        (True, "fix", False, "pending"),  # its sound neighbours are not known yet
    ],
)
def test_a_young_change_is_not_judged(repaired: bool, source: str, matured: bool, fate: str) -> None:
    past = PastChange("a" * 40, 0, "Change", Facts(now=""), Fate(repaired, 1.0, source, 1, matured))

    (shipped,) = shipped_of([past], {})

    assert shipped.fate == fate


def _deployed(name: str, revision: str, at: float, **more: object) -> Deployment:
    values = {"environment": "production", "service": "web", "status": "succeeded", **more}
    return Deployment(id=name, revision=revision, started=at, finished=at + 1, **values)  # type: ignore[arg-type]


def test_a_commit_goes_out_with_the_first_deployment_that_holds_it() -> None:
    order = ["d", "c", "b", "a"]  # newest first
    ran = [_deployed("2", "d", 20), _deployed("1", "b", 10), _deployed("3", "c", 5, environment="staging")]

    assert deployed_first(ran, order, "production") == {"d": 21, "c": 21, "b": 11, "a": 11}


def test_what_was_taken_back_had_failed() -> None:
    ran = ran_of(
        [_deployed("1", "a", 0), _deployed("2", "b", 100), _deployed("3", "a", 160)], {"b": "ai"}, "production"
    )

    assert [(one.writer, one.failed, one.recovered, one.rework) for one in ran] == [
        ("unknown", False, None, None),
        ("ai", True, 61.0, None),
        ("unknown", False, None, True),
    ]


def test_the_command_counts_what_landed(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    for number in range(8):
        trailer = "\n\nCo-authored-by: Claude <noreply@anthropic.com>" if number % 2 else ""
        repo.commit(f"Change {number}{trailer}", {"a.py": f"x = {number}\n" * 3})
    repo.git("tag", "v1")

    done = CliRunner().invoke(tidegate, ["insight", "--since", "10y", "--format", "json", "--repo", str(repo.path)])

    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["schema"], found["changes"], found["pending"]) == ("tidegate.insight/1", 8, 8)
    lead = found["tables"][0]["whole"]["figures"][1]
    assert (lead["name"], lead["n"]) == ("lead time", 8)
    text = CliRunner().invoke(tidegate, ["insight", "--since", "10y", "--repo", str(repo.path)]).output
    assert "8 of them are too young to be judged" in text
    assert "no deployment is known" in text
