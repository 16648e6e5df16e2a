"""The tables of the kept history, and whether a file holds exactly these."""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x54474849
VERSION = 1

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE tips (oid BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
    "CREATE TABLE gaps (oid BLOB NOT NULL, kind TEXT NOT NULL, lacks TEXT NOT NULL,"
    " PRIMARY KEY (oid, kind, lacks)) STRICT, WITHOUT ROWID",
    "CREATE TABLE people (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE paths (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, rows INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE commits (id INTEGER PRIMARY KEY, oid BLOB NOT NULL UNIQUE, rank INTEGER NOT NULL,"
    " at INTEGER NOT NULL, author INTEGER NOT NULL, parents TEXT NOT NULL, folders TEXT NOT NULL,"
    " sum INTEGER NOT NULL) STRICT",
    "CREATE INDEX commits_by_author ON commits (author, rank)",
    "CREATE TABLE bodies (id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
    "CREATE TABLE touches (path INTEGER NOT NULL, rank INTEGER NOT NULL, id INTEGER NOT NULL, status TEXT NOT NULL,"
    " other INTEGER NOT NULL, added INTEGER NOT NULL, deleted INTEGER NOT NULL,"
    " sum INTEGER NOT NULL, PRIMARY KEY (path, rank, id, status)) STRICT, WITHOUT ROWID",
    "CREATE TABLE derived (kind TEXT NOT NULL, key TEXT NOT NULL, sum INTEGER NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (kind, key)) STRICT",
)
"""`rank` is the committer's time, moved behind the ranks of the parents where clocks disagree: it belongs to a commit
whatever else is kept, and orders parents before children. A row of `touches` with status `-` says that the path was
moved to `other` by that commit. `author` is 0 for a merge. `parents` are ids, those of commits that are kept.
`rows` counts the touches of a path, so that a lost one is noticed."""


def create(connection: sqlite3.Connection) -> None:
    """Makes the tables in an empty file, all or none; leaves alone what another process has made meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _found(connection):
            for table in TABLES:
                connection.execute(table)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def is_empty(connection: sqlite3.Connection) -> bool:
    return not _found(connection) and _pragma(connection, "application_id") == 0


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether the file is a history of this version, with these tables and nothing else: no trigger, no view."""
    return (
        _pragma(connection, "application_id") == APPLICATION_ID
        and _pragma(connection, "user_version") == VERSION
        and _found(connection) == set(TABLES)
    )


# Private


def _found(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return {str(row[0]) for row in rows}


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
