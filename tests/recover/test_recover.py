"""What recovery brings back after each way of merging, what it refuses to say, and what it writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.recover.forge import BASE, agent_commit, claimed, commit_of, recovery, squash, start
from tests.repos import ALICE, BOB, Repo, note_text
from tidegate.change.git import Repository, open_repository
from tidegate.errors import InputError
from tidegate.provenance.agent_trace import parse_records
from tidegate.provenance.audit import audit_notes
from tidegate.provenance.notes import read_notes
from tidegate.provenance.recover import Scope, parse_scope, recover_lines
from tidegate.settings import Settings

Run = Callable[..., Any]
IDENTITY = {"GIT_AUTHOR_NAME": "Bob Jones", "GIT_AUTHOR_EMAIL": "bob@example.com"}


@pytest.fixture
def forge(tmp_path: Path) -> Repo:
    """A pull request of an agent's, a person's and an undeclared commit, squashed after main moved on."""
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1", "agent 2", "agent 3"])
    agent_commit(repo, "new.txt", ["typed 1", "typed 2"], "h", author=BOB)
    agent_commit(repo, "new.txt", ["silent 1"], "")
    repo.git("update-ref", "refs/pull/7/head", "feature")
    repo.git("checkout", "-q", "main")
    repo.commit("Elsewhere", {"app.txt": f"top\n{BASE}"})
    squash(repo, "feature", "Add the feature (#7)")
    repo.git("branch", "-q", "-D", "feature")
    return repo


def test_a_squash_merge_gets_its_lines_back(forge: Repo) -> None:
    found = recovery(forge)
    assert claimed(found, forge) == {
        "agent 1": "claude",
        "agent 2": "claude",
        "agent 3": "claude",
        "typed 1": BOB,
        "typed 2": BOB,
    }
    commit = commit_of(found, forge.head())
    assert (commit.added, commit.recovered, dict(commit.losses)) == (6, 5, {"commit-without-note": 1})
    assert [(source.kind, source.name) for source in commit.sources] == [("pull request", "refs/pull/7/head")]


def test_lines_that_the_merge_changed_are_not_the_agents(forge: Repo) -> None:
    text = (forge.path / "app.txt").read_text().replace("agent 2", "agent 2, edited by hand")
    forge.write("app.txt", text)
    forge.git("commit", "-q", "-a", "--amend", "--no-edit")
    found = recovery(forge)
    assert "agent 2, edited by hand" not in claimed(found, forge)
    assert "agent 1" in claimed(found, forge)
    assert commit_of(found, forge.head()).losses["changed-at-merge"] == 1


def test_a_rebase_merge_gets_its_lines_back_without_any_ref(tmp_path: Path) -> None:
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    first = agent_commit(repo, "app.txt", ["agent 1"])
    second = agent_commit(repo, "b.txt", ["agent 2"])
    repo.git("checkout", "-q", "main")
    repo.commit("Elsewhere", {"c.txt": "c\n"})
    repo.git("cherry-pick", first, second, env={"GIT_COMMITTER_NAME": "Forge"})
    repo.git("branch", "-q", "-D", "feature")
    assert set(claimed(recovery(repo), repo)) == {"agent 1", "agent 2"}


def test_a_rewrite_that_forgot_author_and_date_is_found_by_its_patch(tmp_path: Path) -> None:
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1"])
    repo.git("checkout", "-q", "main")
    repo.commit("Elsewhere", {"app.txt": f"top\n{BASE}"})
    repo.git("cherry-pick", "feature")
    repo.git("commit", "-q", "--amend", "--reset-author", "--no-edit")
    found = recovery(repo)
    assert claimed(found, repo) == {"agent 1": "claude"}
    assert commit_of(found, repo.head()).sources[0].kind == "same patch"


def test_a_local_squash_without_a_number_is_found_by_its_patch(tmp_path: Path) -> None:
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1"])
    agent_commit(repo, "app.txt", ["agent 2"])
    repo.git("checkout", "-q", "main")
    repo.commit("Elsewhere", {"c.txt": "c\n"})
    squash(repo, "feature", "All of it at once")
    assert set(claimed(recovery(repo), repo)) == {"agent 1", "agent 2"}


def test_a_cherry_pick_that_names_its_source(tmp_path: Path) -> None:
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1"])
    repo.git("checkout", "-q", "main")
    repo.commit("Elsewhere", {"app.txt": BASE.replace("base 5\n", "")})
    repo.git("cherry-pick", "-x", "feature")
    found = recovery(repo)
    assert claimed(found, repo) == {"agent 1": "claude"}
    assert commit_of(found, repo.head()).sources[0].kind == "cherry-pick"


def test_gitlab_squashes_and_then_merges(tmp_path: Path) -> None:
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1"])
    agent_commit(repo, "app.txt", ["agent 2"])
    repo.git("update-ref", "refs/merge-requests/3/head", "feature")
    repo.git("checkout", "-q", "-b", "squashed", "main")
    repo.git("merge", "-q", "--squash", "feature")
    oid = repo.commit("Add the feature")
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'feature' into 'main'\n\nSee merge request group/app!3", oid)
    repo.git("branch", "-q", "-D", "feature", "squashed")
    found = recovery(repo)
    assert set(claimed(found, repo)) == {"agent 1", "agent 2"}
    assert commit_of(found, oid).sources[0].name == "refs/merge-requests/3/head"


def test_a_squash_of_rebased_commits_is_followed_twice(tmp_path: Path) -> None:
    """The pull request was rebased after the agent's notes were written: notes hang on commits before the rebase."""
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1"])
    repo.git("update-ref", "refs/original/feature", "feature")
    repo.git("checkout", "-q", "main")
    repo.commit("Elsewhere", {"c.txt": "c\n"})
    repo.git("checkout", "-q", "feature")
    repo.git("rebase", "-q", "main")
    agent_commit(repo, "d.txt", ["agent 2"])
    repo.git("update-ref", "refs/pull/9/head", "feature")
    repo.git("checkout", "-q", "main")
    repo.commit("Elsewhere again", {"c.txt": "d\n"})
    squash(repo, "feature", "Feature (#9)")
    assert set(claimed(recovery(repo), repo)) == {"agent 1", "agent 2"}


