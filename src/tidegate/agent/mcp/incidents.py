"""recent_incidents_for: what a service knows of incidents around a path. Without a service nothing is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from tidegate.agent.mcp.arguments import PathArguments
from tidegate.agent.mcp.ask import checked_path
from tidegate.agent.mcp.values import Incident, IncidentsAnswer
from tidegate.errors import InputError

Find: TypeAlias = Callable[[str, Mapping[str, str]], Mapping[str, Any] | None]
"""A GET of the service's API: path and query to the answer, None where there is nothing. Raises InputError."""
MOST = 100
NO_SERVICE = (
    "no Tidegate service is configured, so nothing is known of incidents: that is not the same as none. A human can "
    "start this server with --url SERVICE --token-file FILE"
)


def recent_incidents(find: Find | None, slug: str, asked: PathArguments) -> IncidentsAnswer:
    """The incidents, the last first. Raises InputError where the service cannot be asked or answers something else."""
    path = checked_path(asked.path) if asked.path.strip("/.") else ""
    if find is None:
        return IncidentsAnswer(path=path, known=False, says=NO_SERVICE, incidents=())
    answer = find("/incidents/recent", {"path": path, "slug": slug, "most": str(MOST)}) if slug else None
    if answer is None:
        says = "the service does not know this repository, so nothing is known of its incidents"
        return IncidentsAnswer(path=path, known=False, says=says, incidents=())
    items = _read(answer).items
    says = f"{len(items)} incidents are on record for it" if items else "the service has no incident on record for it"
    if len(items) == MOST:
        says = f"the last {MOST} incidents; there may be more"
    return IncidentsAnswer(path=path, known=True, says=says, incidents=tuple(map(_shown, items)))


# Private


class _Found(Struct, frozen=True):
    """An incident as the service tells it; what else it says is not asked for."""

    id: int
    title: str
    severity: str
    environment: str
    service: str
    started: float
    ended: float | None
    resolution: str
    commit: str
    change: str
    probability: float
    confirmed: bool
    lines: tuple[str, ...]


class _Recent(Struct, frozen=True):
    items: tuple[_Found, ...]


def _read(answer: object) -> _Recent:
    try:
        return msgspec.convert(answer, _Recent)
    except msgspec.ValidationError as error:
        raise InputError(
            "the service answered something else than expected", where="--url", mend="is it a Tidegate of this version?"
        ) from error


def _shown(one: _Found) -> Incident:
    return Incident(
        id=one.id,
        title=one.title,
        severity=one.severity,
        environment=one.environment,
        service=one.service,
        started=_moment(one.started),
        ended="" if one.ended is None else _moment(one.ended),
        resolution=one.resolution,
        commit=one.commit,
        change=one.change,
        probability=round(one.probability, 2),
        confirmed=one.confirmed,
        lines=one.lines,
    )


def _moment(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""
