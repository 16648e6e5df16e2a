"""Commits of history as one `git log` tells them: who, when, why, and which files with how many lines.

Counts are those of `git log --numstat -M`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import IO, TypeAlias

from tidegate.change.git import Repository
from tidegate.change.values import Person, show_path
from tidegate.errors import GitError
from tidegate.risk.values import PastCommit, Touch

COUNTED = ("--raw", "--numstat", "--no-abbrev", "-M")
NAMED = ("--raw", "--no-abbrev", "-M100%")
HEADERS = ("--no-patch",)
"""What the log shall say of files: everything, what can be said without reading them, nothing."""

MESSAGE_LIMIT = 8 << 10
LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z. A moment outside of 1970 to 9999 is the nearest inside."""


def stream_log(repository: Repository, oids: Sequence[str], how: Sequence[str]) -> Iterator[PastCommit]:
    """These commits in this order, by one process, with as much of their files as `how` says.

    Whole commits only: one is given when git has begun the next, or has ended well. Raises GitError where git gives
    up. A commit at the edge of a shallow clone comes without files, and both counts are -1 where git gives none.
    """
    if not oids:
        return
    held: PastCommit | None = None
    asked = "".join(f"{oid}\n" for oid in oids).encode("ascii")
    with repository.stream(*_BASE, *how, *_PLAIN, stdin=asked) as output:
        for commit in _commits(output, repository):
            if held is not None:
                yield held
            held = commit
    if held is not None:
        yield held


def read_tokens(output: IO[bytes]) -> Iterator[list[bytes]]:
    """Blocks of what stands between NULs. Of a message of megabytes only both ends are kept in memory."""
    rest = b""
    while block := output.read(1 << 18):
        *whole, rest = (rest + block).split(b"\0")
        if len(rest) > _TOKEN_LIMIT:
            rest = rest[: _TOKEN_LIMIT // 4] + rest[-_TOKEN_LIMIT // 4 :]
        yield whole
    if rest:
        yield [rest]


def cut_message(message: bytes) -> str:
    """A message as text, cut at 8 KiB: of a longer one its beginning and its last paragraph, which holds trailers."""
    if len(message) > MESSAGE_LIMIT:
        tail = message.rstrip().rpartition(b"\n\n")[2][-MESSAGE_LIMIT // 2 :]
        message = message[: MESSAGE_LIMIT - len(tail) - 2] + b"\n\n" + tail
    return message.decode("utf-8", "backslashreplace").rstrip("\n")


# Private

_FORMAT = "--format=%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"
_BASE = ("-c", "core.deltaBaseCacheLimit=256m", "log", "--stdin", "--no-walk=unsorted", "-z", "--encoding=UTF-8")
_PLAIN = ("--no-color", "--no-notes", "--no-show-signature", "--no-mailmap", "--no-ext-diff", "--no-textconv", _FORMAT)
_STATUS_AT = len(":100644 100644   ")  # and two object ids
_TOKEN_LIMIT = 4 << 20


def _commits(output: IO[bytes], repository: Repository) -> Iterator[PastCommit]:
    tokens = chain.from_iterable(read_tokens(output))
    status_at = _STATUS_AT + 2 * len(repository.null_oid)
    edge = repository.shallow_edge
    paths: dict[bytes, str] = {}
    people: _People = {}
    token = next(tokens, None)
    while token is not None:
        oid = token.decode("ascii", "replace")
        header = tuple(islice(tokens, 8))
        if len(header) < 8:
            raise _broken_off(oid)
        touches: tuple[Touch, ...] = ()
        token = next(tokens, None)
        if token is not None and token[:2] == b"\n:":
            touches, token = _touches(token[1:], tokens, status_at, paths)
        if oid in edge:
            touches = ()
        yield _commit(oid, header, touches, people)


def _touches(
    token: bytes | None, tokens: Iterator[bytes], status_at: int, paths: dict[bytes, str]
) -> tuple[tuple[Touch, ...], bytes | None]:
    """The files of one commit, and the token that begins the next one.

    Git names all files with their status first and then all again, in the same order, with their counts.
    """
    named: list[tuple[bytes, bytes, str]] = []
    while token is not None and token[:1] == b":":
        status = token[status_at]
        old = next(tokens, b"")
        named.append((next(tokens, b"") if status in _TWO_NAMES else old, old, _LETTERS[status]))
        token = next(tokens, None)
    counts: dict[bytes, tuple[int, int]] = {}
    while token is not None and b"\t" in token:
        added, deleted, name = token.split(b"\t", 2)
        if not name:  # a rename: both names follow
            next(tokens, b"")
            name = next(tokens, b"")
        counts[name] = (int(added), int(deleted)) if added != b"-" else _BINARY
        token = next(tokens, None)
    touches = []
    for new, old, letter in named:
        path = paths.get(new) or _keep(paths, new)
        before = path if old is new else paths.get(old) or _keep(paths, old)
        added_lines, deleted_lines = counts.get(new, _BINARY)
        touches.append(Touch(path, before, letter, added_lines, deleted_lines))
    return tuple(touches), token


def _keep(paths: dict[bytes, str], path: bytes) -> str:
    return paths.setdefault(path, show_path(path))


_People: TypeAlias = dict[tuple[bytes, bytes], Person]
_TWO_NAMES = b"RC"
_LETTERS = [chr(code) for code in range(256)]
_BINARY = (-1, -1)


def _commit(oid: str, header: Sequence[bytes], touches: tuple[Touch, ...], people: _People) -> PastCommit:
    parents, name, email, authored, committer, committer_email, committed, message = header
    return PastCommit(
        oid,
        tuple(parents.decode("ascii", "replace").split()),
        people.get((name, email)) or _person(people, name, email),
        people.get((committer, committer_email)) or _person(people, committer, committer_email),
        _time(authored),
        _time(committed),
        cut_message(message),
        touches,
    )


def _person(people: _People, name: bytes, email: bytes) -> Person:
    return people.setdefault((name, email), Person(_text(name), _text(email)))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _time(value: bytes) -> int:
    """Git prints nothing for a time before 1970."""
    return min(int(value[:24]), LAST_SECOND) if value.isdigit() else 0


def _broken_off(oid: str) -> GitError:
    return GitError("git log broke off", where=oid, mend="check the repository: git fsck")