def test_merged_main_lines_are_not_the_branchs(tmp_path: Path) -> None:
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1"])
    repo.git("checkout", "-q", "main")
    agent_commit(repo, "c.txt", ["from main"], "")
    repo.git("checkout", "-q", "feature")
    repo.git("merge", "-q", "--no-edit", "main")
    agent_commit(repo, "b.txt", ["agent 2"])
    repo.git("update-ref", "refs/pull/4/head", "feature")
    squash(repo, "feature", "Feature (#4)")
    found = recovery(repo)
    assert set(claimed(found, repo)) == {"agent 1", "agent 2"}


@pytest.mark.parametrize(
    ("note", "loss"),
    [
        ("app.txt\n  s_00000000000000::t_00000000000000 11-13\n---\n{}", "note-fails-audit"),
        ("not a note", "note-unreadable"),
        ("---\n{}", "note-silent"),
    ],
)
def test_notes_that_prove_nothing(tmp_path: Path, note: str, loss: str) -> None:
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    repo.note(agent_commit(repo, "app.txt", ["1", "2", "3"], ""), note)
    repo.git("update-ref", "refs/pull/1/head", "feature")
    squash(repo, "feature", "Feature (#1)")
    commit = commit_of(recovery(repo), repo.head())
    assert (commit.recovered, dict(commit.losses)) == (0, {loss: 3})


