"""Who changed which files together, commit by commit, as far back as a limit: by one `git log` for what is new.

A commit never changes, so what was read of one is kept in the store. The list of commits is asked afresh each time:
what is kept saves time and never alters an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.people import People
from tidegate.change.values import Person, show_path
from tidegate.reach.store import open_store
from tidegate.settings import Settings

LARGEST_COMMIT = 30
"""Files of a commit whose files count as changed together; code-maat has the same default."""

DEFAULT_LIMIT = 5000


class PastCommit(Struct, frozen=True, array_like=True, gc=False):
    """One commit that is no merge. `at` is in Unix seconds, `author` and the files are numbers into the tables.

    `files` is empty for a commit of more than 30 files; `gone` are those of them that it deleted. A rename is one file
    under its new name, and a pair of old and new in `renames`.
    """

    oid: str
    at: int
    author: int
    files: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    renames: tuple[tuple[int, int], ...] = ()


class History(Struct, frozen=True):
    """The newest commits before `until`, the newest first. `complete`: there are none before these.

    Commits by bots are not among them: what a bot changes together is together in its configuration.
    """

    until: str = ""
    complete: bool = True
    paths: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    commits: tuple[PastCommit, ...] = ()

    @property
    def newest_at(self) -> int:
        """When the newest of them was committed, 0 for none."""
        return max((commit.at for commit in self.commits), default=0)


def read_history(repository: Repository, until: str, limit: int = DEFAULT_LIMIT, cache: Path | None = None) -> History:
    """The newest `limit` commits that `until` holds, merges left out; "" as `until` is an empty history.

    Two processes at most: the list, and a log of those commits that the store in the folder `cache` does not have.
    """
    if not until:
        return History()
    listed = repository.run("rev-list", "--no-merges", f"--max-count={limit + 1}", "--end-of-options", until)
    oids = [oid for oid in listed.decode("ascii").split() if oid not in repository.shallow_edge]
    complete, oids = len(oids) <= limit and not repository.shallow, oids[:limit]
    known = _load(cache) if cache else {}
    missing = [oid for oid in oids if oid not in known]
    if missing:
        known.update((commit.oid, commit) for commit in _read_commits(repository, missing))
    found = [known[oid] for oid in oids if oid in known]
    if cache and missing:
        _save(cache, found)
    return _history(until, complete, found)


# Private

_KIND = "history"
_VERSION = 1
_FORMAT = "%x01%H%x00%ct%x00%an%x00%ae"


class _Read(Struct, frozen=True, array_like=True, gc=False):
    """A commit with everything written out, as the kept file has it."""

    oid: str
    at: int
    name: str
    email: str
    files: tuple[str, ...]
    gone: tuple[str, ...]
    renames: tuple[tuple[str, str], ...]


class _Kept(Struct, frozen=True):
    version: int
    commits: tuple[_Read, ...]


def _read_commits(repository: Repository, oids: Sequence[str]) -> Iterator[_Read]:
    arguments = ("log", "--stdin", "--no-walk=unsorted", "--name-status", "-z", "-M100%", f"--format={_FORMAT}")
    with repository.stream(*arguments, stdin="".join(f"{oid}\n" for oid in oids).encode("ascii")) as output:
        tokens = _tokens(output)
        token = next(tokens, None)
        while token is not None:
            oid = token.lstrip(b"\n\x01").decode("ascii")
            at, name, email = (next(tokens, b"") for _ in range(3))
            changes, token = _read_changes(tokens)
            yield _read_commit(oid, int(at or 0), name, email, changes)


def _read_changes(tokens: Iterator[bytes]) -> tuple[list[tuple[bytes, bytes, bytes]], bytes | None]:
    """Status, old path and path of each file of one commit, and the token that begins the next one.

    Of a commit with too many files one more than the limit is kept: enough to see that it is too large.
    """
    changes: list[tuple[bytes, bytes, bytes]] = []
    for token in tokens:
        status = token.lstrip(b"\n")
        if status.startswith(b"\x01"):
            return changes, status
        if not status:
            continue
        path = next(tokens, b"")
        target = next(tokens, b"") if status[:1] in b"RC" else path
        if len(changes) <= LARGEST_COMMIT:
            changes.append((status[:1], path, target))
    return changes, None


def _read_commit(oid: str, at: int, name: bytes, email: bytes, changes: Sequence[tuple[bytes, bytes, bytes]]) -> _Read:
    who = (name.decode("utf-8", "backslashreplace"), email.decode("utf-8", "backslashreplace"))
    if len(changes) > LARGEST_COMMIT:
        return _Read(oid, at, *who, (), (), ())
    files = tuple(show_path(path) for _, _, path in changes)
    gone = tuple(show_path(path) for status, _, path in changes if status == b"D")
    renames = tuple((show_path(old), show_path(new)) for status, old, new in changes if status == b"R")
    return _Read(oid, at, *who, files, gone, renames)


def _tokens(output: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := output.read(1 << 20):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
    if rest.strip():
        yield rest


def _history(until: str, complete: bool, found: Sequence[_Read]) -> History:
    people = People(Settings())
    paths: dict[str, int] = {}
    authors: dict[Person, int] = {}
    commits = []
    for read in found:
        author = Person(read.name, read.email)
        if people.is_bot(author):
            continue
        files = tuple(paths.setdefault(path, len(paths)) for path in read.files)
        commits.append(
            PastCommit(
                read.oid,
                read.at,
                authors.setdefault(author, len(authors)),
                files,
                tuple(paths[path] for path in read.gone),
                tuple((paths.setdefault(old, len(paths)), paths[new]) for old, new in read.renames),
            )
        )
    return History(until, complete, tuple(paths), tuple(authors), tuple(commits))


def _load(folder: Path) -> dict[str, _Read]:
    """What an earlier run kept; nothing where that is missing, broken or of another version."""
    with open_store(folder) as store:
        body = store.get_bytes(_KIND, "")
    try:
        kept = msgspec.msgpack.decode(body or b"", type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return {commit.oid: commit for commit in kept.commits} if kept.version == _VERSION else {}


def _save(folder: Path, commits: Sequence[_Read]) -> None:
    """Keeps them, whole or not at all. A folder that cannot be written only costs the next run its time."""
    with open_store(folder) as store:
        store.put_bytes(_KIND, "", msgspec.msgpack.encode(_Kept(_VERSION, tuple(commits))))
