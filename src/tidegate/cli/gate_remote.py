"""`tidegate gate --server`: what a service keeps of the changes, found by the numbers of their pull requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec

from tidegate.change.branches import read_branches, repository_name
from tidegate.cli.remote import Remote
from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.rollout.cases import Kept, number_in, read_kept
from tidegate.rollout.gate import Decision

if TYPE_CHECKING:
    from tidegate.change.git import Repository
    from tidegate.rollout.ask import Fetch
    from tidegate.rollout.joined import Landed

MOST_ASKED = 500


def documents_of(server: str, environment: Mapping[str, str], repository: Repository) -> Fetch:
    """A function that brings what the service keeps of changes. Raises InputError without a token or a remote."""
    remote = Remote(server, environment, "changes:read")
    url = read_branches(repository).url
    slug = repository_name(url)
    if not slug:
        raise InputError("the remote does not say which repository this is", mend="git remote add origin URL")
    forge: Literal["github", "gitlab"] = "gitlab" if "gitlab" in _host(url) else "github"

    def fetch(landed: Sequence[Landed]) -> Sequence[Kept]:
        numbers = dict.fromkeys(number for one in landed if (number := number_in(one.title)))
        return [kept for number in list(numbers)[:MOST_ASKED] if (kept := _kept(remote, forge, slug, str(number)))]

    return fetch


def ask_service(server: str, environment: Mapping[str, str], body: Mapping[str, Any]) -> Decision:
    """What the gate of the service decided and recorded. Raises InputError where it cannot be asked."""
    remote = Remote(server, environment, "gates:ask")
    said = {name: value for name, value in body.items() if value not in ("", None)}
    answer = remote.send("/gates", to_json(said), also=(403, 409))
    try:
        return msgspec.convert(answer, Decision)
    except msgspec.ValidationError as error:
        raise InputError("the service answered something else than a decision", where=server) from error


# Private


def _host(url: str) -> str:
    return urlsplit(url).hostname or url.partition(":")[0].rpartition("@")[2]


def _kept(remote: Remote, forge: str, slug: str, number: str) -> Kept | None:
    page = remote.find("/pull", {"forge": forge, "slug": slug, "number": number})
    latest = page.get("latest") if page else None
    if not isinstance(latest, dict) or not isinstance(latest.get("id"), int):
        return None
    document = remote.find(f"/assessments/{latest['id']}/document")
    return read_kept(to_json(document), f"assessment {latest['id']}") if document else None
