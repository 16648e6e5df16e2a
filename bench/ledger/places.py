"""Where a bench of the ledger keeps its log: a scratch SQLite file, or a PostgreSQL that is started for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.store.postgres import running_postgres

from tidegate.ledger.keys import PublicKey, SoftwareKey
from tidegate.ledger.log import LogSettings
from tidegate.store.migrate import prepare_database

ORIGIN = "bench.test/ledger"
KEY = SoftwareKey("ed25519", b"B" * 32)
PUBLIC = PublicKey(KEY.algorithm, KEY.public_key)


@contextmanager
def scratch(*, postgres: bool) -> Iterator[tuple[str, LogSettings]]:
    """The URL of a migrated, empty database, and the settings of a log without witnesses."""
    with tempfile.TemporaryDirectory(prefix="tg-bench-") as name:
        folder = Path(name)
        settings = LogSettings(ORIGIN, folder / "log.checkpoint")
        if postgres:
            with running_postgres(folder) as server:
                url = server.new_database()
                prepare_database(url).close()
                yield url, settings
            return
        url = f"sqlite:///{folder}/db/tidegate.db"
        prepare_database(url).close()
        yield url, settings
