"""A forge drawn with real git: branches with notes, merged in the ways in which forges merge."""

from __future__ import annotations

from pathlib import Path

from tests.repos import ALICE, BOB, Repo, note_text
from tidegate.change.git import open_repository
from tidegate.provenance.recover import RecoveredCommit, Recovery, Scope, parse_scope, recover_lines
from tidegate.settings import Settings

BASE = "".join(f"base {number}\n" for number in range(1, 11))


def start(path: Path) -> Repo:
    repo = Repo.init(path)
    repo.commit("Begin", {"app.txt": BASE})
    return repo


def agent_commit(repo: Repo, path: str, lines: list[str], mark: str = "a", *, author: str = ALICE) -> str:
    """Append lines to a file as one commit, attested in its note; mark "" for no note."""
    target = repo.path / path
    before = target.read_text() if target.exists() else ""
    commit = repo.commit(f"Work on {path}", {path: before + "".join(f"{line}\n" for line in lines)}, author=author)
    if mark:
        first = before.count("\n") + 1
        claims = {path: {mark: f"{first}-{first + len(lines) - 1}"}}
        repo.note(commit, note_text(commit, claims, author))
    return commit


def squash(repo: Repo, branch: str, title: str) -> str:
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--squash", branch)
    return repo.commit(title, author=BOB)


def recovery(repo: Repo, text: str = "", settings: Settings | None = None) -> Recovery:
    with open_repository(repo.path) as repository:
        return recover_lines(repository, settings or Settings(), parse_scope(text) if text else Scope())


def commit_of(found: Recovery, oid: str) -> RecoveredCommit:
    return next(commit for commit in found.commits if commit.commit == oid)


def claimed(found: Recovery, repo: Repo) -> dict[str, str]:
    """Text of every recovered line to who wrote it."""
    texts: dict[str, str] = {}
    for commit in found.commits:
        for claim in commit.claims:
            lines = repo.git("show", f"{commit.commit}:{claim.path.decode()}").split("\n")
            for number in range(claim.first, claim.last + 1):
                texts[lines[number - 1]] = claim.session.tool or claim.session.human
    return texts
