"""Opens everything that a service holds, serves, and closes it in the other order."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection

from tidegate import __version__
from tidegate.errors import InputError, InternalError
from tidegate.ledger.keys import KeyKind, NoteKey, PublicKey, make_key, parse_vkey, read_software_key
from tidegate.ledger.log import LogSettings, open_log
from tidegate.ledger.witness_client import RemoteWitness
from tidegate.server.acts import Act, enter_all, note, note_settings
from tidegate.server.auth.passwords import hash_password, make_password
from tidegate.server.background import Background
from tidegate.server.config import Config
from tidegate.server.logs import log
from tidegate.server.production.setup import read_production
from tidegate.server.service import Service
from tidegate.store import accounts, values
from tidegate.store.clock import now
from tidegate.store.engine import Database
from tidegate.store.migrate import prepare_database

ADMIN = "admin"
LEDGER_KEY = "ledger-key"
GRACE_SECONDS = 10
"""What a request that is under way has left when the service is told to stop."""
_IDLE_SECONDS = 15
_MOST_CONNECTIONS = 1000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_reach(config: Config) -> None:
    """InputError where passwords would travel in the open: beyond this machine it takes https, or a proxy that does."""
    proxied = config.trusted_proxy or config.url.startswith("https://")
    if config.host not in _LOOPBACK and not proxied:
        raise InputError(
            "listens beyond this machine without https",
            where=f"TIDEGATE_HOST={config.host}",
            mend="set TIDEGATE_URL=https://... (and TIDEGATE_TRUSTED_PROXY=1 behind a proxy that sets X-Forwarded-For)",
        )


def serve(config: Config, tell: Callable[[str], None], background: Background | None = None) -> None:
    """Serves until SIGTERM or SIGINT. `tell` gets the lines for whoever started it: the address, a first password.

    InternalError where the work in the background failed for good: a service that decides nothing ends.
    """
    import uvicorn

    from tidegate.server.app import make_app
    from tidegate.server.connections import PromptProtocol

    check_reach(config)
    if config.production is not None:
        read_production(config.production)  # what is wrong with it is told before anything is opened
    background = background or Background(config.workers)
    with _listening(config) as listening, open_service(config, background.ring, background.problem) as service:
        app = make_app(service)
        password = first_admin(service.database)
        note_settings(service)
        enter_all(service)
        tell(f"Tidegate is at {config.url}")
        if password:
            tell(f"The first admin is {ADMIN}, with the password {password}")
            tell("It is shown this once. For another one: tidegate serve --new-password admin")
        settings = uvicorn.Config(
            app,
            http=PromptProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        log("start", version=__version__, url=config.url)
        server = uvicorn.Server(settings)
        with _stopping_quietly():
            background.begin(service, lambda: setattr(server, "should_exit", True))
            try:
                server.run(sockets=[listening])
            finally:
                background.end()
        log("stop")
    if background.error is not None:
        raise InternalError(background.problem(), mend="see its log") from background.error


@contextmanager
def open_service(
    config: Config, wake: Callable[[], None] = lambda: None, failing: Callable[[], str] = lambda: ""
) -> Iterator[Service]:
    """The service of this set-up, brought to this version. InputError where something of it cannot be used."""
    from tidegate.server.forge.configured import forges_of
    from tidegate.server.outgoing import post

    make_folder(config.data)
    with ExitStack() as stack:
        database = prepare_database(config.database)
        stack.callback(database.close)
        key_path = config.data / "ledger.key"
        make_key(key_path, _origin(config), KeyKind.LOG)
        origin, _, signer = read_software_key(key_path)
        _require_own_key(database, key_path, PublicKey(signer.algorithm, signer.public_key))
        outside = config.data / "ledger.checkpoint"
        settings = LogSettings(origin, outside, _witnesses(config), config.quorum, post, now)
        ledger = stack.enter_context(open_log(database, signer, settings))
        forges = forges_of(config)
        for forge in forges.values():
            stack.callback(forge.close)
        yield Service(config, database, ledger, forges, now, wake, failing)


def first_admin(database: Database) -> str:
    """The password of the admin that was just made; "" where somebody is there already. Shown once, kept as a hash."""
    with database.read() as connection:
        if accounts.has_people(connection):
            return ""
    password = make_password()
    hashed = hash_password(password)

    def work(connection: Connection) -> str:
        if accounts.has_people(connection):  # of two processes that start together one makes the admin
            return ""
        admin = accounts.add_person(connection, ADMIN, "Administrator", "admin", now())
        accounts.set_password(connection, admin.id, hashed, now())
        note(connection, Act(action="person-added", whom=admin.id, role="admin"), now(), None)
        return password

    return database.change(work)


def new_password(database: Database, name: str) -> str:
    """A fresh password for somebody who lost theirs; all their sessions end. InputError where nobody has the name."""
    password = make_password()
    hashed = hash_password(password)

    def work(connection: Connection) -> None:
        person = accounts.person_named(connection, name)
        if person is None:
            raise InputError(f"nobody is named {name}")
        accounts.set_password(connection, person.id, hashed, now())
        note(connection, Act(action="password-reset", whom=person.id), now(), None)

    database.change(work)
    return password


def make_folder(path: Path) -> None:
    """The folder for everything, for its owner only."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid == os.getuid():
            path.chmod(0o700)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path), mend="set TIDEGATE_HOME") from error


# Private


@contextmanager
def _listening(config: Config) -> Iterator[socket.socket]:
    """Taken before anything is opened: whoever connects early waits, and a port in use is told at once."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        listening = socket.create_server((config.host, config.port), family=family, backlog=512)
    except OSError as error:
        where = f"TIDEGATE_HOST={config.host} TIDEGATE_PORT={config.port}"
        raise InputError(f"cannot listen ({error.strerror})", where=where, mend="set another port") from error
    with listening:
        yield listening


@contextmanager
def _stopping_quietly() -> Iterator[None]:
    """uvicorn raises the signal again that ended it; then what is open must still be closed in its order."""
    kept = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _require_own_key(database: Database, path: Path, key: PublicKey) -> None:
    """InputError where another service signs this database's ledger: of two that begin at once on one database, each
    with a folder of its own, one gets here first."""
    known = database.change(lambda connection: values.write_once(connection, LEDGER_KEY, key.fingerprint, now()))
    if known != key.fingerprint:
        raise InputError(
            "the ledger of this database is signed by another key",
            where=str(path),
            mend="copy ledger.key from the service that began it, in the place of this one",
        )


def _origin(config: Config) -> str:
    """The name of the log: where it is reached, without the scheme, as C2SP asks."""
    parts = urlsplit(config.url)
    return f"{parts.netloc}{parts.path}/ledger"


def _witnesses(config: Config) -> tuple[RemoteWitness, ...]:
    """Each `VKEY URL`; one URL with several keys is one witness."""
    found: dict[str, tuple[NoteKey, ...]] = {}
    for line in config.witnesses:
        vkey, _, url = line.partition(" ")
        url = url.strip().rstrip("/")
        if not url.startswith(("https://", "http://")):
            raise InputError("a witness is `VKEY URL`", where="TIDEGATE_WITNESSES", mend="ask the witness for its key")
        found[url] = (*found.get(url, ()), parse_vkey(vkey))
    return tuple(RemoteWitness(url, keys) for url, keys in found.items())
