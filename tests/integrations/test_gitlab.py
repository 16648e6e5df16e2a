"""The GitLab template: its script run in a real clone, with the variables that GitLab sets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.integrations.actions import put_tools
from tests.integrations.test_action import SHOP
from tests.repos import Repo, build


def job() -> dict[str, Any]:
    template = yaml.safe_load((ROOT / "templates" / "tidegate.gitlab-ci.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = template["tidegate"]
    return found


@pytest.fixture
def clone(tmp_path: Path) -> Repo:
    """What a runner works in: a detached checkout of the source branch."""
    repo = build(tmp_path / "repo", SHOP)
    repo.note(repo.head("feature"), "a note")
    repo.git("clone", "-q", "--no-local", str(repo.path), str(tmp_path / "clone"))
    clone = Repo(tmp_path / "clone")
    clone.git("checkout", "-q", "--detach", "origin/feature")
    return clone


def run(clone: Repo, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The job's script in one shell, as GitLab's runner joins it. Tidegate is installed already."""
    put_tools(tmp_path / "venv" / "bin")
    script = "\n".join(["set -e", f"tidegate_venv={tmp_path / 'venv'}", *job()["script"]])
    return subprocess.run(
        ["sh", "-c", script],
        cwd=clone.path,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{key: str(value) for key, value in job()["variables"].items()},
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_TITLE": "Sign in with a token",
            "CI_MERGE_REQUEST_DESCRIPTION": "## Why\n\nSessions expire too early.",
            "CI_MERGE_REQUEST_LABELS": "security,auth",
            "CI_COMMIT_SHA": clone.head(),
            **variables,
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_the_job_checks_the_merge_request(clone: Repo, tmp_path: Path) -> None:
    done = run(clone, tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("HELD  ")
    issues = json.loads((clone.path / "gl-code-quality-report.json").read_bytes())
    assert {issue["location"]["path"] for issue in issues} <= {"shop/auth/token.py", "."}
    change = json.loads((clone.path / "tidegate.json").read_bytes())["facts"]["change"]
    assert (change["kind"], change["target"], change["source"]) == ("pull-request", "main", "feature")
    assert change["intent"]["why"] != ""
    assert change["labels"] == ["auth", "security"]
    assert clone.git("notes", "--ref=ai", "list")
    for path in (*job()["artifacts"]["paths"], job()["artifacts"]["reports"]["codequality"]):
        assert (clone.path / path).is_file(), path


@pytest.mark.parametrize("hostile", ["$(touch pwned)", "`touch pwned`", "'; touch pwned; '", '"; touch pwned; "'])
def test_no_variable_runs(clone: Repo, tmp_path: Path, hostile: str) -> None:
    done = run(
        clone,
        tmp_path,
        CI_MERGE_REQUEST_TITLE=hostile,
        CI_MERGE_REQUEST_DESCRIPTION=hostile,
        CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=hostile,
        CI_MERGE_REQUEST_LABELS=hostile,
    )
    assert done.returncode == 1, done.stderr
    assert not list(tmp_path.rglob("pwned"))


def test_the_install_is_isolated_from_the_checkout() -> None:
    install = job()["before_script"][-1]
    assert install.startswith("(cd / && python3 -I -m venv ")
    assert "-I -m pip install" in install
