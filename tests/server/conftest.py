"""A service on a database of its own, with people of every role, and a client that speaks to it in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from msgspec import Struct
from starlette.testclient import TestClient

from tests.server.drills import Played, make_played
from tests.store.world import World, small_world
from tidegate.ledger.keys import KeyKind, new_key, write_key
from tidegate.server.app import make_app
from tidegate.server.auth.permissions import PERMISSIONS, ROLES
from tidegate.server.auth.session import digest_of
from tidegate.server.config import Config
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import accounts
from tidegate.store.clock import later, now
from tidegate.store.migrate import prepare_database


class Made(Struct, frozen=True):
    """A running service: `tokens` by role, each with every scope that there is."""

    service: Service
    world: World
    people: Mapping[str, int]
    tokens: Mapping[str, str]


@pytest.fixture(scope="session")
def service_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a service that nobody used yet."""
    folder = tmp_path_factory.mktemp("service")
    prepare_database(f"sqlite:///{folder}/tidegate.db").close()
    write_key(folder / "ledger.key", "127.0.0.1:8787/ledger", KeyKind.LOG, new_key())
    return folder


@pytest.fixture
def service(service_template: Path, tmp_path: Path) -> Iterator[Service]:
    """An empty service on SQLite, without background work."""
    folder = tmp_path / "service"
    shutil.copytree(service_template, folder)
    with open_service(Config(data=folder, database=f"sqlite:///{folder}/tidegate.db")) as opened:
        yield opened


@pytest.fixture
def made(service: Service) -> Made:
    """The service with a small world and one person of each role, whose name is the role."""
    people, tokens = {}, {}
    with service.database.write() as connection:
        world = small_world(connection)
        for role in ROLES:
            people[role] = accounts.add_person(connection, role, role.title(), role, now()).id
            tokens[role] = token_for(service, people[role], PERMISSIONS, connection=connection)
    return Made(service, world, people, tokens)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A scenario of a small shop, and its mirror."""
    return make_played(tmp_path_factory.mktemp("played"))


def token_for(service: Service, person: int, scopes: tuple[str, ...], *, connection: accounts.Connection) -> str:
    """A token of the person with these scopes."""
    text = f"tg_{person}_{digest_of(repr(scopes))[:32]}"
    accounts.add_token(
        connection, accounts.NewToken(person, digest_of(text), "test", scopes, later(now(), 3600)), now()
    )
    return text


@pytest.fixture
def client(made: Made) -> Iterator[TestClient]:
    """Speaks for nobody unless it is told to."""
    with TestClient(
        make_app(made.service, pages=False), base_url="http://127.0.0.1:8787", raise_server_exceptions=False
    ) as found:
        yield found


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
