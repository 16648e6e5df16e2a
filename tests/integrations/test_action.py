"""The GitHub Action, step by step, on a real repository. Only the package index is played by a stand-in."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest

from tests.integrations.actions import Runner, read_action
from tests.repos import Repo, build

SHOP = """
commit Open the shop
  file tidegate.toml
    . [people.alice]
    . emails = ["alice@example.com"]
    . accounts = ["alice"]
    . [people.bob]
    . emails = ["bob@example.com"]
    . accounts = ["bob"]
  file shop/cart.py
    . def total(items):
    .     return sum(items)
branch feature
commit Sign in with a token
  trailer Co-authored-by: Claude <noreply@anthropic.com>
  file shop/auth/token.py
    . def user_of(token):
    .     return token["sub"]
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return build(tmp_path / "repo", SHOP)


@pytest.fixture
def runner(tmp_path: Path, repo: Repo) -> Runner:
    """A runner in the checkout, with Tidegate installed where the first step would put it."""
    runner = Runner(tmp_path / "runner", repo.path, more={"GITHUB_SHA": repo.head()})
    runner.install()
    return runner


def pull_request(repo: Repo, **more: object) -> dict[str, object]:
    return {
        "number": 7,
        "title": "Sign in with a token",
        "body": "Why: sessions expire too early.",
        "user": {"login": "alice", "type": "User"},
        "base": {"sha": repo.head("main"), "ref": "main", "repo": {"full_name": "acme/shop"}},
        "head": {"sha": repo.head("feature"), "ref": "feature"},
        "created_at": "2026-05-01T12:00:00Z",
        "updated_at": "2026-05-01T12:00:00Z",
        **more,
    }


def test_no_input_is_pasted_into_a_script_and_no_other_action_is_used() -> None:
    action = read_action()
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"], step["name"]
        assert "uses" not in step
        assert step["shell"] == "bash"
        for value in step["env"].values():
            assert re.fullmatch(r"\$\{\{ (inputs\.\w+|github\.action_path) \}\}", value)
    used = {value for step in action["runs"]["steps"] for value in re.findall(r"inputs\.(\w+)", str(step["env"]))}
    assert used == set(action["inputs"])
    assert all("description" in spec and "default" in spec for spec in action["inputs"].values())


def test_a_pull_request_that_is_held(runner: Runner, repo: Repo) -> None:
    runner.event_name = "pull_request"
    (runner.home / "event.json").write_text(json.dumps({"pull_request": pull_request(repo)}))
    done = runner.step("Check")
    assert done.returncode == 1, done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith("::error title=Tidegate%3A HELD::")
    assert any(line.startswith("::error file=shop/auth/token.py,line=") for line in done.stdout.splitlines())
    assert runner.summary.startswith("### Tidegate: HELD")
    assert runner.outputs["outcome"] == "hold"
    assert Path(runner.outputs["comment"]).read_text(encoding="utf-8").startswith("<!-- tidegate:check -->")
    assert json.loads(Path(runner.outputs["sarif"]).read_bytes())["version"] == "2.1.0"
    facts = json.loads(Path(runner.outputs["json"]).read_bytes())["facts"]
    assert facts["change"]["kind"] == "pull-request"
    assert facts["change"]["intent"]["why"] != ""


def test_held_does_not_fail_where_that_is_asked_for_and_wrong_input_does(runner: Runner) -> None:
    done = runner.step("Check", fail="false", range="main..feature")
    assert done.returncode == 0, done.stderr
    assert runner.outputs["outcome"] == "hold"
    wrong = runner.step("Check", fail="false", range="no-such-branch..feature")
    assert wrong.returncode == 2
    assert "::error title=Tidegate::tidegate: " in wrong.stdout
    assert runner.step("Check", stage="someday").returncode == 2


def test_a_push_checks_the_commit_and_a_later_stage_is_listed(runner: Runner, repo: Repo) -> None:
    runner.more = {"GITHUB_SHA": repo.head("main")}
    done = runner.step("Check", format="text", stage="commit")
    assert done.returncode in (0, 1), done.stderr
    assert f"{repo.head('main')[:12]}: the commit" in done.stdout


@pytest.mark.parametrize(
    "hostile", ["$(touch pwned)`touch pwned`", "--output=json=pwned", "'; touch pwned; '\ntouch pwned"]
)
def test_no_input_runs_and_none_becomes_an_option(runner: Runner, repo: Repo, hostile: str) -> None:
    before = sorted(path.name for path in repo.path.iterdir())
    for name in ("range", "stage", "format", "reviews", "path"):
        assert runner.step("Check", **{name: hostile}).returncode == 2, name
    for name in ("version", "python"):
        assert runner.step("Install Tidegate", **{name: hostile}).returncode != 0
    assert not list(repo.path.parent.rglob("*pwned*"))
    assert sorted(path.name for path in repo.path.iterdir()) == before


