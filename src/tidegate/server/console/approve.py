"""Approving: exactly what would be signed, the ways to sign it, approvals that stand, and the way past it for two."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from tidegate.ledger.approval import signed_bytes
from tidegate.server import approve, emergency
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.approve import Offer
from tidegate.server.auth import webauthn
from tidegate.server.console.change import verdict_context
from tidegate.server.console.kept import is_one_of, makers_of, marks_of, open_change, read_hunks
from tidegate.server.console.visit import Visit, get, post, see
from tidegate.server.scrutiny import scrutinise
from tidegate.server.service import Service
from tidegate.store import accounts, approvals, emergencies, keys, looks
from tidegate.store.approvals import Approval
from tidegate.store.emergencies import Emergency
from tidegate.store.keys import Key

EVIDENCE = {
    "ssh": "signed by an SSH key in a file",
    "sk-ssh": "signed by an SSH key in hardware",
    "webauthn": "signed by an authenticator",
    "forge-click": "a click at the forge, which is weaker",
    "console-password": "given with a password, which is weaker",
}


class Given(Struct, frozen=True):
    """An approval with the name of who gave it, and whether it is of the change as it stands now."""

    approval: Approval
    by: str
    mine: bool
    current: bool


class Alarm(Struct, frozen=True):
    """An emergency with the names of who asked and who confirmed."""

    emergency: Emergency
    asked_by: str
    confirmed_by: str
    mine: bool


def routes(service: Service) -> list[Route]:
    return [
        get("/changes/{change}/approve", service, "changes:read", show),
        post("/changes/{change}/approve", service, "approvals:write", _sign),
        post("/approvals/{approval}/revoke", service, "approvals:write", _revoke),
        post("/changes/{change}/emergencies", service, "emergencies:write", _alarm),
        post("/emergencies/{emergency}/confirm", service, "emergencies:write", _confirm),
    ]


def show(visit: Visit) -> Response:
    """The page on which one decides."""
    number, who = visit.number("change"), visit.who
    with visit.service.database.read() as connection:
        opened = open_change(visit.service.cache, connection, number)
        mine = tuple(each for each in keys.of_person(connection, who.person) if each.revoked_at is None)
        given = tuple(_given(connection, each, visit) for each in approvals.of_change(connection, number))
        alarms = tuple(_alarm_of(connection, each, visit) for each in emergencies.page(connection, change=number))
        seen = [
            each for each in looks.of_change(connection, number, head=opened.change.head) if each.person == who.person
        ]
        marks = marks_of(connection, who.person)
    hunks = read_hunks(visit.service, opened)
    key = _chosen(mine, visit.query.get("key", ""))
    offer, problem = _offer(visit, number, key) if key and visit.may("approvals:write") else (None, None)
    return visit.page(
        "approve.html",
        f"Approve {opened.change.title}",
        opened=opened,
        verdict=opened.document and verdict_context(opened.document.verdict),
        scrutiny=scrutinise(hunks, seen),
        hunks={hunk.id: number for number, hunk in enumerate(hunks, 1)},
        maker=opened.document is not None and is_one_of(marks, makers_of(opened.document.facts)),
        keys=mine,
        key=key,
        offer=offer,
        payload=base64.b64encode(offer.payload).decode() if offer else "",
        question=_question(visit, key, offer),
        problem=problem,
        given=tuple(
            msgspec.structs.replace(each, current=_is_current(each.approval, opened.change.head)) for each in given
        ),
        alarms=alarms,
        evidence=EVIDENCE,
        server=visit.service.config.url,
    )


def read_credential(form: Mapping[str, str]) -> dict[str, Any]:
    """What an authenticator answered, as the page's script put it into the form. Problem 422 for anything else."""
    try:
        return msgspec.json.decode(form.get("credential", ""), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Problem(422, "the authenticator gave no answer", mend="go back and try again") from error


# Private


def _chosen(mine: tuple[Key, ...], wanted: str) -> Key | None:
    """The one that was asked for; else an authenticator, which signs right here; else the first."""
    named = next((each for each in mine if str(each.id) == wanted), None)
    here = next((each for each in mine if each.kind == "webauthn"), None)
    return named or here or (mine[0] if mine else None)


def _offer(visit: Visit, change: int, key: Key) -> tuple[Offer | None, Problem | None]:
    try:
        return approve.what_to_sign(visit.service, visit.who, change, key.id), None
    except Problem as problem:
        return None, problem


def _question(visit: Visit, key: Key | None, offer: Offer | None) -> str:
    """What the browser asks the authenticator, as JSON; "" where there is none to ask."""
    if key is None or offer is None or key.kind != "webauthn" or offer.refusal:
        return ""
    try:
        return msgspec.json.encode(webauthn.question(visit.service, key, signed_bytes(offer.payload))).decode()
    except Problem:
        return ""


def _sign(visit: Visit) -> Response:
    number = visit.number("change")
    try:
        payload = base64.b64decode(visit.form.get("payload", ""), validate=True)
        key = int(visit.form.get("key", ""))
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "this form is not one of ours", mend="load the page again") from error
    approve.record_from_browser(visit.service, visit.who, number, payload, key, read_credential(visit.form))
    return see(f"/changes/{number}/approve#given")


def _revoke(visit: Visit) -> Response:
    reason = visit.form.get("reason", "").strip()[:1000]
    kept = approve.revoke(visit.service, visit.who, visit.number("approval"), reason or "taken back in the console")
    return see(f"/changes/{kept.change}/approve#given")


def _alarm(visit: Visit) -> Response:
    number, hours = visit.number("change"), visit.form.get("hours", "")
    reason = visit.form.get("reason", "").strip()[:2000]
    emergency.ask(visit.service, visit.who, number, reason, int(hours) if hours.isdecimal() and len(hours) < 4 else 0)
    return see(f"/changes/{number}/approve#emergency")


def _confirm(visit: Visit) -> Response:
    kept = emergency.confirm(visit.service, visit.who, visit.number("emergency"))
    return see(f"/changes/{kept.change}/approve#emergency")


def _given(connection: Connection, each: Approval, visit: Visit) -> Given:
    return Given(each, _name(connection, each.person), each.person == visit.who.person, current=False)


def _is_current(each: Approval, head: str) -> bool:
    return each.head == head and each.revoked_at is None


def _alarm_of(connection: Connection, each: Emergency, visit: Visit) -> Alarm:
    confirmed = _name(connection, each.confirmed_by) if each.confirmed_by else ""
    return Alarm(each, _name(connection, each.asked_by), confirmed, each.asked_by == visit.who.person)


def _name(connection: Connection, person: int) -> str:
    known = found(accounts.person(connection, person), "person")
    return known.shown or known.name
