"""Rows of the tables as the values that insight counts: one question for each table, whatever is asked for."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.facts import Lines
from tidegate.insight.past import writer_of
from tidegate.insight.values import Fate, Ran, Shipped
from tidegate.operate.outcomes import BAKE_SECONDS
from tidegate.store import landed
from tidegate.store.landed import MOST, Deployed, Failed, Landed, Said

SURE = 0.5
"""From here on something is said of a change."""
WORST: tuple[Fate, ...] = ("incident", "rolled-back", "reverted", "fixed")


class Wanted(Struct, frozen=True):
    """What is read: Unix seconds from `since` to before `until`. `repository` 0 and `team` "": all. `now`: the moment
    of the question."""

    since: float
    until: float
    now: float
    environment: str
    repository: int = 0
    team: str = ""


class Rows(Struct, frozen=True):
    """`notes` say what is left out."""

    shipped: tuple[Shipped, ...]
    ran: tuple[Ran, ...]
    notes: tuple[str, ...]


def read_rows(connection: Connection, wanted: Wanted) -> Rows:
    """Changes that were merged and deployments that began in the time, the oldest first."""
    slugs = landed.slugs(connection)
    only = wanted.repository or None
    merged = landed.between(connection, wanted.since, wanted.until, repository=only)
    said = landed.said(connection, wanted.environment, wanted.since, repository=only)
    deployed = landed.deployed(connection, wanted.environment, wanted.since, wanted.until)
    failed = landed.failed(connection, wanted.environment, wanted.since)
    mine = [row for row in reversed(merged) if not wanted.team or row.team == wanted.team]
    fates = _fates(said)
    shipped = [_shipped(row, fates, slugs, wanted.now) for row in mine]
    ran = _ran(deployed, failed, _by_revision(mine, shipped, {one.revision for one in deployed}))
    names = _names({one.repository for one in ran}, slugs)
    ran = [replace(one, repository=names[one.repository]) for one in ran]
    if wanted.repository:
        ran = [one for one in ran if _is(one.repository, slugs.get(wanted.repository, ""))]
    if wanted.team:
        ran = [one for one in ran if one.team == wanted.team]
    return Rows(tuple(shipped), tuple(ran), tuple(_notes(connection, merged, deployed)))


# Private


class _Became(Struct, frozen=True):
    fate: Fate
    deployed: float
    redeploys: int
    debugged: bool


def _fates(said: Sequence[Said]) -> Mapping[tuple[int, str], Sequence[Said]]:
    found: dict[tuple[int, str], list[Said]] = defaultdict(list)
    for one in said:
        found[one.repository, one.revision].append(one)
    return found


def _by_revision(rows: Sequence[Landed], shipped: Sequence[Shipped], wanted: Collection[str]) -> dict[str, Shipped]:
    pairs = zip(rows, shipped, strict=True)
    return {commit: one for row, one in pairs for commit in _oids(row) if commit in wanted}


def _oids(row: Landed) -> tuple[str, ...]:
    if row.commits == row.revision or not row.revision:
        return tuple(row.commits.split())
    return tuple(dict.fromkeys((row.revision, *row.commits.split())))


def _shipped(
    row: Landed, fates: Mapping[tuple[int, str], Sequence[Said]], slugs: Mapping[int, str], now: float
) -> Shipped:
    said = [one for oid in _oids(row) for one in fates.get((row.repository, oid), ())]
    became = _became(said, now) if said else None
    lines = {"ai": row.ai, "human": row.human, "mixed": row.mixed, "unknown": row.unknown}
    added = sum(lines.values())
    return Shipped(
        commit=row.revision or row.commits.partition(" ")[0],
        landed=row.at,
        writer=writer_of(Lines(added=added, **lines)),
        size=row.size,
        fate=became.fate if became else "pending",
        repository=slugs.get(row.repository, ""),
        team=row.team,
        author=row.author,
        tool=row.tool,
        model=row.model,
        began=row.began,
        deployed=became.deployed if became else None,
        lines=lines,
        redeploys=became.redeploys if became else None,
        reviewed=row.reviewed,
        seconds=row.seconds,
        reviewers=None if row.reviewers is None else tuple(row.reviewers.split()),
        merged_by=row.merged_by,
        debugged=became.debugged if became and became.fate != "pending" else None,
        effort=row.effort,
        test_lines=row.tests,
        complexity=row.complexity,
        cloned=row.cloned,
        todos=row.todos,
    )


def _became(said: Sequence[Said], now: float) -> _Became:
    """What is said of it taken together. While its bake window runs it is judged by nobody, whatever was said: the bad
    ones of the young would stand there alone."""
    if len(said) == 1 and said[0].result == "clean" and said[0].deployed + BAKE_SECONDS <= now:
        return _Became("clean", said[0].deployed, said[0].redeploys, debugged=False)
    deployed = min(one.deployed for one in said)
    fate: Fate = "clean"
    results = {one.result for one in said}
    for bad in reversed([each for each in WORST if each in results]):
        doubt = math.prod(1 - min(max(one.weight, 0.0), 1.0) for one in said if one.result == bad)
        fate = bad if 1 - doubt >= SURE else fate
    sure = fate != "clean" or any(one.result == "clean" for one in said)
    young = deployed + BAKE_SECONDS > now
    return _Became(
        "pending" if young or not sure else fate, deployed, max(one.redeploys for one in said), fate == "incident"
    )


def _ran(deployed: Sequence[Deployed], failed: Sequence[Failed], changes: Mapping[str, Shipped]) -> list[Ran]:
    """A deployment failed where it did not succeed, where an incident names it, or where the next one took it back."""
    caused = {one.deployment: one for one in failed if one.deployment is not None and (one.probability or 0) >= SURE}
    confirmed = {one.cause: one for one in failed if one.cause}
    mending = {one.resolved_by for one in failed if one.resolved_by is not None}
    services: dict[tuple[str, str], list[Deployed]] = defaultdict(list)
    for one in reversed(deployed):
        if one.status != "cancelled" and one.action != "remove":
            services[one.repository, one.service].append(one)
    found = []
    for ran in services.values():
        for one, after in zip(ran, (*ran[1:], None), strict=True):
            incident = caused.get(one.id) or confirmed.get(one.revision)
            back = after is not None and after.action == "roll_back"
            bad = one.status in ("failed", "rolled_back") or back or incident is not None
            change = changes.get(one.revision)
            found.append(
                Ran(
                    at=one.started,
                    writer=change.writer if change else "unknown",
                    failed=None if one.status == "started" and not bad else bad,
                    service=one.service,
                    repository=one.repository,
                    team=change.team if change else "",
                    tool=change.tool if change else "",
                    model=change.model if change else "",
                    recovered=_recovered(one, after, incident) if bad else None,
                    rework=one.action == "roll_back" or one.id in mending,
                )
            )
    return sorted(found, key=lambda one: one.at)


def _recovered(one: Deployed, after: Deployed | None, incident: Failed | None) -> float | None:
    """Seconds until the incident was over, else until the next deployment of the service was."""
    ended = incident.ended if incident is not None else None
    if ended is None and incident is None and after is not None and after.status == "succeeded":
        ended = after.finished or after.started
    return ended - one.started if ended is not None and ended >= one.started else None


def _names(told: Collection[str], slugs: Mapping[int, str]) -> Mapping[str, str]:
    """What senders call repositories, as their slug where it is one that is looked after."""
    return {name: next((slug for slug in slugs.values() if _is(name, slug)), name) for name in told}


def _is(name: str, slug: str) -> bool:
    wanted = name.removesuffix(".git").rstrip("/").lower()
    return bool(slug) and (wanted == slug.lower() or wanted.endswith("/" + slug.lower()))


def _notes(connection: Connection, merged: Sequence[Landed], deployed: Sequence[Deployed]) -> list[str]:
    found = []
    if waiting := landed.count_missing(connection):
        found.append(f"{waiting:,} merged changes are not counted yet: the worker does it")
    if bare := sum(not row.effort and row.began is None for row in merged):
        found.append(f"{bare:,} changes were merged without an assessment: nobody knows who wrote them, or how large")
    if unread := sum(row.reviewed is None for row in merged):
        found.append(f"of {unread:,} of {len(merged):,} changes nobody measured how they were read: not opened here")
    if len(merged) >= MOST or len(deployed) >= MOST:
        found.append(f"only the last {MOST:,} changes and deployments are counted: ask for a shorter time")
    return found
