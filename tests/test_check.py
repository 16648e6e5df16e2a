"""`tidegate check` from the door to the verdict, as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.repos import Repo, build

Tidegate = Callable[..., "CompletedProcess[str]"]
NOW = "2026-05-01T12:00:00Z"

PEOPLE = """
  file tidegate.toml
    . [people.alice]
    . emails = ["alice@example.com"]
    . accounts = ["alice"]
    . [people.bob]
    . emails = ["bob@example.com"]
    . accounts = ["bob"]
"""
START = f"""
commit Open the shop
{PEOPLE}
  file shop/cart.py
    . def total(items):
    .     return sum(items)
branch feature
"""
BY_HAND = """
commit Count the discount
  body Why: the cart showed the price without it.
  file shop/cart.py
    h def total(items, discount=0):
    h     return sum(items) - discount
  file tests/test_cart.py
    h def test_discount():
    h     assert total([3], 1) == 2
"""


def facts_of(tidegate: Tidegate, repo: Repo, *arguments: str) -> dict[str, Any]:
    done = tidegate("check", *arguments, "--format", "json", "--now", NOW, cwd=repo.path)
    assert done.returncode in (0, 1), done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def reviews(repo: Repo, *accounts: str) -> str:
    found = [
        {
            "user": {"login": account, "type": "User"},
            "state": "APPROVED",
            "commit_id": repo.head(),
            "submitted_at": "2026-04-30T12:00:00Z",
        }
        for account in accounts
    ]
    path = repo.path.parent / "reviews.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    return str(path)


def test_lines_are_counted_by_who_wrote_them(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(
        tmp_path / "r",
        START
        + BY_HAND
        + """
commit Let an agent add coupons
  file shop/coupon.py
    a CODES = {}
    a
    a def redeem(code):
    .     return CODES[code]
commit Declare help in the middle of the message
  body Co-authored-by: Claude <noreply@anthropic.com>
  body and some more text after it
  file shop/page.py
    . def render():
    .     return ""
commit Say nothing
  file shop/footer.py
    . FOOTER = "bye"
""",
    )
    provenance = facts_of(tidegate, repo, "main..feature")["facts"]["provenance"]
    assert provenance["lines"] == {"added": 11, "ai": 5, "human": 4, "mixed": 0, "unknown": 2}
    assert provenance["evidence"] == {"E5": 0, "E4": 7, "E3": 0, "E2": 2, "E1": 0, "E0": 2}
    assert provenance["accountable"][0]["person"] == "alice"
    assert provenance["unaccountable_lines"] == 0


def test_a_change_by_hand_passes_with_an_approval(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", START + BY_HAND)
    held = tidegate("check", "main..feature", cwd=repo.path)
    assert held.returncode == 1
    assert held.stdout.startswith("HELD")
    passed = tidegate("check", "main..feature", "--reviews", reviews(repo, "bob"), cwd=repo.path)
    assert passed.returncode == 0, passed.stdout
    assert passed.stdout.startswith("PASS")


def test_the_author_cannot_approve(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", START + BY_HAND)
    assert tidegate("check", "main..feature", "--reviews", reviews(repo, "alice"), cwd=repo.path).returncode == 1


def test_the_person_who_prompted_an_agent_cannot_approve_what_it_wrote(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(
        tmp_path / "r",
        START
        + """
commit Count the discount
  by claude[bot] <209825114+claude[bot]@users.noreply.github.com>
  committer GitHub <noreply@github.com>
  body Why: the cart showed the price without it.
  trailer Co-authored-by: Alice Smith <alice@example.com>
  file shop/cart.py
    . def total(items, discount=0):
    .     return sum(items) - discount
""",
    )
    assert facts_of(tidegate, repo, "main..feature")["facts"]["provenance"]["prompters"] == ["alice"]
    assert tidegate("check", "main..feature", "--reviews", reviews(repo, "alice"), cwd=repo.path).returncode == 1
    assert tidegate("check", "main..feature", "--reviews", reviews(repo, "bob"), cwd=repo.path).returncode == 0


def test_approvals_are_due_at_merge_not_at_push(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", START + BY_HAND)
    assert tidegate("check", "main..feature", "--stage", "push", cwd=repo.path).returncode == 0


def test_without_a_range_it_takes_what_head_adds_and_says_so(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", START + BY_HAND)
    document = facts_of(tidegate, repo)["facts"]["change"]
    assert document["commits_total"] == 1
    assert "main" in document["chosen"]
    assert "main" in tidegate("check", cwd=repo.path).stdout


def test_the_change_cannot_soften_the_rules_that_judge_it(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(
        tmp_path / "r",
        START
        + """
commit Switch the gate off
  file tidegate.toml
    . [policy]
    . pack = "none"
""",
    )
    document = facts_of(tidegate, repo, "main..feature")
    assert document["outcome"] == "block"
    rules = {rule["id"]: rule["state"] for rule in document["verdict"]["rules"]}
    assert rules["policy-changes-need-owners"] == "fired"


def test_same_inputs_same_bytes(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", START + BY_HAND)
    runs = {tidegate("check", "--format", "json", "--now", NOW, cwd=repo.path).stdout for _ in range(3)}
    assert len(runs) == 1


def test_staged_and_unborn(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("a.py", "x = 1\n")
    repo.git("add", "a.py")
    document = facts_of(tidegate, repo, "--staged", "--stage", "commit")["facts"]
    assert document["change"]["files_total"] == 1
    assert document["provenance"]["lines"]["unknown"] == 1
    assert facts_of(tidegate, repo)["facts"]["change"]["kind"] in ("staged", "range")


def test_a_staged_tree_is_judged_as_what_may_be_committed(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", START)
    assert "and nothing is staged" in " ".join(tidegate("check", "--staged", cwd=repo.path).stdout.split())
    repo.write("shop/far.py", "".join(f"n{n} = {n}\n" for n in range(30)))
    repo.git("add", "-A")
    done = tidegate("check", "--staged", cwd=repo.path)
    assert (done.returncode, done.stdout.partition(" before ")[2][:22]) == (0, "it may be committed; 4"), done.stdout
    assert "next: commit it, then run the check again" in done.stdout
    assert "tidegate annotate" not in done.stdout, "there is no commit yet that could be annotated"
    assert tidegate("check", "--staged", "--stage", "merge", cwd=repo.path).returncode == 1


def test_a_rule_of_the_repository_is_explained_by_the_command_that_is_named(tmp_path: Path, tidegate: Tidegate) -> None:
    rule = """
  file .tidegate/policy/own.toml
    . [[rule]]
    . id = "never"
    . title = "Nothing is merged"
    . when.all = ["true"]
    . effect = "block"
