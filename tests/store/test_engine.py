"""Opening a database: what is refused, what is promised, and that migrations run once."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from tests.store.postgres import PostgreSQL
from tidegate.errors import InputError
from tidegate.store import values
from tidegate.store.engine import VERSION_TABLE, Database, database_url, open_database
from tidegate.store.migrate import migrate, prepare_database
from tidegate.store.mounts import network_file_system
from tidegate.store.tables import metadata
from tidegate.store.types import ValueNotKeptError

NOON = "2026-01-02T12:00:00.000000Z"


def test_the_url_is_the_environments_or_a_file_in_the_data_folder() -> None:
    assert database_url({"TIDEGATE_DATABASE_URL": " postgresql://a@b/c "}) == "postgresql://a@b/c"
    assert database_url({"HOME": "/home/ada"}) == "sqlite:////home/ada/.local/share/tidegate/tidegate.db"
    assert database_url({"HOME": "/home/ada", "XDG_DATA_HOME": "/d"}) == "sqlite:////d/tidegate/tidegate.db"


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://a/b", "sqlite://", "sqlite:///:memory:", "oracle://x"])
def test_what_is_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="TIDEGATE_DATABASE_URL"):
        open_database(url)


def test_an_error_shows_no_password() -> None:
    with pytest.raises(InputError, match="cannot be used") as caught:
        open_database("postgresql://ada:hunter2@127.0.0.1:1/none?connect_timeout=1")
    assert "hunter2" not in str(caught.value)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    database = prepare_database(f"sqlite:///{tmp_path}/a/b/tidegate.db")
    with database.write() as connection:
        values.write(connection, "name", "value", NOON)
    for file in (tmp_path / "a" / "b").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    database.close()


def test_sqlite_promises_durability(tmp_path: Path) -> None:
    database = prepare_database(f"sqlite:///{tmp_path}/tidegate.db")
    with database.read() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
    }
    database.close()


def test_a_folder_or_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    for path in ("/proc/none/tidegate.db", str(tmp_path)):
        with pytest.raises(InputError, match="cannot be written"):
            open_database(f"sqlite:///{path}")


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(b"Dear Ada, " * 100)
    with pytest.raises(InputError, match="cannot be used"):
        open_database(f"sqlite:///{path}", any_version=True)
    assert path.read_bytes() == b"Dear Ada, " * 100


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE birds (name TEXT)")
    with pytest.raises(InputError, match=r"not Tidegate's \(it holds birds\)"):
        prepare_database(f"sqlite:///{path}")
    raw.close()


def test_another_programs_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA application_id=77")
    with pytest.raises(InputError, match="another program's"):
        prepare_database(f"sqlite:///{path}")
    raw.close()


def test_another_programs_postgresql_is_refused(postgres: PostgreSQL) -> None:
    url = postgres.new_database()
    empty = open_database(url, any_version=True)
    with empty.write() as connection:
        connection.execute(text("CREATE TABLE birds (name TEXT)"))
    empty.close()
    with pytest.raises(InputError, match="not Tidegate's"):
        prepare_database(url)


def test_a_server_that_forgets_what_it_acknowledged_is_refused(postgres: PostgreSQL) -> None:
    url = postgres.new_database()
    forgetful = f"{url}&options=-c%20synchronous_commit%3Doff"
    with pytest.raises(InputError, match="synchronous_commit is off"):
        open_database(forgetful, any_version=True)


def test_an_empty_or_newer_database_is_refused(database_url: str) -> None:
    with pytest.raises(InputError, match="is empty"):
        open_database(database_url)
    database = prepare_database(database_url)
    with database.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    for opens in (open_database, prepare_database):
        with pytest.raises(InputError, match=r"newer Tidegate \(version 9999\)"):
            opens(database_url)
    database.close()


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/", ""), ("/mnt/share/sub", "nfs4"), ("/mnt/share/sub/local", ""), ("/mnt/with space", "cifs")],
)
def test_a_network_share_is_found_by_its_mount(tmp_path: Path, folder: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "50 22 0:45 / /mnt/share rw - nfs4 server:/export rw\n"
        "51 50 0:46 / /mnt/share/sub/local rw - ext4 /dev/sdb rw\n"
        "52 22 0:47 / /mnt/with\\040space rw - cifs //server/x rw\n"
        "nonsense\n"
    )
    assert network_file_system(Path(folder), mounts) == kind
    assert network_file_system(Path(folder), tmp_path / "none") == ""


def test_the_migrated_tables_are_those_of_the_metadata(database_url: str) -> None:
    database = prepare_database(database_url)
    with database.read() as connection:
        migrated = _described(database)
        assert inspect(connection).has_table(VERSION_TABLE)
    with database.write() as connection:
        metadata.drop_all(connection)
    assert not _described(database)
    with database.write() as connection:
        metadata.create_all(connection)
    assert _described(database) == migrated
    database.close()


def test_every_sqlite_table_is_strict(tmp_path: Path) -> None:
    database = prepare_database(f"sqlite:///{tmp_path}/tidegate.db")
    with database.read() as connection:
        strict = dict(connection.execute(text("SELECT name, strict FROM pragma_table_list WHERE schema='main'")).all())
    assert {name for name in metadata.tables if not strict[name]} == set()
    database.close()


def test_of_two_processes_that_start_together_one_migrates(database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        did = pool.map(_start, [database_url] * 2)
    assert sorted(did) == [False, True]


def test_threads_that_start_together_migrate_once(database_url: str) -> None:
    database = open_database(database_url, any_version=True)
    did: list[bool] = []
    threads = [threading.Thread(target=lambda: did.append(migrate(database))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(did) == [False, False, False, True]
    database.close()


def test_a_reader_writes_nothing_and_sees_one_moment(database: Database) -> None:
    with database.write() as connection:
        values.write(connection, "name", "before", NOON)
    with database.read() as reader:
        assert values.read(reader, "name") == "before"
        with database.write() as writer:
            values.write(writer, "name", "after", NOON)
        assert values.read(reader, "name") == "before"
        with pytest.raises(DBAPIError, match=r"read-?\s?only"):
            values.write(reader, "name", "wrong", NOON)
    with database.read() as reader:
        assert values.read(reader, "name") == "after"


def test_what_raises_is_undone(database: Database) -> None:
    def half_done() -> None:
        with database.write() as connection:
            values.write(connection, "name", "value", NOON)
            raise KeyError

    with pytest.raises(KeyError):
        half_done()
    with database.read() as connection:
        assert values.read(connection, "name") is None


def test_writers_come_one_after_the_other(database: Database) -> None:
    def add(connection: object) -> None:
        # Locks first, so that on PostgreSQL too the read is of the row that is then written.
        row = connection.execute(text("SELECT value FROM \"values\" WHERE name='n'" + locked)).scalar_one()
        values.write(connection, "n", str(int(row) + 1), NOON)

    locked = "" if database.kind == "sqlite" else " FOR UPDATE"
    with database.write() as connection:
        values.write(connection, "n", "0", NOON)
    threads = [threading.Thread(target=lambda: [database.change(add) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert values.read(connection, "n") == "100"


def test_a_deadlock_is_tried_again(postgres: PostgreSQL) -> None:
    database = prepare_database(postgres.new_database())
    with database.write() as connection:
        for name in ("a", "b"):
            values.write(connection, name, "0", NOON)
    meeting = threading.Barrier(2, timeout=20)
    tries: list[str] = []

    def crossing(first: str, second: str) -> None:
        def work(connection: object) -> None:
            tries.append(first)
            values.write(connection, first, "1", NOON)
            if len(tries) <= 2:
                meeting.wait()
            values.write(connection, second, "1", NOON)

        database.change(work)

    threads = [threading.Thread(target=crossing, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 3
    database.close()


@pytest.mark.parametrize("value", ["a\0b", "half \ud83d", "\udc80"])
def test_text_that_one_database_would_refuse_is_refused_by_both(database: Database, value: str) -> None:
    with pytest.raises(ValueNotKeptError), database.write() as connection:
        values.write(connection, "name", value, NOON)


def test_text_of_any_other_kind_comes_back(database: Database) -> None:
    strange = "\x01\x7f '\" \\ % %s :name ? 🌊 \u202e \ufffe" + chr(0x10FFFF)
    with database.write() as connection:
        values.write(connection, strange, strange, NOON)
    with database.read() as connection:
        assert values.read(connection, strange) == strange


def _start(url: str) -> bool:
    database = open_database(url, any_version=True)
    try:
        return migrate(database)
    finally:
        database.close()


def _described(database: Database) -> dict[str, object]:
    """Every table but Alembic's, with its columns, keys and indexes, as the database itself says."""
    with database.read() as connection:
        if database.kind == "sqlite":
            rows = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master")).all()
            return {
                f"{kind} {name}": sorted(line.strip(" ,\t") for line in (sql or "").splitlines())
                for kind, name, table, sql in rows
                if table != VERSION_TABLE
            }
        questions = (
            "SELECT table_name || '.' || column_name, data_type || ' ' || is_nullable || ' ' ||"
            " coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        )
        found = [row for question in questions for row in connection.execute(text(question))]
    return {str(name): what for name, what in found if not str(name).startswith(VERSION_TABLE)}
