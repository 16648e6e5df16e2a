"""What AI cost, told as CSV: in the generic form or as a vendor exports it. Insight joins it to what shipped."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from tidegate.server.api.endpoint import Ask, Endpoint, Message, Nothing
from tidegate.server.api.problems import Problem
from tidegate.server.insight.spending import Taken, take_bill
from tidegate.store import costs
from tidegate.store.costs import Source

MOST_BYTES = 16 << 20
SOURCE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$(?!\n)"
_Source: TypeAlias = Annotated[str, Meta(max_length=60, pattern=rf"^$(?!\n)|{SOURCE}")]
_Tool: TypeAlias = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]


class CostsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`source`: a name for where the bill comes from, empty: the form of it. What a source says of a day, a tool, a
    model and a person holds until it says something else of them: give two bills of one form two names.

    `tool`: what rows paid for where the export does not say.
    """

    source: _Source = ""
    tool: _Tool = ""


class Sources(Struct, frozen=True):
    items: tuple[Source, ...]


def add(ask: Ask[CostsQuery, Message]) -> Taken:
    """Known are `day,tool,model,person,cost,currency` and the exports of Claude Console (costs), OpenAI (costs), GitHub
    (usage report) and Cursor (usage events). People are kept under pseudonyms. The same again changes nothing."""
    return take_bill(ask.service, ask.body.content, ask.query.source, ask.query.tool)


def listed(ask: Ask[Nothing, Nothing]) -> Sources:
    """Who told of which days, and how much in all."""
    with ask.service.database.read() as connection:
        return Sources(costs.sources(connection))


def remove(ask: Ask[Nothing, Nothing]) -> None:
    """Takes back all that a source said."""
    with ask.service.database.write() as connection:
        if not costs.forget_source(connection, ask.path["source"]):
            raise Problem(404, "no such source is known")


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/costs",
        needs="costs:write",
        summary="Tell what AI cost, as CSV",
        handler=add,
        query=CostsQuery,
        body=Message,
        answer=Taken,
        status=201,
        takes=("text/csv",),
        most_bytes=MOST_BYTES,
    ),
    Endpoint(
        method="GET",
        path="/costs",
        needs="changes:read",
        summary="Where costs are known from",
        handler=listed,
        answer=Sources,
    ),
    Endpoint(
        method="DELETE",
        path="/costs/{source}",
        needs="costs:write",
        summary="Take back what a source said",
        handler=remove,
        problems=(404,),
    ),
)
