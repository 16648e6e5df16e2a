"""Who or what wrote the lines of a file as it stands: one blame, joined to the evidence about the commits it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from tidegate.change.commits import read_commit_objects
from tidegate.change.diff_stream import unquote_path
from tidegate.change.git import Repository
from tidegate.change.lines import LineRun
from tidegate.change.values import show_path
from tidegate.errors import InputError
from tidegate.facts import Claim
from tidegate.provenance.evidence import read_evidence
from tidegate.provenance.replay import Replays
from tidegate.provenance.values import Origin
from tidegate.settings import Settings

FILE_LIMIT_BYTES = 8 << 20


class WhoRun(Struct, frozen=True):
    """A run of lines with one attribution, and their text (bytes that are not UTF-8 shown as \\xNN)."""

    line: int
    end_line: int
    origin: Origin
    subject: str
    committed_at: str
    lines: tuple[str, ...]
    conflict: tuple[Claim, ...] = ()


def read_who(
    repository: Repository, settings: Settings, revision: str, path: bytes, first: int = 0, last: int = 0
) -> tuple[WhoRun, ...]:
    """The lines `first` to `last` of a file at a revision (0: from its beginning, to its end), in line order.

    A constant number of processes. Raises InputError for a revision, path or line that is not there.
    """
    commit = repository.resolve(revision)
    lines = _read_lines(repository, commit, path)
    first, last = _checked_lines(first, last, len(lines), path)
    if not lines:
        return ()
    runs = _blame(repository, commit, path, first, last)
    commits = read_commit_objects(repository, dict.fromkeys(run.commit for run in runs if run.commit))
    index = read_evidence(repository, settings, tuple(commits.values()), None, (), commit)
    texts = {number: lines[number - 1] for number in range(first, last + 1)}
    extra = Replays((), index.sources.sessions.by_commit, {path: runs}).claims(path, runs, texts)
    found: list[WhoRun] = []
    for part in index.attribute(runs, extra):
        of = commits.get(part.origin.commit)
        found.append(
            WhoRun(
                line=part.line,
                end_line=part.end_line,
                origin=part.origin,
                subject=of.subject if of else "",
                committed_at=of.committed_at if of else "",
                lines=tuple(show_path(texts[number]) for number in range(part.line, part.end_line + 1)),
                conflict=part.conflict,
            )
        )
    return tuple(found)


class Asked(NamedTuple):
    """`PATH[:LINE[-LINE]]`, taken apart; 0 where no line is named."""

    path: str
    first: int
    last: int


def parse_place(text: str) -> Asked:
    """Takes `PATH`, `PATH:LINE` or `PATH:FIRST-LAST` apart. Raises InputError for lines that run backwards."""
    match = re.fullmatch(r"(.+?):(\d{1,9})(?:-(\d{1,9}))?", text, re.DOTALL)
    if match is None:
        return Asked(text, 0, 0)
    first = int(match[2])
    last = int(match[3]) if match[3] else first
    if first < 1 or last < first:
        raise InputError(f"{match[2]}-{last} is not a run of lines", where=text, mend="lines count from 1: PATH:3-9")
    return Asked(match[1], first, last)


# Private


def _read_lines(repository: Repository, commit: str, path: bytes) -> list[bytes]:
    where = show_path(path)
    name = f"{commit}:{path.decode('utf-8', 'surrogateescape')}"
    blob = next(iter(repository.read_blobs([name], limit=FILE_LIMIT_BYTES)))
    if blob.kind == "missing":
        raise InputError(
            f"no such file at {commit[:12]}", where=where, mend="is it committed? name another revision with --rev"
        )
    if blob.kind == "tree":
        raise InputError("this is a folder", where=where, mend="name one file in it")
    if blob.kind != "blob":
        reason = "the file is larger than 8 MiB" if blob.kind == "too-large" else "this is not a file of lines"
        raise InputError(reason, where=where, mend="name a text file")
    if b"\0" in blob.content[:8000]:
        raise InputError("a binary file has no lines", where=where, mend="name a text file")
    return blob.content.removesuffix(b"\n").split(b"\n") if blob.content else []


def _checked_lines(first: int, last: int, count: int, path: bytes) -> tuple[int, int]:
    if first > count or last > count:
        raise InputError(
            f"the file has {count} lines, not {max(first, last)}",
            where=show_path(path),
            mend=f"name lines from 1 to {count}" if count else "the file is empty",
        )
    return first or 1, last or count


def _blame(repository: Repository, commit: str, path: bytes, first: int, last: int) -> tuple[LineRun, ...]:
    """Which commit, path and line each line comes from, in line order. Commit "" where a shallow clone ends."""
    answer = repository.run("blame", "--incremental", "-L", f"{first},{last}", commit, "--", path)
    edge = repository.shallow_edge
    runs: list[LineRun] = []
    head: Sequence[bytes] = ()
    for row in answer.split(b"\n"):
        fields = row.split(b" ")
        if len(fields) == 4 and _HEADER.match(row):
            head = fields
        elif row.startswith(b"filename ") and head:
            oid = head[0].decode("ascii")
            cut = oid in edge
            runs.append(
                LineRun(
                    line=int(head[2]),
                    count=int(head[3]),
                    commit="" if cut else oid,
                    path=b"" if cut else unquote_path(row[len(b"filename ") :]),
                    commit_line=0 if cut else int(head[1]),
                )
            )
            head = ()
    return tuple(sorted(runs, key=lambda run: run.line))


_HEADER = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64}) \d+ \d+ \d+$")
