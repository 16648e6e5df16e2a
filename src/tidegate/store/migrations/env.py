"""Run by Alembic for each migration, inside the transaction of the connection that `store/migrate.py` hands over."""

from __future__ import annotations

from alembic import context

from tidegate.store.engine import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
