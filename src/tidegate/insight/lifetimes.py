"""How long the lines of each change lived: one pass over the history of the branch, from diff to diff.

Whose a line is, is whose its change is: history keeps no writer for each line that was ever deleted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import IO

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.insight.survival import End, Lines, gone_by
from tidegate.insight.values import WRITERS, Row, Shipped, Table

MOST_LINES = 30_000_000
"""Of diffs: a history with more is not followed, and that is said."""
WITHIN_DAYS = 90.0
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_FOREIGN = -1
"""The owner of lines that were there before."""
_ENDLESS = 1 << 40


class Mended(Struct, frozen=True):
    """Which change repaired which, by numbers of changes; `files` are the paths that people write."""

    pairs: Collection[tuple[int, int]]
    files: Collection[bytes]


def read_lifetimes(
    repository: Repository, until: str, shipped: Sequence[Shipped], mended: Mended
) -> list[Lines] | None:
    """The lines that the changes added, each with its end. `shipped` is the oldest first, on the way to `until`.

    One process of git. None where the history is too large.
    """
    if not shipped:
        return []
    numbers = {one.commit.encode(): number for number, one in enumerate(shipped)}
    options = ("--first-parent", "--reverse", "--diff-merges=first-parent", "-p", "-U0", "-M", "--no-color")
    plain = ("--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--format=%x00%H")
    book = _Book(mended.files)
    asked = ("--end-of-options", until, f"^{shipped[0].commit}^@")
    with repository.stream("log", *options, *plain, *asked) as output:
        for number in _changes(output, numbers, book):
            if number < 0:
                return None
    last = max(one.landed for one in shipped)
    return [*_ended(book, shipped, mended.pairs), *_alive(book, shipped, last)]


def survival_of(lines: Sequence[Lines], shipped: Sequence[Shipped], days: float = WITHIN_DAYS) -> Table | None:
    """The shares of lines that were repaired, and that were replaced, within so many days, for all and by writer."""
    from msgspec.structs import replace

    if not lines:
        return None
    writers = [writer for writer in WRITERS if any(one.writer == writer for one in shipped)]
    whole = [replace(one, writer="unknown") for one in lines]
    rows = [("all", gone_by(whole, "unknown", days)), *((each, gone_by(lines, each, days)) for each in writers)]
    named = [
        Row(group=group, figures=tuple(replace(one, name=f"lines {one.name} in {days:.0f} days") for one in figures))
        for group, figures in rows
    ]
    return Table(by="writer", whole=named[0], rows=tuple(named[1:]))


# Private


class _Book:
    """Who owns the lines of each file, as runs of (owner, count)."""

    def __init__(self, files: Collection[bytes]) -> None:
        self._mine = files
        self._files: dict[bytes, list[tuple[int, int]]] = {}
        self.gone: dict[tuple[int, int], int] = defaultdict(int)

    def turn(self, number: int, old: bytes, new: bytes, hunks: Sequence[tuple[int, int, int]]) -> None:
        """Takes in the diff of one file; each hunk is the old line, how many go, and how many come."""
        runs = self._files.pop(old, None) if old else []
        if not new:
            self._drop(runs or (), number)
        elif new in self._mine or runs:
            self._files[new] = self._turned(runs if runs is not None else [(_FOREIGN, _ENDLESS)], number, hunks)

    def alive(self) -> Mapping[int, int]:
        counts: dict[int, int] = defaultdict(int)
        for runs in self._files.values():
            for owner, count in runs:
                if owner != _FOREIGN:
                    counts[owner] += count
        return counts

    # Private

    def _drop(self, runs: Sequence[tuple[int, int]], number: int) -> None:
        for owner, count in runs:
            if owner != _FOREIGN:
                self.gone[owner, number] += count

    def _turned(
        self, runs: list[tuple[int, int]], number: int, hunks: Sequence[tuple[int, int, int]]
    ) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        rest = iter(runs)
        current = next(rest, (_FOREIGN, 0))
        place = 0
        for start, less, more in hunks:
            before = start - 1 if less else start
            for wanted, keep in ((before - place, True), (less, False)):
                left = wanted
                while left > 0 and current[1]:
                    took = min(left, current[1])
                    if keep:
                        found.append((current[0], took))
                    elif current[0] != _FOREIGN:
                        self.gone[current[0], number] += took
                    left -= took
                    current = (current[0], current[1] - took) if current[1] > took else next(rest, (_FOREIGN, 0))
            place = before + less
            if more:
                found.append((number, more))
        if current[1]:
            found.append(current)
        found.extend(rest)
        return _joined(found)


def _joined(runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for owner, count in runs:
        if found and found[-1][0] == owner:
            found[-1] = (owner, found[-1][1] + count)
        else:
            found.append((owner, count))
    return found


def _changes(output: IO[bytes], numbers: Mapping[bytes, int], book: _Book) -> Iterator[int]:
    """Feeds the book; yields the number of each change when it begins, -1 where there is too much."""
    number, read = _FOREIGN, 0
    old = new = b""
    hunks: list[tuple[int, int, int]] = []
    skip = 0
    for line in output:
        read += 1
        if read > MOST_LINES:
            yield -1
            return
        if skip and line[:1] in b"+-":
            skip -= 1
            continue
        if line[:1] in (b"\0", b"d"):
            if old or new:
                book.turn(number, old, new, hunks)
            old, new, hunks = b"", b"", []
            if line[:1] == b"\0":
                number = numbers.get(line[1:].strip(), number)
                yield max(number, 0)
        elif match := _HUNK.match(line):
            start, less, _, more = match.groups()
            hunks.append((int(start), int(less or 1), int(more or 1)))
            skip = hunks[-1][1] + hunks[-1][2]
        elif line.startswith((b"--- a/", b"rename from ")):
            old = line.rstrip(b"\n\t").removeprefix(b"--- a/").removeprefix(b"rename from ")
        elif line.startswith((b"+++ b/", b"rename to ")):
            new = line.rstrip(b"\n\t").removeprefix(b"+++ b/").removeprefix(b"rename to ")
    if old or new:
        book.turn(number, old, new, hunks)


def _ended(book: _Book, shipped: Sequence[Shipped], mended: Collection[tuple[int, int]]) -> Iterator[Lines]:
    for (owner, killer), count in book.gone.items():
        if owner == killer or killer == _FOREIGN:
            continue
        end: End = "repaired" if (owner, killer) in mended else "replaced"
        days = max((shipped[killer].landed - shipped[owner].landed) / 86400, 0.0)
        yield Lines(change=shipped[owner].commit, writer=shipped[owner].writer, days=days, end=end, count=count)


def _alive(book: _Book, shipped: Sequence[Shipped], last: float) -> Iterator[Lines]:
    for owner, count in book.alive().items():
        one = shipped[owner]
        days = max((last - one.landed) / 86400, 0.0)
        yield Lines(change=one.commit, writer=one.writer, days=days, end="alive", count=count)
