"""The pages: rendered here, with our own small scripts, never with anything inline or from another host."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from tidegate.server.service import Service


def routes(service: Service) -> list[BaseRoute]:
    """Every page and file."""
    from tidegate.server.console import (
        approve,
        change,
        deployments,
        drills,
        environment,
        files,
        incidents,
        insight,
        insight_spend,
        ledger,
        live,
        queue,
        settings,
        signin,
        trial,
    )

    return [
        *files.routes(),
        *signin.routes(service),
        *queue.routes(service),
        *change.routes(service),
        *approve.routes(service),
        *deployments.routes(service),
        *incidents.routes(service),
        *environment.routes(service),
        *drills.routes(service),
        *insight.routes(service),
        *insight_spend.routes(service),
        *live.routes(service),
        *ledger.routes(service),
        *settings.routes(service),
        *trial.routes(service),
    ]


def error_page(request: Request, status: int) -> Response:
    """What a person sees instead of the page that they asked for."""
    from tidegate.server.api.problems import Problem, of_status
    from tidegate.server.console.render import problem_page

    said = {
        404: Problem(404, "There is no such page", mend="go back to the queue"),
        405: Problem(405, "This address takes another kind of request", mend="go back to the queue"),
        500: Problem(
            500, "Something failed on our side", mend="try again; if it stays, the log of the service says more"
        ),
        503: Problem(503, "The service cannot answer now", mend="try again in a moment"),
    }
    return problem_page(said.get(status, of_status(status)), request.url.path)
