"""The map of an environment: what runs there, who owns it, who calls whom, who watches it, and where sources disagree.

A map is made beside the request, because it reads repositories: a page shows the last one and when it was made.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

from markupsafe import Markup
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.routing import Route

from tidegate.errors import TidegateError
from tidegate.operate.environment.values import Map, UnmonitoredRoute
from tidegate.server.api.problems import Problem
from tidegate.server.console.deployments import usual_environment
from tidegate.server.console.map_drawing import draw_map
from tidegate.server.console.visit import Visit, get
from tidegate.server.logs import log_failure
from tidegate.server.production.mapping import environment_map
from tidegate.server.service import Service
from tidegate.store import deployments

OLD_SECONDS, AGAIN_SECONDS = 60.0, 5.0
MOST_MAPS = 20
MOST_ROUTES = 8


class Drawn(Struct, frozen=True):
    """A map that was made, its picture, and when; `problem` says why there is none. `at` in Unix seconds."""

    map: Map | None
    picture: Markup
    at: float
    problem: str = ""
    mend: str = ""


class Atlas:
    """The last map of each environment. One is made at a time, in a thread of its own, never while somebody waits."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._drawn: OrderedDict[str, Drawn] = OrderedDict()
        self._making = ""

    def look(self, environment: str) -> tuple[Drawn | None, bool]:
        """The last map, None before the first; and whether another is being made."""
        with self._lock:
            found = self._drawn.get(environment)
            old = found is None or time.time() - found.at > (AGAIN_SECONDS if found.problem else OLD_SECONDS)
            if old and not self._making:
                self._making = environment
                threading.Thread(target=self._make, args=(environment,), daemon=True, name="map").start()
            return found, old

    # Private

    def _make(self, environment: str) -> None:
        try:
            drawn = self._draw(environment)
            with self._lock:
                self._drawn[environment] = drawn
                self._drawn.move_to_end(environment)
                while len(self._drawn) > MOST_MAPS:
                    self._drawn.popitem(last=False)
        finally:
            with self._lock:
                self._making = ""

    def _draw(self, environment: str) -> Drawn:
        try:
            made = environment_map(self._service, environment)
        except Problem as problem:
            return Drawn(None, Markup(""), time.time(), problem.title, problem.mend)
        except (TidegateError, SQLAlchemyError, OSError) as error:
            log_failure(error, "map")
            return Drawn(None, Markup(""), time.time(), "the map could not be made", "see the log of the service")
        return Drawn(made, draw_map(made), time.time())


def routes(service: Service) -> list[Route]:
    atlas = Atlas(service)

    def show(visit: Visit) -> Response:
        return _show(visit, atlas)

    return [get("/map", service, "changes:read", show)]


# Private


def _show(visit: Visit, atlas: Atlas) -> Response:
    with visit.service.database.read() as connection:
        places = [place for place in deployments.places(connection) if place.environment]
    named = [place.environment for place in places]
    wanted = visit.query.get("environment", "").strip()[:200] or usual_environment(places)
    if wanted and wanted not in named:
        raise Problem(404, "nothing was told of this environment", mend="go to the map and choose one")
    drawn, making = atlas.look(wanted) if wanted else (None, False)
    return visit.page(
        "map.html",
        f"Map of {wanted}" if wanted else "Map",
        environment=wanted,
        environments=named,
        drawn=drawn,
        map=drawn.map if drawn else None,
        making=making,
        routes_unwatched=_by_service(drawn.map.unmonitored_routes) if drawn and drawn.map else (),
        most_routes=MOST_ROUTES,
    )


def _by_service(found: Sequence[UnmonitoredRoute]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    by: dict[str, list[str]] = {}
    for one in found:
        by.setdefault(one.service, []).append(one.route)
    return tuple((service, tuple(each)) for service, each in sorted(by.items()))
