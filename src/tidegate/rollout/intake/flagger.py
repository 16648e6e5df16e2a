"""Flagger's webhooks, of type `event` and of every other type: docs.flagger.app, "Webhooks".

Only messages of type `event` say when something happened; of the others the time is that of their coming (`at` 0).
`metadata` of the webhook may name `revision`, `environment`, `service` and `repository`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.rollout.intake.reading import commit, digest, moment, name, parse, text
from tidegate.rollout.values import DeploymentEvent, DeploymentStatus, NotUsed

SENDER = "flagger"


class _Message(Struct):
    name: str = ""
    namespace: str = ""
    phase: str = ""
    checksum: str = ""
    metadata: dict[str, str] | None = None


_DECODER = msgspec.json.Decoder(_Message)
_PHASES: Mapping[str, DeploymentStatus] = {
    "Waiting": "started",
    "Progressing": "started",
    "WaitingPromotion": "started",
    "Promoting": "started",
    "Finalising": "started",
    "Succeeded": "succeeded",
    "Failed": "rolled_back",  # Flagger sends all traffic back to the primary
}
_UNUSED = ("Initializing", "Initialized", "Terminating", "Terminated")


def read(body: bytes, headers: Mapping[str, str]) -> tuple[DeploymentEvent | NotUsed, ...]:  # noqa: ARG001 one form
    """What the message says of the canary. A phase that takes long is told again and again: it is one message."""
    message = parse(_DECODER, body, SENDER)
    if not message.name or not message.phase:
        raise InputError(f"no message of {SENDER}: name and phase are missing", where="body")
    more = message.metadata or {}
    status = _PHASES.get(message.phase)
    run = name(f"{message.namespace}/{message.name}@{message.checksum}")
    if status is None:
        key = digest(run, message.phase, more.get("eventMessage", ""), more.get("timestamp", ""))
        return (NotUsed(sender=SENDER, key=key, type=name(message.phase)),)
    at = _when(more.get("timestamp", ""))
    return (
        DeploymentEvent(
            sender=SENDER,
            key=digest(run, message.phase, more.get("eventMessage", ""), at),
            at=at,
            deployment=run,
            status=status,
            environment=name(more.get("environment") or message.namespace),
            service=name(more.get("service") or message.name),
            repository=name(more.get("repository")),
            revision=commit(more.get("revision")),
            artifact=text(more.get("image")),
        ),
    )


# Private


def _when(given: str) -> float:
    """Milliseconds as text, as messages of type `event` have them; 0 where there are none."""
    if not given:
        return 0.0
    if not given.isascii() or not given.isdigit() or len(given) > 15:
        raise InputError(f"{given!r:.40} are no milliseconds", where="metadata.timestamp")
    return moment(int(given) / 1000, "metadata.timestamp")
