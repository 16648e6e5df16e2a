"""`tidegate gate` and `tidegate deploy` as a pipeline runs them, on a real repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from tests.repos import Repo
from tidegate.cli.main import tidegate as command
from tidegate.errors import TidegateError


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Tidegate = Callable[..., Done]

DOCUMENT = """[environments.staging]
tier = "low"
[environments.production]
tier = "low"
after = ["staging"]
bake_minutes = 30
[[freeze]]
name = "weekend"
environments = ["production"]
every = "week"
from = "Sat"
until = "Sun"
"""
SETTINGS = 'policy.pack = "none"\n[people.alice]\nemails = ["alice@example.com"]\n'
WEDNESDAY = "2026-03-04T12:00:00Z"


@pytest.fixture
def tidegate(monkeypatch: pytest.MonkeyPatch) -> Tidegate:
    """Runs the command in this process: starting one costs more than what it does."""

    def run(*arguments: str, cwd: Path) -> Done:
        monkeypatch.chdir(cwd)
        done = CliRunner().invoke(command, arguments, standalone_mode=False)
        if isinstance(done.exception, TidegateError):
            return Done(done.exception.exit_code, done.stdout, str(done.exception))
        if done.exception is not None:
            raise done.exception
        return Done(done.return_value or 0, done.stdout, done.stderr)

    return run


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "r")
    repo.commit("Begin", {"tidegate.toml": SETTINGS, ".tidegate/rollout.toml": DOCUMENT, "a.py": "a = 1\n"})
    repo.commit("Add b", {"b.py": "b = 1\n"})
    return repo


def deployed(tidegate: Tidegate, repo: Repo, environment: str, revision: str, at: str) -> None:
    moments = {"began": f"2026-03-04T{at}:00Z", "ended": f"2026-03-04T{at}:30Z"}
    options = ("--environment", environment, "--revision", revision, "--now", moments["began"])
    name = tidegate("deploy", "start", *options, cwd=repo.path).stdout.strip()
    done = tidegate("deploy", "finish", name, "--now", moments["ended"], cwd=repo.path)
    assert (done.returncode, done.stdout) == (0, f"{name} succeeded\n"), done.stderr


def test_from_what_was_deployed_to_what_may_be(repo: Repo, tidegate: Tidegate) -> None:
    def gate(*options: str, now: str = WEDNESDAY) -> Done:
        return tidegate("gate", "--environment", "production", "--now", now, *options, cwd=repo.path)

    first = gate()
    assert first.returncode == 1
    assert "nobody says what ran there before" in first.stdout
    deployed(tidegate, repo, "production", "HEAD~1", "08:00")
    assert "deploy it to staging first" in gate().stdout
    deployed(tidegate, repo, "staging", "HEAD", "11:45")
    assert "it ran there for 13 minutes" in gate().stdout
    passed = gate(now="2026-03-04T12:30:00Z")
    assert passed.returncode == 0, passed.stdout
    assert passed.stdout.startswith("PASS  production: nothing is in the way\n      1 change, ")
    told = json.loads(gate("--format", "json", now="2026-03-07T12:00:00Z").stdout)
    assert (told["schema"], told["outcome"], told["direction"]) == ("tidegate.gate/1", "hold", "forward")
    assert [one["kind"] for one in told["obligations"] if one["state"] == "unmet"] == ["freeze"]


def test_checks_that_were_kept_are_not_made_again(repo: Repo, tidegate: Tidegate) -> None:
    kept = repo.path.parent / "checks"
    kept.mkdir()
    check = tidegate("check", "HEAD~1..HEAD", "--format", "json", "--now", WEDNESDAY, cwd=repo.path)
    (kept / "1.json").write_text(check.stdout)
    options = ("--environment", "staging", "--from", "HEAD~1", "--assess", "0", "--now", WEDNESDAY)
    assert tidegate("gate", *options, cwd=repo.path).returncode == 1
    assert tidegate("gate", *options, "--checks", str(kept), cwd=repo.path).returncode == 0
    (kept / "2.json").write_text("{}")
    assert tidegate("gate", *options, "--checks", str(kept), cwd=repo.path).returncode == 2


def test_the_change_does_not_write_its_own_rules(repo: Repo, tidegate: Tidegate) -> None:
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("Thaw", {".tidegate/rollout.toml": DOCUMENT.replace('"Sat"', '"Sun"')})
    options = ("--environment", "production", "--from", "main", "--now", "2026-03-07T12:00:00Z")
    done = tidegate("gate", *options, cwd=repo.path)
    assert "the freeze weekend holds" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gate", "--environment", "production", "--to", "nowhere"), "no commit is called 'nowhere'"),
        (("gate", "--environment", "production", "--server", "http://example.com"), "by https"),
        (("gate", "--environment", "production", "--server", "https://127.0.0.1:1"), "no token"),
        (("deploy", "finish", "production-1"), "no deployment is called production-1 here"),
    ],
)
def test_what_is_asked_wrongly_ends_with_two(
    repo: Repo, tidegate: Tidegate, arguments: tuple[str, ...], said: str
) -> None:
    done = tidegate(*arguments, cwd=repo.path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_a_broken_line_of_deployments_is_named(repo: Repo, tidegate: Tidegate) -> None:
    deployed(tidegate, repo, "production", "HEAD", "08:00")
    with (repo.path / ".git/tidegate/deployments.jsonl").open("a") as file:
        file.write("{broken\n")
    done = tidegate("gate", "--environment", "production", cwd=repo.path)
    assert done.returncode == 2
    assert "deployments.jsonl, line 3" in done.stderr
