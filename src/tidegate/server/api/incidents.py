"""Incidents: what is open, what caused each with which probability, and what people say about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import DEFAULT, Id, Most, found, next_of
from tidegate.server.production.confirming import confirm_cause
from tidegate.server.production.ending import end_by_hand
from tidegate.store import causes, incidents
from tidegate.store.causes import Cause
from tidegate.store.incidents import Incident, State

How: TypeAlias = Literal["roll_back", "hot_fix", "forward_fix", "none"]


class IncidentQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Without a value: any. `before` is the `next` of the page before; 0 begins with the last."""

    state: State | None = None
    environment: str | None = None
    service: str | None = None
    before: Id = 0
    most: Most = DEFAULT


class IncidentPage(Struct, frozen=True):
    items: tuple[Incident, ...]
    next: int | None


class IncidentShown(Struct, frozen=True):
    """`trace` is what the last investigation found, `{}` before any; `causes` what people said, in their order."""

    incident: Incident
    causes: tuple[Cause, ...]
    trace: dict[str, Any]


class Confirming(Struct, frozen=True, forbid_unknown_fields=True):
    """A commit in full, or one word for what is no change: load, certificate, dependency."""

    cause: Annotated[str, Meta(min_length=1, max_length=64)]


class Ending(Struct, frozen=True, forbid_unknown_fields=True):
    """How it ended; `deployment` is the id of the one that ended it, 0 where none did."""

    resolution: How
    deployment: Id = 0


def listed(ask: Ask[IncidentQuery, Nothing]) -> IncidentPage:
    """The last that was opened first."""
    query = ask.query
    with ask.service.database.read() as connection:
        rows = incidents.page(
            connection,
            state=query.state,
            environment=query.environment,
            service=query.service,
            before=query.before or None,
            most=query.most,
        )
    return IncidentPage(rows, next_of(rows, query.most, lambda row: row.id))


def one(ask: Ask[Nothing, Nothing]) -> IncidentShown:
    number = ask.path["incident"]
    with ask.service.database.read() as connection:
        incident = found(incidents.get(connection, number), "incident")
        said = causes.of_incident(connection, number)
        document = incidents.document(connection, number)
    return IncidentShown(incident, said, msgspec.json.decode(document))


def confirm(ask: Ask[Nothing, Confirming]) -> Incident:
    """The last word stands, and the ledger keeps each."""
    return confirm_cause(ask.service, ask.who, ask.path["incident"], ask.body.cause)


def resolve(ask: Ask[Nothing, Ending]) -> Incident:
    """Over as of now. One that is over stays as it ended first."""
    body = ask.body
    return end_by_hand(ask.service, ask.who, ask.path["incident"], body.resolution, body.deployment or None)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/incidents",
        needs="changes:read",
        summary="Incidents",
        handler=listed,
        query=IncidentQuery,
        answer=IncidentPage,
    ),
    Endpoint(
        method="GET",
        path="/incidents/{incident:int}",
        needs="changes:read",
        summary="An incident, with what its investigation found",
        handler=one,
        answer=IncidentShown,
        problems=(404,),
    ),
    Endpoint(
        method="POST",
        path="/incidents/{incident:int}/cause",
        needs="incidents:write",
        summary="Say what caused an incident",
        handler=confirm,
        body=Confirming,
        answer=Incident,
        problems=(404,),
    ),
    Endpoint(
        method="POST",
        path="/incidents/{incident:int}/resolution",
        needs="incidents:write",
        summary="Say that an incident is over",
        handler=resolve,
        body=Ending,
        answer=Incident,
        problems=(404,),
    ),
)
