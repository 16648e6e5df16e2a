"""Reads coverage.py's own data file, `.coverage`, with a context for each test.

Format: https://coverage.readthedocs.io/en/latest/dbschema.html (schema version 7). The file is an SQLite database from
somewhere else: it is opened read-only, only real tables are asked, and each question is stopped when it takes too long.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from tidegate.reach.record.foreign import FILE_LIMIT_BYTES, Filling, Places, refused
from tidegate.reach.record.raw import Recording

KIND = "coverage.py data file"
SECONDS = 60
_TABLES = {"context": "table", "file": "table", "line_bits": "table", "arc": "table", "meta": "table"}
_VALUE_LIMIT_BYTES = 4 << 20


def read_coverage_data(file: Path, paths: Iterable[str], seconds: float = SECONDS) -> Recording:
    """Which test executed which line. `paths` are the files of the repository.

    Raises InputError, also when the database takes longer than `seconds` to answer.
    """
    if not file.is_file() or file.stat().st_size > FILE_LIMIT_BYTES:
        raise refused(file, KIND, "it is no file, or too large")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro&immutable=1", uri=True)) as database:
            _restrain(database, seconds)
            return _read(database, file, Places(paths))
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        raise refused(file, KIND, error) from error


# Private


def _restrain(database: sqlite3.Connection, seconds: float) -> None:
    until = time.monotonic() + seconds
    database.set_progress_handler(lambda: int(time.monotonic() > until), 100_000)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_LIMIT_BYTES)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA query_only = ON")


def _read(database: sqlite3.Connection, file: Path, places: Places) -> Recording:
    # A view under one of these names could compute for ever, or anything.
    kinds = dict(database.execute("SELECT name, type FROM sqlite_master"))
    if any(kinds.get(name) != kind for name, kind in _TABLES.items()):
        raise refused(file, KIND, "a table is missing")
    filling = Filling(file, "coverage.py")
    contexts = {number: str(name) for number, name in database.execute("SELECT id, context FROM context")}
    tests = {number: places.test_of(name) if name else "" for number, name in contexts.items()}
    found: dict[int, str] = {}
    for number, foreign in database.execute("SELECT id, path FROM file"):
        found[number] = places.find(str(foreign))
        if not found[number]:
            filling.strange(str(foreign))
    for name in tests.values():
        if name:
            filling.test(name)
    for where, context, line in _lines(database):
        if found.get(where) and context in tests and line > 0:
            filling.ran(tests[context], found[where], line)
    return filling.recording()


def _lines(database: sqlite3.Connection) -> Iterator[tuple[int, int, int]]:
    for where, context, numbers in database.execute("SELECT file_id, context_id, numbits FROM line_bits"):
        for index, byte in enumerate(bytes(numbers)):
            for bit in range(8) if byte else ():
                if byte >> bit & 1:
                    yield where, context, index * 8 + bit
    yield from database.execute(
        "SELECT file_id, context_id, CAST(tono AS INTEGER) FROM arc WHERE CAST(tono AS INTEGER) > 0"
    )
