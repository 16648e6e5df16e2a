"""Deployments: what runs where, what came with it, what got worse since; and each deployment by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import get_args
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from tidegate.rollout.joined import Joined, Unjoined
from tidegate.server.api.paging import found
from tidegate.server.console.chains import cycles_of
from tidegate.server.console.deployment_parts import (
    asked_of,
    became_of,
    brought_by,
    canaries_of,
    chain_of,
    gate_of,
    judged_of,
    lines_of,
    rows_of,
    worse_of,
    written_of,
)
from tidegate.server.console.visit import Visit, get, see
from tidegate.server.production.landed import Lookup
from tidegate.server.service import Service
from tidegate.store import deployments, incidents, regressions
from tidegate.store.deployments import Place, Status

MOST = 50
MOST_RUNNING = 300
MOST_CHANGES = 100
LIST_SECONDS, PAGE_SECONDS = 0.12, 2.0
"""How long git may be asked for one page; what is not read by then is said, and read when one looks again."""
FILTERS = ("environment", "service", "status")


def routes(service: Service) -> list[Route]:
    return [
        get("/deployments", service, "changes:read", show_all),
        get("/deployments/{deployment}", service, "changes:read", show),
        get("/regressions/{regression}", service, "changes:read", _regression),
    ]


def show_all(visit: Visit) -> Response:
    """What runs now in one environment, and what was deployed before, by the filters of the address."""
    given = {name: visit.query.get(name, "").strip()[:200] for name in FILTERS}
    before = _seconds(visit.query.get("before", ""))
    with visit.service.database.read() as connection, ExitStack() as stack:
        places = deployments.places(connection)
        counted = [place for place in places if place.environment]
        environment = given["environment"] or usual_environment(counted)
        runs = deployments.running(connection, environment) if environment and before is None else ()
        runs = tuple(one for one in runs if given["service"] in ("", one.service))
        past = deployments.page(
            connection,
            environment=environment or None,
            service=given["service"] or None,
            status=next((each for each in get_args(Status) if each == given["status"]), None),
            before=before,
            most=MOST,
        )
        lookup = Lookup(visit.service, connection, stack, LIST_SECONDS)
        newest = sorted(runs, key=lambda one: -one.started)[:MOST_RUNNING]
        brought = {one.id: brought_by(visit.service.cache, connection, lookup, one) for one in newest}
        running = rows_of(connection, runs[:MOST_RUNNING], brought)
        history = rows_of(connection, past, {})
    kept = {**{name: text for name, text in given.items() if text}, "environment": environment}
    more = urlencode({**kept, "before": repr(past[-1].started)}) if len(past) == MOST else ""
    return visit.page(
        "deployments.html",
        "Deployments",
        environment=environment,
        environments=tuple(place.environment for place in counted),
        services=next((place.services for place in counted if place.environment == environment), ()),
        statuses=get_args(Status),
        given=given,
        filtered=bool(given["service"] or given["status"]),
        running=running,
        unread=sum(row.brought is not None and row.brought.joined is None for row in running),
        history=history,
        more=f"/deployments?{more}" if more else "",
        earlier=before is not None,
    )


def show(visit: Visit) -> Response:
    """The page of one deployment."""
    with visit.service.database.read() as connection, ExitStack() as stack:
        one = found(deployments.get(connection, visit.number("deployment")), "deployment")
        lookup = Lookup(visit.service, connection, stack, PAGE_SECONDS)
        joined = lookup.joined(one)
        comes = lookup.came(one, joined.comes[:MOST_CHANGES]) if isinstance(joined, Joined) else ()
        goes = lookup.came(one, joined.goes[:MOST_CHANGES]) if isinstance(joined, Joined) else ()
        lines = {came.landed.commit: lines_of(visit.service.cache, connection, came) for came in (*comes, *goes)}
        became = {each.landed.commit: became_of(connection, lookup, one, each) for each in comes}
        noticed = regressions.of_deployments(connection, [one.id])
        about = incidents.of_deployments(connection, [one.id])
        chain = chain_of(connection, one)
        gate = gate_of(connection, one)
        asked = asked_of(connection, gate) if gate is not None else None
        judged = tuple(judged_of(connection, each) for each in canaries_of(connection, one))
        previous = lookup.previous(one)
        cycles = cycles_of(visit.service, lookup, one, chain)
    return visit.page(
        "deployment.html",
        f"Deployment {one.id} · {one.service}",
        one=one,
        previous=previous,
        joined=joined,
        unjoined=joined if isinstance(joined, Unjoined) else None,
        comes=comes,
        goes=goes,
        left=max(0, len(joined.comes) - len(comes)) if isinstance(joined, Joined) else 0,
        lines=lines,
        became=became,
        written=written_of(lines, comes, len(joined.comes) if isinstance(joined, Joined) else 0),
        verdicts=Counter(came.assessment.verdict if came.assessment else "" for came in comes),
        worse=tuple(worse_of(one, each) for each in noticed),
        suspected=tuple(each for each in about if each.deployment == one.id),
        ended=tuple(each for each in about if each.resolved_by == one.id),
        chain=chain,
        cycles=cycles,
        asked=asked,
        judged=judged,
    )


def usual_environment(places: Sequence[Place]) -> str:
    """The environment that is shown unless another is asked for: production where something is called so."""
    names = [place.environment for place in places]
    likely = [name for name in names if name.lower() in ("production", "prod", "live")]
    by_size = sorted(places, key=lambda place: (-len(place.services), place.environment))
    return likely[0] if likely else by_size[0].environment if by_size else ""


# Private


def _regression(visit: Visit) -> Response:
    number = visit.number("regression")
    with visit.service.database.read() as connection:
        kept = found(regressions.get(connection, number), "regression")
    return see(f"/deployments/{kept.deployment}#regression-{number}")


def _seconds(text: str) -> float | None:
    plain = text.replace(".", "", 1)
    return float(text) if text.isascii() and plain.isdigit() and len(text) < 25 else None
