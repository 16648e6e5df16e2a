"""What became of what was deployed: judged again whenever something about it is new, kept, and put on record once.

Any worker may do it, and several at once: rows are written by what says them, and entries follow from rows. What could
not be read is said to be nothing, never to be clean.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.change.git_fetch import FetchError
from tidegate.errors import InputError, TidegateError
from tidegate.operate.outcomes import BAKE_SECONDS, Became, Incident, Past, judge
from tidegate.rollout.joined import running_before
from tidegate.rollout.values import Deployment
from tidegate.server.forge.errors import ForgeError
from tidegate.server.logs import log, log_failure
from tidegate.server.mirrors import Wanted
from tidegate.server.production.document import read_kept
from tidegate.server.production.outcome_entries import record_outcomes
from tidegate.server.production.setup import Production
from tidegate.server.production.shipping import Asked, Said, ask
from tidegate.server.production.tracing import find_repository
from tidegate.server.production.watching import deployment_of
from tidegate.server.work.journey import Way, fetch, forge_of
from tidegate.store import deployments, incidents, outcomes, values
from tidegate.store.clock import text_of
from tidegate.store.outcomes import NewOutcome, Outcome
from tidegate.store.repositories import Repository

KEPT_SECONDS = 28 * 86400.0
"""So long after its bake window a deployment is looked at again; what was said of it then stands."""
AGAIN_SECONDS = 3600.0
"""So often it is judged again where nothing is new but the time."""
FAILED_SECONDS = 900.0
MOST_SECONDS = 5.0
"""After so many in one sweep the other places wait for the next: incidents are looked after in between."""
REST = 20.0
"""Of the time that judging took, so many times must pass until the next: it may take a twentieth of a processor."""
MOST_READ = 20_000
MOST_DEPLOYMENTS = 2_000
"""Of one repository in one environment, so many of the last are read."""
_CHUNK = 400


class Place(Struct, frozen=True):
    """A repository in an environment, with what was deployed there and what went wrong there of late."""

    environment: str
    repository: Repository
    deployments: tuple[Deployment, ...]
    incidents: tuple[incidents.Incident, ...]


def sweep_outcomes(way: Way, setup: Production | None, now: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Judges the places where something is new, those first that waited longest, for some seconds; and puts on record
    what is not there yet. While an incident has just begun nothing is judged: it is traced."""
    service, bake = way.service, setup.bake if setup is not None else BAKE_SECONDS
    with service.database.read() as connection:
        places = _places(connection, now - bake - KEPT_SECONDS, now)
        begun = any(
            one.state == "open" and now - one.started < AGAIN_SECONDS for each in places for one in each.incidents
        )
        due = [] if begun else [one for place in places if (one := _due(connection, place, (now, bake))) is not None]
    started = clock()
    for one in sorted(due, key=lambda one: (one.judged, one.name)):
        if clock() - started > MOST_SECONDS:
            break
        try:
            _judge_due(way, one, (now, bake), clock)
        except TidegateError as error:  # the others are judged all the same
            log_failure(error, f"outcomes {one.place.repository.id}")
    record_outcomes(service)


def causes_of(incident: incidents.Incident, document: bytes) -> Incident:
    """An incident as outcomes see it: whom its trace suspects and how much, or whom a person named."""
    kept = read_kept(document)
    ranking = kept.investigation.ranking
    told = {one.change: one.probability for one in ranking.suspects if outcomes.is_commit(one.change)}
    if incident.cause:
        told = {incident.cause: 1.0} if outcomes.is_commit(incident.cause) else {}
    return Incident(
        id=str(incident.id),
        started=incident.started,
        causes=told,
        settled=incident.state == "resolved" or bool(incident.cause),
        traced=bool(incident.cause or ranking.suspects or ranking.hypotheses),
        ended_by=str(incident.resolved_by) if incident.resolved_by is not None else "",
    )


# Private


