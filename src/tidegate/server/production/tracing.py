"""Traces an incident and investigates it: what is known is gathered, traced in a child, explained, kept, recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from tidegate.change.git_fetch import FetchError
from tidegate.errors import InputError
from tidegate.operate.culprit import Traced
from tidegate.operate.draft import draft_review
from tidegate.operate.investigate import Case, investigate
from tidegate.operate.lines import Decided
from tidegate.operate.resolution import Resolution
from tidegate.operate.values import Ranking
from tidegate.rollout.values import Deployment
from tidegate.server.forge.errors import ForgeError
from tidegate.server.logs import log
from tidegate.server.mirrors import Wanted
from tidegate.server.production.child import Asked, ask, packed
from tidegate.server.production.document import Kept, read_kept
from tidegate.server.production.gather import Gathered, gather, read_series
from tidegate.server.production.setup import Production
from tidegate.server.work.journey import Way, fetch, forge_of
from tidegate.store import accounts, approvals, assessments, changes, incidents, repositories
from tidegate.store.clock import text_of
from tidegate.store.incidents import Finding, Incident
from tidegate.store.repositories import Repository

LEAST_NAMED = 0.5
"""A commit is named as the suspect of an incident, and as its cause in the ledger, from this probability on."""


def trace_incident(way: Way, setup: Production | None, incident: Incident, now: float) -> Kept:
    """What is known of the incident now; what was kept where nothing has changed since."""
    service = way.service
    with service.database.read() as connection:
        found = gather(connection, incident, now)
        kept = read_kept(incidents.document(connection, incident.id))
    if kept.made_at and kept.digest == found.digest:
        return kept
    mirrors, unknowns = bring_mirrors(way, found.before())
    series, unread = read_series(setup, incident, now)
    traced = ask(
        Asked(
            alert=found.alert,
            errors=found.errors,
            spans=found.spans,
            calls=found.calls,
            unknowns=(*unknowns, *unread),
            series=packed(series),
            deployments=found.before(),
            worse=found.worse,
            mirrors={name: path for name, (path, _) in mirrors.items()},
        )
    )
    if traced is None:
        nothing = Ranking(
            suspects=(), hypotheses=(), none=0.0, unknowns=("the trace could not be made within its bounds",)
        )
        traced = Traced(ranking=nothing, changes=(), lines=())
    with service.database.read() as connection:
        decided = _decided(connection, traced, {name: each for name, (_, each) in mirrors.items()}, found)
    kept = _explained(found, traced, decided, now)
    keep(way, incident, kept)
    return kept


def keep(way: Way, incident: Incident, kept: Kept) -> None:
    """Keeps what was found over what was found before."""
    first = kept.investigation.ranking.suspects[0] if kept.investigation.ranking.suspects else None
    named = first if first is not None and first.probability >= LEAST_NAMED else None
    finding = Finding(
        document=msgspec.json.encode(kept),
        deployment=int(named.deployment) if named is not None and named.deployment else None,
        revision=named.change if named is not None else "",
        probability=named.probability if named is not None else None,
    )
    service = way.service
    now = service.now()
    service.database.change(lambda connection: incidents.record(connection, incident.id, finding, now))
    log("traced", incident=incident.id, suspect=finding.revision, probability=finding.probability)


def bring_mirrors(
    way: Way, deployments: Sequence[Deployment]
) -> tuple[dict[str, tuple[str, Repository]], tuple[str, ...]]:
    """The mirrors of what was deployed, by the name that deployments give, brought to hold the revisions."""
    found: dict[str, tuple[str, Repository]] = {}
    unknowns: list[str] = []
    for one in sorted(deployments, key=lambda each: -each.started):
        if not one.repository:
            continue
        with way.service.database.read() as connection:
            repository = find_repository(connection, one.repository)
        if repository is None:
            unknowns.append(f"the repository {one.repository} is not looked after here")
            continue
        path = way.mirrors.path_of(repository.forge, repository.slug)
        found[one.repository] = (str(path), repository)
        wanted = Wanted(repository.forge, repository.slug, repository.main, 0, one.revision)
        try:
            if not _holds(way, repository, (one.revision, one.previous)):
                fetch(way, wanted, forge_of(way.service, repository).clone(repository.slug))
        except (FetchError, ForgeError, InputError) as error:
            unknowns.append(f"the mirror of {one.repository} could not be brought up to date: {error.what}")
    return found, tuple(dict.fromkeys(unknowns))


# Private


def _holds(way: Way, repository: Repository, revisions: Sequence[str]) -> bool:
    try:
        with way.mirrors.open(repository.forge, repository.slug) as mirror:
            return all(mirror.exists(revision) for revision in revisions if revision)
    except InputError:
        return False


def find_repository(connection: Connection, name: str) -> Repository | None:
    """The repository that a deployment names: by its slug, or by the end of its URL. None where two have it."""
    wanted = name.removesuffix(".git").rstrip("/").lower()
    found = [
        one
        for one in _all(connection)
        if wanted == one.slug.lower() or wanted.endswith("/" + one.slug.lower()) or wanted == one.clone_url.lower()
    ]
    return found[0] if len(found) == 1 else None


def _all(connection: Connection) -> list[Repository]:
    found: list[Repository] = []
    while page := repositories.page(connection, after=found[-1].id if found else 0):
        found += page
    return found


def _decided(
    connection: Connection, traced: Traced, known: Mapping[str, Repository], found: Gathered
) -> Mapping[str, Decided]:
    """By commit, for those that can be found: who approved, and what the gate said."""
    named = {one.id: one.repository for one in found.deployments}
    answers: dict[str, Decided] = {}
    for one in traced.changes[:20]:
        repository = known.get(named.get(one.deployment, ""))
        about = changes.with_head(connection, repository.id, one.commit) if repository is not None else ()
        for change in about:
            latest = assessments.latest(connection, change.id, head=one.commit)
            people = [
                person.shown or person.name
                for approval in approvals.of_change(connection, change.id)
                if approval.revoked_at is None and approval.head == one.commit
                if (person := accounts.person(connection, approval.person)) is not None
            ]
            answers[one.commit] = Decided(approvers=tuple(people), gate=latest.verdict if latest else "")
    return answers


def _explained(found: Gathered, traced: Traced, decided: Mapping[str, Decided], now: float) -> Kept:
    incident = found.incident
    case = Case(
        id=str(incident.id),
        title=incident.title,
        severity=incident.severity,
        environment=incident.environment,
        service=incident.service,
        started=incident.started,
        now=now,
        ranking=traced.ranking,
        ended=incident.ended,
        deployments=found.deployments,
        alerts=found.alerts,
        errors=found.errors,
        signals=found.signals,
        calls=found.calls,
        past=found.past,
        unknowns=traced.unknowns,
    )
    answer = investigate(case)
    return Kept(
        investigation=answer,
        changes=traced.changes,
        lines=traced.lines,
        decided=decided,
        draft=draft_review(case, answer, _resolution(found)),
        made_at=text_of(datetime.fromtimestamp(now, UTC)),
        digest=found.digest,
    )


def _resolution(found: Gathered) -> Resolution | None:
    incident = found.incident
    by = next((one for one in found.deployments if one.id == str(incident.resolved_by)), None)
    if incident.resolution not in ("roll_back", "hot_fix", "forward_fix") or by is None:
        return None
    return Resolution(kind=incident.resolution, deployment=by, says=f"deployment {by.id} of {by.service}")
