"""The log is held to one contract on both databases; a test that needs neither asks for neither."""

from __future__ import annotations

from tests.store.conftest import (
    database,
    database_url,
    postgres,
    postgres_shared,
    postgres_url,
    sqlite_template,
)

__all__ = ["database", "database_url", "postgres", "postgres_shared", "postgres_url", "sqlite_template"]
