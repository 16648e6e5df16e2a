"""What a delivery is about: which changes are to be looked at, and why. Only a hint is taken from it: where to look."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.git_fetch import FetchError
from tidegate.server.forge.values import Delivery
from tidegate.server.mirrors import Wanted
from tidegate.server.service import Service
from tidegate.server.work.analysis import policy_at
from tidegate.server.work.journey import Way, fetch, forge_of
from tidegate.server.work.questions import Ask
from tidegate.store import assessments, changes, repositories
from tidegate.store.inbox import Received
from tidegate.store.repositories import NewRepository, Repository

MOST_CHANGES = 1000


class Errand(Struct, frozen=True):
    """One change to look at. `again`: a person wishes another run. `group`: the commit of a merge queue to answer for.

    `loud`: what was said is said again, because somebody else reported under our name.
    """

    repository: int
    number: int
    again: str = ""
    group: str = ""
    loud: bool = False


def read_hint(received: Received) -> Delivery | None:
    """What was kept of a delivery; None for what this version does not understand."""
    try:
        return _HINT.decode(received.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def errands_of(way: Way, received: Received) -> tuple[Errand, ...] | str:
    """The changes to look at; or why there is nothing to do. ForgeError where the forge must be asked and fails."""
    hint = read_hint(received)
    if hint is None:
        return "it cannot be read"
    if received.forge not in way.service.forges:
        return "its forge is not configured"
    if hint.event == "installation":
        return f"{register(way.service, received.forge)} repositories are given to us"
    if hint.event == "other" or not hint.slug:
        return "nothing follows from it"
    repository = _repository(way.service, received.forge, hint.slug)
    if repository is None:
        return "its repository is not looked after"
    found = _errands(way, repository, hint)
    return found or "no open change is concerned"


def register(service: Service, forge: str) -> int:
    """Looks after every repository that the forge gives us, and was not taken away here; how many."""
    given = service.forges[forge].repositories()

    def work(connection: Connection) -> None:
        for told in given:
            _add_once(connection, NewRepository(forge, told.slug, told.url, told.main), service.now())

    service.database.change(work)
    return len(given)


# Private

_HINT = msgspec.json.Decoder(Delivery)  # once, under the lock of the import: see `record._CHECK`
_QUEUED = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-([0-9]{1,9})-[0-9a-f]{40,64}")


def _errands(way: Way, repository: Repository, hint: Delivery) -> tuple[Errand, ...]:
    match hint.event:
        case "pull" | "review":
            return (Errand(repository.id, hint.pull),) if hint.pull else ()
        case "again":
            return _at_commit(way, repository, hint, again=hint.id)
        case "claim":
            return _at_commit(way, repository, hint, loud=True)
        case "push":
            return _moved(way, repository, hint.ref)
        case "group":
            queued = _QUEUED.fullmatch(hint.ref)
            if queued and hint.commit:
                return (Errand(repository.id, int(queued[1]), group=hint.commit),)
    return ()


def _at_commit(
    way: Way, repository: Repository, hint: Delivery, *, again: str = "", loud: bool = False
) -> tuple[Errand, ...]:
    if hint.pull:
        numbers: Iterable[int] = (hint.pull,)
    elif hint.commit:
        numbers = forge_of(way.service, repository).pulls_of(repository.slug, hint.commit)
    else:
        numbers = ()
    return tuple(Errand(repository.id, number, again=again, loud=loud) for number in numbers)


def _moved(way: Way, repository: Repository, ref: str) -> tuple[Errand, ...]:
    """Open changes into a branch that moved, where its policy is another one now than the one they were judged by.

    Without that, a change is judged anew at its new base when it moves itself: it is what it was.
    """
    target = ref.removeprefix("refs/heads/")
    with way.service.database.read() as connection:
        open_ = changes.page(connection, repository=repository.id, state="open", most=MOST_CHANGES)
        concerned = [change for change in open_ if change.target == target]
        lasts = {change.id: assessments.latest(connection, change.id) for change in concerned}
    if not concerned:
        return ()
    policy = _policy(way, repository, target)
    stale = [each for each in concerned if (last := lasts[each.id]) is None or last.policy != policy]
    return tuple(Errand(repository.id, each.number) for each in stale)


def _policy(way: Way, repository: Repository, target: str) -> str:
    """The digest of the policy at the branch; "" where it cannot be told, so that every change is looked at."""
    forge = forge_of(way.service, repository)
    tip = forge.branch(repository.slug, target)
    if not tip:
        return ""
    try:
        wanted = Wanted(repository.forge, repository.slug, target, 0, tip)
        brought = fetch(way, wanted, forge.clone(repository.slug))
    except FetchError:
        return ""
    now = way.service.now()
    ask = Ask(str(brought.path), f"{repository.forge}:{repository.slug}", 0, brought.tip, f"{now[:19]}Z")
    return policy_at(ask, way.service.config.limits)


def _repository(service: Service, forge: str, slug: str) -> Repository | None:
    """The repository; new ones come with the first message, which only a forge that knows our secret can send."""
    with service.database.read() as connection:
        known = repositories.find(connection, forge, slug)
    if known is not None:
        return None if known.removed_at is not None else known
    told = service.forges[forge].repository(slug)
    new = NewRepository(forge, told.slug, told.url, told.main)
    return service.database.change(lambda connection: _add_once(connection, new, service.now()))


def _add_once(connection: Connection, new: NewRepository, at: str) -> Repository:
    """One that was taken away stays away."""
    return repositories.find(connection, new.forge, new.slug) or repositories.add(connection, new, at)
