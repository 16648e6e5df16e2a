"""Who wrote the lines of the base that a fix asks about: `git blame`, one process for each file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.errors import GitError
from tidegate.risk.szz.questions import Line, Question

MOST_RANGES = 60
FILE_LIMIT_BYTES = 192 << 10
"""A larger file is data more often than code, and each step of blame reads it whole."""


class Author(NamedTuple):
    """What blame says of a commit: e-mail, author's time and commit time in Unix seconds, subject, and path there."""

    email: str
    authored_at: int
    committed_at: int
    subject: str


class Blamed(NamedTuple):
    """One asked line with its text and the commit that wrote it; "" where a shallow clone ends."""

    path: bytes
    line: Line
    commit: str
    text: bytes


class Blame(NamedTuple):
    """The asked lines, and the commits that they name."""

    lines: tuple[Blamed, ...]
    authors: dict[str, Author]


def blame(repository: Repository, base: str, questions: Sequence[Question]) -> Blame:
    """The origin of every asked line of the base. A file that is too large or that git cannot blame is left out."""
    lines: list[Blamed] = []
    authors: dict[str, Author] = {}
    sizes = list(repository.look_up(question.oid for question in questions))
    for question, blob in zip(questions, sizes, strict=True):
        if not 0 < blob.size <= FILE_LIMIT_BYTES:
            continue
        asked = {line.number: line for line in question.lines}
        ranges = [f"-L{first},{last}" for first, last in _ranges(question.lines)[:MOST_RANGES]]
        try:
            answer = repository.run("blame", "--porcelain", "-w", *ranges, base, "--", question.path)
        except GitError:
            continue
        for oid, number, text in _entries(answer, authors):
            if number in asked:
                commit = "" if oid in repository.shallow_edge else oid
                lines.append(Blamed(question.path, asked[number], commit, text))
    return Blame(tuple(lines), authors)


# Private

_HEADER = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) \d+ (\d+)(?: \d+)?$")


def _ranges(lines: Sequence[Line]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for line in lines:
        if joined and line.number <= joined[-1][1] + 2:
            joined[-1] = (joined[-1][0], line.number)
        else:
            joined.append((line.number, line.number))
    return joined


def _entries(answer: bytes, authors: dict[str, Author]) -> Iterator[tuple[str, int, bytes]]:
    """Commit, line and text of each line; what is said of a commit where it comes first goes to `authors`."""
    oid, number = "", 0
    said: dict[bytes, bytes] = {}
    for row in answer.split(b"\n"):
        if row[:1] == b"\t":
            if said:
                authors.setdefault(oid, _author(said))
            yield oid, number, row[1:]
            said = {}
        elif match := _HEADER.match(row):
            oid, number = match[1].decode("ascii"), int(match[2])
        elif row:
            key, _, value = row.partition(b" ")
            said[key] = value


def _author(said: dict[bytes, bytes]) -> Author:
    return Author(
        email=said.get(b"author-mail", b"").strip(b"<>").decode("utf-8", "backslashreplace").lower(),
        authored_at=_seconds(said.get(b"author-time", b"")),
        committed_at=_seconds(said.get(b"committer-time", b"")),
        subject=said.get(b"summary", b"").decode("utf-8", "backslashreplace"),
    )


def _seconds(text: bytes) -> int:
    return int(text) if re.fullmatch(rb"-?\d{1,18}", text) else 0
