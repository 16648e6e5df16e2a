"""Both databases, real ones: a SQLite file, and a PostgreSQL that is started for the session and ended with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.postgres import PostgreSQL, running_postgres
from tidegate.store.engine import Database, open_database
from tidegate.store.migrate import prepare_database
from tidegate.store.tables import metadata


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    with running_postgres(tmp_path_factory.mktemp("postgres", numbered=True)) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgreSQL) -> str:
    """An empty database of its own for each that asks: `postgres.new_database()`; this is one for the session."""
    return postgres.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, by its URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/kept/tidegate.db"
    server: PostgreSQL = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database of this version with nothing in it."""
    path = tmp_path_factory.mktemp("template") / "tidegate.db"
    prepare_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_shared(postgres_url: str) -> Iterator[Database]:
    """Migrated once for the session; whoever writes into it empties it."""
    opened = prepare_database(postgres_url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of this version with nothing in it."""
    if request.param == "sqlite":
        path = tmp_path / "tidegate.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        opened = open_database(f"sqlite:///{path}")
        yield opened
        opened.close()
        return
    shared: Database = request.getfixturevalue("postgres_shared")
    yield shared
    with shared.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
