"""A database by its URL: one writer at a time on SQLite, row locks on PostgreSQL, and a refusal of what is not ours.

An acknowledged record outlives a power cut: SQLite runs with WAL and synchronous=FULL (NORMAL loses acknowledged
records), PostgreSQL is refused where its own fsync or synchronous_commit is off.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from msgspec import Struct
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from tidegate.errors import InputError, InternalError
from tidegate.store.mounts import network_file_system

T = TypeVar("T")

URL_VARIABLE = "TIDEGATE_DATABASE_URL"
VERSION_TABLE = "tidegate_version"
APPLICATION_ID = 0x54494447
"""`TIDG`, in the header of our SQLite files."""
PATIENCE = 20.0
"""Seconds that a writer waits for the one before."""
TRIES = 12
AGAIN = ("40001", "40P01", "55P03")
"""SQLSTATE: serialization failure, deadlock, lock not available."""


class Database(Struct, frozen=True, eq=False):
    """An open database. Values of one process share its pool of connections; `close` ends them."""

    engine: Engine
    kind: Literal["sqlite", "postgresql"]
    writing: threading.Lock
    shown: str
    """The URL without its password."""
    path: Path | None = None
    """The file, on SQLite."""

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One unchanging view of everything; nothing can be written."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(tidegate_mode="read")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: durable when the block ends, undone when it raises.

        SQLite lets one writer in at a time. On PostgreSQL it is READ COMMITTED: what must not change between a read
        and a write is locked (`with_for_update`) or settled by a unique key.
        """
        if self.kind == "sqlite" and not self.writing.acquire(timeout=PATIENCE):
            raise InternalError(f"another writer held the database for {PATIENCE:g} s", where=self.shown)
        try:
            with self.engine.connect() as connection:
                connection = connection.execution_options(tidegate_mode="write")
                with connection.begin():
                    yield connection
        finally:
            if self.kind == "sqlite":
                self.writing.release()

    def change(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a transaction, and again where the database asks to (a deadlock, a writer in the way)."""
        for attempt in range(TRIES):
            try:
                with self.write() as connection:
                    return work(connection)
            except DBAPIError as error:
                if attempt == TRIES - 1 or not wants_another_try(error):
                    raise
                time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))  # noqa: S311  no secret
        raise AssertionError("unreachable")

    def close(self) -> None:
        self.engine.dispose()


def database_url(environment: Mapping[str, str]) -> str:
    """What `TIDEGATE_DATABASE_URL` says, or a file in the person's data folder."""
    if given := environment.get(URL_VARIABLE, "").strip():
        return given
    home = environment.get("HOME") or "~"
    folder = Path(environment.get("XDG_DATA_HOME") or f"{home}/.local/share").expanduser()
    return f"sqlite:///{folder / 'tidegate' / 'tidegate.db'}"


def open_database(url: str, *, any_version: bool = False) -> Database:
    """Opens what `url` names; a SQLite file and its folder are made where they are missing, for their owner only.

    InputError where it cannot be reached or written, lies on a network share, is not Tidegate's, was made by a newer
    Tidegate, or (unless `any_version`, which `migrate` wants) by an older one.
    """
    parsed = _parsed(url)
    database = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    try:
        with database.write() as connection:
            _refuse_foreign(database, connection)
        if not any_version:
            from tidegate.store.migrate import require_current

            require_current(database)
    except DBAPIError as error:
        database.close()
        raise _unusable(database.shown, error) from error
    except BaseException:
        database.close()
        raise
    return database


def wants_another_try(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    if getattr(error.orig, "sqlstate", None) in AGAIN:
        return True
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")


# Private


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise InputError("this is no database URL", where=URL_VARIABLE, mend=_URL_MEND) from error
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise InputError(f"{backend} is no database that Tidegate keeps records in", where=URL_VARIABLE, mend=_URL_MEND)


_URL_MEND = "write sqlite:////folder/file.db or postgresql://user@host/name"


def _sqlite(url: URL) -> Database:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InputError("a database in memory keeps no record", where=URL_VARIABLE, mend=_URL_MEND)
    path = Path(url.database).absolute()
    _make_file(path)
    engine = create_engine(
        url.set(database=str(path)),
        pool_size=16,
        max_overflow=64,
        connect_args={"timeout": PATIENCE, "isolation_level": None},
    )
    event.listen(engine, "connect", set_up_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return Database(engine, "sqlite", threading.Lock(), str(path), path)


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if system := network_file_system(path.parent):
            raise InputError(
                f"a network share ({system}) cannot keep a SQLite database whole",
                where=str(path),
                mend=f"choose a local disk, or PostgreSQL with {URL_VARIABLE}",
            )
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise InputError(
            f"the database cannot be written ({error.strerror})", where=str(path), mend=f"set {URL_VARIABLE}"
        ) from error


def set_up_sqlite(raw: Any, record: object) -> None:  # noqa: ARG001  the signature is SQLAlchemy's
    mode = raw.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise InputError(f"SQLite refuses its write-ahead log here (mode {mode})", mend="choose a local disk")
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "trusted_schema=OFF"):
        raw.execute(f"PRAGMA {pragma}")


def begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("tidegate_mode") == "write"
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writing else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _postgresql(url: URL) -> Database:
    engine = create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=8, connect_args={"connect_timeout": 10})
    event.listen(engine, "begin", _begin_postgresql)
    return Database(engine, "postgresql", threading.Lock(), url.render_as_string(hide_password=True))


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("tidegate_mode") == "read":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _refuse_foreign(database: Database, connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if tables and VERSION_TABLE not in tables:
        raise InputError(
            f"this database is not Tidegate's (it holds {tables[0]})", where=database.shown, mend="name an empty one"
        )
    if database.kind == "sqlite":
        mark = connection.execute(text("PRAGMA application_id")).scalar_one()
        if mark not in ((APPLICATION_ID,) if tables else (0, APPLICATION_ID)):
            raise InputError("this file is another program's", where=database.shown, mend="name an empty one")
        return
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if connection.execute(text(f"SHOW {name}")).scalar_one() == "off":
            raise InputError(
                f"this server may forget what it acknowledged ({name} is off)",
                where=database.shown,
                mend=f"set {name} = on",
            )


def _unusable(shown: str, error: DBAPIError) -> InputError:
    reason = str(error.orig).splitlines()[0] if error.orig else type(error).__name__
    return InputError(f"the database cannot be used ({reason})", where=shown, mend=f"see {URL_VARIABLE}")
