"""Drills: who leads one makes it and turns its clock, who takes part sees what their roles see, and decides."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import DEFAULT, Id, Line, Most, found, next_of
from tidegate.server.api.problems import Problem
from tidegate.server.drill.acts import Turn, Wanted, decide, join, look, make, turn
from tidegate.server.drill.view import View
from tidegate.store import drills
from tidegate.store.drills import Drill, State

LONGEST = 2 << 20
_Pattern: TypeAlias = Annotated[str, Meta(max_length=40, pattern=r"^([a-z][a-z0-9-]*)?$(?!\n)")]
_Seed: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class DrillQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`before` is the `next` of the page before; 0 begins with the last."""

    before: Id = 0
    most: Most = DEFAULT


class DrillRow(Struct, frozen=True):
    """What everybody may know of an exercise, before it is over too."""

    id: int
    repository: int
    state: State
    made_at: str


class DrillPage(Struct, frozen=True):
    items: tuple[DrillRow, ...]
    next: int | None


class DrillShown(Struct, frozen=True):
    """`view` is what you may see now; None while it is made, or where it could not be: `problem` says why.

    `scenario` is for who leads it, and for all once it is over; else `{}`.
    """

    drill: DrillRow
    problem: str
    view: View | None
    scenario: dict[str, Any]


class Making(Struct, frozen=True, forbid_unknown_fields=True):
    """`scenario`: a `tidegate.drill/1` document as text, or empty to have one made, of `pattern` or of what fits."""

    repository: Id
    pattern: _Pattern = ""
    seed: _Seed | None = None
    scenario: Annotated[str, Meta(max_length=LONGEST)] = ""


class Joining(Struct, frozen=True, forbid_unknown_fields=True):
    roles: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=6)]


class Turning(Struct, frozen=True, forbid_unknown_fields=True):
    turn: Turn


class Deciding(Struct, frozen=True, forbid_unknown_fields=True):
    """`given`: the letter of an option; for a call or a roll-back also an owner or a revision."""

    decision: Line
    given: Annotated[str, Meta(min_length=1, max_length=300)]


def listed(ask: Ask[DrillQuery, Nothing]) -> DrillPage:
    """The last that was made first."""
    with ask.service.database.read() as connection:
        rows = drills.page(connection, before=ask.query.before or None, most=ask.query.most)
    return DrillPage(tuple(map(_row, rows)), next_of(rows, ask.query.most, lambda row: row.id))


def one(ask: Ask[Nothing, Nothing]) -> DrillShown:
    """What you may see of it now."""
    return _shown(ask)


def new(ask: Ask[Nothing, Making]) -> DrillRow:
    """It is made in the background: ask for it until it is ready. You lead it."""
    body = ask.body
    wanted = Wanted(repository=body.repository, pattern=body.pattern, seed=body.seed, scenario=body.scenario)
    return _row(make(ask.service, ask.who, wanted))


def take_part(ask: Ask[Nothing, Joining]) -> DrillShown:
    """In these roles, and in no others until it is over."""
    join(ask.service, ask.who, ask.path["drill"], ask.body.roles)
    return _shown(ask)


def clock(ask: Ask[Nothing, Turning]) -> DrillShown:
    """Start, pause, resume, skip to what comes next, or end."""
    turn(ask.service, ask.who, ask.path["drill"], ask.body.turn)
    return _shown(ask)


def answer(ask: Ask[Nothing, Deciding]) -> DrillShown:
    """The first answer is the one."""
    decide(ask.service, ask.who, ask.path["drill"], ask.body.decision, ask.body.given)
    return _shown(ask)


def report(ask: Ask[Nothing, Nothing]) -> dict[str, Any]:
    """`tidegate.drill-report/1`, for everybody, once it is over."""
    with ask.service.database.read() as connection:
        drill = found(drills.get(connection, ask.path["drill"]), "drill")
        if drill.state != "reported":
            raise Problem(409, "this exercise has no report yet")
        document: dict[str, Any] = msgspec.json.decode(drills.report(connection, drill.id))
    return document


# Private


def _row(drill: Drill) -> DrillRow:
    return DrillRow(drill.id, drill.repository, drill.state, drill.made_at)


def _shown(ask: Ask[Any, Any]) -> DrillShown:
    drill, view = look(ask.service, ask.who, ask.path["drill"])
    mine = drill.facilitator == ask.who.person
    document = b"{}"
    if view is not None and (view.leads or drill.state == "reported"):
        with ask.service.database.read() as connection:
            document = drills.scenario(connection, drill.id)
    return DrillShown(_row(drill), drill.problem if mine else "", view, msgspec.json.decode(document))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/drills",
        needs="changes:read",
        summary="Drills",
        handler=listed,
        query=DrillQuery,
        answer=DrillPage,
    ),
    Endpoint(
        method="POST",
        path="/drills",
        needs="drills:write",
        summary="Make a drill",
        handler=new,
        body=Making,
        answer=DrillRow,
        problems=(404,),
        status=201,
        most_bytes=3 * LONGEST,
    ),
    Endpoint(
        method="GET",
        path="/drills/{drill:int}",
        needs="changes:read",
        summary="A drill, as far as you may see it",
        handler=one,
        answer=DrillShown,
        problems=(404,),
    ),
    Endpoint(
        method="POST",
        path="/drills/{drill:int}/roles",
        needs="drills:join",
        summary="Take part in a drill",
        handler=take_part,
        body=Joining,
        answer=DrillShown,
        problems=(404, 409),
    ),
    Endpoint(
        method="POST",
        path="/drills/{drill:int}/clock",
        needs="drills:write",
        summary="Turn the clock of a drill",
        handler=clock,
        body=Turning,
        answer=DrillShown,
        problems=(404, 409),
    ),
    Endpoint(
        method="POST",
        path="/drills/{drill:int}/decisions",
        needs="drills:join",
        summary="Decide in a drill",
        handler=answer,
        body=Deciding,
        answer=DrillShown,
        problems=(404, 409),
    ),
    Endpoint(
        method="GET",
        path="/drills/{drill:int}/report",
        needs="changes:read",
        summary="What came of a drill",
        handler=report,
        answer=dict[str, Any],
        problems=(404, 409),
    ),
)
