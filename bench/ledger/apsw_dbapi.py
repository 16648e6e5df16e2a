"""As much of DBAPI as SQLAlchemy asks of SQLite, on apsw: so that the log runs on a file system of our own making."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import apsw

paramstyle = "qmark"
sqlite_version_info = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
Error = sqlite3.Error
DatabaseError = sqlite3.DatabaseError
OperationalError = sqlite3.OperationalError
IntegrityError = sqlite3.IntegrityError
InterfaceError = sqlite3.InterfaceError
ProgrammingError = sqlite3.ProgrammingError
DataError = sqlite3.DataError
InternalError = sqlite3.InternalError
NotSupportedError = sqlite3.NotSupportedError
Binary = bytes


class Cursor:
    arraysize = 100

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.description: Sequence[Any] | None = None
        self._rows: list[Any] = []
        self.rowcount = -1
        self.lastrowid = 0

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Cursor:
        return self._run(sql, [tuple(values)])

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Cursor:
        return self._run(sql, [tuple(row) for row in rows])

    def _run(self, sql: str, rows: list[tuple[Any, ...]]) -> Cursor:
        raw = self._connection.raw
        cursor = raw.cursor()
        self.description = None

        def traced(ran: apsw.Cursor, *_: object) -> bool:
            self.description = [(*column[:2], None, None, None, None, None) for column in ran.get_description()] or None
            return True

        cursor.exec_trace = traced
        try:
            before = raw.total_changes()
            self._rows = [row for values in rows for row in cursor.execute(sql, values)]
        except apsw.ConstraintError as error:
            raise IntegrityError(str(error)) from error
        except (apsw.Error, OSError) as error:
            raise OperationalError(str(error)) from error
        self.rowcount = raw.total_changes() - before
        self.lastrowid = raw.last_insert_rowid()
        return self

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = arraysize) -> list[Any]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []


class Connection:
    isolation_level = None

    def __init__(self, path: str, vfs: str) -> None:
        try:
            self.raw = apsw.Connection(path, vfs=vfs)
        except (apsw.Error, OSError) as error:
            raise OperationalError(str(error)) from error
        self.raw.set_busy_timeout(5_000)

    def cursor(self) -> Cursor:
        return Cursor(self)

    def execute(self, sql: str) -> Cursor:
        return Cursor(self).execute(sql)

    def create_function(self, name: str, count: int, function: Any, deterministic: bool = False) -> None:
        self.raw.create_scalar_function(name, function, count, deterministic=deterministic)

    def commit(self) -> None:
        if self.raw.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        with suppress(apsw.Error, OSError):  # there is nobody to tell that the last checkpoint failed, as in sqlite3
            self.raw.close(True)