def test_every_line_has_a_reason(forge: Repo) -> None:
    forge.commit("Fix (#99)", {"x.txt": "x\n"})
    forge.commit("No number", {"y.txt": "y\n"})
    found = recovery(forge)
    assert [dict(commit.losses) for commit in found.commits] == [
        {"no-source": 1},
        {"source-not-here": 1},
        {"commit-without-note": 1},
        {"no-source": 1},
        {"no-source": 10},
    ]
    for commit in found.commits:
        assert commit.recovered + sum(commit.losses.values()) == commit.added


def test_a_missing_pull_request_loses_and_never_guesses(forge: Repo) -> None:
    forge.git("update-ref", "-d", "refs/pull/7/head")
    forge.git("checkout", "-q", "main")
    found = recovery(forge)
    # The notes still name commits that lie about in this repository; their patches alone match nothing of the squash.
    assert commit_of(found, forge.head()).losses == {"source-not-here": 6}


def test_a_range_and_a_commit(forge: Repo) -> None:
    head = forge.head()
    forge.commit("Later", {"z.txt": "z\n"})
    assert [commit.commit for commit in recovery(forge, f"{head}..HEAD").commits] == [forge.head()]
    assert [commit.commit for commit in recovery(forge, head).commits] == [head]
    assert claimed(recovery(forge, head), forge)
    assert [commit.subject for commit in recovery(forge, forge.head("main~3")).commits] == ["Begin"]
    with pytest.raises(InputError, match="two dots"):
        parse_scope("a...b")


