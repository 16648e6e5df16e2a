"""Declaring who wrote a commit: what the note says, what stays of others' notes, and what is refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.repos import ALICE, BOB, Repo, note_text
from tidegate.change.git import open_repository
from tidegate.provenance.audit import audit_notes
from tidegate.provenance.gitai import human_key, session_key
from tidegate.provenance.notes import read_notes
from tidegate.settings import Settings

Run = Callable[..., Any]
IDENTITY = {"GIT_AUTHOR_NAME": "Alice Smith", "GIT_AUTHOR_EMAIL": "alice@example.com"}
AGENT = ("--tool", "claude", "--model", "claude-opus-4-6", "--session", "s-1")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("Begin", {"a.txt": "1\n2\n3\n", "with space.txt": "x\n"})
    repo.commit("Change", {"a.txt": "1\nnew 2\n3\nnew 4\nnew 5\n", "b.txt": "b\n"})
    return repo


def note_of(repo: Repo, revision: str = "HEAD", ref: str = "ai") -> tuple[str, Any]:
    above, _, below = (repo.git("notes", f"--ref={ref}", "show", revision) + "\n").partition("---\n")
    return above, json.loads(below)


def test_the_note_claims_exactly_what_the_commit_adds(repo: Repo, tidegate: Run) -> None:
    done = tidegate("annotate", *AGENT, cwd=repo.path, env=IDENTITY)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "Declared 4 lines of 1 commit as written by claude claude-opus-4-6, "
        "for whom Alice Smith <alice@example.com> answers, in refs/notes/ai.\n"
    )
    above, metadata = note_of(repo)
    key = session_key("claude", "s-1")
    lines = above.splitlines()
    assert [lines[0], lines[2]] == ["a.txt", "b.txt"]
    assert lines[1].startswith(f"  {key}::t_")
    assert lines[1].endswith(" 2,4-5")
    assert metadata["schema_version"] == "authorship/3.0.0"
    assert metadata["base_commit_sha"] == repo.head()
    assert metadata["sessions"][key] == {
        "agent_id": {"tool": "claude", "id": "s-1", "model": "claude-opus-4-6"},
        "human_author": "Alice Smith <alice@example.com>",
    }


@pytest.mark.parametrize("options", [AGENT, ("--human",), (*AGENT, "--lines", "a.txt:4-5")])
def test_the_note_passes_the_audit(repo: Repo, tidegate: Run, options: tuple[str, ...]) -> None:
    assert tidegate("annotate", *options, cwd=repo.path, env=IDENTITY).returncode == 0
    with open_repository(repo.path) as repository:
        audit = audit_notes(repository, read_notes(repository, "refs/notes/ai"), Settings())
    assert audit.findings == ()
    assert audit.unknowns == ()


def test_a_range_annotates_each_commit(repo: Repo, tidegate: Run) -> None:
    repo.commit("Only removes", {"b.txt": None})
    repo.commit("Again", {"c.txt": "c\n"})
    done = tidegate("annotate", "HEAD~2..HEAD", "--human", "--by", BOB, cwd=repo.path)
    assert done.stdout.startswith("Declared 1 line of 1 commit as written by Bob Jones")
    assert note_of(repo)[0] == f"c.txt\n  {human_key(BOB)} 1\n"


def test_what_a_note_says_already_stays(repo: Repo, tidegate: Run) -> None:
    existing = note_text(repo.head(), {"a.txt": {"a": "2"}}).replace(
        '"prompts": {}', '"prompts": {"0123456789abcdef": {"messages": ["kept"]}}, "logical_commit_id": "x"'
    )
    repo.note(repo.head(), existing)
    done = tidegate("annotate", "--human", "--by", BOB, "--lines", "a.txt:4", cwd=repo.path)
    assert done.returncode == 0, done.stderr
    above, metadata = note_of(repo)
    assert above.splitlines()[1].endswith(" 2")
    assert above.splitlines()[2] == f"  {human_key(BOB)} 4"
    before = json.loads(existing.partition("---\n")[2])
    assert metadata == {**before, "humans": {human_key(BOB): {"author": BOB}}}


def test_a_contradiction_is_refused(repo: Repo, tidegate: Run) -> None:
    repo.note(repo.head(), note_text(repo.head(), {"a.txt": {"a": "2"}}))
    before = repo.git("for-each-ref")
    done = tidegate("annotate", "--human", cwd=repo.path, env=IDENTITY)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a.txt:2 is already claimed by somebody else" in done.stderr
    assert repo.git("for-each-ref") == before
    done = tidegate("annotate", "--human", "--replace", cwd=repo.path, env=IDENTITY)
    assert done.returncode == 0, done.stderr
    assert note_of(repo)[0].splitlines()[1] == f"  {human_key(ALICE)} 2,4-5"


def test_saying_it_twice_changes_nothing(repo: Repo, tidegate: Run) -> None:
    tidegate("annotate", *AGENT, cwd=repo.path, env=IDENTITY)
    before = repo.git("for-each-ref")
    done = tidegate("annotate", *AGENT, cwd=repo.path, env=IDENTITY)
    assert done.stdout == "refs/notes/ai says so already: nothing was written.\n"
    assert repo.git("for-each-ref") == before


def test_a_dry_run_writes_nothing(repo: Repo, tidegate: Run, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt"
    prompt.write_text("do it")
    before = repo.git("for-each-ref")
    done = tidegate("annotate", *AGENT, "--dry-run", "--prompt-file", str(prompt), cwd=repo.path, env=IDENTITY)
    assert done.stdout.startswith("Would declare 4 lines")
    assert '"human_author": "Alice Smith <alice@example.com>"' in done.stdout
    assert repo.git("for-each-ref") == before
    assert not (repo.path / ".git" / "tidegate").exists()


def test_of_a_prompt_only_a_salted_digest_is_kept(repo: Repo, tidegate: Run, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt"
    prompt.write_text("Deploy with password=Hunter2-Hunter2-9 to production")
    done = tidegate("annotate", *AGENT, "--prompt-file", str(prompt), cwd=repo.path, env=IDENTITY)
    assert done.returncode == 0, done.stderr
    record = note_of(repo)[1]["sessions"][session_key("claude", "s-1")]
    assert set(record["custom_attributes"]) == {"prompt_digest"}
    assert record["custom_attributes"]["prompt_digest"].startswith("sha256:")
    salt = repo.path / ".git" / "tidegate" / "salt"
    assert stat.S_IMODE(salt.stat().st_mode) == 0o600
    done = tidegate(
        "annotate", "HEAD~1", *AGENT, "--prompt-file", str(prompt), "--keep-prompt", cwd=repo.path, env=IDENTITY
    )
    assert done.returncode == 0, done.stderr
    text = repo.git("notes", "--ref=ai", "show", "HEAD~1")
    assert "Deploy with password=[redacted:" in text
    assert "Hunter2" not in text
    again = note_of(repo, "HEAD~1")[1]["sessions"][session_key("claude", "s-1")]
    assert again["custom_attributes"]["prompt_digest"] == record["custom_attributes"]["prompt_digest"]


def test_who_answers_comes_from_gits_configuration(repo: Repo, tidegate: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Carol\n\temail = carol@example.com\n[include]\n\tpath = evil\n")
    (home / "evil").write_text("[user]\n\tname = Mallory\n")
    assert (
        "by Carol <carol@example.com>"
        in tidegate("annotate", "--human", "--dry-run", cwd=repo.path, env={"HOME": str(home)}).stdout
    )
    repo.git("config", "user.name", "Local")
    assert (
        "by Local <carol@example.com>"
        in tidegate("annotate", "--human", "--dry-run", cwd=repo.path, env={"HOME": str(home)}).stdout
    )


def test_a_root_commit_and_a_merge(repo: Repo, tidegate: Run) -> None:
    assert tidegate("annotate", "HEAD~1", *AGENT, cwd=repo.path, env=IDENTITY).returncode == 0
    repo.git("checkout", "-q", "-b", "other", "HEAD~1")
    repo.commit("Other", {"a.txt": "1\nother 2\n3\n"})
    repo.git("merge", "-q", "--no-commit", "-s", "ours", "main")
    repo.commit("Merge", {"a.txt": "1\nother 2\nby hand\n3\nnew 4\nnew 5\n"})
    done = tidegate("annotate", "--human", cwd=repo.path, env=IDENTITY)
    assert done.returncode == 0, done.stderr
    assert note_of(repo)[0] == f"a.txt\n  {human_key(ALICE)} 3\n"


def test_the_trailer_follows_the_settings(repo: Repo, tidegate: Run) -> None:
    done = tidegate("annotate", *AGENT, "--trailer", cwd=repo.path, env=IDENTITY)
    assert "git commit --amend --no-edit --trailer 'Assisted-by: claude:claude-opus-4-6'\n" in done.stdout
    forbid = {**IDENTITY, "TIDEGATE_PROVENANCE_TRAILERS": "forbid"}
    done = tidegate("annotate", *AGENT, "--replace", "--trailer", cwd=repo.path, env=forbid)
    assert "--amend" not in done.stdout
    assert "forbids declaring trailers" in done.stdout
    require = {**IDENTITY, "TIDEGATE_PROVENANCE_TRAILERS": "require"}
    assert "requires a declaring trailer" in tidegate("annotate", *AGENT, cwd=repo.path, env=require).stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere", "--human"), "no commit is called 'nowhere' here"),
        (("--human", "--lines", "a.txt:1"), "a.txt:1 at "),
        (("--human", "--lines", "missing.txt:1"), "it adds lines to a.txt, b.txt"),
        (("--human", "--lines", "a.txt"), "is not a path with lines"),
        (("--human", "--lines", "a.txt:5-4"), "is not a path with lines"),
        (("HEAD~1..HEAD", "--human", "--ref", "refs/heads/main"), "name a ref below refs/notes/"),
        (("HEAD...HEAD~1", "--human"), "two dots"),
        (("HEAD..HEAD", "--human"), "no commit lies in this range"),
        (("--human", "--tool", "claude"), "a person has no tool"),
        (("--tool", "claude"), "who wrote it?"),
        (("--tool", "a:b", "--model", "m"), "not the name of a tool"),
        (("--human", "--by", "Alice <alice>"), "is not an e-mail address"),
        (("--human", "--by", "alice@example.com"), "is not a person"),
        ((*AGENT, "--keep-prompt"), "no prompt was given"),
        ((*AGENT, "--prompt-file", "missing"), "cannot be read"),
        (("HEAD~1", *AGENT, "--trailer"), "does not end at HEAD"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    repo: Repo, tidegate: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    before = repo.git("for-each-ref")
    done = tidegate("annotate", *arguments, cwd=repo.path, env=IDENTITY)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert repo.git("for-each-ref") == before


def test_somebody_has_to_answer(repo: Repo, tidegate: Run) -> None:
    done = tidegate("annotate", "--human", cwd=repo.path)
    assert done.returncode == 2
    assert "git does not know who you are" in done.stderr


def test_a_commit_that_adds_nothing(repo: Repo, tidegate: Run) -> None:
    repo.commit("Remove", {"b.txt": None})
    done = tidegate("annotate", "--human", cwd=repo.path, env=IDENTITY)
    assert (done.returncode, "adds no lines" in done.stderr) == (2, True)


def test_a_salt_that_is_a_link_is_not_followed(repo: Repo, tidegate: Run, tmp_path: Path) -> None:
    (tmp_path / "prompt").write_text("p")
    (repo.path / ".git" / "tidegate").mkdir()
    (repo.path / ".git" / "tidegate" / "salt").symlink_to(tmp_path / "target")
    options = (*AGENT, "--prompt-file", str(tmp_path / "prompt"))
    done = tidegate("annotate", *options, cwd=repo.path, env=IDENTITY)
    assert (done.returncode, "symbolic link" in done.stderr) == (2, True)
    assert not (tmp_path / "target").exists()
