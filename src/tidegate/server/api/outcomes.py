"""What became of what was deployed, and what incidents teach whoever changes the same files again."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct
from sqlalchemy import Connection

from tidegate.operate.calibration import Calibration
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import DEFAULT, Id, Most, found, next_of
from tidegate.server.api.problems import Problem
from tidegate.server.production.lessons import RecentIncident, recent_incidents, trace_calibration
from tidegate.store import outcomes, repositories
from tidegate.store.outcomes import Outcome, Result

_Commit: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{40}([0-9a-f]{24})?)?$(?!\n)", max_length=64)]
_Line: TypeAlias = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
_Path: TypeAlias = Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]


class OutcomeShown(Struct, frozen=True):
    """What became of a commit in an environment, as one incident, deployment or commit says it (`by`).

    `weight`: how sure it is that this commit is meant, 0 to 1. Times are Unix seconds: when it was first there, and
    since when this is known. `redeploys`: how often the change was deployed again. `entry`: where the ledger holds it.
    """

    id: int
    repository: str
    environment: str
    commit: str
    result: Result
    by: str
    weight: float
    deployed: float
    known: float
    redeploys: int
    entry: int | None


class Outcomes(Struct, frozen=True):
    items: tuple[OutcomeShown, ...]
    next: int | None


class OutcomesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Empty: any. `repository` is its number. A change that is not here is not known to be good."""

    repository: Id = 0
    environment: _Line = ""
    result: Literal["", "clean", "reverted", "fixed", "incident", "rolled-back"] = ""
    commit: _Commit = ""
    after: Id = 0
    most: Most = DEFAULT


class RecentQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`path`: a file or a folder; empty: any. `repository` is its number, 0: any; `slug` its OWNER/NAME, empty: any."""

    path: _Path = ""
    repository: Id = 0
    slug: _Line = ""
    most: Most = 20


class Recent(Struct, frozen=True):
    items: tuple[RecentIncident, ...]


def listed(ask: Ask[OutcomesQuery, Nothing]) -> Outcomes:
    """What stands, in the order in which it was first said."""
    query = ask.query
    with ask.service.database.read() as connection:
        items = outcomes.page(
            connection,
            after=query.after,
            repository=query.repository or None,
            environment=query.environment or None,
            result=query.result or None,
            revision=query.commit or None,
            most=query.most,
        )
        named = {one.repository: repositories.get(connection, one.repository) for one in items}
    slugs = {number: each.slug for number, each in named.items() if each is not None}
    shown = tuple(_shown(one, slugs.get(one.repository, "")) for one in items)
    return Outcomes(shown, next_of(items, query.most, lambda one: one.id))


def recent(ask: Ask[RecentQuery, Nothing]) -> Recent:
    """Incidents whose causes touched the file or the folder, the last first."""
    query = ask.query
    with ask.service.database.read() as connection:
        number = _number(connection, query.slug) if query.slug else query.repository
        return Recent(recent_incidents(connection, query.path, repository=number or None, most=query.most))


def calibration(ask: Ask[Nothing, Nothing]) -> Calibration:
    """What traces said, held against the causes that people confirmed."""
    with ask.service.database.read() as connection:
        return trace_calibration(connection)


# Private


def _number(connection: Connection, slug: str) -> int:
    """The repository that is called so on one of the forges. Problem 404 for none, 409 for one on each."""
    rows = [row for forge in ("github", "gitlab") if (row := repositories.find(connection, forge, slug)) is not None]
    if len(rows) > 1:
        raise Problem(409, "two repositories are called so: name one by its number")
    return found(rows[0] if rows else None, "repository").id


def _shown(one: Outcome, slug: str) -> OutcomeShown:
    return OutcomeShown(
        id=one.id,
        repository=slug,
        environment=one.environment,
        commit=one.revision,
        result=one.result,
        by=one.by,
        weight=one.weight,
        deployed=one.deployed,
        known=one.known,
        redeploys=one.redeploys,
        entry=one.entry,
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/outcomes",
        needs="changes:read",
        summary="What became of what was deployed",
        handler=listed,
        query=OutcomesQuery,
        answer=Outcomes,
    ),
    Endpoint(
        method="GET",
        path="/incidents/recent",
        needs="changes:read",
        summary="Incidents that a file or a folder had a part in",
        handler=recent,
        query=RecentQuery,
        answer=Recent,
        problems=(404, 409),
    ),
    Endpoint(
        method="GET",
        path="/incidents/calibration",
        needs="changes:read",
        summary="Whether traces are as sure as they may be",
        handler=calibration,
        answer=Calibration,
    ),
)