def _places(connection: Connection, since: float, now: float) -> tuple[Place, ...]:
    groups: dict[tuple[str, int], list[Deployment]] = {}
    named: dict[str, Repository | None] = {}
    known: dict[int, Repository] = {}
    for one in deployments.between(connection, since, now, most=MOST_READ):
        if one.repository and one.repository not in named:
            named[one.repository] = find_repository(connection, one.repository)
        repository = named.get(one.repository)
        if repository is not None:
            known[repository.id] = repository
            groups.setdefault((one.environment, repository.id), []).append(deployment_of(one))
    lately = outcomes.incidents_lately(connection, since, text_of(datetime.fromtimestamp(since, UTC)))
    return tuple(
        Place(
            environment,
            known[repository],
            tuple(_with_previous(connection, one, group) for one in group[:MOST_DEPLOYMENTS]),
            tuple(one for one in lately if one.environment == environment),
        )
        for (environment, repository), group in sorted(groups.items())
    )


def _with_previous(connection: Connection, one: Deployment, group: Sequence[Deployment]) -> Deployment:
    """With what ran there before, where its sender does not say it and somebody else did."""
    if one.previous:
        return one
    before = running_before(one, group)
    if before is not None:
        return replace(one, previous=before.revision)
    earlier = deployments.ran_before(connection, one.environment, one.service, one.started)
    return replace(one, previous=earlier.revision) if earlier is not None else one


class _Due(Struct, frozen=True):
    """A place that is to be judged: by what it is remembered, what the answer follows from, when it was judged."""

    place: Place
    name: str
    digest: str
    judged: float


def _due(connection: Connection, place: Place, at: tuple[float, float]) -> _Due | None:
    """None where nothing is new, or where it was judged so lately that the processor is for others now."""
    now, _ = at
    name = f"outcomes/{place.repository.id}/{place.environment}"
    digest = _digest(place, at)
    last, judged, rests = (values.read(connection, name) or "- 0 0").split(" ")
    if last == digest or now < float(rests) <= now + AGAIN_SECONDS:
        return None
    return _Due(place, name, digest, float(judged))


def _judge_due(way: Way, due: _Due, at: tuple[float, float], clock: Callable[[], float]) -> None:
    now, _ = at
    begun = clock()
    done = _judge(way, due.place, at)
    rests = now + (min(REST * (clock() - begun), AGAIN_SECONDS) if done else FAILED_SECONDS)
    said = f"{due.digest if done else '-'} {now:.3f} {rests:.3f}"
    service = way.service
    service.database.change(lambda connection: values.write(connection, due.name, said, service.now()))


