"""Generates large repositories quickly, by one `git fast-import`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.repos import CLAUDE_TRAILER, note_text

ALICE = "Alice Smith <alice@example.com>"
HISTORY = 200
BRANCH_COMMITS = 12


def generate(path: Path, *, files: int, changed: int) -> Path:
    """A repository with `files` files on `main`, and a checked-out branch `feature` that changes `changed` of them."""
    path.mkdir(parents=True)
    _git(path, "init", "-q", "-b", "main")
    stream = b"".join(_stream(files, changed))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=stream, check=True)
    _git(path, "symbolic-ref", "HEAD", "refs/heads/feature")
    _git(path, "read-tree", "feature")
    commits = _git(path, "rev-list", "--reverse", "main..feature").split()
    per_commit = changed // BRANCH_COMMITS + 1
    for number, commit in enumerate(commits):
        if number % 3 == 0:
            names = [
                _name(n * 997 % files) for n in range(number * per_commit, min((number + 1) * per_commit, changed))
            ]
            text = note_text(commit, {name: {"a": "5-14"} for name in names})
            subprocess.run(
                [
                    "git",
                    "-c",
                    "user.name=a",
                    "-c",
                    "user.email=a@example.com",
                    "notes",
                    "--ref=ai",
                    "add",
                    "-F",
                    "-",
                    commit,
                ],
                cwd=path,
                input=text.encode(),
                check=True,
            )
    return path


def _stream(files: int, changed: int) -> Iterator[bytes]:
    owners = "".join(f"/area{n:03}/ @team{n % 20} @person{n % 50}\n" for n in range(300)).encode()
    yield _commit("refs/heads/main", "Start", 0)
    yield _file("CODEOWNERS", owners)
    for number in range(files):
        yield _file(_name(number), _content(number, 40))
    for number in range(1, HISTORY):
        yield _commit("refs/heads/main", f"Change {number}", number)
        yield _file(_name(number * 31 % files), _content(number, 41))
    yield b"reset refs/heads/feature\nfrom refs/heads/main\n\n"
    per_commit = changed // BRANCH_COMMITS + 1
    for number in range(BRANCH_COMMITS):
        trailer = f"\n\n{CLAUDE_TRAILER}" if number % 3 == 1 else ""
        yield _commit("refs/heads/feature", f"Feature part {number}{trailer}", HISTORY + number)
        for n in range(number * per_commit, min((number + 1) * per_commit, changed)):
            index = n * 997 % files
            lines = _content(index, 40).splitlines(keepends=True)
            added = [b"    added_%d = %d\n" % (line, n) for line in range(10)]
            yield _file(_name(index), b"".join([*lines[:4], *added, *lines[4:]]))


def _name(number: int) -> str:
    area = ("auth", "billing", "web", "core")[number % 4]
    return f"area{number % 500:03}/{area}/module_{number:05}.py"


def _content(number: int, lines: int) -> bytes:
    """A module of so many lines: functions of ten lines, each calling the one before it and one of the next module."""
    made = [b"from area%03d.core import module_%05d\n" % ((number + 1) % 500, number + 1)]
    for start in range(1, lines, 10):
        made.append(b"def function_%d_%d(value):\n" % (number, start))
        made += [b"    value = value + %d\n" % line for line in range(start + 1, min(start + 9, lines))]
        if start + 9 < lines:
            made.append(b"    return function_%d_%d(value)\n" % (number, max(start - 10, 1)))
    return b"".join(made[:lines])


def _commit(ref: str, message: str, hour: int) -> bytes:
    data = message.encode()
    date = 1_770_000_000 + 3600 * hour
    return b"commit %s\ncommitter %s %d +0000\ndata %d\n%s\n" % (ref.encode(), ALICE.encode(), date, len(data), data)


def _file(path: str, content: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)


def _git(path: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=path, capture_output=True, text=True, check=True).stdout
