"""Signing in by name and password or by the provider, and signing out."""

from __future__ import annotations

from collections.abc import Mapping

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tidegate.server.api.problems import Problem
from tidegate.server.auth.addresses import address_of
from tidegate.server.auth.passwords import sign_in
from tidegate.server.auth.session import (
    check_same_site,
    close_session,
    device_of,
    know_device,
    open_session,
    session_of,
)
from tidegate.server.auth.tries import Try
from tidegate.server.console.render import Page, render
from tidegate.server.console.visit import SIGN_IN, Visit, post, read_form, see
from tidegate.server.service import Service

AT_ONCE = 2
"""How many passwords are verified at once: each takes 64 MB, and whoever asks needs to be nobody."""


def routes(service: Service) -> list[Route]:
    few = CapacityLimiter(AT_ONCE)

    async def shown(request: Request) -> Response:
        return await run_sync(_shown, service, request)

    async def asked(request: Request) -> Response:
        try:
            form = await read_form(request)
        except Problem as problem:
            return _form(service, _next(request.query_params), problem=problem)
        return await run_sync(_asked, service, request, form, limiter=few)

    return [
        Route(SIGN_IN, shown, methods=["GET"]),
        Route(SIGN_IN, asked, methods=["POST"]),
        post("/sign-out", service, None, _sign_out),
    ]


# Private


def _shown(service: Service, request: Request) -> Response:
    wanted = _next(request.query_params)
    return see(wanted) if session_of(service, request) else _form(service, wanted)


def _asked(service: Service, request: Request, form: Mapping[str, str]) -> Response:
    wanted, name = _next(form), form.get("name", "")[:200]
    try:
        check_same_site(service, request)
        made = Try(name, address_of(service.config, request), device_of(service, request))
        person = sign_in(service.database, made, form.get("password", ""), service.now())
    except Problem as problem:
        return _form(service, wanted, name=name, problem=problem)
    response = see(wanted)
    open_session(service, person, response)
    know_device(service, person, request, response)
    return response


def _sign_out(visit: Visit) -> Response:
    response = see(SIGN_IN)
    close_session(visit.service, visit.session, response)
    return response


def _form(service: Service, wanted: str, *, name: str = "", problem: Problem | None = None) -> Response:
    made = render(
        Page("Sign in", SIGN_IN),
        "sign_in.html",
        problem.status if problem else 200,
        wanted=wanted,
        name=name,
        problem=problem,
        provider=service.config.sign_in.issuer,
    )
    if problem is not None and problem.retry_after:
        made.headers["retry-after"] = str(problem.retry_after)
    return made


def _next(given: Mapping[str, str]) -> str:
    """A page of ours to go on to; the queue where it is none: no form sends a person to another site."""
    wanted = given.get("next", "/")
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and len(wanted) <= 2000
    ours = plain and wanted.startswith("/") and not wanted.startswith(("//", SIGN_IN))
    return wanted if ours else "/"