def _digest(place: Place, at: tuple[float, float]) -> str:
    """Of all that the answer follows from."""
    now, bake = at
    parts = (
        [(one.id, one.status, one.action, one.revision, one.previous, one.finished) for one in place.deployments],
        [(one.id, one.changed_at) for one in place.incidents],
        (int(now // AGAIN_SECONDS), bake),
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _judge(way: Way, place: Place, at: tuple[float, float]) -> bool:
    """Whether all could be read; nothing is written otherwise."""
    service, (now, bake) = way.service, at
    with service.database.read() as connection:
        told = [causes_of(one, incidents.document(connection, one.id)) for one in place.incidents]
    mirror = _mirror(way, place)
    wanted = tuple(sorted({commit for one in told for commit in one.causes}))
    said = ask(Asked(mirror=mirror, deployments=place.deployments, causes=wanted)) if mirror else None
    if said is None:
        log("outcomes-unread", repository=place.repository.id)
        return False
    past = _past(place, told, said)
    found = [one for one in judge(past, now, bake) if said.cycles is not None or one.result != "clean"]
    moved = service.database.change(lambda connection: _write(connection, place, past, found, service.now()))
    service.database.change(lambda connection: _keep_paths(connection, told, said.paths))
    if moved:
        log("outcomes", repository=place.repository.id, changed=moved)
    return True


def _past(place: Place, told: Sequence[Incident], said: Said) -> Past:
    unread = frozenset(said.unread)
    return Past(
        shipped=said.shipped,
        unread=[one for one in place.deployments if one.id in unread],
        incidents=[replace(one, causes={k: v for k, v in one.causes.items() if k in said.paths}) for one in told],
        cycles=said.cycles or (),
    )


def _mirror(way: Way, place: Place) -> str:
    """The path of the mirror, which holds the last revision that was deployed where the forge still has it."""
    repository = place.repository
    path = way.mirrors.path_of(repository.forge, repository.slug)
    last = max(place.deployments, key=lambda one: (one.started, one.id)).revision
    try:
        if path.is_dir():
            with way.mirrors.open(repository.forge, repository.slug) as mirror:
                if not outcomes.is_commit(last) or mirror.exists(last):
                    return str(path)
        wanted = Wanted(repository.forge, repository.slug, repository.main, 0, last)
        fetch(way, wanted, forge_of(way.service, repository).clone(repository.slug))
    except (FetchError, ForgeError, InputError) as error:
        log_failure(error, f"mirror {repository.id}")
    return str(path) if path.is_dir() else ""


def _write(connection: Connection, place: Place, past: Past, found: Sequence[Became], at: str) -> int:
    """Writes what is new, and takes back what is said no more; how many rows that were."""
    here = (place.repository.id, place.environment)
    judged = {f"incident-{one.id}" for one in past.incidents if one.settled}
    judged |= {f"deployment-{one.deployment.id}" for one in past.shipped}
    says = judged | {one.by for one in found if one.by}
    standing = _standing(connection, here, says, {one.commit for one in found})
    new = {(one.commit, one.by) for one in found}
    bad = {one.commit for one in found if one.by}
    count = 0
    for one in found:
        old = standing.get((one.commit, one.by))
        if old is None or not _says(old, one):
            count += outcomes.put(connection, _row(here, one, old), at)
    gone = [
        old
        for (commit, by), old in standing.items()
        if (by in judged and (commit, by) not in new) or (not by and commit in bad)
    ]
    return count + outcomes.take_back(connection, gone, at)


def _standing(
    connection: Connection, here: tuple[int, str], says: Iterable[str], commits: Iterable[str]
) -> Mapping[tuple[str, str], Outcome]:
    """What stands of these, by commit and what says it."""
    repository, environment = here
    found = [
        *(one for some in _chunks(says) for one in outcomes.said_by(connection, environment, some)),
        *(one for some in _chunks(commits) for one in outcomes.clean(connection, repository, environment, some)),
    ]
    return {(one.revision, one.by): one for one in found if one.repository == repository}


def _says(old: Outcome, new: Became) -> bool:
    """Whether what stands says it already. What was known when more of the past was looked at is not forgotten."""
    if old.result == "clean":
        return True
    same = (old.result, old.weight, old.known) == (new.result, new.weight, new.known)
    return same and old.deployed <= new.deployed and old.redeploys >= new.redeploys


def _row(here: tuple[int, str], new: Became, old: Outcome | None) -> NewOutcome:
    return NewOutcome(
        repository=here[0],
        environment=here[1],
        revision=new.commit,
        by=new.by,
        result=new.result,
        weight=new.weight,
        deployed=new.deployed if old is None else min(old.deployed, new.deployed),
        known=new.known,
        redeploys=new.redeploys if old is None else max(old.redeploys, new.redeploys),
    )


def _keep_paths(connection: Connection, told: Sequence[Incident], paths: Mapping[str, Sequence[str]]) -> None:
    for one in told:
        for commit in one.causes:
            if paths.get(commit) and not outcomes.has_paths(connection, int(one.id), commit):
                outcomes.keep_paths(connection, int(one.id), commit, paths[commit])


def _chunks(given: Iterable[str]) -> Iterable[Sequence[str]]:
    ordered = sorted(given)
    return (ordered[begin : begin + _CHUNK] for begin in range(0, len(ordered), _CHUNK))
