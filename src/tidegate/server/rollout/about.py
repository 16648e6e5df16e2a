"""What a question is about: its repository, the revision that is meant, and what runs there now.

Senders say little. What they leave out is filled from what deployments told; where that is not clear it stays empty,
and the gate holds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.change.approvals import repository_uri
from tidegate.rollout.contracts import github
from tidegate.rollout.contracts.request import Asked
from tidegate.rollout.document import Rollout, Unreadable
from tidegate.rollout.values import Deployment
from tidegate.server.production.setup import Word
from tidegate.server.production.watching import deployment_of
from tidegate.server.rollout.trust import running, weigh
from tidegate.store import deployments, repositories
from tidegate.store import deployments as kept
from tidegate.store.repositories import Repository

UNDER_WAY_SECONDS = 86_400.0
"""A deployment that began longer ago and never ended is not the one that a sender means."""
MOST_KNOWN = 500
MOST_BESIDE = 8


class About(Struct, frozen=True):
    """The question with what was filled in, and the repository; None where nobody can tell which."""

    asked: Asked
    repository: Repository | None


def about(connection: Connection, asked: Asked, now: float) -> About:
    """What this question means, by what is known at `now` (Unix seconds)."""
    if asked.sender == github.SENDER and not asked.service:  # as its deployments are told: `rollout/intake/github.py`
        asked = replace(asked, service=asked.repository.rpartition("/")[2])
    here = kept.page(connection, environment=asked.environment, service=asked.service, most=MOST_KNOWN)
    if not asked.revision:
        asked = replace(asked, revision=_under_way(here, now))
    told = running(tuple(map(deployment_of, here))).told
    if told:
        asked = replace(asked, previous=told)
    elif asked.previous == asked.revision:  # that it runs there already is for deployments to tell
        asked = replace(asked, previous="")
    named = asked.repository or next((one.repository for one in here if one.repository), "")
    return About(asked, find_repository(connection, named))


def find_repository(connection: Connection, named: str) -> Repository | None:
    """The repository that is called so: OWNER/NAME, FORGE:OWNER/NAME, as statements do, or by its URL.

    Without a name the only one that there is. None where two could be meant.
    """
    found: list[Repository] = []
    while page := repositories.page(connection, after=found[-1].id if found else 0):
        found += page
    wanted = named.strip().removesuffix(".git").removesuffix("/").lower()
    meant = [one for one in found if not wanted or wanted in _names(one)]
    return meant[0] if len(meant) == 1 else None


def known_deployments(
    connection: Connection, meant: About, document: Rollout | Unreadable, count: Collection[Word]
) -> tuple[Deployment, ...]:
    """What was deployed of this service there, and to the environments that come before, by these words believed.

    What is told of another repository that we know is not believed of this one.
    """
    asked = meant.asked
    environment = document.environments.get(asked.environment) if isinstance(document, Rollout) else None
    names = dict.fromkeys((asked.environment, *(environment.after if environment is not None else ())))
    found = [kept.page(connection, environment=name, service=asked.service, most=MOST_KNOWN) for name in names]
    of = {name: find_repository(connection, name) for here in found for name in {one.repository for one in here} - {""}}
    others = {name for name, one in of.items() if one is not None and one != meant.repository}
    return tuple(
        replace(one, believed=False) if one.repository in others else one
        for here in found
        for one in weigh(connection, here, count)
    )


def beside_it(connection: Connection, meant: About) -> tuple[str, ...]:
    """The revisions that other services of the repository run there by anybody's word, of the last that began."""
    services: dict[str, list[Deployment]] = {}
    for one in kept.page(connection, environment=meant.asked.environment, most=MOST_KNOWN):
        services.setdefault(one.service, []).append(deployment_of(one))
    mine = {
        name: meant.repository is not None and find_repository(connection, name) == meant.repository
        for name in {one.repository for here in services.values() for one in here}
    }
    found = (running([one for one in here if mine[one.repository]]).told for here in services.values())
    return tuple(dict.fromkeys(revision for revision in found if revision))[:MOST_BESIDE]


# Private


def _names(repository: Repository) -> frozenset[str]:
    slug = repository.slug.lower()
    url = repository.clone_url.removesuffix(".git").lower()
    return frozenset((slug, f"{repository.forge}:{slug}", repository_uri(repository.slug).lower(), url))


def _under_way(here: Sequence[deployments.Deployment], now: float) -> str:
    """The revision that is being deployed there; "" where none is, or two are."""
    found = {
        one.revision
        for one in here
        if one.status == "started" and one.action != "remove" and now - one.started < UNDER_WAY_SECONDS
    }
    return found.pop() if len(found) == 1 else ""
