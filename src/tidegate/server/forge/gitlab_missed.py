"""What GitLab's own list says that a project's webhook did not deliver, and asking for it again.

https://docs.gitlab.com/api/project_webhooks/: events of a hook, the newest first, of seven days, for maintainers of the
project; five may be sent again in a minute. An event has no time. Webhooks of groups and of the instance list nothing
that a bot may read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import quote, urlsplit

from msgspec import Struct

from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.http import Client
from tidegate.server.forge.messages import check_slug, message_id
from tidegate.server.forge.values import Missed

OURS = "/hooks/gitlab"
"""How the address of a webhook to this service ends."""
MOST_EVENTS = 200
"""Of each hook, the newest: what is older is found by reading the open merge requests again."""
MOST_TRIES = 3
MOST_AT_ONCE = 5
_PLACE = re.compile(r"(?P<slug>[A-Za-z0-9_][A-Za-z0-9_./-]{0,300})!(?P<hook>[0-9]{1,18})!(?P<event>[0-9]{1,18})")
_HEADERS = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")


def read_missed(client: Client, slugs: Iterable[str]) -> Iterator[Missed]:
    """Messages of which no attempt was answered with success, and not too many were made; at most five."""
    found = (each for slug in slugs for hook in _hooks(client, slug) for each in _missed(client, slug, hook))
    yield from islice(found, MOST_AT_ONCE)


def send_again(client: Client, missed: Missed) -> None:
    """Has GitLab send it once more. Where GitLab is too old for that, nothing happens."""
    place = _PLACE.fullmatch(missed.forge_id)
    if place is None:
        raise ForgeError("this is no event of a webhook", where=missed.id)
    path = f"{_project(place['slug'])}/hooks/{place['hook']}/events/{place['event']}/resend"
    client.ask("POST", path, none=(404, 422))


# Private


class _Hook(Struct):
    id: int
    url: str = ""


class _Event(Struct):
    id: int
    trigger: str = ""
    request_headers: dict[str, str] = {}
    response_status: int | str = ""


def _hooks(client: Client, slug: str) -> Iterator[int]:
    for page in client.pages(f"{_project(slug)}/hooks?per_page=100", list[_Hook], none=(401, 403, 404)):
        yield from (hook.id for hook in page if urlsplit(hook.url).path.rstrip("/").endswith(OURS))


def _missed(client: Client, slug: str, hook: int) -> Iterator[Missed]:
    pages = client.pages(f"{_project(slug)}/hooks/{hook}/events?per_page=20", list[_Event], none=(403, 404))
    events = list(islice((event for page in pages for event in page), MOST_EVENTS))
    tries = Counter(_identifier(event) for event in events)
    arrived = {_identifier(event) for event in events if str(event.response_status).startswith("2")}
    newest = {name: event for event in reversed(events) if (name := _identifier(event))}
    for name, event in newest.items():
        if name not in arrived and tries[name] < MOST_TRIES:
            yield Missed(name, f"{slug}!{hook}!{event.id}", event.trigger, "")


def _identifier(event: _Event) -> str:
    """By which the inbox knows it."""
    headers = {name.lower(): text for name, text in event.request_headers.items()}
    found = (message_id(headers.get(name, "").encode("utf-8", "replace")) for name in _HEADERS)
    return next((each for each in found if each), "")


def _project(slug: str) -> str:
    return f"/projects/{quote(check_slug(slug, deep=True), safe='')}"