def test_an_error_makes_no_command_of_its_own(runner: Runner) -> None:
    done = runner.step("Check", range="##[add-mask]x ::error::owned %0A::set-output name=outcome::pass")
    assert done.returncode == 2
    assert "##[" not in done.stdout + done.stderr
    commands = [line for line in (done.stdout + done.stderr).splitlines() if line.lstrip().startswith("::")]
    assert len(commands) == 1
    assert commands[0].startswith("::error title=Tidegate::tidegate: ")
    assert "%0A" not in commands[0].replace("%250A", "")


def test_arguments_one_on_each_line(runner: Runner) -> None:
    done = runner.step("Check", range="main..feature", args="--now\n2026-05-01T12:00:00Z\n", fail="false")
    assert done.returncode == 0, done.stderr
    assert json.loads(Path(runner.outputs["json"]).read_bytes())["facts"]["now"] == "2026-05-01T12:00:00Z"


def test_history_target_and_notes_are_fetched_into_a_shallow_checkout(
    runner: Runner, repo: Repo, tmp_path: Path
) -> None:
    repo.note(repo.head("feature"), "a note")
    repo.git("update-ref", "refs/pull/7/head", repo.head("feature"))
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--depth=1", "--branch=feature", "--single-branch", f"file://{repo.path}", str(clone))
    checkout = Repo(clone)
    runner.workspace = clone
    runner.more = {"GITHUB_BASE_REF": "main", "GITHUB_REF": "refs/pull/7/merge"}
    done = runner.step("Fetch history and attribution notes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert checkout.git("rev-parse", "--is-shallow-repository") == "false"
    assert checkout.head("refs/remotes/origin/main") == repo.head("main")
    assert checkout.head("refs/remotes/pull/7/head") == repo.head("feature")
    assert checkout.head("refs/notes/ai") == repo.head("refs/notes/ai")


def test_what_cannot_be_fetched_is_a_warning(runner: Runner) -> None:
    done = runner.step("Fetch history and attribution notes")
    assert done.returncode == 0
    assert "::warning title=Tidegate::attribution notes could not be fetched" in done.stdout
    assert runner.step("Fetch history and attribution notes", fetch="false").stdout == ""


def test_reviews_are_read_with_the_token_and_count(runner: Runner, repo: Repo, tmp_path: Path) -> None:
    review = {
        "user": {"login": "bob", "type": "User"},
        "state": "APPROVED",
        "commit_id": repo.head("feature"),
        "submitted_at": "2026-05-01T11:00:00Z",
    }
    asked = tmp_path / "asked"
    runner.paths = (
        _stand_in(tmp_path, "gh", f'echo "$GH_TOKEN $*" > {asked}\necho {shlex.quote(json.dumps([[review]]))}'),
    )
    runner.event_name = "pull_request"
    (runner.home / "event.json").write_text(json.dumps({"pull_request": pull_request(repo)}))
    assert runner.step("Read the reviews", token="secret").returncode == 0
    assert asked.read_text() == "secret api --paginate --slurp repos/acme/shop/pulls/7/reviews?per_page=100\n"
    runner.step("Check")
    review_facts = json.loads(Path(runner.outputs["json"]).read_bytes())["facts"]["review"]
    assert [(r["account"], r["state"]) for r in review_facts["reviews"]] == [("bob", "approved")]


def test_reviews_that_cannot_be_read_leave_no_half_file(runner: Runner, repo: Repo, tmp_path: Path) -> None:
    runner.paths = (_stand_in(tmp_path, "gh", "echo '['\nexit 1"),)
    runner.event_name = "pull_request"
    (runner.home / "event.json").write_text(json.dumps({"pull_request": pull_request(repo)}))
    done = runner.step("Read the reviews", token="secret")
    assert done.returncode == 0
    assert "::warning title=Tidegate::the reviews could not be read" in done.stdout
    assert not (runner.temp / "tidegate-reviews.json").exists()


@pytest.mark.parametrize(("version", "what"), [("", "ROOT"), ("0.1.0", "tidegate==0.1.0")])
def test_the_install_is_isolated_from_the_checkout(tmp_path: Path, repo: Repo, version: str, what: str) -> None:
    runner = Runner(tmp_path / "runner", repo.path)
    seen = tmp_path / "seen"
    script = f'echo "$PWD $*" >> {seen}\nif [ "$3" = venv ]; then mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; fi'
    runner.paths = (_stand_in(tmp_path, "python3", script),)
    done = runner.step("Install Tidegate", version=version)
    assert done.returncode == 0, done.stderr
    made, installed = seen.read_text().splitlines()
    assert made == f"{runner.temp} -I -m venv {runner.temp}/tidegate-venv"
    from tests.conftest import ROOT

    package = str(ROOT) if what == "ROOT" else what
    assert installed == f"{runner.temp} -I -m pip install --quiet --disable-pip-version-check -- {package}"


def _stand_in(folder: Path, name: str, script: str) -> Path:
    tools = folder / "stand-ins"
    tools.mkdir(exist_ok=True)
    (tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    os.chmod(tools / name, 0o755)  # noqa: PTH101
    return tools
