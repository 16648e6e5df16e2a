"""`tidegate serve`: the service on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from tidegate.errors import InputError

EXTRA = frozenset(
    "alembic argon2 dbos httpx2 jinja2 joserfc prometheus_client psycopg sqlalchemy starlette uvicorn webauthn".split()
)
"""The top modules of the extra `server`."""


@click.command(name="serve")
@click.option("--host", metavar="HOST", help="Where to listen. [default: TIDEGATE_HOST, or 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: TIDEGATE_PORT, or 8787]")
@click.option("--new-password", metavar="NAME", help="Make a new password for NAME, show it once, and end.")
def serve(host: str | None, port: int | None, new_password: str | None) -> int:
    """Run the service: webhooks of forges, the API, the console and the ledger.

    It is set up by its environment (TIDEGATE_HOME, TIDEGATE_URL, TIDEGATE_DATABASE_URL and others: see docs/server.md)
    and needs none of it: then it keeps everything in the folder tidegate-data and listens on this machine only. The
    password of the first admin is shown once. Beyond this machine it wants https. SIGTERM ends it in good order.
    """
    with server_extra("serve"):
        from tidegate.server import start
        from tidegate.server.config import read_config
        from tidegate.store.migrate import prepare_database
    given = {"TIDEGATE_HOST": host, "TIDEGATE_PORT": None if port is None else str(port)}
    environment = {**os.environ, **{name: text for name, text in given.items() if text is not None}}
    config = read_config(environment)
    if new_password is not None:
        start.make_folder(config.data)
        database = prepare_database(config.database)
        try:
            _tell()(f"The password of {new_password} is now {start.new_password(database, new_password)}")
        finally:
            database.close()
        return 0
    start.serve(config, _tell())
    return 0


@contextmanager
def server_extra(command: str) -> Iterator[None]:
    """InputError where what the service is made of is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise InputError(
            "the service is not installed",
            where=f"tidegate {command}",
            mend="install it: pip install 'tidegate[server]'",
        ) from error


# Private


def _tell() -> Callable[[str], None]:
    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    return tell
