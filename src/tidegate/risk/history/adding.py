"""Writes commits into the kept history, with the rows by which files and people are found."""

from __future__ import annotations

import sqlite3
import zlib
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from operator import attrgetter

import msgspec

from tidegate.change.values import Person
from tidegate.risk.history.people import person_key
from tidegate.risk.values import PastCommit

MOVED = "-"
"""The status of a row that says that its path was moved away."""


class Adding:
    """Writes batches of commits. What it knows of the file holds as long as nobody else writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._encode = msgspec.msgpack.Encoder().encode
        self._people = _Ids(connection, "people", "key")
        self._paths = _Ids(connection, "paths", "path")
        self._kept: dict[str, tuple[int, int]] = {}
        self._keys: dict[Person, str] = {}

    def add(self, commits: Sequence[PastCommit], first: int) -> None:
        rows, bodies, touches = [], [], []
        paths = self._paths.of(_names(commits))
        keys = self._keys
        for person in {commit.author for commit in commits} - keys.keys():
            keys[person] = person_key(person)
        people = self._people.of({keys[commit.author] for commit in commits})
        for number, commit in enumerate(commits, first):
            parents = [found for parent in commit.parents if (found := self._find(parent))]
            rank = max([commit.committed_at, *(above + 1 for _, above in parents)])
            self._kept[commit.oid] = (number, rank)
            below = " ".join([str(parent) for parent, _ in parents])
            author = 0 if commit.is_merge else people[keys[commit.author]]
            oid = bytes.fromhex(commit.oid)
            own = own_sum(oid, rank, commit.committed_at, author)
            folders = set()
            for path, old, status, added, deleted in map(_TOUCH, commit.touches):
                here = before = paths[path]
                if old != path:
                    before = paths[old]
                    if status == "R":
                        touches.append(
                            (before, rank, number, MOVED, here, 0, 0, own ^ touch_sum(before, here, 0, 0, MOVED))
                        )
                check = own ^ touch_sum(here, before, added, deleted, status)
                touches.append((here, rank, number, status, before, added, deleted, check))
                folder, slash, _ = path.partition("/")
                folders.add(folder if slash else "")
            text = "".join(["\0" + folder for folder in sorted(folders)])
            check = own ^ zlib.crc32(text.encode())
            rows.append((number, oid, rank, commit.committed_at, author, below, text, check))
            body = self._encode(commit)
            bodies.append((number, zlib.crc32(body, rank & 0xFFFFFFFF), body))
        self._db.executemany("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.executemany("INSERT INTO bodies VALUES (?, ?, ?)", bodies)
        touches.sort()
        self._db.executemany("INSERT INTO touches VALUES (?, ?, ?, ?, ?, ?, ?, ?)", touches)
        counts = Counter(row[0] for row in touches)
        self._db.executemany("UPDATE paths SET rows = rows + ? WHERE id = ?", [(n, path) for path, n in counts.items()])
        self._move_tips(commits)

    def _find(self, oid: str) -> tuple[int, int] | None:
        """Id and rank of a commit, None where it is not kept."""
        if oid not in self._kept:
            row = self._db.execute("SELECT id, rank FROM commits WHERE oid = ?", (bytes.fromhex(oid),)).fetchone()
            if row is None:
                return None
            self._kept[oid] = (row[0], row[1])
        return self._kept[oid]

    def _move_tips(self, commits: Sequence[PastCommit]) -> None:
        parents = {parent for commit in commits for parent in commit.parents}
        self._db.executemany("DELETE FROM tips WHERE oid = ?", [(bytes.fromhex(parent),) for parent in sorted(parents)])
        heads = [(bytes.fromhex(commit.oid),) for commit in commits if commit.oid not in parents]
        self._db.executemany("INSERT OR IGNORE INTO tips VALUES (?)", heads)


def own_sum(oid: bytes, rank: int, at: int, author: int) -> int:
    """The part of a row's checksum that comes from its commit. It guards against broken files, not against forgers."""
    return zlib.crc32(oid, (rank * 31 + at * 7 + author) & 0xFFFFFFFF)


def touch_sum(path: int, other: int, added: int, deleted: int, status: str) -> int:
    """The part that comes from the touch itself."""
    return (path * 1_000_003 + other * 7919 + added * 131 + deleted * 31 + ord(status)) & 0xFFFFFFFF


# Private

_MANY = 500
"""Unknown texts in a batch from which on it is faster to read the whole table."""
_TOUCH = attrgetter("path", "old", "status", "added", "deleted")


class _Ids:
    """The numbers of the texts of one table, given out as they come."""

    def __init__(self, connection: sqlite3.Connection, table: str, column: str) -> None:
        self._db = connection
        self._insert = f"INSERT INTO {table} (id, {column}) VALUES (?, ?)"  # noqa: S608 (names of our own)
        self._one = f"SELECT id FROM {table} WHERE {column} = ?"  # noqa: S608
        self._all = f"SELECT {column}, id FROM {table}"  # noqa: S608
        self._next = f"SELECT coalesce(max(id), 0) + 1 FROM {table}"  # noqa: S608
        self._known: dict[str, int] = {}

    def of(self, texts: Collection[str]) -> dict[str, int]:
        """The number of each of these texts, and of others."""
        known = self._known
        unknown = [text for text in texts if text not in known]
        if len(unknown) > _MANY:
            known.update(self._db.execute(self._all).fetchall())
        else:
            for text in unknown:
                known.update((text, row[0]) for row in self._db.execute(self._one, (text,)))
        first = int(self._db.execute(self._next).fetchone()[0])
        new = list(enumerate(sorted(text for text in unknown if text not in known), first))
        self._db.executemany(self._insert, new)
        known.update((text, number) for number, text in new)
        return known


def _names(commits: Sequence[PastCommit]) -> set[str]:
    touches = list(chain.from_iterable(map(attrgetter("touches"), commits)))
    return {*map(attrgetter("path"), touches), *map(attrgetter("old"), touches)}
