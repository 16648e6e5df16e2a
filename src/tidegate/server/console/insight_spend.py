"""What AI cost and what came of it: cost per change, per repaired change, and what cannot be attributed.

An admin tells bills here; the form does what `POST /api/v1/costs` does, with the same checks.
"""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from tidegate.errors import InputError
from tidegate.insight.words import cannot_join, money_of
from tidegate.server.api.costs import SOURCE
from tidegate.server.api.problems import Problem
from tidegate.server.console.deployments import usual_environment
from tidegate.server.console.insight import SPANS, USUAL
from tidegate.server.console.insight_drawing import draw_return
from tidegate.server.console.standing import Standing
from tidegate.server.console.visit import Visit, get, post, see
from tidegate.server.insight.answer import Answer, Asked, read_insight, until_now
from tidegate.server.insight.spending import Taken, take_bill
from tidegate.server.service import Service
from tidegate.store import costs, deployments
from tidegate.store.clock import moment_of

LARGEST_BILL = 8 << 20
"""Bytes of a form: a larger bill is told over HTTP."""
FIELDS = ("bill", "source", "tool")
SHOWN_AGAIN = 200_000
"""Characters of a bill that is given back to be mended."""


def routes(service: Service) -> list[Route]:
    page = _Page()
    return [
        get("/insight/spend", service, "changes:read", page.show),
        post("/insight/spend", service, "costs:write", page.take, largest=LARGEST_BILL),
        post("/insight/spend/{source}/remove", service, "costs:write", _remove),
    ]


# Private


class _Page:
    def __init__(self) -> None:
        self._answers: Standing[Answer] = Standing()

    def show(self, visit: Visit, taken: Taken | None = None, problem: Problem | None = None) -> Response:
        since = visit.query.get("since", "")
        since = since if since in SPANS else USUAL
        with visit.service.database.read() as connection:
            sources = costs.sources(connection)
            environment = usual_environment([one for one in deployments.places(connection) if one.environment])
        mark = tuple((one.source, one.currency, one.rows, one.changed_at) for one in sources)
        make = partial(_count, visit.service, since, environment or "production")
        answer = self._answers.ask((since, environment, mark), make)
        query = urlencode({"since": since}) if since != USUAL else ""
        if answer is None:
            return visit.page("insight_wait.html", "Insight", 202, query=query)
        found = answer.insight
        spending = found.spending
        return visit.page(
            "insight_spend.html",
            "Spend",
            problem.status if problem else 200,
            since=since,
            spans=[(value, words) for value, (words, _, _) in SPANS.items()],
            query=query,
            found=found,
            at=moment_of(answer.as_of).timestamp(),
            spending=spending,
            drawn=draw_return(spending) if spending else None,
            silent=list(cannot_join(spending)) if spending else [],
            money=money_of,
            sources=sources,
            taken=taken,
            problem=problem,
            filled={name: visit.form.get(name, "")[:SHOWN_AGAIN] if problem else "" for name in FIELDS},
            export=urlencode({"since": since, "every": found.every, "by": "tool"}),
        )

    def take(self, visit: Visit) -> Response:
        """Not sent on to another page: what was left out of a bill is said once. The form again changes nothing."""
        source, tool = visit.form.get("source", "").strip(), visit.form.get("tool", "").strip()[:100]
        try:
            if source and not re.match(SOURCE, source):
                raise InputError(
                    "no name for a source", where=source[:60], mend="letters, digits, dots, dashes: team-a"
                )
            taken = take_bill(visit.service, visit.form.get("bill", "").encode(), source, tool)
        except InputError as error:
            return self.show(visit, None, Problem(422, error.what, detail=error.where, mend=error.mend))
        return self.show(visit, taken)


def _count(service: Service, since: str, environment: str) -> Answer:
    _, seconds, every = SPANS[since]
    until = until_now(service)
    return read_insight(service, Asked(until - seconds, until, 0, "", environment, every, ("tool",)))


def _remove(visit: Visit) -> Response:
    source = str(visit.request.path_params["source"])
    with visit.service.database.write() as connection:
        if not costs.forget_source(connection, source):
            raise Problem(404, "no such source is known")
    return see("/insight/spend#sources")
