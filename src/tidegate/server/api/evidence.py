"""The complete population of a repository: every commit that reached its main branch, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct, structs

from tidegate.change.approvals import repository_uri
from tidegate.change.configuration import read_settings
from tidegate.change.protected import read_branch, with_landed
from tidegate.errors import GitError
from tidegate.ledger import log_rows as rows
from tidegate.ledger.evidence.population import named_commits, reconcile
from tidegate.ledger.evidence.record import read_record
from tidegate.ledger.evidence.values import Period, Population
from tidegate.ledger.log import Log
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.audit import read_world
from tidegate.server.mirrors import open_mirrors
from tidegate.server.service import Service
from tidegate.store import repositories
from tidegate.store.clock import moment_of
from tidegate.store.engine import Database
from tidegate.store.repositories import Repository

MOST_ENTRIES = 100_000
"""Of the ledger: reading them all takes some seconds a hundred thousand, which a request should not."""
_PAGE = 2_000


class PeriodQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """From `begin` until just before `end`, as RFC 3339 with an offset."""

    begin: Annotated[str, Meta(min_length=10, max_length=40)]
    end: Annotated[str, Meta(min_length=10, max_length=40)]


def population(ask: Ask[PeriodQuery, Nothing]) -> Population:
    """By the main branch as it was fetched last. `tidegate ledger evidence` makes a pack that verifies without us."""
    service, now = ask.service, ask.service.now()
    period = _period(ask.query, now)
    with service.database.read() as connection:
        repository = found(repositories.get(connection, ask.path["repository"]), "repository")
    if service.log.size() > MOST_ENTRIES:
        raise Problem(409, "the ledger is too long for this", mend="run `tidegate ledger evidence` beside the service")
    try:
        return _collect(service, repository, period, now)
    except GitError as error:
        raise Problem(409, "the repository cannot be read here now") from error


# Private


def _period(query: PeriodQuery, now: str) -> Period:
    try:
        begin, end = (moment_of(text).timestamp() for text in (query.begin, query.end))
    except (ValueError, OverflowError) as error:
        raise Problem(422, "a time is written like 2026-01-31T00:00:00Z") from error
    if not begin < end:
        raise Problem(422, "the period ends before it begins")
    return Period(begin, end, moment_of(now).timestamp())


def _collect(service: Service, repository: Repository, period: Period, now: str) -> Population:
    uri, ref = repository_uri(repository.slug), f"refs/heads/{repository.main}"
    record = read_record(_entries(service.database, service.log), [service.log.public_key().public_key], uri)
    with open_mirrors(service.config).open(repository.forge, repository.slug) as mirror:
        settings = read_settings(mirror, mirror.resolve(ref), {}).settings
        world = read_world(service.database, uri, settings, now)
        world = structs.replace(world, merges=with_landed(mirror, ref, world.merges or ()))
        branch = read_branch(mirror, ref, named_commits(record, world))
    return reconcile(record, structs.replace(world, branches=(branch,)), period)


def _entries(database: Database, log: Log) -> Iterator[tuple[int, bytes]]:
    size = log.size()
    for begin in range(0, size, _PAGE):
        with database.read() as connection:
            yield from enumerate(rows.envelopes(connection, begin, min(begin + _PAGE, size)), start=begin)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/repositories/{repository:int}/population",
        needs="evidence:read",
        summary="Every commit of a period, and what does not fit",
        handler=population,
        query=PeriodQuery,
        answer=Population,
        problems=(409,),
    ),
)
