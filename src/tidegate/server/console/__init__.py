"""The pages: rendered here, with our own small scripts, never with anything inline or from another host."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from tidegate.server.service import Service


def routes(service: Service) -> list[BaseRoute]:
    """Every page and file."""
    del service
    return []


def error_page(request: Request, status: int) -> Response:
    """What a person sees instead of the page that they asked for."""
    del request
    return PlainTextResponse(HTTPStatus(status).phrase, status)
