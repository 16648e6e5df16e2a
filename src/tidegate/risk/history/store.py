"""The kept history: one SQLite file that holds commits with all their ancestors, and what others derived from them.

What is kept is never trusted when it is damaged or of another version: such a file is moved aside and begun anew. It
may be deleted at any moment, and where it cannot be written everything works in memory.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from tidegate.risk.history.adding import Adding, own_sum, touch_sum
from tidegate.risk.history.ancestry import Walk
from tidegate.risk.history.read import Gap
from tidegate.risk.history.schema import create, is_empty, is_ours
from tidegate.risk.values import PastCommit

FILE = "history.db"
BUSY_SECONDS = 30.0


class Damaged(Exception):  # noqa: N818 (a finding about a file, and never shown)
    """What is kept contradicts its checksum."""


class TouchRow(NamedTuple):
    """One row of a path's past; `other` is the other name where the commit moved it."""

    rank: int
    oid: str
    at: int
    author: str
    status: str
    other: int
    added: int
    deleted: int


class Store:
    """An open file, or memory where there is none."""

    def __init__(self, connection: sqlite3.Connection, notice: str = "") -> None:
        self.notice = notice
        self._db = connection
        self._adding: Adding | None = None
        self._seen = 0
        self._last = 0
        self._total = 0
        self._generation = ""

    def close(self) -> None:
        self._db.close()

    def value(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def set_value(self, key: str, value: str) -> None:
        with self._write():
            self._set(key, value)

    def tips(self) -> tuple[str, ...]:
        """The commits without a child here: everything kept is one of them or an ancestor."""
        return tuple(row[0].hex() for row in self._db.execute("SELECT oid FROM tips"))

    def has(self, oid: str) -> bool:
        found = self._db.execute("SELECT 1 FROM commits WHERE oid = ?", (bytes.fromhex(oid),)).fetchone()
        return found is not None

    def lacking(self, oids: Sequence[str]) -> list[str]:
        """Those of the commits that are not kept."""
        return [oid for oid in oids if not self.has(oid)] if self.tips() else list(oids)

    def gaps(self) -> tuple[Gap, ...]:
        rows = self._db.execute("SELECT oid, kind, lacks FROM gaps")
        return tuple(Gap(oid.hex(), kind, lacks) for oid, kind, lacks in rows)

    def add(self, commits: Sequence[PastCommit], gaps: Iterable[Gap]) -> bool:
        """Keeps commits, parents before children, all or none. False when another process has kept one of them."""
        try:
            with self._write():
                last = int(self.value("last") or 0)
                self._begin_adding().add(commits, last + 1)
                self._set("last", str(last + len(commits)))
                self._set("total", str(int(self.value("total") or 0) + len(commits)))
                rows = [(bytes.fromhex(gap.commit), gap.kind, gap.lacks) for gap in gaps]
                self._db.executemany("INSERT OR IGNORE INTO gaps VALUES (?, ?, ?)", rows)
        except sqlite3.IntegrityError as error:
            if any(self.has(commit.oid) for commit in commits):
                return False
            raise Damaged from error
        return True

    def keep_only(self, oids: Collection[str]) -> None:
        """Forgets all other commits. What is named must hold its ancestors."""
        with self._write():
            rows = self._db.execute("SELECT id, oid FROM commits").fetchall()
            gone = [(number,) for number, oid in rows if oid.hex() not in oids]
            self._db.execute("CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY)")
            self._db.executemany("INSERT INTO gone VALUES (?)", gone)
            self._db.execute("DELETE FROM gaps WHERE oid IN (SELECT oid FROM commits JOIN gone USING (id))")
            for table in ("touches", "bodies", "commits"):
                self._db.execute(f"DELETE FROM {table} WHERE id IN gone")  # noqa: S608 (names of our own)
            self._db.execute("DROP TABLE gone")
            parents = {parent for known in self.parents().values() for parent in known}
            self._db.execute("DELETE FROM tips")
            heads = [(oid,) for _, oid in rows if oid.hex() in oids and oid.hex() not in parents]
            self._db.executemany("INSERT INTO tips VALUES (?)", heads)
            self._set("total", str(len(rows) - len(gone)))
            self._db.execute(_RECOUNT)
            self._begin_generation()

    def empty(self) -> None:
        """Forgets all commits and keeps what was derived from them."""
        with self._write():
            for table in ("tips", "gaps", "people", "paths", "commits", "bodies", "touches", "meta"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (names of our own)
            self._begin_generation()

    def ranked(self) -> list[tuple[int, bytes, int, bytes]]:
        """Rank, object id, checksum and body of every commit."""
        rows = self._db.execute(
            "SELECT rank, oid, bodies.sum, body FROM commits JOIN bodies USING (id) WHERE id <= ?", (self._last,)
        ).fetchall()
        if len(rows) != self._total:
            raise Damaged
        return rows

    def parents(self) -> dict[str, tuple[str, ...]]:
        """Every commit with those of its parents that are kept."""
        rows = self._db.execute("SELECT id, oid, parents FROM commits").fetchall()
        oids = {number: oid.hex() for number, oid, _ in rows}
        try:
            return {oids[number]: tuple(oids[int(parent)] for parent in parents.split()) for number, _, parents in rows}
        except (KeyError, ValueError) as error:
            raise Damaged from error

    def outside(self, until: str) -> frozenset[str]:
        """The commits that are kept and are neither `until` nor its ancestors; all where `until` is not kept.

        Exact whatever the clocks said: a walk in order of rank that ends where only common ancestors are left. Git's
        own answer holds too many commits where clocks disagree.

        From here on commits that other processes add are not seen, and `moved` tells whether one took some away.
        """
        self._db.execute("BEGIN")
        try:
            self._last = int(self.value("last") or 0)
            self._total = int(self.value("total") or 0)
            self._generation = self.value("generation")
            tips = self.tips()
            if set(tips) == {until}:
                return frozenset()
            walk = Walk(self._db)
            for tip in tips:
                walk.add(tip, inside=False)
            walk.add(until, inside=True)
            return walk.outside()
        except (LookupError, ValueError) as error:
            raise Damaged from error
        finally:
            self._db.execute("ROLLBACK")

    @property
    def moved(self) -> bool:
        """Whether another process has taken commits away since `outside` was asked."""
        return self.value("generation") != self._generation

    def path_id(self, path: str) -> int:
        row = self._db.execute("SELECT id FROM paths WHERE path = ?", (path,)).fetchone()
        return int(row[0]) if row else 0

    def path_rows(self, path: int, before: tuple[int, str] | None) -> Iterator[TouchRow]:
        """What happened to a path before a commit (its rank and object id), the newest first.

        That a commit moved the path away comes after what else the commit did with it.
        """
        whole = self._db.execute(_WHOLE, (path,)).fetchone()
        if not whole or not whole[0]:
            raise Damaged
        rank, oid = before or (_LAST_RANK, "")
        rows = self._db.execute(_PATH_ROWS, (path, rank, bytes.fromhex(oid), self._last))
        for found, commit, at, number, author, status, other, added, deleted, check in rows:
            if (
                author is None
                or own_sum(commit, found, at, number) ^ touch_sum(path, other, added, deleted, status) != check
            ):
                raise Damaged
            yield TouchRow(found, commit.hex(), at, author, status, other, added, deleted)

    def author_rows(self, key: str) -> list[tuple[str, int, tuple[str, ...]]]:
        """Object id, time and folders of the commits of a person that are no merges, in order of rank."""
        rows = self._db.execute(_AUTHOR_ROWS, (key, self._last))
        found = []
        for oid, rank, at, author, folders, check in rows:
            if own_sum(oid, rank, at, author) ^ zlib.crc32(folders.encode()) != check:
                raise Damaged
            found.append((oid.hex(), at, tuple(folders.split("\0"))[1:]))
        return found

    def get(self, kind: str, keys: Collection[str]) -> dict[str, bytes]:
        found = {}
        for key in keys:
            row = self._db.execute("SELECT sum, value FROM derived WHERE kind = ? AND key = ?", (kind, key)).fetchone()
            if row and zlib.crc32(row[1]) == row[0]:
                found[key] = bytes(row[1])
        return found

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        rows = [(kind, key, zlib.crc32(value), value) for key, value in values.items()]
        with self._write():
            self._db.executemany("INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?)", rows)

    # Private

    def _set(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _begin_generation(self) -> None:
        self._set("generation", secrets.token_hex(8))

    def _begin_adding(self) -> Adding:
        """Begun anew when another process has written since."""
        seen = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        if self._adding is None or seen != self._seen:
            self._adding, self._seen = Adding(self._db), seen
        return self._adding

    @contextmanager
    def _write(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._adding = None
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def open_store(folder: Path) -> Store:
    """The store in `folder`, which is made where it is missing. Never raises: without a usable folder, in memory.

    A folder or file that is a link or belongs to somebody else is not used: what they put there would be believed.
    """
    file = folder / FILE
    try:
        _check_folder(folder)
        _check_file(file)
    except OSError:
        return in_memory()
    try:
        return Store(_open(file))
    except FAULTS as fault:
        if not is_fault(fault):
            return _copy(file)
    return replace_store(folder)


def read_derived(folder: Path, kind: str, key: str) -> bytes | None:
    """A value that was derived from history, without a look at that history; None where none is kept whole."""
    store = open_store(folder)
    try:
        return store.get(kind, (key,)).get(key)
    except FAULTS as fault:
        if not is_fault(fault):
            raise
        return None  # whoever reads the history next begins it anew
    finally:
        store.close()


def replace_store(folder: Path) -> Store:
    """Moves a damaged file aside and begins anew."""
    file = folder / FILE
    with suppress(OSError):
        file.replace(file.with_suffix(".damaged"))
    for name in ("-wal", "-shm"):
        with suppress(OSError):
            Path(f"{file}{name}").unlink()
    try:
        return Store(_open(file), _ANEW)
    except FAULTS:
        return in_memory(_ANEW)


def in_memory(notice: str = "") -> Store:
    connection = _connect(":memory:")
    create(connection)
    return Store(connection, notice)


def decode(rows: Sequence[tuple[int, bytes, int, bytes]]) -> list[PastCommit]:
    """Commits from what `ranked` says. Raises Damaged for a body or a rank that is not what was written."""
    if any(zlib.crc32(body, rank & 0xFFFFFFFF) != check for rank, _, check, body in rows):
        raise Damaged
    found: list[PastCommit] = []
    try:
        for start in range(0, len(rows), _DECODED):
            bodies = [row[3] for row in rows[start : start + _DECODED]]
            head = b"\xdd" + len(bodies).to_bytes(4, "big")
            found += msgspec.msgpack.decode(b"".join((head, *bodies)), type=list[PastCommit])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Damaged from error
    return found


FAULTS = (sqlite3.DatabaseError, UnicodeDecodeError, Damaged)
"""What a broken file can raise, and one that is locked or cannot be written: `is_fault` tells them apart."""


def is_fault(error: Exception) -> bool:
    """Whether this says that the file is broken, and not that it is locked, full or read-only."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code in _BROKEN


# Private

_ANEW = "the kept history was damaged or of another version; it was read anew"
_LAST_RANK = 1 << 62
_DECODED = 4096
"""Commits that are decoded at once: their bodies are held twice meanwhile."""
_WHOLE = "SELECT rows = (SELECT count(*) FROM touches WHERE path = ?1) FROM paths WHERE id = ?1"
_RECOUNT = "UPDATE paths SET rows = (SELECT count(*) FROM touches WHERE path = paths.id)"
_PATH_ROWS = """
SELECT touches.rank, commits.oid, commits.at, commits.author, people.key, status, other, added, deleted, touches.sum
FROM touches LEFT JOIN commits ON commits.id = touches.id LEFT JOIN people ON people.id = commits.author
WHERE path = ?1 AND touches.rank <= ?2 AND (touches.rank < ?2 OR commits.oid < ?3) AND touches.id <= ?4
ORDER BY touches.rank DESC, commits.oid DESC, status DESC
"""
_AUTHOR_ROWS = """
SELECT oid, rank, at, author, folders, sum FROM people JOIN commits ON commits.author = people.id
WHERE key = ? AND commits.id <= ? ORDER BY rank, oid
"""
_BROKEN = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _open(file: Path) -> sqlite3.Connection:
    connection = _connect(str(file))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if is_empty(connection):
            create(connection)
        if not is_ours(connection):
            raise Damaged
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, uri=uri)
    try:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "temp_store = MEMORY", "cache_size = -65536"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _copy(file: Path) -> Store:
    """What a file that cannot be written holds, in memory."""
    memory = _connect(":memory:")
    try:
        kept = _connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        with_ours = is_ours(kept)
        if with_ours:
            kept.backup(memory)
        kept.close()
    except FAULTS:
        with_ours = False
    if with_ours:
        return Store(memory)
    memory.close()
    return in_memory()


def _check_folder(folder: Path) -> None:
    folder.parent.parent.lstat()
    for part in (folder.parent, folder):
        with suppress(FileExistsError):
            part.mkdir()
        found = part.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{part} is a link or belongs to somebody else")


def _check_file(file: Path) -> None:
    for name in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            found = os.lstat(f"{file}{name}")
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise PermissionError(f"{file} is no file of ours")
