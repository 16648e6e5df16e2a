"""`tidegate provenance audit` as a person meets it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.repos import ALICE, Repo, build, note_text
from tidegate.policy.explanation import page_ids
from tidegate.provenance import faults, trace_audit

Tidegate = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return build(
        tmp_path / "repo",
        """
        commit Base
          file a.py
            . one
        commit By an agent
          trailer Co-authored-by: Claude <noreply@anthropic.com>
          file a.py
            . one
            a two
            h three
        commit By hand
          file b.py
            h four
        """,
    )


def test_clean_notes_pass(repo: Repo, tidegate: Tidegate) -> None:
    done = tidegate("provenance", "audit", cwd=repo.path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == snapshot(
        """\
refs/notes/ai: 2 read, 2 clean, 0 with findings
  3 of 3 claimed lines pass (100.0%)
refs/notes/tidegate-recovered: 0 read
"""
    )


def test_findings_are_grouped_and_hold(repo: Repo, tidegate: Tidegate) -> None:
    head = repo.head()
    repo.note(head, note_text(head, {"b.py": {"h": "1-3"}, "no\x1b[31m.py": {"a": "1"}}))
    done = tidegate("provenance", "audit", cwd=repo.path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.replace(head[:12], "COMMITCOMMIT") == snapshot(
        """\
refs/notes/ai: 2 read, 1 clean, 1 with findings
  3 of 6 claimed lines pass (50.0%)
refs/notes/tidegate-recovered: 0 read

note-over-reach  2 places, medium
  b.py:2-3: note of COMMITCOMMIT: the note claims lines 2-3, which the commit
    did not add
  no\\x1b[31m.py:1: note of COMMITCOMMIT: the note claims line 1, which the
    commit did not add

What an id means and how to mend it: tidegate explain ID
"""
    )
    found = json.loads(tidegate("provenance", "audit", "--format", "json", cwd=repo.path).stdout)
    assert found["schema"] == "tidegate.audit/1"
    assert [(rule["rule"], rule["notes"], len(rule["findings"])) for rule in found["rules"]] == [
        ("note-over-reach", 1, 2)
    ]


def test_a_range_or_a_ref_narrows_it(repo: Repo, tidegate: Tidegate) -> None:
    head = repo.head()
    repo.note(head, "broken")
    repo.note(head, "broken too", ref="other")
    assert tidegate("provenance", "audit", "HEAD~1", cwd=repo.path).returncode == 0
    assert tidegate("provenance", "audit", "HEAD~2..HEAD~1", cwd=repo.path).stdout.startswith("refs/notes/ai: 1 read")
    assert tidegate("provenance", "audit", "HEAD~1..HEAD", cwd=repo.path).returncode == 1
    other = tidegate("provenance", "audit", "--ref", "refs/notes/other", cwd=repo.path)
    assert other.stdout.startswith("refs/notes/other: 1 read, 0 clean, 1 with findings")


def test_nothing_to_audit_says_how_to_get_notes(tmp_path: Path, tidegate: Tidegate) -> None:
    Repo.init(tmp_path).commit("Base", {"a": "1\n"})
    done = tidegate("provenance", "audit", cwd=tmp_path)
    assert done.returncode == 0
    assert "git fetch origin 'refs/notes/*:refs/notes/*'" in done.stdout


@pytest.mark.parametrize("arguments", [("--ref", "refs/notes/none"), ("--ref", "-x"), ("nowhere",), ("a..b",)])
def test_what_is_not_there_is_said_in_one_line(repo: Repo, tidegate: Tidegate, arguments: tuple[str, ...]) -> None:
    done = tidegate("provenance", "audit", *arguments, cwd=repo.path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_an_unborn_branch_has_nothing_to_audit(tmp_path: Path, tidegate: Tidegate) -> None:
    Repo.init(tmp_path)
    assert tidegate("provenance", "audit", cwd=tmp_path).returncode == 0


def test_traces_are_audited_with_the_notes(repo: Repo, tidegate: Tidegate) -> None:
    record = {
        "version": "0.1.0",
        "id": "550e8400-e29b-41d4-a716-446655440000",
        "timestamp": "2026-01-23T14:30:00Z",
        "vcs": {"type": "git", "revision": repo.head()},
        "files": [{"path": "b.py", "conversations": [{"ranges": [{"start_line": 1, "end_line": 2}]}]}],
    }
    blob = repo.git("hash-object", "-w", "--stdin", stdin=json.dumps(record).encode() + b"\nbroken\n")
    tree = repo.git("mktree", stdin=f"100644 blob {blob}\ttraces.jsonl\n".encode())
    repo.git("update-ref", "refs/agentdiff/meta", repo.git("commit-tree", tree, "-m", "Traces"))
    done = tidegate("provenance", "audit", cwd=repo.path)
    assert done.returncode == 1
    assert "refs/agentdiff/meta:traces.jsonl: 1 read, 0 clean, 1 with findings" in done.stdout
    assert "trace-over-reach  1 place, medium" in done.stdout
    assert "trace-unreadable  1 place, medium" in done.stdout


def test_every_id_has_a_page() -> None:
    assert {*faults.SEVERITIES, *trace_audit.SEVERITIES} <= set(page_ids())


def test_the_settings_of_head_name_the_refs(repo: Repo, tidegate: Tidegate) -> None:
    repo.commit("Settings", {"tidegate.toml": '[provenance]\nnotes = ["refs/notes/mine"]\n'}, author=ALICE)
    assert tidegate("provenance", "audit", cwd=repo.path).stdout.startswith("refs/notes/mine: 0 read\n")
