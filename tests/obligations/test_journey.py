"""From a repository, an event and reviews to the verdict: who may let an agent's change through."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repos import ALICE, Repo, build
from tidegate.assess import Request, assess
from tidegate.change.ends import Question
from tidegate.change.git import Repository, open_repository
from tidegate.policy.verdict import Obligation

Run = Callable[..., subprocess.CompletedProcess[str]]

SETTINGS = """\
[people.alice]
name = "Alice Smith"
emails = ["alice@example.com"]
accounts = ["alice", "alice-two"]
[people.bob]
emails = ["bob@example.com"]
accounts = ["bob"]
[people.carol]
emails = ["carol@example.com"]
accounts = ["carol"]
[teams]
"@acme/docs" = ["carol"]
"""
OWNERS = "* @bob\n/docs/ @acme/docs\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Alice asked Claude for a change of five lines; Claude committed it."""
    repo = build(
        tmp_path / "repo",
        """
        commit Start
          file src/a.py
            . one = 1
        """,
    )
    repo.commit("Who is who", {"tidegate.toml": SETTINGS, "CODEOWNERS": OWNERS})
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit(
        "Count further\n\nRequested-by: Alice Smith <alice@example.com>",
        {"src/a.py": "one = 1\ntwo = 2\n"},
        author="Claude <noreply@anthropic.com>",
    )
    return repo


def check(repo: Repo, *reviews: tuple[str, str, str], opener: str = "alice") -> dict[str, str]:
    """State and reason of the rule `no-self-approval` for reviews of (account, state, commit)."""
    event = {
        "action": "opened",
        "number": 7,
        "repository": {"full_name": "acme/app", "default_branch": "main"},
        "pull_request": {
            "number": 7,
            "title": "Count further",
            "body": "",
            "user": {"login": opener, "type": "User"},
            "labels": [],
            "assignees": [],
            "base": {"ref": "main", "sha": repo.head("main"), "repo": {"full_name": "acme/app"}},
            "head": {"ref": "feature", "sha": repo.head("feature"), "repo": {"full_name": "acme/app"}},
            "created_at": "2026-02-02T09:00:00Z",
            "updated_at": "2026-02-02T09:00:00Z",
            "merged_by": None,
        },
    }
    given = [
        {
            "user": {"login": account, "type": "Bot" if account.endswith("[bot]") else "User"},
            "state": state,
            "commit_id": commit or repo.head("feature"),
            "submitted_at": f"2026-03-01T10:0{number}:00Z",
        }
        for number, (account, state, commit) in enumerate(reviews)
    ]
    (repo.path.parent / "event.json").write_text(json.dumps(event), "utf-8")
    (repo.path.parent / "reviews.json").write_text(json.dumps(given), "utf-8")
    asked = Request(
        question=Question(pr=repo.path.parent / "event.json"),
        stage="merge",
        now="2026-03-02T00:00:00Z",
        environment={},
        reviews=repo.path.parent / "reviews.json",
    )
    with open_repository(repo.path) as repository:
        verdict = assess(asked, repository).verdict
    (obligation,) = next(rule for rule in verdict.rules if rule.id == "no-self-approval").obligations
    return {"state": obligation.state, "why": obligation.why}


def test_an_owner_who_did_not_prompt_lets_it_pass(repo: Repo) -> None:
    assert check(repo, ("bob", "APPROVED", "")) == {"state": "met", "why": "bob approved"}


def test_whoever_prompted_the_agent_does_not(repo: Repo) -> None:
    for account in ("alice", "alice-two"):
        said = check(repo, (account, "APPROVED", ""), opener="claude[bot]")
        assert said["state"] == "unmet"
        assert "alice prompted the agent that wrote it" in said["why"]


def test_nobody_else_does_who_is_no_owner_no_person_or_late(repo: Repo) -> None:
    base = repo.head("main")
    for review in (
        ("carol", "APPROVED", ""),
        ("mallory", "APPROVED", ""),
        ("claude[bot]", "APPROVED", ""),
        ("bob", "DISMISSED", ""),
        ("bob", "APPROVED", base),
    ):
        assert check(repo, review)["state"] == "unmet", review
    assert check(repo, ("bob", "APPROVED", ""), ("bob", "CHANGES_REQUESTED", ""))["state"] == "unmet"


