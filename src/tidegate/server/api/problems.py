"""Errors as RFC 9457 says them: what is wrong, where, and what to do; never a secret, never a trace."""

from __future__ import annotations

from http import HTTPStatus

from msgspec import Struct, json
from starlette.responses import Response

from tidegate.errors import TidegateError

MEDIA_TYPE = "application/problem+json"
INPUT = 2
"""The exit code of an error that whoever asks can mend."""


class ProblemDocument(Struct, frozen=True, omit_defaults=True):
    """`title` says what is wrong, `detail` where, `mend` what to do next; `request` finds it in the log."""

    title: str
    status: int
    detail: str = ""
    mend: str = ""
    request: str = ""


class Problem(Exception):  # noqa: N818 RFC 9457 calls it so
    """An answer that is no success. `status` 4xx or 503; each is documented by its endpoint."""

    def __init__(self, status: int, title: str, *, detail: str = "", mend: str = "", retry_after: int = 0) -> None:
        super().__init__(title)
        self.retry_after = retry_after
        self.status = status
        self.title = title
        self.detail = detail
        self.mend = mend


def answer(problem: Problem, request: str = "", headers: dict[str, str] | None = None) -> Response:
    """The problem as a response."""
    headers = dict(headers or {})
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if problem.retry_after:
        headers["retry-after"] = str(problem.retry_after)
    document = ProblemDocument(problem.title, problem.status, problem.detail, problem.mend, request)
    return Response(json.encode(document), problem.status, headers, MEDIA_TYPE)


def of_status(status: int) -> Problem:
    """A problem that needs no more words than its status has."""
    return Problem(status, HTTPStatus(status).phrase)


def of_error(error: TidegateError) -> Problem:
    """What was wrong with the input, as 422; our own failure as 500 without its reason."""
    if error.exit_code != INPUT:
        return of_status(500)
    return Problem(422, error.what, detail=error.where, mend=error.mend)
