"""Approvals and emergencies: what would be signed, what was signed, and taking it back."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from msgspec import Meta, Struct

from tidegate.ledger.approval import signed_bytes
from tidegate.server import approve, emergency, ssh_keys
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.mine import KeyShown, shown_key
from tidegate.server.api.paging import DEFAULT, Id, Line, Most, found, next_of
from tidegate.server.api.problems import Problem
from tidegate.server.auth import webauthn
from tidegate.store import approvals, changes, emergencies, keys
from tidegate.store.approvals import Approval
from tidegate.store.emergencies import Emergency

_LONGEST = 400_000
_MOST_BYTES = 512 * 1024


class ApprovalShown(Struct, frozen=True):
    """An approval of one merge tree under one policy. `entry` is its index in the ledger."""

    id: int
    change: int
    person: int
    key: int | None
    evidence: str
    stage: str
    target: str
    base: str
    head: str
    merge_tree: str
    policy: str
    facts: str
    envelope: str
    at: str
    expires_at: str
    revoked_at: str | None
    entry: int | None


class Approvals(Struct, frozen=True):
    items: tuple[ApprovalShown, ...]


class OfferQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`key` 0: the first key of mine. `days` until it expires."""

    key: Id = 0
    days: Annotated[int, Meta(ge=1, le=90)] = approve.DAYS


class OfferShown(Struct, frozen=True):
    """What would be signed: `payload` in base64, `text` as it is read. `refusal`: why it would not count."""

    payload: str
    text: str
    fingerprint: str
    verdict: str
    refusal: str


class Signed(Struct, frozen=True, forbid_unknown_fields=True):
    """`envelope` is the text of the DSSE envelope that `tidegate approve` wrote."""

    envelope: Annotated[str, Meta(min_length=2, max_length=_LONGEST)]


class Question(Struct, frozen=True):
    """`options` are for `navigator.credentials.get`; `payload` in base64 is what it will have signed."""

    payload: str
    options: dict[str, Any]


class Asking(Struct, frozen=True, forbid_unknown_fields=True):
    key: Id
    days: Annotated[int, Meta(ge=1, le=90)] = approve.DAYS


class Touched(Struct, frozen=True, forbid_unknown_fields=True):
    """What the authenticator answered to a Question."""

    payload: Annotated[str, Meta(min_length=4, max_length=_LONGEST)]
    key: Id
    credential: dict[str, Any]


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


