"""What the lines of past commits hold: one `git log -p` for all that were not read before, kept commit by commit.

Nothing of the text is kept, only counts. A commit whose text git cannot give (an object is missing) has none, and is
asked for again the next time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from tidegate.change.diff_stream import unquote_path
from tidegate.change.git import Repository
from tidegate.errors import GitError
from tidegate.risk.features.definitions import VERSION
from tidegate.risk.features.text import Content, Reader, total
from tidegate.risk.values import PastCommit

KIND = f"features.{VERSION}"
BATCH = 2_000
BLOCK_BYTES = 1 << 20
MOST_ABORTS = 64
"""So often git is asked for the rest after it stopped at a commit. What is left then stays unknown."""

Progress = Callable[[int, int], None]


class Kept(Struct, frozen=True, array_like=True):
    """What is kept of a commit: whether its message tells of a repair, and the counts of its lines (None: unknown)."""

    fix: bool
    content: Content | None


class Keeper(Protocol):
    """Keeps values that were derived from history."""

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]: ...
    def put_many(self, kind: str, values: dict[str, bytes]) -> None: ...


def read_kept(keeper: Keeper, oids: Sequence[str]) -> dict[str, Kept]:
    """What is kept of these commits. What is not kept, or cannot be read, is missing."""
    found = {}
    for oid, value in keeper.get_many(KIND, oids).items():
        try:
            found[oid] = msgspec.msgpack.decode(value, type=Kept)
        except msgspec.MsgspecError:
            continue
    return found


def bring_up_to_date(
    repository: Repository,
    keeper: Keeper,
    commits: Iterable[PastCommit],
    is_fix: Callable[[str], object],
    progress: Progress | None = None,
) -> dict[str, Kept]:
    """What is kept of these commits, after reading and keeping what was missing. An interrupt loses one batch."""
    wanted = {commit.oid: commit for commit in commits if not commit.is_merge}
    found = read_kept(keeper, list(wanted))
    new = [oid for oid in wanted if oid not in found or (found[oid].content is None and wanted[oid].touches)]
    texts = read_contents(repository, [oid for oid in new if wanted[oid].touches])
    held: dict[str, Content] = {}
    done = 0
    while batch := list(islice(texts, BATCH)):
        held.update(batch)
        fresh = {oid: Kept(bool(is_fix(wanted[oid].message)), content) for oid, content in batch}
        keeper.put_many(KIND, {oid: msgspec.msgpack.encode(kept) for oid, kept in fresh.items()})
        found.update(fresh)
        done += len(batch)
        if progress:
            progress(done, len(new))
    rest = {oid: _without_text(wanted[oid], is_fix) for oid in new if oid not in held}
    keeper.put_many(KIND, {oid: msgspec.msgpack.encode(kept) for oid, kept in rest.items() if oid not in found})
    return {**found, **rest}


def read_contents(repository: Repository, oids: Sequence[str]) -> Iterator[tuple[str, Content]]:
    """The counts of each commit against its first parent, in order. Commits that git cannot show are left out."""
    rest = list(oids)
    reader = Reader()
    for _ in range(MOST_ABORTS):
        read = 0
        try:
            for oid, content in _stream(repository, rest, reader):
                yield oid, content
                read += 1
            return
        except GitError:
            rest = rest[read + 1 :]


# Private

_ASK = (
    *("-c", "core.deltaBaseCacheLimit=256m", "log", "--stdin", "--no-walk=unsorted", "-p", "-U0", "-M", "--no-color"),
    *("--no-ext-diff", "--no-textconv", "--no-notes", "--no-show-signature", "--submodule=short", "--src-prefix=a/"),
    *("--dst-prefix=b/", "--no-abbrev", "--diff-algorithm=myers", "--indent-heuristic", "--format=commit %H"),
)
_NAME = re.compile(rb"\n(?:\+\+\+|---) (\"?[ab]/[^\n]*)")
_NO_TEXT = re.compile(rb"\n(?:index|new file mode|deleted file mode)[^\n]* 1[26]0000\n")
_ADDED = re.compile(rb"\n\+([^\n]*)")
_DELETED = re.compile(rb"\n-([^\n]*)")


class _Section(NamedTuple):
    """One file of the patch, from behind `diff --git `; or the header of a commit, from behind `commit `."""

    commit: bool
    text: bytes


def _stream(repository: Repository, oids: Sequence[str], reader: Reader) -> Iterator[tuple[str, Content]]:
    """Whole commits only: one is given when git has begun the next, or has ended well."""
    if not oids:
        return
    asked = "".join(f"{oid}\n" for oid in oids).encode("ascii")
    oid, parts = "", list[Content]()
    with repository.stream(*_ASK, stdin=asked) as output:
        for section in _sections(output):
            if not section.commit:
                parts.append(_read_section(section.text, reader))
                continue
            if oid:
                yield oid, total(parts)
            oid, parts = section.text.split(b"\n", 1)[0].decode("ascii", "replace"), []
    if oid:
        yield oid, total(parts)


def _sections(output: IO[bytes]) -> Iterator[_Section]:
    """Cuts where a line begins with `commit ` or `diff --git `: lines of content have a mark in front of them."""
    rest = b"\n"
    while block := output.read(max(BLOCK_BYTES, len(rest))):
        rest += block
        end = max(rest.rfind(b"\ncommit "), rest.rfind(b"\ndiff --git "))
        if end > 0:
            yield from _cut(rest[:end])
            rest = rest[end:]
    yield from _cut(rest)


def _cut(text: bytes) -> Iterator[_Section]:
    for number, commit in enumerate(text.split(b"\ncommit ")):
        head, *files = commit.split(b"\ndiff --git ")
        if number:
            yield _Section(True, head)
        for file in files:
            yield _Section(False, file)


def _read_section(text: bytes, reader: Reader) -> Content:
    start = text.find(b"\n@@ ")
    if start < 0 or _NO_TEXT.search(text, 0, start):
        return Content()
    names = _NAME.findall(text, 0, start)
    name = unquote_path(names[-1].rstrip(b"\t")) if names else b""
    deleted, added = _DELETED.findall(text, start), _ADDED.findall(text, start)
    return reader.read_file(name, deleted, added, text.count(b"\n@@ ", start))


def _without_text(commit: PastCommit, is_fix: Callable[[str], object]) -> Kept:
    return Kept(bool(is_fix(commit.message)), None if commit.touches else Content())
