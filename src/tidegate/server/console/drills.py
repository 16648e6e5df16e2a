"""Drills: the list, the page of one as each person may see it, and what came of it."""

from __future__ import annotations

from typing import get_args

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from tidegate.drill.markdown import render_markdown
from tidegate.drill.text import said_of
from tidegate.drill.values import Report, Scenario
from tidegate.errors import InternalError
from tidegate.server.api.endpoint import LARGEST_ID
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.console.visit import Visit, get, post, see
from tidegate.server.drill.acts import Turn, Wanted, decide, join, look, make, read_kept, take_over, turn
from tidegate.server.drill.view import View
from tidegate.server.service import Service
from tidegate.store import accounts, drills, repositories
from tidegate.store.drills import Drill

MOST = 50
MOST_REPOSITORIES = 500
LARGEST_FORM = 3 * (2 << 20) + 4096
"""Bytes of the form: what is no letter of ASCII's is sent as three bytes and more."""
STATES = {
    "making": "being made",
    "failed": "could not be made",
    "ready": "not begun",
    "running": "running",
    "paused": "paused",
    "over": "over, being judged",
    "reported": "over",
}


class Row(Struct, frozen=True):
    drill: Drill
    slug: str
    facilitator: str


def routes(service: Service) -> list[Route]:
    return [
        get("/drills", service, "changes:read", _list),
        post("/drills", service, "drills:write", _make, LARGEST_FORM),
        get("/drills/{drill}", service, "changes:read", _one),
        post("/drills/{drill}/join", service, "drills:join", _join),
        post("/drills/{drill}/lead", service, "drills:write", _lead),
        post("/drills/{drill}/clock", service, "drills:write", _turn),
        post("/drills/{drill}/decide", service, "drills:join", _decide),
        get("/drills/{drill}/report", service, "changes:read", _report),
        get("/drills/{drill}/report.md", service, "changes:read", _markdown),
        get("/drills/{drill}/report.json", service, "changes:read", _json),
    ]


# Private


def _list(visit: Visit) -> Response:
    from tidegate.drill.patterns import PATTERNS

    before = visit.query.get("before", "")
    with visit.service.database.read() as connection:
        rows = drills.page(connection, before=_number(before) or None, most=MOST)
        known = repositories.page(connection, most=MOST_REPOSITORIES)
        slugs = {one.id: one.slug for one in known}
        shown = tuple(
            Row(one, slugs.get(one.repository, "a repository that is gone"), _name(connection, one.facilitator))
            for one in rows
        )
    return visit.page(
        "drills.html",
        "Drills",
        rows=shown,
        words=STATES,
        repositories=known,
        patterns=PATTERNS if visit.may("drills:write") else (),
        more=rows[-1].id if len(rows) == MOST else 0,
    )


def _make(visit: Visit) -> Response:
    form = visit.form
    number = _number(form.get("repository", ""))
    if not number:
        raise Problem(422, "no repository is chosen", mend="choose one")
    scenario = form.get("scenario", "")
    made = make(visit.service, visit.who, Wanted(repository=number, pattern=form.get("pattern", ""), scenario=scenario))
    return see(f"/drills/{made.id}")


def _one(visit: Visit) -> Response:
    number = visit.number("drill")
    drill, view = look(visit.service, visit.who, number)
    with visit.service.database.read() as connection:
        repository = repositories.get(connection, drill.repository)
        row = Row(drill, repository.slug if repository else "", _name(connection, drill.facilitator))
        told = view is not None and view.leads
        scenario = read_kept(drills.scenario(connection, number), number) if told else None
    return visit.page(
        "drill.html",
        f"Drill {number}",
        row=row,
        drill=drill,
        view=view,
        scenario=scenario,
        words=STATES,
        mine=drill.facilitator == visit.who.person,
        joins=visit.may("drills:join") and _may_join(view),
        takes_over=visit.may("drills:write") and _may_join(view),
    )


def _may_join(view: View | None) -> bool:
    return view is not None and not view.leads and not view.mine and view.state in ("ready", "running", "paused")


def _join(visit: Visit) -> Response:
    number = visit.number("drill")
    roles = tuple(text[:40] for name, text in visit.form.items() if name.startswith("role-"))
    if not roles:
        raise Problem(422, "no role is chosen", mend="choose one or more")
    join(visit.service, visit.who, number, roles)
    return see(f"/drills/{number}")


def _lead(visit: Visit) -> Response:
    number = visit.number("drill")
    take_over(visit.service, visit.who, number)
    return see(f"/drills/{number}")


def _turn(visit: Visit) -> Response:
    number = visit.number("drill")
    wanted: Turn | None = next((each for each in get_args(Turn) if each == visit.form.get("turn")), None)
    if wanted is None:
        raise Problem(422, "a clock does not do this")
    turn(visit.service, visit.who, number, wanted)
    return see(f"/drills/{number}")


def _decide(visit: Visit) -> Response:
    number = visit.number("drill")
    given = visit.form.get("given", "").strip() or visit.form.get("named", "").strip()
    decide(visit.service, visit.who, number, visit.form.get("decision", "")[:60], given)
    return see(f"/drills/{number}")


def _report(visit: Visit) -> Response:
    drill, report = _read_report(visit)
    with visit.service.database.read() as connection:
        repository = repositories.get(connection, drill.repository)
        scenario: Scenario = read_kept(drills.scenario(connection, drill.id), drill.id)
    _, view = look(visit.service, visit.who, drill.id)
    return visit.page(
        "drill_report.html",
        report.title,
        drill=drill,
        report=report,
        scenario=scenario,
        people=view.people if view is not None else (),
        slug=repository.slug if repository is not None else "",
        tested={one.action: said_of(one) for one in report.tested},
        examples={one.action: one.examples for one in report.tested},
        tries=visit.may("changes:assess") and visit.may("settings:read"),
    )


def _markdown(visit: Visit) -> Response:
    drill, report = _read_report(visit)
    text = render_markdown(report).encode("utf-8", "replace")
    return _download(text, "text/markdown; charset=utf-8", f"drill-{drill.id}.md")


def _json(visit: Visit) -> Response:
    drill, report = _read_report(visit)
    return _download(msgspec.json.encode(report), "application/json", f"drill-{drill.id}.json")


def _download(content: bytes, media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type=media_type)


def _read_report(visit: Visit) -> tuple[Drill, Report]:
    number = visit.number("drill")
    with visit.service.database.read() as connection:
        drill = found(drills.get(connection, number), "drill")
        document = drills.report(connection, number)
    if drill.state != "reported":
        raise Problem(409, "this exercise has no report yet", mend="end it first, and wait a moment")
    try:
        return drill, msgspec.json.decode(document, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InternalError("a kept report is damaged", where=f"drill {number}") from error


def _name(connection: Connection, person: int) -> str:
    known = accounts.person(connection, person)
    return (known.shown or known.name) if known is not None else "somebody"


def _number(text: str) -> int:
    """A number of a form or an address; 0 where it is none that could be somebody's."""
    plain = text.isascii() and text.isdigit() and len(text) <= 19
    return int(text) if plain and int(text) <= LARGEST_ID else 0