class Breaking(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the glass is broken, and for how many hours."""

    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    hours: Annotated[int, Meta(ge=1, le=emergency.LONGEST_HOURS)] = 4


class EmergencyPage(Struct, frozen=True):
    items: tuple[Emergency, ...]
    next: int | None


class EmergencyQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`change` 0: any. `after` is the `next` of the page before."""

    change: Id = 0
    after: Id = 0
    most: Most = DEFAULT


class SshKey(Struct, frozen=True, forbid_unknown_fields=True):
    """`signature` is what `ssh-keygen -Y sign` printed for the question of this session; the key stands in it."""

    signature: Annotated[str, Meta(min_length=20, max_length=24_000)]
    label: Line


class Authenticator(Struct, frozen=True, forbid_unknown_fields=True):
    """What `navigator.credentials.create` answered."""

    credential: dict[str, Any]
    label: Line


def listed(ask: Ask[Nothing, Nothing]) -> Approvals:
    """All that were ever given, in their order; whether one counts is for the next verdict."""
    with ask.service.database.read() as connection:
        row = found(changes.get(connection, ask.path["change"]), "change")
        return Approvals(tuple(map(_shown, approvals.of_change(connection, row.id))))


def offer(ask: Ask[OfferQuery, Nothing]) -> OfferShown:
    """Exactly what my signature would say."""
    made = approve.what_to_sign(ask.service, ask.who, ask.path["change"], ask.query.key or None, ask.query.days)
    return OfferShown(_base64(made.payload), made.text, made.fingerprint, made.verdict, made.refusal)


def record(ask: Ask[Nothing, Signed]) -> ApprovalShown:
    """Keeps what was signed elsewhere, after verifying all of it."""
    return _shown(approve.record(ask.service, ask.who, ask.path["change"], ask.body.envelope.encode()))


def question(ask: Ask[Nothing, Asking]) -> Question:
    """What an authenticator is asked in the browser."""
    made = approve.what_to_sign(ask.service, ask.who, ask.path["change"], ask.body.key or None, ask.body.days)
    with ask.service.database.read() as connection:
        key = found(keys.by_fingerprint(connection, made.fingerprint), "key of yours")
    if key.kind != "webauthn":
        raise Problem(409, "this key is no authenticator of a browser", mend="sign with `tidegate approve`")
    return Question(_base64(made.payload), webauthn.question(ask.service, key, signed_bytes(made.payload)))


def touch(ask: Ask[Nothing, Touched]) -> ApprovalShown:
    """Keeps what an authenticator signed in the browser."""
    try:
        payload = base64.b64decode(ask.body.payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "the payload is no base64") from error
    body = ask.body
    return _shown(
        approve.record_from_browser(ask.service, ask.who, ask.path["change"], payload, body.key, body.credential)
    )


def revoke(ask: Ask[Nothing, Reason]) -> ApprovalShown:
    """Takes mine back, or as an admin anybody's. Twice is once."""
    return _shown(approve.revoke(ask.service, ask.who, ask.path["approval"], ask.body.reason))


def ssh_question(ask: Ask[Nothing, Nothing]) -> ssh_keys.Question:
    """What an SSH key of mine signs, so that it can be registered."""
    return ssh_keys.question(ask.service, ask.who)


def add_ssh_key(ask: Ask[Nothing, SshKey]) -> KeyShown:
    """Registers the SSH key that signed the question of this session, a browser's."""
    return shown_key(ssh_keys.add(ask.service, ask.who, ask.body.signature, ask.body.label))


def begin_authenticator(ask: Ask[Nothing, Nothing]) -> dict[str, Any]:
    """What `navigator.credentials.create` is given."""
    return webauthn.begin_registration(ask.service, ask.who)


def finish_authenticator(ask: Ask[Nothing, Authenticator]) -> KeyShown:
    """Registers the authenticator that answered."""
    return shown_key(webauthn.finish_registration(ask.service, ask.who, ask.body.credential, ask.body.label))


def all_emergencies(ask: Ask[EmergencyQuery, Nothing]) -> EmergencyPage:
    """Each is an exception that an auditor is shown, confirmed or not."""
    query = ask.query
    with ask.service.database.read() as connection:
        items = emergencies.page(connection, after=query.after, change=query.change or None, most=query.most)
    return EmergencyPage(items, next_of(items, query.most, lambda each: each.id))


def break_glass(ask: Ask[Nothing, Breaking]) -> Emergency:
    """Asks; nothing is let through before another person confirms."""
    return emergency.ask(ask.service, ask.who, ask.path["change"], ask.body.reason, ask.body.hours)


def confirm(ask: Ask[Nothing, Nothing]) -> Emergency:
    """Confirms what another person asked for."""
    return emergency.confirm(ask.service, ask.who, ask.path["emergency"])


# Private


def _shown(row: Approval) -> ApprovalShown:
    values = {name: getattr(row, name) for name in ApprovalShown.__struct_fields__ if name not in ("key", "envelope")}
    return ApprovalShown(**values, key=row.with_key, envelope=row.envelope.decode("utf-8", "replace"))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/changes/{change:int}/approvals",
        needs="changes:read",
        summary="Approvals of a change",
        handler=listed,
        answer=Approvals,
    ),
    Endpoint(
        method="GET",
        path="/changes/{change:int}/approval",
        needs="approvals:write",
        summary="What I would sign",
        handler=offer,
        query=OfferQuery,
        answer=OfferShown,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/approvals",
        needs="approvals:write",
        summary="Hand in an approval that was signed elsewhere",
        handler=record,
        body=Signed,
        answer=ApprovalShown,
        status=201,
        problems=(409,),
        most_bytes=_MOST_BYTES,
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/approval/question",
        needs="approvals:write",
        summary="What an authenticator is asked to sign",
        handler=question,
        body=Asking,
        answer=Question,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/approval/answer",
        needs="approvals:write",
        summary="Hand in what an authenticator signed",
        handler=touch,
        body=Touched,
        answer=ApprovalShown,
        status=201,
        problems=(409,),
        most_bytes=_MOST_BYTES,
    ),
    Endpoint(
        method="POST",
        path="/approvals/{approval:int}/revocation",
        needs="approvals:write",
        summary="Take an approval back",
        handler=revoke,
        body=Reason,
        answer=ApprovalShown,
        problems=(409,),
    ),
    Endpoint(
        method="GET",
        path="/key-question",
        needs="approvals:write",
        summary="What an SSH key of mine signs to be registered",
        handler=ssh_question,
        answer=ssh_keys.Question,
    ),
    Endpoint(
        method="POST",
        path="/keys",
        needs="approvals:write",
        summary="Register an SSH key of mine",
        handler=add_ssh_key,
        body=SshKey,
        answer=KeyShown,
        status=201,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/authenticators",
        needs="approvals:write",
        summary="Begin to register an authenticator",
        handler=begin_authenticator,
        answer=dict[str, Any],
        problems=(409,),
    ),
    Endpoint(
        method="PUT",
        path="/authenticators",
        needs="approvals:write",
        summary="Register the authenticator that answered",
        handler=finish_authenticator,
        body=Authenticator,
        answer=KeyShown,
        problems=(409,),
    ),
    Endpoint(
        method="GET",
        path="/emergencies",
        needs="changes:read",
        summary="Where the glass was broken",
        handler=all_emergencies,
        query=EmergencyQuery,
        answer=EmergencyPage,
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/emergencies",
        needs="emergencies:write",
        summary="Ask to let a change through in an emergency",
        handler=break_glass,
        body=Breaking,
        answer=Emergency,
        status=201,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/emergencies/{emergency:int}/confirmation",
        needs="emergencies:write",
        summary="Confirm another person's emergency",
        handler=confirm,
        answer=Emergency,
        problems=(409,),
    ),
)
