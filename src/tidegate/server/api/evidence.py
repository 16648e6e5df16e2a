"""The complete population of a repository: every commit that reached its main branch, and what does not fit."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.ledger.evidence.values import Period, Population
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.mirrors import open_mirrors
from tidegate.server.population import Asked, collect
from tidegate.store import repositories
from tidegate.store.clock import moment_of

MOST_ENTRIES = 100_000
"""Of the ledger: what half a minute of a slow processor reads."""


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
    mirror = open_mirrors(service.config).path_of(repository.forge, repository.slug)
    asked = Asked(
        database=service.config.database,
        key=service.log.public_key().public_key,
        size=service.log.size(),
        mirror=str(mirror),
        slug=repository.slug,
        main=repository.main,
        period=period,
        now=now,
    )
    return collect(service.config, asked)


# Private


def _period(query: PeriodQuery, now: str) -> Period:
    try:
        begin, end = (moment_of(text).timestamp() for text in (query.begin, query.end))
    except (ValueError, OverflowError) as error:
        raise Problem(422, "a time is written like 2026-01-31T00:00:00Z") from error
    if not begin < end:
        raise Problem(422, "the period ends before it begins")
    return Period(begin, end, moment_of(now).timestamp())


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
