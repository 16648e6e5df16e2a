"""`tidegate policy` and `tidegate explain`, as a person runs them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.policy.helpers import rule_of
from tests.repos import Repo
from tidegate.policy.explanation import page_ids
from tidegate.report.policy_text import render_page

Run = Callable[..., subprocess.CompletedProcess[str]]

TESTS = """
[[test]]
name = "a broad change is held"
given = { change.breadth = 4 }
expect = { a-rule = "fired", outcome = "hold" }
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "repo")
    repo.write("tidegate.toml", 'policy.pack = "none"\n')
    repo.write(".tidegate/policy/own.toml", rule_of("change.breadth > 3", owner='"@sre"'))
    repo.write(".tidegate/policy/tests/own.toml", TESTS)
    repo.write("src/a.py", "x = 1\n")
    return repo


def test_lint_says_what_is_wrong_and_where(repo: Repo, tidegate: Run) -> None:
    sound = tidegate("policy", "lint", cwd=repo.path)
    assert (sound.returncode, sound.stdout, sound.stderr) == (
        0, "1 rule of this repository, 0 errors, 0 warnings\n", "",
    )  # fmt: skip
    repo.write(".tidegate/policy/own.toml", rule_of("change.bredth > 3"))
    broken = tidegate("policy", "lint", cwd=repo.path / "src")
    assert broken.returncode == 1
    assert "error: .tidegate/policy/own.toml, rule a-rule, condition 1" in broken.stdout
    assert "did you mean change.breadth?" in " ".join(broken.stdout.split())
    assert max(map(len, broken.stdout.splitlines())) <= 80


def test_lint_reads_named_files_and_writes_json(repo: Repo, tidegate: Run) -> None:
    repo.write("draft.toml", rule_of("1 > 2"))
    done = tidegate("policy", "lint", "draft.toml", "--format", "json", cwd=repo.path)
    assert done.returncode == 0
    assert [r["level"] for r in json.loads(done.stdout)["remarks"]] == ["warning", "warning"]
    missing = tidegate("policy", "lint", "none.toml", cwd=repo.path)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert (
        missing.stderr == "tidegate: none.toml: cannot be read: No such file or directory; name a file that is there\n"
    )


def test_tests_of_rules_run(repo: Repo, tidegate: Run) -> None:
    done = tidegate("policy", "test", cwd=repo.path)
    assert (done.returncode, done.stdout) == (0, "ok    a broad change is held\n1 test, 0 failed\n")
    mutated = tidegate("policy", "test", "--mutate", cwd=repo.path)
    assert mutated.returncode == 0
    assert mutated.stdout.splitlines()[2:] == [
        "changes to the rules that no test notices: 1",
        "  a-rule, condition 1: > became >=",
        "      change.breadth >= 3",
    ]
    repo.write(".tidegate/policy/own.toml", rule_of("change.breadth > 4"))
    failed = tidegate("policy", "test", cwd=repo.path)
    assert failed.returncode == 1
    assert "FAIL  a broad change is held\n      a-rule is idle, expected fired" in failed.stdout


def test_the_shipped_rules_are_not_for_the_repository_to_test(repo: Repo, tidegate: Run) -> None:
    repo.write("tidegate.toml", '[[rule]]\nid = "size-beyond-review"\neffect = "hold"\n')
    done = tidegate("policy", "test", cwd=repo.path)
    assert done.stdout.splitlines()[1:] == ["1 test, 0 failed", "no test names size-beyond-review"]
    listed = tidegate("policy", "explain", cwd=repo.path).stdout
    assert "  the default pack, adjusted in tidegate.toml\n" in listed
    assert "  the default pack\n" not in listed
    linted = tidegate("policy", "lint", cwd=repo.path).stdout
    assert 'on_unknown = "hold", unless that is meant' in " ".join(linted.split())


def test_without_tests_there_is_a_hint(repo: Repo, tidegate: Run) -> None:
    (repo.path / ".tidegate/policy/tests/own.toml").unlink()
    done = tidegate("policy", "test", cwd=repo.path)
    assert done.returncode == 2
    assert "there are no tests; docs/policy.md shows how to write one" in done.stderr


def test_rules_are_listed_and_shown(repo: Repo, tidegate: Run) -> None:
    listed = tidegate("policy", "explain", cwd=repo.path)
    assert listed.returncode == 0
    assert "a-rule  (hold)\n  A rule\n" in listed.stdout
    shown = tidegate("policy", "explain", "a-rule", cwd=repo.path)
    assert "applies when all of these are true or cannot be told:\n  change.breadth > 3\n" in shown.stdout
    assert "owner: @sre" in shown.stdout
    wrong = tidegate("policy", "explain", "a-rul", cwd=repo.path)
    assert (wrong.returncode, wrong.stderr) == (2, "tidegate: there is no rule a-rul; did you mean a-rule?\n")


def test_a_revision_is_read_instead_of_the_work_tree(repo: Repo, tidegate: Run) -> None:
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "rules")
    repo.write(".tidegate/policy/own.toml", rule_of("true", id='"b-rule"'))
    shown = json.loads(tidegate("policy", "explain", "--rev", "HEAD", "--format", "json", cwd=repo.path).stdout)
    assert [rule["id"] for rule in shown["rules"]] == ["a-rule"]
    now = json.loads(tidegate("policy", "explain", "--format", "json", cwd=repo.path).stdout)
    assert [rule["id"] for rule in now["rules"]] == ["b-rule"]


def test_hostile_texts_of_rules_stay_on_their_line(repo: Repo, tidegate: Run) -> None:
    repo.write(".tidegate/policy/own.toml", rule_of("true", title='"a \\u001b[31m \\n ::error:: \\u202e"'))
    listed = tidegate("policy", "explain", cwd=repo.path).stdout
    assert "\x1b" not in listed
    assert "\u202e" not in listed
    assert "\n ::error" not in listed


def test_markdown_is_printed_without_its_marks() -> None:
    page = """# a-rule
What it **asks**: run `tidegate check`, see [the guide](https://example.com).

- one item that is long enough to be wrapped under its own first word because it has more than eighty characters
- two

```
tidegate   annotate
```
## How to tune it
"""
    assert (
        render_page(page)
        == """a-rule
======
What it asks: run tidegate check, see the guide (https://example.com).

- one item that is long enough to be wrapped under its own first word because it
  has more than eighty characters
- two

    tidegate   annotate
How to tune it
--------------"""
    )


def test_pages_are_printed_as_calm_text(tmp_path: Path, tidegate: Run) -> None:
    for id_ in page_ids()[:3]:
        done = tidegate("explain", id_, cwd=tmp_path)
        assert done.returncode == 0
        assert "```" not in done.stdout
        assert all(
            len(line) <= 80 or " " not in line.strip() or line.startswith("    ") for line in done.stdout.splitlines()
        )
    wrong = tidegate("explain", "annotation-requird", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "there is no page on annotation-requird" in wrong.stderr
    assert "did you mean annotation-required?" in wrong.stderr
    assert "list them: tidegate explain; a rule of your own:" in tidegate("explain", "x", cwd=tmp_path).stderr
    listed = tidegate("explain", cwd=tmp_path).stdout
    assert [line.split()[0] for line in listed.splitlines() if line[:1] != " "] == list(page_ids())
    assert re.search(r"^no-self-approval +Somebody who did not make the change approves it\.$", listed, re.MULTILINE)
    assert max(map(len, listed.splitlines())) <= 80
