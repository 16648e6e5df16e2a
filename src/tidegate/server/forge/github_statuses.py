"""Commit statuses: what a plain token can say, and how a status of our name by somebody else is overwritten.

https://docs.github.com/en/rest/commits/statuses: the newest of a context counts; a description has at most 140
characters. A required check and a status of the same name must both be good, so a forged status never helps alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.http import Client
from tidegate.server.forge.texts import brief
from tidegate.server.forge.values import NAME, Check, Conclusion

LONGEST_DESCRIPTION = 139


def put_status(client: Client, slug: str, check: Check, login: str) -> str:
    """The status of this check; its id. Nothing is sent where the newest says the same already."""
    wanted = {
        "state": _STATES[check.conclusion] if check.conclusion else "pending",
        "description": brief(check.title, LONGEST_DESCRIPTION),
        "target_url": check.url if check.url.startswith(("https://", "http://")) else "",
    }
    newest = next(_ours_by_name(client, slug, check.head), None)
    if newest is not None and _is_by(newest, login) and _says(newest) == wanted:
        return str(newest.id)
    return _post(client, slug, check.head, wanted)


def forged_statuses(client: Client, slug: str, commit: str, login: str, conclusion: str | None) -> tuple[str, ...]:
    """Statuses of our name by others; where one is the newest, ours is put over it.

    `conclusion` is what our check run says; None where we speak by statuses alone: then it is our last status.
    """
    found = list(_ours_by_name(client, slug, commit))
    others = [status for status in found if not _is_by(status, login)]
    if others and not _is_by(found[0], login):
        _post(client, slug, commit, _true(found, login, conclusion))
    return tuple(f"a status by {_login(status)} ({status.state})" for status in others)


# Private

_STATES: Mapping[Conclusion, str] = {
    "success": "success",
    "neutral": "success",
    "failure": "failure",
    "action_required": "failure",
}


class _User(Struct):
    login: str = ""


class _Status(Struct):
    id: int
    state: str
    context: str
    description: str | None = None
    target_url: str | None = None
    creator: _User | None = None


def _ours_by_name(client: Client, slug: str, commit: str) -> Iterator[_Status]:
    """The newest first, as GitHub lists them."""
    for page in client.pages(f"/repos/{slug}/commits/{commit}/statuses?per_page=100", list[_Status]):
        yield from (status for status in page if status.context.lower() == NAME)


def _true(found: list[_Status], login: str, conclusion: str | None) -> dict[str, str]:
    """What to put over a forged status: what we say ourselves, and until we said something, that we did not."""
    before = next((status for status in found if _is_by(status, login)), None)
    if conclusion is None and before is not None:
        return _says(before)
    state = {"success": "success", "neutral": "success", "": "pending"}.get(conclusion or "", "failure")
    return {"state": state, "description": "Put over a status that Tidegate did not make.", "target_url": ""}


def _says(status: _Status) -> dict[str, str]:
    return {
        "state": status.state,
        "description": status.description or "",
        "target_url": status.target_url or "",
    }


def _post(client: Client, slug: str, commit: str, said: Mapping[str, str]) -> str:
    body: dict[str, Any] = {"context": NAME, **{name: text for name, text in said.items() if text}}
    answer = client.ask("POST", f"/repos/{slug}/statuses/{commit}", body)
    if answer is None:
        raise ForgeError("the forge answered nothing")
    return str(answer.read(_Made).id)


class _Made(Struct):
    id: int


def _is_by(status: _Status, login: str) -> bool:
    return _login(status).lower() == login.lower()


def _login(status: _Status) -> str:
    return (status.creator.login if status.creator else "") or "nobody that is known"
