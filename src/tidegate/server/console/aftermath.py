"""What became of a change in production: where it went, what took it away, and which incidents it is suspected of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.server.console.kept import Opened
from tidegate.server.production.landed import Lookup, holding, landed_as
from tidegate.server.service import Service
from tidegate.store import deployments, incidents, outcomes
from tidegate.store.deployments import Deployment
from tidegate.store.incidents import Incident
from tidegate.store.outcomes import Outcome

Way: TypeAlias = Literal["came", "went"]
MOST_READ = 500
"""Deployments of the repository that are looked through, the last ones."""
MOST_SHOWN = 20
SECONDS = 1.0


class Step(Struct, frozen=True):
    """A deployment that brought the change there, or took it away."""

    one: Deployment
    way: Way


class Aftermath(Struct, frozen=True):
    """`landed` is the commit that went out, "" where the mirror holds none; `redeploys` is None where nobody counted.

    `problem` says why it is not known where the change went.
    """

    landed: str
    steps: tuple[Step, ...]
    more: int
    incidents: tuple[Incident, ...]
    outcomes: tuple[Outcome, ...]
    problem: str = ""

    @property
    def redeploys(self) -> int | None:
        return max((one.redeploys for one in self.outcomes), default=None)

    @property
    def known(self) -> bool:
        return bool(self.steps or self.incidents or self.outcomes or self.problem)


def aftermath_of(service: Service, connection: Connection, opened: Opened) -> Aftermath:
    """What is known of it. Nothing is asked of git where nothing of the repository was ever deployed."""
    with ExitStack() as stack:
        lookup = Lookup(service, connection, stack, SECONDS)
        told = _told(connection, lookup, opened)
        landed, problem, held = "", "", frozenset[str]()
        if told:
            landed, held, problem = _held(service, lookup, opened, told)
    commits = [each for each in {landed, opened.change.head} if each]
    steps = _steps(told, held)
    about = [
        each
        for commit in commits
        for each in outcomes.page(connection, repository=opened.repository.id, revision=commit, most=MOST_SHOWN)
    ]
    return Aftermath(
        landed,
        steps[:MOST_SHOWN],
        max(0, len(steps) - MOST_SHOWN),
        incidents.of_causes(connection, commits),
        tuple(about),
        problem,
    )


# Private


def _told(connection: Connection, lookup: Lookup, opened: Opened) -> tuple[Deployment, ...]:
    """Deployments of its repository under all the names that senders have for it, the last first."""
    names = [
        name
        for name in deployments.repositories_named(connection)
        if (known := lookup.repository(name)) is not None and known.id == opened.repository.id
    ]
    return deployments.of_repository(connection, names, most=MOST_READ) if names else ()


def _held(
    service: Service, lookup: Lookup, opened: Opened, told: Sequence[Deployment]
) -> tuple[str, frozenset[str], str]:
    """The commit that went out, and which of the revisions hold it."""
    git = lookup.mirror(opened.repository)
    if git is None:
        return "", frozenset(), "its mirror is not on this machine"
    revisions = tuple(sorted({oid for one in told for oid in (one.revision, one.previous) if oid}))
    try:
        landed = landed_as(opened.change, git)
        if not landed:
            return "", frozenset(), "the mirror does not hold the commit as which it landed"
        key = ("holding", opened.repository.id, landed, revisions)
        held = service.cache.get(key, lambda: holding(git, landed, revisions), lambda _: 200 + 100 * len(revisions))
    except InputError as error:
        return "", frozenset(), error.what
    return landed, held, ""


def _steps(told: Sequence[Deployment], held: frozenset[str]) -> tuple[Step, ...]:
    """Those after which it was there and before which it was not, and the other way round; the last first."""
    ran: dict[tuple[str, str], str] = {}
    found: list[Step] = []
    for one in sorted(told, key=lambda each: (each.started, each.id)):
        place = (one.environment, one.service)
        before = one.previous or ran.get(place, "")
        now, then = one.revision in held, before in held
        if now != then:
            found.append(Step(one, "came" if now else "went"))
        if one.status == "succeeded":
            ran[place] = one.revision
    return tuple(reversed(found))
