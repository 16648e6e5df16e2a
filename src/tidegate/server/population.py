"""The complete population of a repository, collected in a bounded process of its own.

Every entry of the ledger is opened for it, some 8,000 a second: in a thread of the service that would slow down
everybody else for as long.

    python -m tidegate.server.population SECONDS MEMORY_MB

reads one `Asked` and writes one `Said`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, structs

from tidegate.ledger.evidence.values import Period, Population
from tidegate.ledger.keys import PublicKey
from tidegate.server.api.problems import Problem
from tidegate.server.bounded import LARGEST, Bounds, Wrong, alone, child, run
from tidegate.server.config import Config

if TYPE_CHECKING:
    from tidegate.store.engine import Database

BOUNDS = Bounds(60, 2048)
CHILD = child("tidegate.server.population")
_PAGE = 2_000


class Asked(Struct, frozen=True):
    """`size` entries of the log whose key is `key`; the branch `main` of the mirror, of the repository `slug`."""

    database: str
    key: PublicKey
    size: int
    mirror: str
    slug: str
    main: str
    period: Period
    now: str


class Said(Struct, frozen=True, omit_defaults=True):
    """The population, or what was wrong."""

    population: Population | None = None
    wrong: Wrong = Wrong()


def collect(config: Config, asked: Asked, command: Sequence[str] = CHILD) -> Population:
    """Problem 409 where the repository cannot be read, or where it takes too much; 503 while another is collected.

    InputError where the settings of its branch are not right.
    """
    asked = structs.replace(asked, database=_from_anywhere(asked.database))
    of_postgresql = {name: text for name, text in os.environ.items() if name.startswith("PG")}
    with alone(config.data / "population.lock", "population"):
        said = run(command, msgspec.json.encode(asked), BOUNDS, of_postgresql)
    if said is None or len(said) >= LARGEST:
        raise Problem(409, "it takes too much to collect this here", mend="run `tidegate ledger evidence`")
    found = msgspec.json.decode(said, type=Said)
    if found.population is None:
        raise found.wrong.raised()
    return found.population


def main(arguments: Sequence[str]) -> int:
    from tidegate.errors import GitError, InputError
    from tidegate.server.work.child import OUT_OF_MEMORY, limit

    limit(int(arguments[0]), int(arguments[1]))
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(LARGEST), type=Asked)
        said = Said(_collect(asked)) if Path(asked.mirror).is_dir() else Said(wrong=Wrong(unread=True))
    except GitError:
        said = Said(wrong=Wrong(unread=True))
    except InputError as error:
        said = Said(wrong=Wrong(error.what, error.where, error.mend))
    except MemoryError:
        return OUT_OF_MEMORY
    sys.stdout.buffer.write(msgspec.json.encode(said))
    return 0


# Private


def _from_anywhere(url: str) -> str:
    """The child works in another folder: the path of a SQLite file must not depend on it."""
    from sqlalchemy import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        parsed = parsed.set(database=str(Path(parsed.database).absolute()))
    return parsed.render_as_string(hide_password=False)


def _collect(asked: Asked) -> Population:
    from tidegate.change.approvals import repository_uri
    from tidegate.change.configuration import read_settings
    from tidegate.change.git import open_repository
    from tidegate.change.protected import read_branch, with_landed
    from tidegate.ledger.evidence.population import named_commits, reconcile
    from tidegate.ledger.evidence.record import read_record
    from tidegate.server.audit import read_world
    from tidegate.store.engine import open_database

    uri, ref = repository_uri(asked.slug), f"refs/heads/{asked.main}"
    database = open_database(asked.database)
    try:
        record = read_record(_entries(database, asked.size), [asked.key], uri)
        with open_repository(Path(asked.mirror), bare=True) as mirror:
            settings = read_settings(mirror, mirror.resolve(ref), {}).settings
            world = read_world(database, uri, settings, asked.now)
            world = structs.replace(world, merges=with_landed(mirror, ref, world.merges or ()))
            branch = read_branch(mirror, ref, named_commits(record, world))
    finally:
        database.close()
    return reconcile(record, structs.replace(world, branches=(branch,)), asked.period)


def _entries(database: Database, size: int) -> Iterator[tuple[int, bytes]]:
    from tidegate.ledger import log_rows as rows

    for begin in range(0, size, _PAGE):
        with database.read() as connection:
            yield from enumerate(rows.envelopes(connection, begin, min(begin + _PAGE, size)), start=begin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