def test_a_co_author_is_an_author(repo: Repo) -> None:
    repo.commit("Together\n\nCo-authored-by: Bob <bob@example.com>", {"src/a.py": "one = 1\ntwo = 3\n"})
    said = check(repo, ("bob", "APPROVED", ""))
    assert (said["state"], "bob wrote part of it" in said["why"]) == ("unmet", True)


def test_owners_and_people_of_the_change_itself_are_not_asked(repo: Repo) -> None:
    mine = SETTINGS + '[people.mallory]\naccounts = ["mallory"]\n'
    repo.commit("Me too", {"tidegate.toml": mine, "CODEOWNERS": "* @mallory\n"})
    assert check(repo, ("mallory", "APPROVED", ""))["state"] == "unmet"


def test_whoever_prompted_an_agent_that_only_deletes_does_not_either(repo: Repo) -> None:
    repo.git("reset", "-q", "--hard", "main")
    message = "Delete the check\n\nRequested-by: Bob <bob@example.com>"
    repo.commit(message, {"src/a.py": ""}, author="Claude <noreply@anthropic.com>")
    said = check(repo, ("bob", "APPROVED", ""))
    assert (said["state"], "bob prompted the agent that wrote it" in said["why"]) == ("unmet", True)


def test_an_agent_that_only_deletes_and_whom_nobody_asked_is_approved_by_nobody(repo: Repo) -> None:
    repo.git("reset", "-q", "--hard", "main")
    claude = "Claude <noreply@anthropic.com>"
    repo.commit("Delete the check", {"src/a.py": ""}, author=claude, committer=claude)
    assert check(repo, ("bob", "APPROVED", ""), opener="claude[bot]")["state"] == "unknown"


def test_where_only_apps_are_named_the_next_step_is_the_event_that_says_who_opened_it(repo: Repo) -> None:
    repo.git("reset", "-q", "--hard", "main")
    bot = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"
    repo.commit("Bump", {"go.mod": "module x\n"}, author=bot, committer=bot)
    with open_repository(repo.path) as repository:
        verdict = assess(Request(Question(change="HEAD"), "merge", "2026-03-02T00:00:00Z", {}), repository).verdict
    asked = next(o for rule in verdict.rules if rule.id == "no-self-approval" for o in rule.obligations)
    assert asked.next_step.startswith("name the forge's event, which says who opened it: --pr FILE;")


def test_doing_what_the_verdict_says_meets_what_it_asks(repo: Repo, tidegate: Run) -> None:
    repo.git("reset", "-q", "--hard", "main")
    repo.commit("Count far", {"src/a.py": "".join(f"n{n} = {n}\n" for n in range(30))}, author=ALICE)
    with open_repository(repo.path) as repository:
        before = annotation(repository)
        silent = f"in {repo.head()[:10]} (30 lines)"
        assert before.state == "unmet"
        assert before.why == f"nothing says who or what wrote 30 of 30 added source lines, {silent}"
    command = before.next_step.partition(" for ")[0].split()
    arguments = ["claude" if word == "TOOL" else "claude-opus-4-6" if word == "MODEL" else word for word in command[1:]]
    done = tidegate(*arguments, "--by", ALICE, cwd=repo.path)
    assert done.returncode == 0, done.stderr
    with open_repository(repo.path) as repository:
        assert annotation(repository).state == "met"


def test_the_commit_that_is_named_is_one_whose_annotation_helps(repo: Repo) -> None:
    """A commit with thousands of lines of fixtures has none that anybody asks about."""
    repo.git("reset", "-q", "--hard", "main")
    repo.commit("Record", {"tests/cassettes/a.yaml": "".join(f"- n{n}\n" for n in range(90))}, author=ALICE)
    repo.commit("Count far", {"src/a.py": "".join(f"n{n} = {n}\n" for n in range(30))}, author=ALICE)
    with open_repository(repo.path) as repository:
        asked = annotation(repository)
    assert asked.why.endswith(f"added source lines, in {repo.head()[:10]} (30 lines)")
    assert asked.next_step.startswith(f"tidegate annotate {repo.head()[:10]} ")


def annotation(repository: Repository) -> Obligation:
    asked = Request(Question(change="main..feature"), "push", "2026-03-02T00:00:00Z", {})
    verdict = assess(asked, repository).verdict
    rule = next(rule for rule in verdict.rules if rule.id == "annotation-required")
    return rule.obligations[0] if rule.obligations else Obligation("annotation", "", "met", "", "")
