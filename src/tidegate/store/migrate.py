"""Brings a database to the version of this Tidegate: in one transaction, by one process at a time."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from tidegate.errors import InputError
from tidegate.store.engine import APPLICATION_ID, VERSION_TABLE, Database, open_database

LOCK = APPLICATION_ID
"""Of `pg_advisory_xact_lock`."""


def prepare_database(url: str) -> Database:
    """Opens, migrates, and answers a database that is ready; what a service does when it starts."""
    database = open_database(url, any_version=True)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def migrate(database: Database) -> bool:
    """Whether anything had to be done. Of two processes that start together one migrates and the other waits.

    InputError where the database was made by a newer Tidegate.
    """
    config = _config()
    with database.write() as connection:
        if database.kind == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        found = _version(database, connection, config)
        if found == _newest(config):
            return False
        if database.kind == "sqlite":
            connection.execute(text(f"PRAGMA application_id={APPLICATION_ID}"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True


def require_current(database: Database) -> None:
    """InputError where the database is not of exactly this version."""
    config = _config()
    with database.read() as connection:
        found = _version(database, connection, config)
    if found != _newest(config):
        raise InputError(
            "this database is of an earlier Tidegate" if found else "this database is empty",
            where=database.shown,
            mend="start `tidegate serve` once, which brings it up to date",
        )


# Private


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "tidegate.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _newest(config: Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _version(database: Database, connection: Connection, config: Config) -> str | None:
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_heads()
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    for version in found:
        if version not in known:
            raise InputError(
                f"this database was made by a newer Tidegate (version {version})",
                where=database.shown,
                mend="install that Tidegate here too",
            )
    return found[0] if found else None
