"""Our one comment on a pull request: found by its marker and its author among all, and edited in place."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tidegate.report.markdown import MARKER
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.http import Client
from tidegate.server.forge.texts import fit

LONGEST_COMMENT = 65_536


def put_comment(client: Client, slug: str, number: int, body: str, login: str) -> str:
    """Its id. The marker in somebody else's comment means nothing; a second one of ours, left by a crash, goes."""
    body = with_marker(body, LONGEST_COMMENT)
    ours = list(_ours(client, slug, number, login))
    for double in ours[1:]:
        client.ask("DELETE", f"/repos/{slug}/issues/comments/{double.id}", none=(404,))
    if ours and _text(ours[0]) == body.strip():
        return str(ours[0].id)
    if ours:
        answer = client.ask("PATCH", f"/repos/{slug}/issues/comments/{ours[0].id}", {"body": body})
    else:
        answer = client.ask("POST", f"/repos/{slug}/issues/{number}/comments", {"body": body})
    if answer is None:
        raise ForgeError("the forge answered nothing")
    return str(answer.read(_Made).id)


def with_marker(body: str, limit: int) -> str:
    """The body within the limit, its first line the marker, however long it is."""
    rest = body.removeprefix(MARKER).lstrip("\n")
    return f"{MARKER}\n{fit(rest, limit - len(MARKER) - 1)}"


# Private


class _User(Struct):
    login: str = ""


class _Comment(Struct):
    id: int
    body: str | None = None
    user: _User | None = None


class _Made(Struct):
    id: int


def _ours(client: Client, slug: str, number: int, login: str) -> Iterator[_Comment]:
    for page in client.pages(f"/repos/{slug}/issues/{number}/comments?per_page=100", list[_Comment]):
        for comment in page:
            by_us = comment.user is not None and comment.user.login.lower() == login.lower()
            if by_us and (comment.body or "").startswith(MARKER):
                yield comment


def _text(comment: _Comment) -> str:
    """GitHub gives lines back with a carriage return where a browser sent them so."""
    return (comment.body or "").replace("\r\n", "\n").strip()