"""
    repo = build(tmp_path / "r", START.replace("branch feature", rule.lstrip("\n") + "branch feature") + BY_HAND)
    done = tidegate("check", cwd=repo.path)
    command = done.stdout.partition("Why ")[2].split()
    assert command == ["tidegate", "policy", "explain", "never"]
    assert "Nothing is merged" in tidegate(*command[1:], cwd=repo.path).stdout


def test_a_slip_on_the_command_line_is_one_line_that_says_where_to_look(tmp_path: Path, tidegate: Tidegate) -> None:
    said = {
        ("chek",): "No such command 'chek'. See: tidegate --help",
        ("check", "a", "b"): "Got unexpected extra argument (b) See: tidegate check --help",
        ("policy",): "policy: name one of its commands: backtest, explain, lint, test",
    }
    for arguments, line in said.items():
        done = tidegate(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"tidegate: {line}\n")
    alone = tidegate(cwd=tmp_path)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout.startswith("Usage: tidegate")


def test_a_bare_diff_says_what_cannot_be_known(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", START + BY_HAND)
    patch = tmp_path / "x.diff"
    patch.write_text(repo.git("diff", "main", "feature") + "\n", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    done = tidegate("check", "--diff", str(patch), "--format", "json", cwd=tmp_path / "elsewhere")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["facts"]["change"]["lines_added"] == 4
    assert "head_tree" not in document["facts"]["change"]
    assert document["outcome"] == "hold"


def test_several_outputs_at_once(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", START + BY_HAND)
    done = tidegate("check", "-o", "sarif=../x.sarif", "-o", "json=../y.json", cwd=repo.path)
    assert done.stdout.startswith("HELD")
    assert json.loads((tmp_path / "x.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((tmp_path / "y.json").read_text())["schema"] == "tidegate.check/1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-branch"], "no-such-branch"),
        (["-o", "jsno=x"], "json"),
        (["--", "--output=x"], "revision"),
        (["main..nowhere"], "nowhere"),
        (["--pr", "missing.json"], "missing.json"),
        (["--pr", "broken.json"], "broken.json"),
        (["--diff", "broken.json"], "broken.json"),
        (["--reviews", "broken.json"], "broken.json"),
        (["--config", "broken.json"], "broken.json"),
        (["--now", "tomorrow"], "tomorrow"),
        (["--format", "yaml"], "yaml"),
        (["-o", "json=no/such/folder/x.json"], "folder"),
        (["--staged", "main"], "--staged"),
        (["--repo", "nowhere"], "nowhere"),
        (["shop/cart.py"], "shop/cart.py"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_clear_line_and_writes_nothing(
    tmp_path: Path, tidegate: Tidegate, arguments: list[str], words: str
) -> None:
    repo = build(tmp_path / "r", START + BY_HAND)
    (repo.path / "broken.json").write_text('{"a": [1, 2\n', encoding="utf-8")
    before = _files_but_kept_ones(tmp_path)
    done = tidegate("check", *arguments, cwd=repo.path)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert _files_but_kept_ones(tmp_path) == before


def _files_but_kept_ones(folder: Path) -> list[str]:
    """Every file, without what a check keeps of what it read and can read again."""
    kept = folder / "r/.git/tidegate"
    return sorted(str(path) for path in folder.rglob("*") if kept not in (path, *path.parents))


def test_a_broken_policy_on_the_base_says_how_the_change_that_mends_it_is_judged(
    tmp_path: Path, tidegate: Tidegate
) -> None:
    repo = build(tmp_path / "r", "commit Break\n  file tidegate.toml\n    . [peple]\nbranch feature\ncommit Mend\n")
    repo.write("tidegate.toml", "")
    repo.commit("Mend the settings")
    done = tidegate("check", "main..feature", cwd=repo.path)
    assert done.returncode == 2
    assert "--config FILE" in done.stderr
    assert tidegate("check", "main..feature", "--config", "tidegate.toml", cwd=repo.path).returncode == 1


def test_before_the_first_commit_there_is_nobody_to_ask_about(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("a.py", "x = 1\n")
    done = tidegate("who", "a.py", cwd=repo.path)
    assert done.returncode == 2
    assert "no commit yet" in done.stderr


def test_a_staged_tree_that_is_too_broad_is_held_before_it_is_a_commit(tmp_path: Path, tidegate: Tidegate) -> None:
    repo = build(tmp_path / "r", "commit Start\n  file a.py\n    . x = 1\n")
    for path in ("auth/a.py", "payments/a.py", "migrations/a.py", ".github/workflows/a.yml"):
        repo.write(path, "".join(f"x{n} = {n}\n" for n in range(20)))
    repo.git("add", "-A")
    held = tidegate("check", "--staged", cwd=repo.path)
    assert held.returncode == 1, held.stdout
    assert "breadth-must-be-split" in held.stdout
