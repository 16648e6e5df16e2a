"""GitLab's deployment events: docs.gitlab.com/user/project/integrations/webhook_events, "Deployment events"."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from tidegate.rollout.intake.reading import commit, digest, moment, name, parse, url
from tidegate.rollout.values import DeploymentEvent, DeploymentStatus, NotUsed

SENDER = "gitlab"


class _Project(Struct):
    path_with_namespace: str = ""
    web_url: str | None = None


class _Person(Struct):
    username: str = ""


class _Message(Struct):
    object_kind: str = ""
    event_name: str = ""
    status: str = ""
    status_changed_at: str | None = None
    deployment_id: int | None = None
    deployable_url: str | None = None
    environment: str | None = None
    project: _Project | None = None
    user: _Person | None = None
    commit_url: str | None = None


class _Kind(Struct):
    object_kind: str = ""
    event_name: str = ""


_DECODER = msgspec.json.Decoder(_Message)
_KIND = msgspec.json.Decoder(_Kind)
_STATES: Mapping[str, DeploymentStatus] = {
    "created": "started",
    "running": "started",
    "blocked": "started",
    "success": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
    "skipped": "cancelled",
}


def read(body: bytes, headers: Mapping[str, str]) -> tuple[DeploymentEvent | NotUsed, ...]:  # noqa: ARG001 one form
    """What the message says. The whole commit is taken from its address: the message itself has eight characters."""
    kind = parse(_KIND, body, SENDER)
    if kind.object_kind != "deployment":
        return (_unused(kind.object_kind or kind.event_name, body),)
    message = parse(_DECODER, body, SENDER)
    state = _STATES.get(message.status)
    if state is None or message.deployment_id is None:
        return (_unused(f"deployment {message.status}", body),)
    slug = name(message.project.path_with_namespace if message.project else "")
    at = moment(message.status_changed_at, "status_changed_at")
    return (
        DeploymentEvent(
            sender=SENDER,
            key=name(f"{slug}/{message.deployment_id}/{message.status}/{at:.6f}"),
            at=at,
            deployment=name(f"{slug}/{message.deployment_id}"),
            status=state,
            environment=name(message.environment),
            service=slug.rpartition("/")[2],
            repository=slug,
            revision=commit((message.commit_url or "").rstrip("/").rpartition("/")[2]),
            actor=name(message.user.username if message.user else ""),
            url=url(message.deployable_url),
        ),
    )


# Private


def _unused(kind: str, body: bytes) -> NotUsed:
    return NotUsed(sender=SENDER, key=digest(body.decode("utf-8", "replace")), type=name(kind.strip() or "unknown"))
