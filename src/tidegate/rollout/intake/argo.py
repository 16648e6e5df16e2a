"""Argo CD and Argo Rollouts: the resource itself, as a notification's webhook sends it with `{{toJson .app}}`.

argo-cd.readthedocs.io, "Notifications", and argo-rollouts.readthedocs.io, "Notifications". Of a Rollout the commit is
its annotation `tidegate/revision`, else the tag of an image where that is a commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from tidegate.errors import InputError
from tidegate.rollout.intake.reading import commit, digest, first, moment, moment_or, name, parse, revision_of, text
from tidegate.rollout.values import DeploymentEvent, DeploymentStatus, NotUsed

SENDER = "argo"
REVISION = "tidegate/revision"
_ENVIRONMENTS = ("environment", "env", "app.kubernetes.io/environment", "tier")
_SERVICES = ("tidegate/service", "app.kubernetes.io/name", "app")


class _Metadata(Struct):
    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    generation: int = 0


class _Destination(Struct):
    name: str = ""
    namespace: str = ""
    server: str = ""


class _Source(Struct, rename={"repo_url": "repoURL"}):
    repo_url: str = ""


class _Result(Struct):
    revision: str = ""


class _Initiator(Struct):
    username: str = ""


class _Operation(Struct, rename="camel"):
    initiated_by: _Initiator | None = None


class _OperationState(Struct, rename="camel"):
    phase: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    sync_result: _Result | None = None
    operation: _Operation | None = None


class _Condition(Struct, rename="camel"):
    type: str = ""
    last_update_time: str | None = None


class _Weight(Struct, rename="camel"):
    weight: int = 0


class _Weights(Struct):
    canary: _Weight | None = None


class _Canary(Struct):
    weights: _Weights | None = None


class _Status(Struct, rename="camel"):
    operation_state: _OperationState | None = None
    sync: _Result | None = None
    phase: str = ""
    abort: bool = False
    current_pod_hash: str = ""
    canary: _Canary | None = None
    conditions: list[_Condition] | None = None


class _Spec(Struct):
    destination: _Destination | None = None
    source: _Source | None = None
    template: dict[str, Any] | None = None


class _Resource(Struct):
    kind: str = ""
    metadata: _Metadata = field(default_factory=_Metadata)
    spec: _Spec = field(default_factory=_Spec)
    status: _Status = field(default_factory=_Status)


class _Message(Struct):
    app: _Resource | None = None
    rollout: _Resource | None = None
    kind: str = ""


_DECODER = msgspec.json.Decoder(_Message)
_RESOURCE = msgspec.json.Decoder(_Resource)
_SYNC: Mapping[str, DeploymentStatus] = {
    "Running": "started",
    "Terminating": "started",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Error": "failed",
}
_ROLLOUT: Mapping[str, DeploymentStatus] = {
    "Progressing": "started",
    "Paused": "started",
    "Healthy": "succeeded",
    "Degraded": "failed",
}


def read(body: bytes, headers: Mapping[str, str]) -> tuple[DeploymentEvent | NotUsed, ...]:  # noqa: ARG001 one form
    """What the resource says: the last operation of an Application, the phase of a Rollout."""
    message = parse(_DECODER, body, SENDER)
    if message.app is not None:
        return _application(message.app, body)
    if message.rollout is not None:
        return _rollout(message.rollout, body)
    if message.kind == "Application":
        return _application(parse(_RESOURCE, body, SENDER), body)
    if message.kind == "Rollout":
        return _rollout(parse(_RESOURCE, body, SENDER), body)
    return (_unused(message.kind or "unknown", body),)


# Private


def _application(app: _Resource, body: bytes) -> tuple[DeploymentEvent | NotUsed, ...]:
    state = app.status.operation_state
    status = _SYNC.get(state.phase) if state else None
    if state is None or status is None:
        return (_unused(f"Application {state.phase if state else 'without an operation'}", body),)
    started = moment(state.started_at, "status.operationState.startedAt")
    at = moment_or(state.finished_at, started, "status.operationState.finishedAt")
    who = _named(app)
    run = f"{who}@{started:.0f}"
    destination = app.spec.destination or _Destination()
    initiator = state.operation.initiated_by if state.operation else None
    return (
        DeploymentEvent(
            sender=SENDER,
            key=digest(run, state.phase, at),
            at=at,
            deployment=run,
            status=status,
            environment=name(_label(app, _ENVIRONMENTS) or destination.name or destination.namespace),
            service=name(_label(app, _SERVICES) or app.metadata.name),
            repository=_slug(app.spec.source.repo_url if app.spec.source else ""),
            revision=commit((state.sync_result or app.status.sync or _Result()).revision),
            actor=name(initiator.username if initiator else ""),
        ),
    )


def _rollout(rollout: _Resource, body: bytes) -> tuple[DeploymentEvent | NotUsed, ...]:
    status = _ROLLOUT.get(rollout.status.phase)
    if status is None:
        return (_unused(f"Rollout {rollout.status.phase}", body),)
    if rollout.status.abort:
        status = "rolled_back"
    image = _image(rollout.spec.template)
    run = name(f"{_named(rollout)}@{rollout.status.current_pod_hash or rollout.metadata.generation}")
    weights = rollout.status.canary.weights if rollout.status.canary else None
    percent = weights.canary.weight if weights and weights.canary else -1
    share = percent / 100 if 0 <= percent <= 100 else None
    times = [
        moment(each.last_update_time, "conditions") for each in rollout.status.conditions or [] if each.last_update_time
    ]
    at = max(times, default=0.0)
    return (
        DeploymentEvent(
            sender=SENDER,
            key=digest(run, status, share, at),
            at=at,
            deployment=run,
            status=status,
            environment=name(_label(rollout, _ENVIRONMENTS) or rollout.metadata.namespace),
            service=name(_label(rollout, _SERVICES) or rollout.metadata.name),
            revision=commit(_label(rollout, (REVISION,))) or revision_of(image),
            artifact=text(image),
            share=share,
        ),
    )


def _named(resource: _Resource) -> str:
    if not resource.metadata.name:
        raise InputError(f"no message of {SENDER}: a resource without a name", where="metadata.name")
    return name(f"{resource.metadata.namespace}/{resource.metadata.name}")


def _label(resource: _Resource, names: tuple[str, ...]) -> str:
    metadata = resource.metadata
    return first(metadata.labels or {}, names) or first(metadata.annotations or {}, names)


def _image(template: Mapping[str, Any] | None) -> str:
    """The image of the first container."""
    found: Any = template
    for step in ("spec", "containers", 0, "image"):
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and len(found) > step else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _slug(address: str) -> str:
    """`OWNER/NAME` of a repository's address."""
    path = address.partition("://")[2].partition("/")[2] if "://" in address else address.partition(":")[2]
    return name(path.removesuffix("/").removesuffix(".git"))


def _unused(kind: str, body: bytes) -> NotUsed:
    return NotUsed(sender=SENDER, key=digest(body.decode("utf-8", "replace")), type=name(kind))
