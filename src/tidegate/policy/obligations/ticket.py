"""`{ ticket = true }`: the description names the ticket that the change answers."""

from __future__ import annotations

from msgspec import Struct

from tidegate.policy.case import Case, need, one_line
from tidegate.policy.obligations.kind import Judged, Kind, met, refuse_false, unmet


class Ticket(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `ticket`."""

    ticket: bool


def _text(_: Ticket) -> str:
    return "The description names a ticket"


def _judge(_: Ticket, case: Case) -> Judged:
    ticket = need(case.document, "change.intent.ticket", str)
    return met(f"ticket {one_line(ticket, 60)}") if ticket.strip() else unmet("no ticket in the description")


def _next_step(_: Case) -> str:
    return "add a line such as `Ticket: ABC-123` or `Fixes #12` to the description"


KIND = Kind("ticket", "push", Ticket, refuse_false("ticket"), _text, _judge, _next_step)
