"""Deployments that a clone keeps for itself where no service does: one JSON object a line, beside the repository.

The lines are those of the plain sender (docs/production-events.md), so that they can be sent to a service later.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.rollout.deployments import deployment_id, fold
from tidegate.rollout.intake.plain import read_one
from tidegate.rollout.values import Deployment, DeploymentEvent, DeploymentStatus

LARGEST_BYTES = 32 << 20
_SAID = ("environment", "service", "revision", "previous", "actor", "url", "share")


def file_of(repository: Repository) -> Path:
    """Where the deployments of a clone are kept; its work trees share it."""
    return repository.common_dir / "tidegate" / "deployments.jsonl"


def body_of(event: DeploymentEvent) -> bytes:
    """An event as the plain sender writes it, one line."""
    said = {name: value for name in _SAID if (value := getattr(event, name)) not in ("", None)}
    fixed = {"type": "deployment", "id": event.key, "at": event.at}
    return to_json({**fixed, "deployment": event.deployment, "status": event.status, **said})


def name_of(environment: str, service: str, revision: str, at: float) -> str:
    """A name for a deployment that nobody named: the same for the same question at the same second."""
    whole = "\0".join((environment, service, revision, f"{at:.0f}"))
    return f"{environment}-{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def append(path: Path, event: DeploymentEvent) -> None:
    """Adds an event. Raises InputError where it would not be read again, or cannot be written."""
    line = body_of(event)
    read_one(line)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(line + b"\n")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path), mend="check the folder") from error


def read_deployments(path: Path) -> tuple[Deployment, ...] | None:
    """What the file tells, None where there is none. Raises InputError with the line for one that cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), mend="check the file") from error
    if len(content) > LARGEST_BYTES:
        raise InputError("it is larger than 32 MiB", where=str(path), mend="move old lines away")
    events: list[DeploymentEvent] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            event = read_one(line)
        except InputError as error:
            raise InputError(error.what, where=f"{path}, line {number}", mend="correct or remove that line") from error
        if isinstance(event, DeploymentEvent):
            events.append(event)
    return fold(events)


def ended(repository: Repository, name: str, status: DeploymentStatus, at: float) -> DeploymentEvent:
    """The event that ends a deployment which began in this clone. Raises InputError where none has this name."""
    known = {one.id: one for one in read_deployments(file_of(repository)) or ()}
    found = known.get(deployment_id("plain", name))
    if found is None:
        mend = "begin it with: tidegate deploy start" if not known else f"what began is in {file_of(repository)}"
        raise InputError(f"no deployment is called {name} here", where="NAME", mend=mend)
    return DeploymentEvent(
        sender="plain",
        key=f"{name}-{status}",
        at=at,
        deployment=name,
        status=status,
        environment=found.environment,
        service=found.service,
        revision=found.revision,
        previous=found.previous,
        actor=found.actor,
    )
