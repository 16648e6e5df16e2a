"""Commits of history with what can be read of them, also where objects are missing or broken.

Git gives up at the first object that is not there. Then the files of all commits are listed, which needs no content;
the content that they need is looked up at once; and the log is asked again without what cannot be told. That costs a
few processes more, whatever the number of missing objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import NamedTuple, TypeAlias, TypeVar

from tidegate.change.git import Repository
from tidegate.errors import GitError
from tidegate.risk.history.log import COUNTED, HEADERS, NAMED, read_tokens, stream_log
from tidegate.risk.values import PastCommit

MOST_ABORTS = 64
"""Times that git may give up on one history at objects that could not be foreseen; what comes after stays untold."""

T = TypeVar("T")
Read: TypeAlias = Callable[[Sequence[str]], Iterator[T]]


class Gap(NamedTuple):
    """What could not be read of a commit, and an object that is missing for it ("" where git does not say).

    `kind` is `commit` (the commit itself), `parent` (one of its parents), `touches` (which files it changed) or
    `counts` (how many lines).
    """

    commit: str
    kind: str
    lacks: str


def read_log(repository: Repository, oids: Sequence[str], gaps: list[Gap]) -> Iterator[PastCommit | None]:
    """These commits in this order, by one process where nothing is missing; None for one that cannot be read at all.

    `gaps` holds the commits that lack a parent, and takes what else is missing of a commit before that one is given. A
    commit with a gap in `touches` comes without files; with one in `counts` both counts of each file are -1.
    """
    read = 0
    if not gaps:
        with suppress(GitError):
            for commit in stream_log(repository, oids, COUNTED):
                yield commit
                read += 1
    if read < len(oids):
        yield from _read_around(repository, oids[read:], gaps)


def read_parents(repository: Repository) -> dict[str, tuple[str, ...]]:
    """Every commit object of the repository with its parents, found without following any. Two processes."""
    with repository.stream("cat-file", "--batch-all-objects", "--batch-check", "--unordered", "--buffer") as output:
        objects = [line.split() for line in output]
    oids = sorted(words[0].decode("ascii") for words in objects if len(words) > 1 and words[1] == b"commit")
    return {oid: commit.parents for oid, commit in _headers(repository, oids).items()}


# Private

_HEX = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_SUBMODULE = b"160000"


def _read_around(repository: Repository, oids: Sequence[str], gaps: list[Gap]) -> Iterator[PastCommit | None]:
    """The commits in this order, each with what can be read of it; `gaps` already holds those without a parent."""
    cut = {gap.commit for gap in gaps if gap.kind == "parent"}
    here = [answer.name for answer in repository.look_up(oids) if answer.kind == "commit"]
    told, unread = _listed(repository, [oid for oid in here if oid not in cut])
    unread |= dict.fromkeys((oid for oid in here if oid in cut), "")
    missing = _missing(repository, chain.from_iterable(told.values()))
    uncounted = {oid: lacks for oid, blobs in told.items() if (lacks := next((b for b in blobs if b in missing), ""))}
    whole = [oid for oid in oids if oid in told and oid not in uncounted]
    known: dict[str, PastCommit] = {}
    for oid, commit, lacks in _resumed(lambda part: stream_log(repository, part, COUNTED), whole):
        if commit is None:
            uncounted[oid] = lacks
        else:
            known[oid] = commit
    named = [oid for oid in oids if oid in uncounted]
    for oid, commit, lacks in _resumed(lambda part: stream_log(repository, part, NAMED), named):
        if commit is None:
            unread[oid] = lacks
        else:
            known[oid] = commit
    known.update(_headers(repository, [oid for oid in here if oid in unread]))
    gaps += [Gap(oid, "touches", lacks) for oid, lacks in unread.items() if oid in known]
    gaps += [Gap(oid, "counts", lacks) for oid, lacks in uncounted.items() if oid not in unread]
    gaps += [Gap(oid, "commit", oid) for oid in oids if oid not in known]
    yield from map(known.get, oids)


class _Told(NamedTuple):
    oid: str
    blobs: tuple[str, ...]


def _listed(repository: Repository, oids: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Each commit with the files' objects that its counts need, and those of which not even these can be told."""
    told: dict[str, tuple[str, ...]] = {}
    unread: dict[str, str] = {}
    for oid, found, lacks in _resumed(lambda part: _blobs(repository, part), oids):
        if found is None:
            unread[oid] = lacks
        else:
            told[oid] = found.blobs
    return told, unread


def _blobs(repository: Repository, oids: Sequence[str]) -> Iterator[_Told]:
    arguments = ("log", "--stdin", "--no-walk=unsorted", "-z", "--raw", "--no-abbrev", "--no-renames", "--format=%H")
    asked = "".join(f"{oid}\n" for oid in oids).encode("ascii")
    with repository.stream(*arguments, stdin=asked) as output:
        oid, blobs = "", list[bytes]()
        tokens = chain.from_iterable(read_tokens(output))
        for token in tokens:
            entry = token.removeprefix(b"\n")
            if entry[:1] == b":":
                next(tokens, b"")
                old_mode, mode, old, new, _ = entry[1:].split(b" ")
                blobs += [b for m, b in ((old_mode, old), (mode, new)) if m != _SUBMODULE and b.strip(b"0")]
                continue
            if oid:
                yield _told(oid, blobs)
            oid, blobs = token.decode("ascii", "replace"), []
    if oid:
        yield _told(oid, blobs)


def _told(oid: str, blobs: Sequence[bytes]) -> _Told:
    return _Told(oid, tuple(blob.decode("ascii", "replace") for blob in blobs))


def _headers(repository: Repository, oids: Sequence[str]) -> dict[str, PastCommit]:
    found = _resumed(lambda part: stream_log(repository, part, HEADERS), oids)
    return {oid: commit for oid, commit, _ in found if commit is not None}


def _missing(repository: Repository, blobs: Iterator[str]) -> Collection[str]:
    return {answer.name for answer in repository.look_up(dict.fromkeys(blobs)) if answer.kind == "missing"}


def _resumed(read: Read[T], oids: Sequence[str]) -> Iterator[tuple[str, T | None, str]]:
    """What `read` says of each, None for what it fails at, with the object that git named. Each failure costs two
    processes more: it is one of the next two that git was at."""
    todo = list(oids)
    for _ in range(MOST_ABORTS):
        if not todo:
            return
        done = 0
        try:
            for found in read(todo):
                yield todo[done], found, ""
                done += 1
        except GitError as error:
            bad = next((oid for oid in _HEX.findall(str(error)) if oid in todo[done:]), "")
        else:
            bad = ""
        todo = todo[done:]
        if bad:
            todo.remove(bad)
            yield bad, None, bad
        else:
            for oid in todo[:2]:
                yield oid, *_alone(read, oid)
            todo = todo[2:]
    yield from ((oid, None, "") for oid in todo)


def _alone(read: Read[T], oid: str) -> tuple[T | None, str]:
    try:
        return next(iter(list(read([oid]))), None), ""
    except GitError as error:
        return None, next(iter(_HEX.findall(str(error))), "")
