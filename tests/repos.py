"""Real git repositories for tests, built from a small text that is read at a glance.

    commit Add the parser
      by Alice <alice@example.com>
      trailer Co-authored-by: Claude <noreply@anthropic.com>
      file src/parser.py
        . def parse(text):
        a     return text.split()
    branch feature
    commit ...
    merge main

A line of a file carries an authorship mark: `.` says nothing, `a` was written by an agent, `h` by a person who attests
it. Marked lines are attested in a git-ai note on the commit, so mark only lines that the commit adds. `delete PATH`,
`rename OLD NEW`, `body TEXT`, `checkout BRANCH`, `tag NAME` do what they say. Every run gives the same object ids.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ALICE = "Alice Smith <alice@example.com>"
BOB = "Bob Jones <bob@example.com>"
CLAUDE_TRAILER = "Co-authored-by: Claude <noreply@anthropic.com>"
SESSION = ("claude", "11111111-2222-3333-4444-555555555555", "claude-opus-4-6")
_START = 1_770_000_000


@dataclass
class Repo:
    """One real repository under `path`. Dates advance by an hour with every commit."""

    path: Path
    clock: int = _START

    @classmethod
    def init(cls, path: Path, *, object_format: str = "sha1") -> Repo:
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path)
        repo.git("init", "-q", "-b", "main", f"--object-format={object_format}")
        return repo

    def git(self, *arguments: str | bytes, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
        """What git prints, stripped. Fails the test when git fails."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            env={**_environment(self.clock), **(env or {})},
            check=False,
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr.decode('utf-8', 'replace')}"
        return done.stdout.decode("utf-8", "backslashreplace").strip()

    def write(self, path: str, content: str | bytes) -> None:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(
        self,
        message: str,
        files: Mapping[str, str | bytes | None] | None = None,
        *,
        author: str = ALICE,
        committer: str | None = None,
    ) -> str:
        """A commit of the given files (None deletes one), and its object id."""
        for path, content in (files or {}).items():
            if content is None:
                (self.path / path).unlink()
            else:
                self.write(path, content)
        self.git("add", "-A")
        self.clock += 3600
        name, _, email = (committer or author).partition(" <")
        env = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email.rstrip(">")}
        self.git("commit", "-q", "--allow-empty", f"--author={author}", "-m", message, env=env)
        return self.head()

    def head(self, revision: str = "HEAD") -> str:
        return self.git("rev-parse", revision)

    def note(self, commit: str, text: str, ref: str = "ai") -> None:
        self.git("notes", f"--ref={ref}", "add", "-f", "-F", "-", commit, stdin=text.encode())


def build(path: Path, script: str) -> Repo:
    """The repository that the script draws."""
    repo = Repo.init(path)
    pending: _Commit | None = None
    file: list[str] | None = None
    for number, line in enumerate(textwrap.dedent(script).splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        word, _, rest = line.strip().partition(" ")
        if not line.strip():
            continue
        if indent >= 4 and file is not None:
            file.append(line[4:])
        elif indent == 0:
            if pending is not None:
                pending.land(repo)
            pending, file = None, None
            if word == "commit":
                pending = _Commit(rest)
            else:
                _move(repo, word, rest, number)
        else:
            assert pending is not None, f"line {number}: {line.strip()!r} belongs to no commit"
            file = pending.take(word, rest, number)
    if pending is not None:
        pending.land(repo)
    return repo


def note_text(commit: str, claims: Mapping[str, Mapping[str, str]], person_name: str = ALICE) -> str:
    """A git-ai note: path to mark (`a` or `h`) to ranges such as `1-3,7`. The person prompted, or typed."""
    tool, identity, model = SESSION
    agent = "s_" + hashlib.sha256(f"{tool}:{identity}".encode()).hexdigest()[:14]
    person = "h_" + hashlib.sha256(person_name.encode()).hexdigest()[:14]
    out = []
    for path, marks in claims.items():
        out.append(f'"{path}"' if " " in path else path)
        out += [
            f"  {agent + '::t_00000000000000' if mark == 'a' else person} {ranges}" for mark, ranges in marks.items()
        ]
    used = {mark for marks in claims.values() for mark in marks}
    metadata: dict[str, object] = {
        "schema_version": "authorship/3.0.0",
        "git_ai_version": "1.6.24",
        "base_commit_sha": commit,
        "prompts": {},
    }
    if "a" in used:
        metadata["sessions"] = {
            agent: {"agent_id": {"tool": tool, "id": identity, "model": model}, "human_author": person_name}
        }
    if "h" in used:
        metadata["humans"] = {person: {"author": person_name}}
    return "\n".join([*out, "---", json.dumps(metadata, indent=2)])


# Private


@dataclass
class _Commit:
    subject: str
    author: str = ALICE
    committer: str | None = None
    body: list[str] = field(default_factory=list)
    trailers: list[str] = field(default_factory=list)
    files: dict[str, list[str]] = field(default_factory=dict)
    moves: list[tuple[str, ...]] = field(default_factory=list)

    def take(self, word: str, rest: str, number: int) -> list[str] | None:
        if word == "by":
            self.author = rest
        elif word == "committer":
            self.committer = rest
        elif word == "body":
            self.body.append(rest)
        elif word == "trailer":
            self.trailers.append(rest)
        elif word == "file":
            return self.files.setdefault(rest, [])
        elif word in ("delete", "rename"):
            self.moves.append((word, *rest.split()))
        else:
            raise AssertionError(f"line {number}: {word!r} is not a word of the script")
        return None

    def land(self, repo: Repo) -> None:
        for word, *paths in self.moves:
            repo.git("rm", "-q", paths[0]) if word == "delete" else repo.git("mv", *paths)
        contents = {path: "".join(f"{line[2:]}\n" for line in lines) for path, lines in self.files.items()}
        message = "\n\n".join(part for part in (self.subject, "\n".join(self.body), "\n".join(self.trailers)) if part)
        commit = repo.commit(message, contents, author=self.author, committer=self.committer)
        claims = {path: found for path, lines in self.files.items() if (found := _marks(lines))}
        if claims:
            repo.note(commit, note_text(commit, claims, self.author))


def _marks(lines: list[str]) -> dict[str, str]:
    found: dict[str, list[int]] = {}
    for number, line in enumerate(lines, 1):
        if line[0] in "ah":
            found.setdefault(line[0], []).append(number)
    return {mark: ",".join(map(str, numbers)) for mark, numbers in found.items()}


def _move(repo: Repo, word: str, rest: str, number: int) -> None:
    if word == "branch":
        repo.git("checkout", "-q", "-b", rest)
    elif word == "checkout":
        repo.git("checkout", "-q", rest)
    elif word == "tag":
        repo.git("tag", rest)
    elif word == "merge":
        repo.clock += 3600
        repo.git("merge", "-q", "--no-ff", "-m", f"Merge {rest}", rest)
    else:
        raise AssertionError(f"line {number}: {word!r} is not a word of the script")


def _environment(clock: int) -> dict[str, str]:
    date = f"{clock} +0000"
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Alice Smith",
        "GIT_AUTHOR_EMAIL": "alice@example.com",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": "Alice Smith",
        "GIT_COMMITTER_EMAIL": "alice@example.com",
        "GIT_COMMITTER_DATE": date,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
