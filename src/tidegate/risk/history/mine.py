"""History as the rest of risk asks for it: brought up to date with one commit, and answering only of its ancestors."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from tidegate.change.git import Repository
from tidegate.facts import Unknown
from tidegate.risk.history.adding import MOVED
from tidegate.risk.history.read import Gap
from tidegate.risk.history.store import (
    FAULTS,
    Store,
    decode,
    in_memory,
    is_fault,
    open_store,
    replace_store,
)
from tidegate.risk.history.tags import read_tags
from tidegate.risk.history.update import Progress, bring_up_to_date
from tidegate.risk.values import PastCommit, PathTouch, Tag

T = TypeVar("T")


class AuthorCommit(NamedTuple):
    """A commit of a person that is no merge. `folders` are the first parts of the paths that it changed.

    The folder of a file at the top is "". `at` is when it was committed, in Unix seconds.
    """

    oid: str
    at: int
    folders: tuple[str, ...]


class Mined:
    """The history that `until` holds. Use it as a context manager, or call `close`.

    `complete` is False where commits or objects are missing; `unknowns` say which, and `notices` what a person should
    know beside (a damaged file that was read anew). `uncounted` is the number of commits whose files or lines are not
    known although history goes on behind them; None where history is cut.
    """

    def __init__(self, repository: Repository, until: str, folder: Path, progress: Progress | None = None) -> None:
        self.until = until
        self._repository = repository
        self._folder = folder
        self._progress = progress
        self._store = open_store(folder)
        self._touched: dict[str, tuple[PathTouch, ...]] = {}
        try:
            self._excess = self._up_to_date()
            gaps = [gap for gap in self._ask(Store.gaps) if gap.commit not in self._excess]
        except BaseException:
            self._store.close()
            raise
        self.unknowns = _unknowns(gaps, repository)
        is_cut = repository.shallow or any(gap.kind in _CUTTING for gap in gaps)
        self.uncounted = None if is_cut else len({gap.commit for gap in gaps})
        self.complete = not self.unknowns

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._store.close()

    @property
    def notices(self) -> tuple[str, ...]:
        """What happened to the kept file, where a person should know of it."""
        return (self._store.notice,) if self._store.notice else ()

    def commits(self) -> tuple[PastCommit, ...]:
        """Every commit that `until` holds, parents before children, else by committer date, then by object id."""
        return self._ask(self._commits)

    def tags(self) -> tuple[Tag, ...]:
        """The release tags of the repository, the oldest first; also those on other branches."""
        return read_tags(self._repository)

    def touching(self, paths: Collection[str]) -> dict[str, tuple[PathTouch, ...]]:
        """Who touched each file before, the oldest first, through renames, merges left out; () for a new file.

        The order is that of `commits`. A file that was moved away is another file from then on, should its name come
        back. `author` is a key of `people.person_key`.
        """
        new = [path for path in paths if path not in self._touched]
        self._touched |= self._ask(lambda store: {path: tuple(self._past_of(store, path))[::-1] for path in new})
        return {path: self._touched[path] for path in paths}

    def by_author(self, key: str) -> tuple[AuthorCommit, ...]:
        """The commits of a person (a key of `people.person_key`), merges left out, in the order of `commits`."""
        rows = self._ask(lambda store: store.author_rows(key))
        return tuple(AuthorCommit(*row) for row in rows if row[0] not in self._excess)

    def get(self, kind: str, key: str) -> bytes | None:
        """A value that was derived from history and kept; None where it is not kept or not whole."""
        return self.get_many(kind, (key,)).get(key)

    def get_many(self, kind: str, keys: Collection[str]) -> dict[str, bytes]:
        """The same for several keys; what is not kept is missing in the answer."""
        return self._ask(lambda store: store.get(kind, keys))

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Keeps a derived value, as far as it can be kept. Its version belongs into the kind or the key."""
        self.put_many(kind, {key: value})

    def put_many(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keeps several at once, which is much faster than one by one."""
        with suppress(sqlite3.OperationalError):  # a full disk costs the next run its time
            self._ask(lambda store: store.put(kind, values))

    # Private

    def _commits(self, store: Store) -> tuple[PastCommit, ...]:
        rows = sorted(store.ranked())
        kept = [row for row in rows if row[1].hex() not in self._excess] if self._excess else rows
        return tuple(decode(kept))

    def _past_of(self, store: Store, path: str) -> Iterator[PathTouch]:
        """The newest first. Walks back, and goes on under the old name at each rename."""
        here, before = store.path_id(path), None
        while here:
            following = 0
            for row in store.path_rows(here, before):
                if row.oid in self._excess:
                    continue
                if row.status == MOVED:
                    break
                yield PathTouch(row.oid, row.at, row.author, row.added, row.deleted)
                if row.status == "R":
                    following, before = row.other, (row.rank, row.oid)
                    break
            here = following

    def _ask(self, question: Callable[[Store], T]) -> T:
        """The answer of the store; of one that is damaged, after it was begun anew."""
        try:
            if self._store.moved:
                self._excess = self._up_to_date()
            return question(self._store)
        except FAULTS as fault:
            if not is_fault(fault):
                raise
        self._store.close()
        self._store = replace_store(self._folder)
        self._excess = self._up_to_date()
        return question(self._store)

    def _up_to_date(self) -> frozenset[str]:
        arguments = (self._repository, self.until)
        try:
            return bring_up_to_date(*arguments, self._store, self._progress)
        except FAULTS as fault:
            broken = is_fault(fault)
        self._store.close()
        self._store = replace_store(self._folder) if broken else in_memory()
        return bring_up_to_date(*arguments, self._store, self._progress)


def open_history(repository: Repository, until: str, folder: Path, progress: Progress | None = None) -> Mined:
    """The history of `until` (a full object id, "" for none), with all that is new since the last time read and kept.

    Commits are kept in batches: an interrupt loses at most the batch under way, and the next call goes on from there.
    `progress` is told how many of the new commits are done, and how many there are.
    """
    return Mined(repository, until, folder, progress)


def store_folder(repository: Repository) -> Path:
    """Where the history of a repository is kept: beside the graph of reach."""
    return repository.common_dir / "tidegate" / "history"


# Private

_WORDS = {
    "commit": "commits are here and cannot be read",
    "parent": "commits are missing in this repository, so history is cut behind",
    "touches": "objects are missing or broken, so the changed files are not known of",
    "counts": "objects are missing or broken, so the numbers of changed lines are not known of",
}
_CUTTING = ("commit", "parent")


def _unknowns(gaps: Iterable[Gap], repository: Repository) -> tuple[Unknown, ...]:
    reasons = []
    if repository.shallow:
        reasons.append("this clone is shallow: older commits are not here (git fetch --unshallow)")
    found: dict[str, set[str]] = {}
    for gap in gaps:
        found.setdefault(gap.kind, set()).add(gap.commit)
    for kind, words in _WORDS.items():
        oids = sorted(found.get(kind, ()))
        if oids:
            reasons.append(f"{words}: {len(oids)} commit{'s' * (len(oids) > 1)}, such as {oids[0][:12]}")
    return tuple(Unknown("history", reason) for reason in reasons)
