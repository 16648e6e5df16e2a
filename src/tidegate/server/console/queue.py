"""The queue: open changes by what they need from whoever looks, and within that by risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from tidegate.server.api.changes import QueueQuery
from tidegate.server.api.changes import queue as api_queue
from tidegate.server.api.endpoint import Ask, Nothing
from tidegate.server.api.problems import Problem
from tidegate.server.console.kept import Brief, brief, is_one_of, marks_of
from tidegate.server.console.visit import Visit, get
from tidegate.server.service import Service
from tidegate.store import assessments, changes, emergencies, incidents, questions, repositories
from tidegate.store.changes import Change
from tidegate.store.repositories import Repository

Need: TypeAlias = Literal["confirm", "answer", "approve", "mend", "assess", "wait", "ready"]

NEEDS: Mapping[Need, tuple[str, str]] = {
    "confirm": ("An emergency waits for a second person", "Somebody wants to pass this without what the policy asks."),
    "answer": ("A question to you", "A reviewer asked, and you answer for the change."),
    "approve": ("Your approval", "People have to approve these, and you are one who may."),
    "mend": ("Yours to mend", "You made these, and something must still happen."),
    "assess": ("Not assessed yet", "Nothing is known of these as they stand now. Unknown is never safe."),
    "wait": ("Waiting for others", "Something must still happen, and it is not yours."),
    "ready": ("Nothing more to do", "The policy lets these pass."),
}
FILTERS = ("need", "repository", "verdict", "author", "target")
MOST = 100
NAMED = 3
"""Open incidents that are named above the queue."""


class Row(Struct, frozen=True):
    """A change in the queue. `why` says in words what it waits for."""

    change: Change
    repository: Repository
    need: Need
    why: str
    verdict: str
    risk: float | None
    current: bool


class Me(Struct, frozen=True):
    """Whose queue it is: the names a change may know them by, and whether they may approve."""

    person: int
    marks: frozenset[str]
    approves: bool


def routes(service: Service) -> list[Route]:
    return [get("/", service, "changes:read", show)]


def show(visit: Visit) -> Response:
    """The queue, with the filters of the address."""
    given = {name: visit.query.get(name, "").strip() for name in FILTERS}
    query = _query(given, visit.query.get("after", ""))
    listed = api_queue(Ask(visit.service, visit.who, {}, query, Nothing()))
    with visit.service.database.read() as connection:
        known = {each.id: each for each in repositories.page(connection, most=1000)}
        burning = incidents.page(connection, state="open", most=NAMED)
        open_ = incidents.count_open(connection) if burning else 0
        me = Me(visit.who.person, marks_of(connection, visit.who.person), visit.may("approvals:write"))
        found = [_row(connection, me, each.change.id, known, visit) for each in listed.items]
    rows = [row for row in found if row is not None and given["need"] in ("", row.need)]
    groups = [(need, [row for row in rows if row.need == need]) for need in NEEDS]
    more = f"/?{urlencode({**_used(given), 'after': listed.next})}" if listed.next else ""
    return visit.page(
        "queue.html",
        "Queue",
        groups=[(need, *NEEDS[need], theirs) for need, theirs in groups if theirs],
        total=len(rows),
        incidents=burning,
        open=open_,
        given=given,
        filtered=bool(_used(given)),
        repositories=sorted(known.values(), key=lambda each: each.slug),
        needs=NEEDS,
        more=more,
        may_add=visit.may("settings:write"),
    )


def need_of(me: Me, found: Brief | None, *, current: bool, asked: bool, alarm: bool) -> tuple[Need, str]:
    """What the change needs from this person, and why."""
    if alarm:
        return "confirm", "asked for by another person"
    if found is None or not current:
        return "assess", "not assessed yet" if found is None else "it changed since it was assessed"
    mine = is_one_of(me.marks, found.makers)
    if asked and mine:
        return "answer", "an open question"
    unmet = [
        each
        for rule in found.verdict.rules
        if rule.mode == "enforce" and rule.outcome in ("hold", "block")
        for each in rule.obligations
        if each.state != "met" and not each.is_later(found.verdict.stage)
    ]
    if found.verdict.outcome == "pass":
        return "ready", "nothing more must happen"
    words = _words([each.text for each in unmet])
    if mine:
        return "mend", words
    if me.approves and any(each.kind == "approvals" for each in unmet):
        return "approve", _words([each.text for each in sorted(unmet, key=lambda each: each.kind != "approvals")])
    return "wait", words


# Private


def _row(connection: Connection, me: Me, identifier: int, known: Mapping[int, Repository], visit: Visit) -> Row | None:
    change = changes.get(connection, identifier)
    if change is None or change.repository not in known:
        return None
    last = assessments.latest(connection, change.id)
    current = last is not None and last.head == change.head
    asked = bool(questions.of_change(connection, change.id, unanswered=True))
    waiting = emergencies.page(connection, change=change.id)
    alarm = me.approves and any(
        each.confirmed_by is None and each.asked_by != me.person and each.expires_at > visit.now for each in waiting
    )
    found = brief(visit.service.cache, connection, last.id if last else None)
    need, why = need_of(me, found, current=current, asked=asked, alarm=alarm)
    risk = float(last.risk) if last and last.risk is not None else None
    return Row(change, known[change.repository], need, why, last.verdict if last else "", risk, current)


def _words(texts: Sequence[str]) -> str:
    if not texts:
        return "a rule stands in its way"
    more = f", and {len(texts) - 2} more" if len(texts) > 2 else ""
    return "; ".join(texts[:2]) + more


def _used(given: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in given.items() if text}


def _query(given: Mapping[str, str], after: str) -> QueueQuery:
    plain = {name: text for name, text in _used(given).items() if name != "need"}
    try:
        return msgspec.convert({**plain, "after": after, "most": MOST}, QueueQuery, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(422, "these filters are not understood", detail=str(error), mend="clear the filters") from error
