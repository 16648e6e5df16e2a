"""Which ledger is meant, and whose keys: what the commands below `tidegate ledger` share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tidegate.cli.ledger_keys import read_vkey
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.ledger.evidence.source import Source
    from tidegate.ledger.keys import NoteKey, Signer
    from tidegate.ledger.log import Log
    from tidegate.ledger.quorum import Quorum
    from tidegate.server.config import Config
    from tidegate.store.engine import Database

F = TypeVar("F", bound=Callable[..., Any])


def source_argument(function: F) -> F:
    """`[LEDGER]`: the URL of a database, or an exported folder."""
    return click.argument("ledger", required=False, default="", metavar="[LEDGER]")(function)


def key_options(function: F) -> F:
    """`--log-key`, `--witness-key` and `--quorum`: whose word counts."""
    for option in (
        click.option("--quorum", type=click.IntRange(0, 16), help="How many of the witnesses must have cosigned."),
        click.option("--witness-key", "witness_keys", multiple=True, metavar="VKEY", help="The key of a witness."),
        click.option("--log-key", metavar="VKEY", help="The key of the log: text, or a file with it."),
    ):
        function = option(function)
    return function


def is_database(ledger: str) -> bool:
    """Whether a database is meant, rather than an exported folder."""
    return not ledger or "://" in ledger


def configuration() -> Config:
    """How the service of this machine is set up: where its database and its key are."""
    from tidegate.server.config import read_config

    return read_config(os.environ)


@contextmanager
def opened(ledger: str) -> Iterator[Database]:
    """The database that is meant. InputError where there is none yet: looking makes nothing."""
    from tidegate.cli.serve import server_extra

    with server_extra("ledger"):
        from sqlalchemy import make_url

        from tidegate.store.engine import open_database
    url = ledger or configuration().database
    if url.startswith("sqlite:"):
        path = make_url(url).database
        if path and not Path(path).exists():
            raise InputError("there is no ledger here", where=path, mend="name its database or an exported folder")
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_source(ledger: str, needed: int = 0) -> Iterator[Source]:
    """The ledger for reading."""
    from tidegate.ledger.evidence.source import FolderSource

    if not is_database(ledger):
        yield FolderSource(Path(ledger))
        return
    with opened(ledger) as database:
        from tidegate.ledger.evidence.database import DatabaseSource

        yield DatabaseSource(database, needed)


@contextmanager
def open_writable() -> Iterator[tuple[Database, Log]]:
    """The ledger of this machine with its key: what is written goes through the log, or not at all."""
    config = configuration()
    if not (config.data / "ledger.key").exists():
        raise InputError(
            "the key of the ledger is not here",
            where=str(config.data),
            mend="run this where `tidegate serve` runs, with its TIDEGATE_HOME",
        )
    from tidegate.cli.serve import server_extra

    with server_extra("ledger"):
        from tidegate.server.start import open_service
    with open_service(config) as service:
        yield service.database, service.log


def signing_key() -> Signer:
    """What entries of this machine's ledger are signed with."""
    from tidegate.ledger.keys import read_software_key

    return read_software_key(configuration().data / "ledger.key")[2]


def log_key_of(text: str | None, ledger: str) -> tuple[NoteKey, bool]:
    """The key of the log, and whether it was given. For the database of this machine the one that lies beside it."""
    from tidegate.ledger.keys import KeyKind, NoteKey, PublicKey, read_software_key

    if text is not None:
        key = read_vkey(text, "--log-key")
        if key.kind != KeyKind.LOG:
            raise InputError("this is no key of a log", where="--log-key")
        return key, True
    path = configuration().data / "ledger.key"
    if not is_database(ledger) or not path.exists():
        raise InputError("whose ledger should it be?", where="--log-key", mend="give the verifier key of the log")
    name, kind, secret = read_software_key(path)
    return NoteKey(name, kind, PublicKey(secret.algorithm, secret.public_key)), False


def quorum_of(witness_keys: Sequence[str], needed: int | None) -> Quorum:
    """The witnesses that are trusted; all of them must have cosigned where nothing else is said."""
    from tidegate.ledger.quorum import make_quorum

    keys = [read_vkey(text, "--witness-key") for text in witness_keys]
    return make_quorum(keys, len({key.name for key in keys}) if needed is None else needed)
