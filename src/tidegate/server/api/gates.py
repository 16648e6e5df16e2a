"""Gates: may this be deployed there now? Asked in the form of each tool, and answered so that it does the right thing.

Whatever is not an answer of 200 stops a pipeline. Flagger's roll-back is the other way round and has an endpoint of its
own: only a canary that was judged bad gets a 200 there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict, replace
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tidegate.errors import InputError, TidegateError
from tidegate.rollout.contracts import argo, flagger, plain
from tidegate.rollout.contracts.request import Asked, Reply
from tidegate.rollout.gate import Decision
from tidegate.server.api.endpoint import Ask, Endpoint, Message, Nothing, Raw
from tidegate.server.api.paging import DEFAULT, Id, Most, found, next_of
from tidegate.server.api.problems import Problem
from tidegate.server.logs import log_failure
from tidegate.server.rollout.about import about
from tidegate.server.rollout.canaries import is_bad
from tidegate.server.rollout.decide import answer
from tidegate.store import accounts, gates
from tidegate.store.clock import moment_of
from tidegate.store.gates import Gate, Outcome

_JSON = "application/json"
_TROUBLE = (TidegateError, DBAPIError, PoolTimeoutError)
_Text = Annotated[str, Meta(max_length=500)]


class ArgoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What the `url` of a web metric holds. `weight` is the part of the traffic in percent."""

    environment: _Text
    service: _Text = ""
    revision: _Text = ""
    previous: _Text = ""
    repository: _Text = ""
    actor: _Text = ""
    weight: _Text = ""


class Measured(Struct, frozen=True):
    """`ok` passes, `failed` is blocked; where both are false the rollout pauses."""

    ok: bool
    failed: bool
    decision: str
    reason: str


class WebMetric(Struct, frozen=True):
    """As Argo reads it: jsonPath `{$.data}`."""

    data: Measured


class FlaggerSaid(Struct, frozen=True):
    """`decision` of a gate; `roll_back` of the question whether to."""

    reason: str
    decision: str = ""
    roll_back: bool = False


class GateQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Without a value: any. `before` is the `next` of the page before; 0 begins with the last."""

    environment: str | None = None
    service: str | None = None
    revision: str | None = None
    outcome: Outcome | None = None
    before: Id = 0
    most: Most = DEFAULT


class GatePage(Struct, frozen=True):
    items: tuple[Gate, ...]
    next: int | None


class GateShown(Struct, frozen=True):
    """A decision whole. Where it is a pass whose `gate.entry` is missing, it was not answered as one."""

    gate: Gate
    decision: dict[str, Any]


def ask_plain(ask: Ask[Nothing, Message]) -> Raw:
    """200 passes, 409 is held, 403 is blocked; the body is the whole decision."""
    asked = plain.read(ask.body.content)
    return _raw(plain.reply(_decided(ask, asked)))


def ask_argo(ask: Ask[ArgoQuery, Nothing]) -> Raw:
    """Always 200: an error would count as a failed measurement, and five of them roll back."""
    given = {name: text for name, text in asdict(ask.query).items() if text or name == "environment"}
    try:
        return _raw(argo.reply(_decided(ask, argo.read(given))))
    except _TROUBLE as error:
        log_failure(error, "argo")
        return _raw(argo.refused("the gate could not answer now"))


def ask_flagger(ask: Ask[Nothing, Message]) -> Raw:
    """200 goes on, 409 waits."""
    if ask.path["hook"] not in flagger.GATES:
        raise Problem(404, "this is no gate of Flagger", mend=f"known are {', '.join(flagger.GATES)}, and rollback")
    return _flagger(lambda: flagger.reply_gate(_decided(ask, flagger.read_gate(ask.body.content))))


def ask_rollback(ask: Ask[Nothing, Message]) -> Raw:
    """200 fails the canary at once: only where its last judgement says so. Everything else is 409."""

    def reply() -> Reply:
        now = ask.service.now()
        with ask.service.database.read() as connection:
            found = about(connection, flagger.read_rollback(ask.body.content), moment_of(now).timestamp())
            if not ask.who.speaks_for(found.repository.id if found.repository is not None else None):
                return flagger.refused("this token does not speak for the repository")
            meant = found.asked
            bad, why = is_bad(connection, meant.environment, meant.service, meant.revision, now)
        return flagger.reply_rollback(bad=bad, why=why)

    return _flagger(reply)


def listed(ask: Ask[GateQuery, Nothing]) -> GatePage:
    """The last question first. The same answer to the same question is one row."""
    query = ask.query
    with ask.service.database.read() as connection:
        rows = gates.page(
            connection,
            environment=query.environment,
            service=query.service,
            revision=query.revision,
            outcome=query.outcome,
            before=query.before or None,
            most=query.most,
        )
    return GatePage(rows, next_of(rows, query.most, lambda row: row.id))


def one(ask: Ask[Nothing, Nothing]) -> GateShown:
    with ask.service.database.read() as connection:
        row = found(gates.get(connection, ask.path["gate"]), "gate")
        document = gates.document(connection, row.id)
    return GateShown(row, msgspec.json.decode(document))


# Private


def _decided(ask: Ask[Any, Any], asked: Asked) -> Decision:
    """A pipeline says for whom it deploys; a person at a browser deploys for themselves."""
    if ask.who.session:
        asked = replace(asked, actor=_account(ask))
    return answer(ask.service, asked, ask.who.name, only=ask.who.repositories).decision


def _account(ask: Ask[Any, Any]) -> str:
    """Their account at a forge, "" where none is known: then nobody knows who deploys."""
    with ask.service.database.read() as connection:
        known = accounts.identities_of(connection, ask.who.person)
    return next((f"@{each.subject}" for each in known if each.kind == "forge"), "")


def _flagger(reply: Callable[[], Reply]) -> Raw:
    """What cannot be read, and every trouble of ours, is 409: it waits at a gate, and rolls nothing back."""
    try:
        return _raw(reply())
    except InputError as error:
        return _raw(flagger.refused(error.what))
    except _TROUBLE as error:
        log_failure(error, "flagger")
        return _raw(flagger.refused("the gate could not answer now"))


def _raw(reply: Reply) -> Raw:
    return Raw(reply.body, _JSON, status=reply.status)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/gates",
        needs="gates:ask",
        of_repository=True,
        summary="May this be deployed there now?",
        handler=ask_plain,
        body=Message,
        answer=Decision,
        also=(403, 409),
        takes=(_JSON,),
    ),
    Endpoint(
        method="GET",
        path="/gates/argo",
        needs="gates:ask",
        of_repository=True,
        summary="The same, as a web metric of Argo Rollouts",
        handler=ask_argo,
        query=ArgoQuery,
        answer=WebMetric,
    ),
    Endpoint(
        method="POST",
        path="/gates/flagger/rollback",
        needs="gates:ask",
        of_repository=True,
        summary="Is the canary to be failed now? 200 only where it was judged bad",
        handler=ask_rollback,
        body=Message,
        answer=FlaggerSaid,
        also=(409,),
        takes=(_JSON,),
    ),
    Endpoint(
        method="POST",
        path="/gates/flagger/{hook}",
        needs="gates:ask",
        of_repository=True,
        summary="May this be deployed there now, as a gate of Flagger",
        handler=ask_flagger,
        body=Message,
        answer=FlaggerSaid,
        also=(409,),
        takes=(_JSON,),
    ),
    Endpoint(
        method="GET",
        path="/gates",
        needs="changes:read",
        summary="What gates answered",
        handler=listed,
        query=GateQuery,
        answer=GatePage,
    ),
    Endpoint(
        method="GET",
        path="/gates/{gate:int}",
        needs="changes:read",
        summary="A decision of a gate, whole",
        handler=one,
        answer=GateShown,
    ),
)
