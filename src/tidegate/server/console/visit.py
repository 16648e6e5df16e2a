"""One visit to a page: who comes, from which session, with what; and the fence in front of every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

from anyio.to_thread import run_sync
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tidegate.errors import InputError
from tidegate.server.api.dispatch import read_body
from tidegate.server.api.endpoint import LARGEST_ID, Who
from tidegate.server.api.problems import Problem
from tidegate.server.auth.permissions import PERMISSIONS, Permission, allows
from tidegate.server.auth.session import CSRF_FIELD, check_csrf, check_same_site, session_of
from tidegate.server.console.render import Page, problem_page, render
from tidegate.server.service import Service
from tidegate.store.accounts import Session

SIGN_IN = "/sign-in"
LARGEST_FORM = 64 * 1024
MOST_FIELDS = 64


class Visit(Struct, frozen=True):
    """A request for a page by somebody who signed in. `form` is empty unless something was posted."""

    service: Service
    request: Request
    who: Who
    session: Session
    form: Mapping[str, str]
    now: str

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def may(self, needed: Permission) -> bool:
        return allows(self.who.role, self.who.scopes, needed)

    def number(self, name: str) -> int:
        """A part of the path. Problem 404 where it is no number that could be somebody's."""
        text = str(self.request.path_params[name])
        if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > LARGEST_ID:
            raise Problem(404, "there is no such page")
        return int(text)

    def page(self, template: str, title: str, status: int = 200, **context: Any) -> Response:
        """The page, rendered for this person."""
        allowed = frozenset(each for each in PERMISSIONS if self.may(each))
        page = Page(title, self.request.url.path, self.now, self.who.name, self.who.role, allowed, self.session.csrf)
        return render(page, template, status, **context)


Handler = Callable[[Visit], Response]


def get(path: str, service: Service, needs: Permission | None, handler: Handler) -> Route:
    """A page that is read."""

    async def serve(request: Request) -> Response:
        return await run_sync(_answer, service, request, needs, handler, None)

    return Route(path, serve, methods=["GET"])


def post(path: str, service: Service, needs: Permission | None, handler: Handler, largest: int = LARGEST_FORM) -> Route:
    """A form that is sent: only from a page of the same session, and of `largest` bytes at most."""

    async def serve(request: Request) -> Response:
        if largest > LARGEST_FORM and await run_sync(session_of, service, request) is None:
            return _to_sign_in(request)  # before much of it is read: strangers take little memory
        try:
            form = await read_form(request, largest)
        except Problem as problem:
            return problem_page(problem, request.url.path)
        return await run_sync(_answer, service, request, needs, handler, form)

    return Route(path, serve, methods=["POST"])


async def read_form(request: Request, largest: int = LARGEST_FORM) -> dict[str, str]:
    """The fields of a form. Problem 415, 413 or 400 where it is none of ours."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Problem(415, "this is no form of ours")
    body = await read_body(request, largest)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise Problem(400, "this form cannot be read") from error
    if any("\x00" in text for pair in pairs for text in pair):
        raise Problem(400, "this form cannot be read")
    return dict(pairs)


def see(where: str) -> Response:
    """Sends the browser on after a form, so that loading the page again sends nothing again."""
    return RedirectResponse(where, 303)


# Private


def _answer(
    service: Service, request: Request, needs: Permission | None, handler: Handler, form: Mapping[str, str] | None
) -> Response:
    found = session_of(service, request)
    if found is None:
        return _to_sign_in(request)
    session, person = found
    who = Who(person.id, person.name, person.role, None, session.digest)
    visit = Visit(service, request, who, session, form or {}, service.now())
    try:
        if form is not None:
            check_same_site(service, request)
            check_csrf(session, form.get(CSRF_FIELD, ""))
        if needs is not None and not visit.may(needs):
            raise Problem(
                403, "your role does not reach this far", detail=f"{who.name} is {who.role}; it takes {needs}"
            )
        return handler(visit)
    except Problem as problem:
        return visit.page("problem.html", problem.title, problem.status, problem=problem)
    except InputError as error:
        mendable = Problem(422, error.what, detail=error.where, mend=error.mend)
        return visit.page("problem.html", mendable.title, mendable.status, problem=mendable)


def _to_sign_in(request: Request) -> Response:
    if request.method != "GET":
        return see(SIGN_IN)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return see(f"{SIGN_IN}?next={quote(wanted, safe='')}")
