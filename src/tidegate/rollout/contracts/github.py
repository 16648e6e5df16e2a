"""GitHub's deployment protection rules.

docs.github.com, "Creating custom deployment protection rules": the webhook `deployment_protection_rule` asks, and the
answer is a POST to its `deployment_callback_url` with `approved` or `rejected`. A rejection is final for that run; so
what is held is not answered with one but with a comment alone, which leaves the run waiting.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.rollout.contracts.request import Asked, Reply, decode, oid, words
from tidegate.rollout.gate import Decision

SENDER = "github"


def read(body: bytes) -> Asked:
    """The question of a `deployment_protection_rule` event. Raises InputError for anything else."""
    event = decode(body, _Event, SENDER)
    if not event.deployment_callback_url.startswith("https://"):
        raise InputError("deployment_callback_url is not an https address", where=SENDER)
    deployment = event.deployment or _Deployment()
    return Asked(
        sender=SENDER,
        purpose="gate" if event.action == "requested" else "none",
        environment=event.environment or deployment.environment,
        revision=oid(deployment.sha),
        repository=event.repository.full_name,
        actor=(deployment.creator or event.sender).login,
        key=str(deployment.id or ""),
        callback=event.deployment_callback_url,
    )


def received() -> Reply:
    """What the webhook itself is answered with, at once."""
    return Reply(202, to_json({"received": True}))


def callback(decision: Decision) -> bytes:
    """What is sent to the callback address, with the installation's token."""
    answer: dict[str, Any] = {"environment_name": decision.question.environment, "comment": words(decision)}
    if decision.outcome != "hold":
        answer["state"] = "approved" if decision.outcome == "pass" else "rejected"
    return to_json(answer)


# Private


class _Account(Struct, frozen=True):
    login: str = ""


class _Repository(Struct, frozen=True):
    full_name: str


class _Deployment(Struct, frozen=True):
    id: int = 0
    sha: str = ""
    environment: str = ""
    creator: _Account | None = None


class _Event(Struct, frozen=True):
    action: str
    deployment_callback_url: str
    repository: _Repository
    environment: str = ""
    deployment: _Deployment | None = None
    sender: _Account = _Account()
