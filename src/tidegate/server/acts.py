"""What admins and owners of accounts did, for the ledger: noted with the deed in one transaction, then appended.

A note waits in its row until the ledger took it. So nothing that was done is missing from the record, whatever dies in
between; and somebody who mends a ledger that refuses to sign can still sign in.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, select

from tidegate.change.approvals import repository_uri
from tidegate.errors import TidegateError
from tidegate.ledger.fields import Subject
from tidegate.ledger.predicates.admin_action import Action, AdminAction, Through
from tidegate.ledger.statements import Statement, encode_statement, read_statement
from tidegate.server.api.endpoint import Who
from tidegate.server.config import Config
from tidegate.server.entries import append, pseudonym_of, time_of
from tidegate.server.logs import log
from tidegate.server.service import Service
from tidegate.store import accounts, values
from tidegate.store.tables import values as rows

T = TypeVar("T")
NOTED = "act/"
"""Rows of `values` that the ledger has not taken yet."""
SETTINGS = "settings-digest"


class Act(Struct, frozen=True, kw_only=True):
    """One deed as `AdminAction` has it, with people by their ids."""

    action: Action
    whom: int | None = None
    before: str = ""
    role: str = ""
    key: str = ""
    token: int | None = None
    scopes: tuple[str, ...] = ()
    slug: str = ""
    settings: str | None = None


def acting(service: Service, who: Who, work: Callable[[Connection], tuple[T, Sequence[Act]]]) -> T:
    """Does the work, and puts on record what it says was done."""
    names: list[str] = []

    def both(connection: Connection) -> T:
        answer, acts = work(connection)
        names[:] = [note(connection, act, service.now(), who) for act in acts]
        return answer

    answer = service.database.change(both)
    enter(service, names)
    return answer


def note(connection: Connection, act: Act, at: str, who: Who | None, through: Through | None = None) -> str:
    """The row of the note. `who` None: a command on this machine."""
    says = AdminAction(
        action=act.action,
        through=through or ("command" if who is None else "session" if who.session else "token"),
        at=time_of(at),
        person=_known_as(connection, who.person, at) if who is not None else "",
        whom=_known_as(connection, act.whom, at) if act.whom is not None else "",
        before=act.before,
        role=act.role,
        key=act.key,
        token=act.token,
        scopes=act.scopes,
        repository=repository_uri(act.slug) if act.slug else "",
        settings=act.settings,
    )
    name = f"{NOTED}{secrets.token_hex(16)}"
    digest = hashlib.sha256(name.encode()).hexdigest()
    statement = encode_statement(Statement((Subject(digest={"sha256": digest}),), says))
    values.write(connection, name, statement.decode(), at)
    return name


def enter(service: Service, names: Sequence[str]) -> None:
    """Appends what was noted. Where the ledger does not take it now, it waits for the sweeper."""
    for name in names:
        with service.database.read() as connection:
            noted = values.read(connection, name)
        if noted is None:
            continue
        try:
            append(service, f"admin-action:{name.removeprefix(NOTED)}", read_statement(noted.encode()), "admin-action")
        except TidegateError as error:
            log("unrecorded", note=name, problem=str(error)[:200])
            return
        service.database.change(partial(_forget, name=name))


def enter_all(service: Service, most: int = 1000) -> None:
    """What waits, the oldest first."""
    query = select(rows.c.name).where(rows.c.name.like(f"{NOTED}%")).order_by(rows.c.set_at, rows.c.name).limit(most)
    with service.database.read() as connection:
        names = tuple(connection.execute(query).scalars())
    enter(service, names)


def note_settings(service: Service) -> None:
    """Puts on record that the service was started with other settings than the last time; its secrets are not read."""
    digest = digest_of_settings(service.config)

    def work(connection: Connection) -> None:
        if values.read(connection, SETTINGS) != digest:
            values.write(connection, SETTINGS, digest, service.now())
            note(connection, Act(action="settings-changed", settings=digest), service.now(), None)

    service.database.change(work)


def digest_of_settings(config: Config) -> str:
    """SHA-256 of what decides who is believed: the address, the witnesses, the forges, the sign-in, the limits."""
    shown = {
        "url": config.url,
        "witnesses": config.witnesses,
        "quorum": config.quorum,
        "trusted_proxy": config.trusted_proxy,
        "forges": [forge.api for forge in (config.github, config.gitlab) if forge is not None],
        "provider": [config.sign_in.issuer, config.sign_in.client, config.sign_in.role],
        "limits": msgspec.to_builtins(config.limits),
    }
    return hashlib.sha256(msgspec.json.encode(shown, order="sorted")).hexdigest()


# Private


def _forget(connection: Connection, *, name: str) -> None:
    connection.execute(delete(rows).where(rows.c.name == name))


def _known_as(connection: Connection, person: int, at: str) -> str:
    found = accounts.person(connection, person)
    return pseudonym_of(connection, person, found.name if found is not None else "", at)