def test_a_shallow_clone_claims_nothing_at_its_edge(forge: Repo, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    refs = ["+refs/pull/*:refs/pull/*", "+refs/notes/*:refs/notes/*"]
    forge.git("clone", "-q", "--depth=1", f"file://{forge.path}", str(clone))
    shallow = Repo(clone, forge.clock)
    shallow.git("fetch", "-q", "--depth=1", "origin", *refs)
    assert recovery(shallow).commits == ()


def test_written_notes_pass_the_audit_and_are_read_back(forge: Repo, tidegate: Run) -> None:
    done = tidegate("provenance", "recover", "--write", cwd=forge.path, env=IDENTITY)
    assert done.returncode == 0, done.stderr
    with open_repository(forge.path) as repository:
        notes = dict(read_notes(repository, "refs/notes/tidegate-recovered"))
        audit = audit_notes(repository, notes.items(), Settings())
    assert set(notes) == {forge.head()}
    assert audit.findings == ()
    who = json.loads(tidegate("who", "app.txt", "--format", "json", cwd=forge.path).stdout)
    assert [(s["line"], s["end_line"], s["writer"], s["tool"]) for s in who["spans"] if s["writer"] == "ai"] == [
        (12, 14, "ai", "claude")
    ]
    again = tidegate("provenance", "recover", "--write", cwd=forge.path, env=IDENTITY)
    assert "Nothing was written" in again.stdout


def test_nothing_is_written_unless_asked(forge: Repo, tidegate: Run) -> None:
    before = forge.git("for-each-ref")
    done = tidegate("provenance", "recover", cwd=forge.path)
    assert done.returncode == 0, done.stderr
    assert forge.git("for-each-ref") == before
    assert not list(forge.path.glob(".git/tidegate/*"))


def test_a_note_that_exists_is_never_replaced(forge: Repo, tidegate: Run) -> None:
    forge.note(forge.head(), "---\n{}", ref="other")
    done = tidegate("provenance", "recover", "--write", "--ref", "refs/notes/other", cwd=forge.path, env=IDENTITY)
    assert done.returncode == 0, done.stderr
    assert forge.git("notes", "--ref=other", "show", "HEAD") == "---\n{}"


def test_the_agent_trace_holds_the_same_lines(forge: Repo, tidegate: Run, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    done = tidegate("provenance", "recover", "--trace", str(trace), cwd=forge.path)
    assert done.returncode == 0, done.stderr
    traces = parse_records(trace.read_bytes())
    assert traces.faults == ()
    lines = {
        (file.path, conversation.contributor, part.first, part.last)
        for record in traces.records
        for file in record.files
        for conversation in file.conversations
        for part in conversation.ranges
    }
    assert lines == {(b"app.txt", "ai", 12, 14), (b"new.txt", "human", 1, 2)}
    assert {record.revision for record in traces.records} == {forge.head()}
    again = tidegate("provenance", "recover", "--trace", str(trace), cwd=forge.path)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)


def test_the_number_of_processes_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def count(requests: int) -> int:
        repo = start(tmp_path / str(requests))
        for number in range(1, requests + 1):
            repo.git("checkout", "-q", "-b", f"feature-{number}", "main")
            agent_commit(repo, f"{number}.txt", [f"agent {number}"])
            agent_commit(repo, f"{number}.txt", [f"agent {number} again"])
            repo.git("update-ref", f"refs/pull/{number}/head", "HEAD")
            squash(repo, f"feature-{number}", f"Feature (#{number})")
        asked: list[object] = []
        run, stream = Repository.run, Repository.stream
        with monkeypatch.context() as patch, open_repository(repo.path) as repository:
            patch.setattr(Repository, "run", lambda self, *a, **k: (asked.append(a), run(self, *a, **k))[1])
            patch.setattr(Repository, "stream", lambda self, *a, **k: (asked.append(a), stream(self, *a, **k))[1])
            found = recover_lines(repository, Settings(), Scope())
        assert sum(commit.recovered for commit in found.commits) == 2 * requests
        return len(asked)

    assert count(1) == count(5) <= 30


def test_hostile_messages_cost_little(tmp_path: Path) -> None:
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1"])
    repo.git("checkout", "-q", "main")
    picks = "\n".join(f"(cherry picked from commit {number:040x})" for number in range(1500))
    repo.commit("x " + "(#1)" * 5000 + f"\n\n{picks}", {"e.txt": "e\n"})
    repo.commit("\x1b[31m(#" + "9" * 300 + ")", {"f.txt": "f\n"})
    assert claimed(recovery(repo), repo) == {}


def test_what_a_person_reads(forge: Repo, tidegate: Run) -> None:
    done = tidegate("provenance", "recover", cwd=forge.path)
    assert done.stdout == (
        "5 lines of the 6 that 1 commit adds can be attributed.\n"
        "\n"
        f"  {forge.head()[:9]}        5 of       6  Add the feature (#7)\n"
        "\n"
        "Lines that stay unknown, and why\n"
        "  11  nothing says what the commit was made from\n"
        "   1  the commit that wrote the line has no note\n"
        "\n"
        "Nothing was written. Write it as notes: tidegate provenance recover --write\n"
    )


def test_a_note_of_a_person_with_a_claim_of_another(tmp_path: Path) -> None:
    """Two sessions in one commit come back as two."""
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    commit = repo.commit("Two", {"two.txt": "by agent\nby hand\n"})
    repo.note(commit, note_text(commit, {"two.txt": {"a": "1", "h": "2"}}, ALICE))
    repo.git("update-ref", "refs/pull/2/head", "HEAD")
    squash(repo, "feature", "Two (#2)")
    assert claimed(recovery(repo), repo) == {"by agent": "claude", "by hand": ALICE}


def test_a_rebased_branch_that_was_merged(tmp_path: Path) -> None:
    """The rewritten commits reach main as they are, on the second parent of a merge."""
    repo = start(tmp_path)
    repo.git("checkout", "-q", "-b", "feature")
    agent_commit(repo, "app.txt", ["agent 1"])
    repo.git("checkout", "-q", "main")
    repo.commit("Elsewhere", {"c.txt": "c\n"})
    repo.git("checkout", "-q", "feature")
    repo.git("rebase", "-q", "main")
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "--no-edit", "feature")
    found = recovery(repo)
    assert claimed(found, repo) == {"agent 1": "claude"}
    assert commit_of(found, repo.head("feature")).recovered == 1
