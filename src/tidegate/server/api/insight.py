"""Is AI helping or hurting here, and is scrutiny keeping up: the figures of a repository, a team or everything."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from tidegate.insight.answer import Insight
from tidegate.insight.delivery import BY
from tidegate.insight.export import csv_of
from tidegate.insight.values import Every
from tidegate.replay import moment_before
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing, Raw
from tidegate.server.api.paging import Id
from tidegate.server.api.problems import Problem
from tidegate.server.insight.answer import Asked, read_insight, until_now

CSV = "text/csv; charset=utf-8"
_Line: TypeAlias = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
_Span: TypeAlias = Annotated[
    str, Meta(max_length=40, pattern=r"^([0-9]{1,4}(d|w|mo|y)|[0-9]{4}-[0-9]{2}-[0-9]{2})$(?!\n)")
]
_Day: TypeAlias = Annotated[str, Meta(max_length=10, pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)")]
_By: TypeAlias = Annotated[str, Meta(max_length=60, pattern=r"^[a-z]+(,[a-z]+)*$(?!\n)")]


class InsightQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`since`: a span such as 12mo, 90d, 2y before `until`, or a day; `until`: a day that is left out, empty: now.

    `by`: one or more of writer, tool, model, team, repository, with commas between. `repository` is its number, 0: all.
    """

    since: _Span = "6mo"
    until: _Day = ""
    repository: Id = 0
    team: _Line = ""
    environment: _Line = "production"
    every: Every = "week"
    by: _By = "writer"


def figures(ask: Ask[InsightQuery, Nothing]) -> Insight:
    """Every figure with its n and its interval of 95 %, by who wrote the changes. Reviewers stand under pseudonyms."""
    return _read(ask)


def table(ask: Ask[InsightQuery, Nothing]) -> Raw:
    """The same as CSV, one figure a row."""
    headers = {"content-disposition": 'attachment; filename="insight.csv"'}
    return Raw(csv_of(_read(ask)).encode("utf-8", "replace"), CSV, headers)


# Private


def _read(ask: Ask[InsightQuery, Nothing]) -> Insight:
    query = ask.query
    by = tuple(dict.fromkeys(query.by.split(",")))
    if unknown := [each for each in by if each not in BY]:
        raise Problem(422, f"{unknown[0]!r} is none of {', '.join(BY)}", detail="by")
    now = until_now(ask.service)
    until = float(moment_before(query.until, int(now))) if query.until else now
    since = float(moment_before(query.since, int(until)))
    asked = Asked(since, until, query.repository, query.team, query.environment, query.every, by)
    return read_insight(ask.service, asked).insight


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/insight",
        needs="changes:read",
        summary="Delivery, scrutiny, upkeep and debt by who wrote the changes",
        handler=figures,
        query=InsightQuery,
        answer=Insight,
    ),
    Endpoint(
        method="GET",
        path="/insight.csv",
        needs="changes:read",
        summary="The same figures as CSV",
        handler=table,
        query=InsightQuery,
        answer=str,
        media_type=CSV,
    ),
)
