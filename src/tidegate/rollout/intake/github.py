"""GitHub's `deployment` and `deployment_status` webhooks: docs.github.com/en/webhooks/webhook-events-and-payloads.

A service is what the deployment's payload calls so (`"payload": {"service": "pay"}`), else the repository's own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.rollout.intake.reading import commit, first, header, moment, name, parse, text, url
from tidegate.rollout.values import DeploymentAction, DeploymentEvent, DeploymentStatus, NotUsed

SENDER = "github"


class _Person(Struct):
    login: str = ""


class _Repository(Struct):
    full_name: str = ""


class _Deployment(Struct):
    id: int
    sha: str
    environment: str
    created_at: str
    task: str = ""
    payload: dict[str, Any] | str | list[Any] | None = None
    creator: _Person | None = None


class _Status(Struct):
    id: int
    state: str
    created_at: str
    environment: str | None = None
    creator: _Person | None = None
    log_url: str | None = None
    target_url: str | None = None
    environment_url: str | None = None


class _Message(Struct):
    action: str = ""
    repository: _Repository | None = None
    deployment: _Deployment | None = None
    deployment_status: _Status | None = None


_DECODER = msgspec.json.Decoder(_Message)
_KIND = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STATES: Mapping[str, DeploymentStatus] = {
    "pending": "started",
    "queued": "started",
    "waiting": "started",
    "in_progress": "started",
    "success": "succeeded",
    "failure": "failed",
    "error": "failed",
}


def read(body: bytes, headers: Mapping[str, str]) -> tuple[DeploymentEvent | NotUsed, ...]:
    """What the message says. Which event it is says its header, and where that is missing, what it holds."""
    event = header(headers, "x-github-event")
    if not event:
        holds = parse(_KIND, body, SENDER)
        event = next((each for each in ("deployment_status", "deployment") if each in holds), "unknown")
    if event not in ("deployment", "deployment_status"):
        parse(_KIND, body, SENDER)
        return (_unused(headers, event, body),)
    message = parse(_DECODER, body, SENDER)
    deployment, status = message.deployment, message.deployment_status
    if deployment is None or (event == "deployment_status" and status is None):
        return (_unused(headers, event, body),)
    told = status if event == "deployment_status" else None
    state = _STATES.get(told.state) if told else "started"
    if state is None:  # `inactive`: another deployment took its place, which says so itself
        return (_unused(headers, f"{event} {told.state if told else ''}", body),)
    return (_event(message, deployment, told, state),)


# Private


def _event(
    message: _Message, deployment: _Deployment, status: _Status | None, state: DeploymentStatus
) -> DeploymentEvent:
    slug = name(message.repository.full_name if message.repository else "")
    payload = deployment.payload if isinstance(deployment.payload, dict) else {}
    creator = (status.creator if status else None) or deployment.creator
    links = (status.log_url, status.target_url, status.environment_url) if status else ()
    return DeploymentEvent(
        sender=SENDER,
        key=name(f"{slug}/status/{status.id}" if status else f"{slug}/deployment/{deployment.id}"),
        at=moment(status.created_at if status else deployment.created_at, "created_at"),
        deployment=name(f"{slug}/{deployment.id}"),
        status=state,
        environment=name((status.environment if status else None) or deployment.environment),
        service=name(first(payload, ("service", "app", "component")) or slug.rpartition("/")[2]),
        repository=slug,
        revision=commit(deployment.sha),
        artifact=text(first(payload, ("artifact", "image"))),
        actor=name(creator.login if creator else ""),
        url=next((found for link in links if (found := url(link))), ""),
        action=_action(deployment.task),
    )


def _action(task: str) -> DeploymentAction:
    return "roll_back" if task.lower().replace("-", "").replace("_", "").endswith("rollback") else "deploy"


def _unused(headers: Mapping[str, str], event: str, body: bytes) -> NotUsed:
    from tidegate.rollout.intake.reading import digest

    identifier = header(headers, "x-github-delivery") or digest(body.decode("utf-8", "replace"))
    return NotUsed(sender=SENDER, key=name(identifier), type=name(event.strip()))
