"""What people say for deployments, and canaries: approvals, exceptions by two, judgements."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import DEFAULT, Digest, Id, Line, Most, found, next_of
from tidegate.server.api.problems import Problem
from tidegate.server.rollout import canaries as judging
from tidegate.server.rollout import words
from tidegate.store import canaries, deployment_approvals
from tidegate.store.canaries import Canary
from tidegate.store.deployment_approvals import Word

Demand: TypeAlias = Literal["freeze", "blast", "budget", "bake", "order", "reversal"]
OptionalLine: TypeAlias = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
OptionalDigest: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{40}([0-9a-f]{24})?)?$(?!\n)", max_length=64)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=32e9)]


class Approving(Struct, frozen=True, forbid_unknown_fields=True):
    """Yes to one revision before one environment, for some hours."""

    repository: Id
    environment: Line
    revision: Digest
    service: OptionalLine = ""
    hours: Annotated[int, Meta(ge=1, le=24 * words.LONGEST_DAYS)] = 24


class Excepting(Struct, frozen=True, forbid_unknown_fields=True):
    """`covers` is set aside once a second person joins. `revision` "": whatever is deployed; `freeze` "": any."""

    repository: Id
    environment: Line
    covers: Demand
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    service: OptionalLine = ""
    revision: OptionalDigest = ""
    freeze: OptionalLine = ""
    hours: Annotated[int, Meta(ge=1, le=24 * words.LONGEST_EXCEPTION_DAYS)] = 4


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class WordQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`repository` 0: any. `before` is the `next` of the page before; 0 begins with the last."""

    repository: Id = 0
    environment: str | None = None
    before: Id = 0
    most: Most = DEFAULT


class WordPage(Struct, frozen=True):
    items: tuple[Word, ...]
    next: int | None


class Judging(Struct, frozen=True, forbid_unknown_fields=True):
    """`name` is that of a document in `.tidegate/canaries` of the protected branch. Times are Unix seconds; without a
    `start` it is when the deployment of `revision` began there."""

    repository: Id
    name: Line
    environment: Line
    service: OptionalLine = ""
    revision: OptionalDigest = ""
    start: Seconds | None = None
    end: Seconds | None = None


class CanaryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Without a value: any. `before` is the `next` of the page before; 0 begins with the last."""

    environment: str | None = None
    service: str | None = None
    name: str | None = None
    revision: str | None = None
    before: Id = 0
    most: Most = DEFAULT


class CanaryPage(Struct, frozen=True):
    items: tuple[Canary, ...]
    next: int | None


class CanaryShown(Struct, frozen=True):
    """A judgement whole: `judgement` is `tidegate.canary/1`. Nobody acts on it but whoever asked."""

    canary: Canary
    judgement: dict[str, Any]


def approve(ask: Ask[Nothing, Approving]) -> Word:
    """Whether it counts is for the gate: who deploys it does not approve it."""
    body = ask.body
    _check_repository(ask, body.repository)
    said = words.Said(environment=body.environment, hours=body.hours, service=body.service, revision=body.revision)
    return words.say(ask.service, ask.who, body.repository, said)


def ask_exception(ask: Ask[Nothing, Excepting]) -> Word:
    """The first of two people. Alone it does nothing."""
    body = ask.body
    _check_repository(ask, body.repository)
    said = words.Said(
        environment=body.environment,
        hours=body.hours,
        covers=body.covers,
        service=body.service,
        revision=body.revision,
        freeze=body.freeze,
        reason=body.reason,
    )
    return words.say(ask.service, ask.who, body.repository, said)


def join_exception(ask: Ask[Nothing, Nothing]) -> Word:
    """The second of two people."""
    return words.join(ask.service, ask.who, ask.path["word"])


def take_back(ask: Ask[Nothing, Reason]) -> Word:
    return words.take_back(ask.service, ask.who, ask.path["word"], ask.body.reason)


def listed(ask: Ask[WordQuery, Nothing]) -> WordPage:
    query = ask.query
    with ask.service.database.read() as connection:
        rows = deployment_approvals.page(
            connection,
            repository=query.repository or None,
            environment=query.environment,
            before=query.before or None,
            most=query.most,
        )
    return WordPage(rows, next_of(rows, query.most, lambda row: row.id))


def judge(ask: Ask[Nothing, Judging]) -> CanaryShown:
    """Valid whenever it is asked, and as often."""
    _check_repository(ask, ask.body.repository)
    asked = msgspec.convert(msgspec.structs.asdict(ask.body), judging.Asked)
    return _shown(ask, judging.judge_canary(ask.service, asked, ask.who.name).id)


def judged(ask: Ask[CanaryQuery, Nothing]) -> CanaryPage:
    query = ask.query
    with ask.service.database.read() as connection:
        rows = canaries.page(
            connection,
            environment=query.environment,
            service=query.service,
            name=query.name,
            revision=query.revision,
            before=query.before or None,
            most=query.most,
        )
    return CanaryPage(rows, next_of(rows, query.most, lambda row: row.id))


def canary(ask: Ask[Nothing, Nothing]) -> CanaryShown:
    return _shown(ask, ask.path["canary"])


# Private


def _check_repository(ask: Ask[Any, Any], repository: int) -> None:
    if not ask.who.speaks_for(repository):
        raise Problem(403, "this token does not speak for this repository")


def _shown(ask: Ask[Any, Any], identifier: int) -> CanaryShown:
    with ask.service.database.read() as connection:
        row = found(canaries.get(connection, identifier), "canary")
        document = canaries.document(connection, row.id)
    return CanaryShown(row, msgspec.json.decode(document))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/deployment-approvals",
        needs="approvals:write",
        of_repository=True,
        summary="Approve a revision before an environment",
        handler=approve,
        body=Approving,
        answer=Word,
        problems=(404, 409),
        status=201,
    ),
    Endpoint(
        method="GET",
        path="/deployment-approvals",
        needs="changes:read",
        summary="What people said for deployments",
        handler=listed,
        query=WordQuery,
        answer=WordPage,
    ),
    Endpoint(
        method="POST",
        path="/deployment-exceptions",
        needs="approvals:write",
        of_repository=True,
        summary="Ask that a demand be set aside",
        handler=ask_exception,
        body=Excepting,
        answer=Word,
        problems=(404, 409),
        status=201,
    ),
    Endpoint(
        method="POST",
        path="/deployment-exceptions/{word:int}/join",
        needs="approvals:write",
        summary="Be the second to set a demand aside",
        handler=join_exception,
        answer=Word,
        problems=(409,),
        status=201,
    ),
    Endpoint(
        method="POST",
        path="/deployment-approvals/{word:int}/revocation",
        needs="approvals:write",
        summary="Take back what was said for a deployment",
        handler=take_back,
        body=Reason,
        answer=Word,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/canaries/judge",
        needs="gates:ask",
        of_repository=True,
        summary="Is the canary as good as what runs beside it?",
        handler=judge,
        body=Judging,
        answer=CanaryShown,
        problems=(404, 409),
        status=201,
    ),
    Endpoint(
        method="GET",
        path="/canaries",
        needs="changes:read",
        summary="The last judgements of canaries",
        handler=judged,
        query=CanaryQuery,
        answer=CanaryPage,
    ),
    Endpoint(
        method="GET",
        path="/canaries/{canary:int}",
        needs="changes:read",
        summary="A judgement of a canary, whole",
        handler=canary,
        answer=CanaryShown,
    ),
)
