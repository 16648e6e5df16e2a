"""Repositories that are looked after, and the witnesses of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct
from sqlalchemy import Connection

from tidegate.ledger import log_rows
from tidegate.ledger.keys import parse_vkey
from tidegate.server.acts import Act, acting
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import Paging, found, next_of
from tidegate.store import repositories
from tidegate.store.repositories import NewRepository, Repository


class Repositories(Struct, frozen=True):
    items: tuple[Repository, ...]
    next: int | None


class Adding(Struct, frozen=True, forbid_unknown_fields=True):
    """`main` is the branch that the population of an audit is read from."""

    forge: Literal["github", "gitlab"]
    slug: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){1,5}$(?!\n)", max_length=300
        ),
    ]
    clone_url: Annotated[str, Meta(pattern=r"^https://[A-Za-z0-9.:-]{1,253}/[A-Za-z0-9._/~-]{1,400}$(?!\n)")]
    main: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$(?!\n)")] = "main"


class WitnessShown(Struct, frozen=True):
    """`seen` is the largest size of the log that it cosigned; 0: none yet."""

    name: str
    url: str
    seen: int


class Witnesses(Struct, frozen=True):
    """`quorum` of them must have seen an entry before what it says is released."""

    items: tuple[WitnessShown, ...]
    quorum: int


def listed(ask: Ask[Paging, Nothing]) -> Repositories:
    """By id."""
    with ask.service.database.read() as connection:
        items = repositories.page(connection, after=ask.query.after, most=ask.query.most)
    return Repositories(items, next_of(items, ask.query.most, lambda each: each.id))


def one(ask: Ask[Nothing, Nothing]) -> Repository:
    """Also one that was removed."""
    with ask.service.database.read() as connection:
        return found(repositories.get(connection, ask.path["repository"]), "repository")


def add(ask: Ask[Nothing, Adding]) -> Repository:
    """Looked after from now on; what is there already is brought up to date."""
    body = ask.body
    new = NewRepository(body.forge, body.slug, body.clone_url, body.main)

    def work(connection: Connection) -> tuple[Repository, Sequence[Act]]:
        made = repositories.add(connection, new, ask.service.now())
        return made, (Act(action="repository-added", slug=made.slug),)

    return acting(ask.service, ask.who, work)


def remove(ask: Ask[Nothing, Nothing]) -> None:
    """Its record stays. Twice is once."""

    def work(connection: Connection) -> tuple[None, Sequence[Act]]:
        row = found(repositories.get(connection, ask.path["repository"]), "repository")
        removed = repositories.remove(connection, row.id, ask.service.now())
        return None, (Act(action="repository-removed", slug=row.slug),) if removed else ()

    acting(ask.service, ask.who, work)


def witnesses(ask: Ask[Nothing, Nothing]) -> Witnesses:
    """Who watches the ledger from outside. They are set where the service is set up, never here."""
    with ask.service.database.read() as connection:
        seen = log_rows.cosigned_sizes(connection, 0)
    items = []
    for line in ask.service.config.witnesses:
        vkey, _, url = line.partition(" ")
        name = parse_vkey(vkey).name
        items.append(WitnessShown(name, url.strip(), seen.get(name, 0)))
    return Witnesses(tuple(items), ask.service.config.quorum)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/repositories",
        needs="settings:read",
        summary="Repositories",
        handler=listed,
        query=Paging,
        answer=Repositories,
    ),
    Endpoint(
        method="POST",
        path="/repositories",
        needs="settings:write",
        summary="Look after a repository",
        handler=add,
        body=Adding,
        answer=Repository,
        status=201,
    ),
    Endpoint(
        method="GET",
        path="/repositories/{repository:int}",
        needs="settings:read",
        summary="A repository",
        handler=one,
        answer=Repository,
    ),
    Endpoint(
        method="DELETE",
        path="/repositories/{repository:int}",
        needs="settings:write",
        summary="Look after a repository no more",
        handler=remove,
    ),
    Endpoint(
        method="GET",
        path="/witnesses",
        needs="settings:read",
        summary="Who watches the ledger",
        handler=witnesses,
        answer=Witnesses,
    ),
)
