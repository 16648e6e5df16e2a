"""Bodies: kept beside the leaf that commits to them, and erased so that nothing but the leaf is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from tests.ledger.keepers import ADA, BEN, PUBLIC, a_log, entry
from tests.store.postgres import PostgreSQL
from tests.store.world import at
from tidegate.errors import InputError, InternalError
from tidegate.ledger import bodies
from tidegate.ledger.bodies import Body
from tidegate.ledger.commitments import check, new_salt
from tidegate.ledger.log_verify import verify_log
from tidegate.ledger.merkle import verify_inclusion
from tidegate.ledger.quorum import Quorum
from tidegate.store.engine import Database
from tidegate.store.migrate import prepare_database
from tidegate.store.tables import bodies as bodies_table

SECRET = b"Ada Lovelace asked for this; " * 300


def test_a_body_is_read_by_its_commitment(database: Database) -> None:
    with database.write() as connection:
        commitment = bodies.keep(connection, Body(ADA, "prompt", SECRET), at(1))
        assert bodies.read(connection, commitment) == Body(ADA, "prompt", SECRET)
        salt = bodies.salt_of(connection, commitment)
        assert salt is not None
        assert check(commitment, salt, SECRET)
        assert bodies.keep(connection, Body(ADA, "prompt", SECRET), at(1)) != commitment
        assert bodies.read(connection, "hmac-sha256:" + "0" * 64) is None


def test_a_body_of_a_drawn_salt_is_kept_once_and_never_after_it_was_erased(database: Database) -> None:
    salt = new_salt()
    with database.write() as connection:
        one = bodies.keep(connection, Body(ADA, "prompt", SECRET), at(1), salt)
        assert bodies.keep(connection, Body(ADA, "prompt", SECRET), at(2), salt) == one
        assert bodies.count_of(connection, ADA) == 1
    bodies.erase(database, ADA, at(3))
    with database.write() as connection, pytest.raises(InputError, match="was erased"):
        bodies.keep(connection, Body(ADA, "prompt", SECRET), at(4), salt)


def test_a_body_that_was_changed_is_not_read(database: Database) -> None:
    with database.write() as connection:
        commitment = bodies.keep(connection, Body(ADA, "prompt", SECRET), at(1))
        connection.execute(update(bodies_table).values(body=b"something else"))
        with pytest.raises(InternalError, match="not the one"):
            bodies.read(connection, commitment)


def test_erasing_one_person_leaves_every_proof_and_everybody_else(database: Database, tmp_path: Path) -> None:
    with a_log(database, tmp_path / "k") as log:
        with database.write() as connection:
            hers = [bodies.keep(connection, Body(ADA, "prompt", SECRET + bytes([n])), at(1)) for n in range(3)]
            his = bodies.keep(connection, Body(BEN, "prompt", b"Ben's"), at(1))
        leaves = []
        for commitment in (*hers, his):
            kept = log.entry(log.append(entry(commitment, body=commitment.encode())))
            assert kept is not None
            leaves.append(kept.leaf)
        root = bytes.fromhex(verify_log(database, [PUBLIC], Quorum()).root)
        erased = bodies.erase(database, ADA, at(2))
        assert erased.commitments == tuple(sorted(hers))
        assert erased.count == 3
        assert erased.left
        assert bodies.erase(database, ADA, at(3)).count == 0
        report = verify_log(database, [PUBLIC], Quorum())
        assert (report.findings, report.root) == ((), root.hex())
        for index, leaf in enumerate(leaves):
            verify_inclusion(index, 4, leaf, log.inclusion(index), root)
    with database.read() as connection:
        for commitment in hers:
            assert bodies.read(connection, commitment) is None
            assert bodies.salt_of(connection, commitment) is None
        assert bodies.count_of(connection, ADA) == 0
        assert bodies.read(connection, his) == Body(BEN, "prompt", b"Ben's")


def test_erased_bytes_are_in_no_file_of_sqlite(tmp_path: Path) -> None:
    database = prepare_database(f"sqlite:///{tmp_path}/db/tidegate.db")
    with database.write() as connection:
        commitment = bodies.keep(connection, Body(ADA, "prompt", SECRET), at(1))
        salt = bodies.salt_of(connection, commitment)
        bodies.keep(connection, Body(BEN, "prompt", b"something of Ben's"), at(1))
    assert salt is not None
    found = b"".join(path.read_bytes() for path in (tmp_path / "db").iterdir())
    assert SECRET[:29] in found
    assert bodies.erase(database, ADA, at(2)).left == bodies.scrub(database)
    found = b"".join(path.read_bytes() for path in (tmp_path / "db").iterdir())
    assert SECRET[:29] not in found
    assert salt not in found
    assert b"something of Ben's" in found
    database.close()


def test_sqlite_says_where_bytes_are_left_while_somebody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.store.engine.PATIENCE", 0.1)
    database = prepare_database(f"sqlite:///{tmp_path}/tidegate.db")
    with database.write() as connection:
        bodies.keep(connection, Body(ADA, "prompt", SECRET), at(1))
    with database.read() as reader:
        bodies.count_of(reader, ADA)
        left = bodies.erase(database, ADA, at(2)).left
        assert "erase again" in left[0]
    assert "erase again" not in " ".join(bodies.erase(database, ADA, at(3)).left)
    database.close()


def test_erased_bytes_are_in_no_table_of_postgresql(postgres: PostgreSQL) -> None:
    database = prepare_database(postgres.new_database())
    marker = bytes(range(1, 200)) * 2 + b"found in no file"
    with database.write() as connection:
        bodies.keep(connection, Body(ADA, "prompt", marker), at(1))
    _checkpoint(database)
    assert _files_with(postgres, b"found in no file")
    left = bodies.erase(database, ADA, at(2)).left
    assert "write-ahead log" in left[0]
    _checkpoint(database)
    assert _files_with(postgres, b"found in no file") == []
    database.close()


def _checkpoint(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("CHECKPOINT")


def _files_with(postgres: PostgreSQL, marker: bytes) -> list[str]:
    return [
        str(path) for path in (postgres.folder / "base").rglob("*") if path.is_file() and marker in path.read_bytes()
    ]
