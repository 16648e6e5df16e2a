"""The latest commits before a fix, as far as they touched its files: where, and which words they brought or took away.

Blame never names a commit that broke something by taking lines away, or by changing what stands beside. The words that
a fix changes and that a recent commit brought in or took out find it. One process for one fix.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import IO, NamedTuple, TypeAlias

from tidegate.change.diff_stream import hunk_numbers, unquote_path
from tidegate.change.git import Repository
from tidegate.errors import GitError
from tidegate.risk.szz.blame import Author

MOST_COMMITS = 12
MOST_BYTES = 2 << 20
MOST_LINES = 400
"""Lines of one commit whose words are read: a commit of thousands of lines holds every word."""


Span: TypeAlias = tuple[int, int, int, int]
"""Old start and count, new start and count of a hunk."""


class Recent(NamedTuple):
    """A commit that touched the files of a fix, with the words that it brought or took and its hunks by path there."""

    commit: str
    author: Author
    words: frozenset[bytes]
    size: int
    hunks: dict[bytes, list[Span]]


def read_recent(repository: Repository, base: str, paths: Sequence[bytes], most: int = MOST_COMMITS) -> list[Recent]:
    """The latest commits up to `base` that touched one of the paths, the newest first.

    It ends early past 2 MB of differences, and where git cannot go on.
    """
    found: list[Recent] = []
    arguments = (
        *("log", f"-n{most}", "--no-merges", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "-w"),
        *("--no-renames", "--src-prefix=a/", "--dst-prefix=b/", "--format=%x01%H %at %ct %ae%x02%s", base),
        "--",
    )
    try:
        with repository.stream(*arguments, *paths) as output:
            _read(output, found)
    except GitError:
        pass  # what was read before stays; a clone that lacks objects ends here
    return found


def words(lines: Sequence[bytes]) -> frozenset[bytes]:
    """The names and numbers in lines of code."""
    return frozenset(word for line in lines for word in _WORD.findall(line[:1000]))


# Private

_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{2,60}|[0-9]{2,}")
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def _read(output: IO[bytes], found: list[Recent]) -> None:
    header = b""
    plus: list[bytes] = []
    minus: list[bytes] = []
    hunks: dict[bytes, list[Span]] = {}
    path = b""
    read = 0
    for line in output:
        read += len(line)
        if line[:1] == b"\x01":
            if header:
                found.append(_recent(header, plus, minus, hunks))
            header, plus, minus, hunks = line, [], [], {}
            if read > MOST_BYTES:
                return
        elif line[:4] == b"--- " or line[:4] == b"+++ ":
            name = unquote_path(line[4:].rstrip(b"\n").rstrip(b"\t"))
            path = name[2:] if name != b"/dev/null" else path
        elif match := _HUNK.match(line):
            numbers = hunk_numbers(match)
            hunks.setdefault(path, []).append(numbers)
            for _ in range(numbers[1] + numbers[3]):
                row = output.readline()
                if row[:1] == b"\\":
                    row = output.readline()
                read += len(row)
                side = plus if row[:1] == b"+" else minus
                if len(side) < MOST_LINES:
                    side.append(row[1:])
            if read > MOST_BYTES:
                break
    if header:
        found.append(_recent(header, plus, minus, hunks))


def _recent(header: bytes, plus: Sequence[bytes], minus: Sequence[bytes], hunks: dict[bytes, list[Span]]) -> Recent:
    head, _, subject = header[1:].rstrip(b"\n").partition(b"\x02")
    oid, at, committed, email = [*head.split(b" ", 3), b"", b"", b"", b""][:4]
    author = Author(
        email.decode("utf-8", "backslashreplace").lower(),
        int(at or b"0"),
        int(committed or b"0"),
        subject.decode("utf-8", "backslashreplace"),
    )
    brought, taken = words(plus), words(minus)
    size = sum(h[1] + h[3] for of in hunks.values() for h in of)
    return Recent(oid.decode("ascii"), author, brought ^ taken, size, hunks)
