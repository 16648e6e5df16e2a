"""CDEvents of incidents (`incident.detected`, `.reported`, `.resolved`) beside those of deployments: cdevents.dev."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.operate.intake.reading import severity_of
from tidegate.operate.values import Alert
from tidegate.rollout.intake.cdevents import (
    SENDER,
    Event,
    Foreign,
    content_of,
    custom_of,
    deployment_of,
    events_of,
    word_of,
)
from tidegate.rollout.intake.reading import commit, digest, first, moment, name, revision_of, text, url
from tidegate.rollout.values import DeploymentEvent, NotUsed

_INCIDENTS = ("incident.detected", "incident.reported", "incident.resolved")


def read(body: bytes, headers: Mapping[str, str]) -> tuple[Alert | DeploymentEvent | NotUsed, ...]:
    """What the events say of incidents and of deployments."""
    return tuple(_read_one(event) for event in events_of(body, headers))


# Private


def _read_one(event: Event | Foreign) -> Alert | DeploymentEvent | NotUsed:
    if isinstance(event, Foreign) or (word := word_of(event)) not in _INCIDENTS:
        return deployment_of(event)
    at = moment(event.context.timestamp, "context.timestamp")
    content, custom = content_of(event), custom_of(event)
    said = text(content.description)
    return Alert(
        key=digest(event.subject.source or event.context.source, event.subject.id),
        sender=SENDER,
        name=name(said or event.subject.id),
        started=at,
        ended=at if word == "incident.resolved" else None,
        service=name(content.service.id if content.service else ""),
        environment=name(content.environment.id if content.environment else ""),
        severity=severity_of(first(custom, ("severity", "priority"))),
        summary=said,
        revision=commit(first(custom, ("revision", "commit", "sha"))) or revision_of(content.artifact or ""),
        url=url(content.ticket),
        at=at,
    )
