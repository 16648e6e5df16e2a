"""The fold of what senders say into deployments: duplicates and disorder change nothing.

A `Progress` is all that the fold needs of the messages so far. Joining two of them is associative, commutative and
idempotent, so that messages may come twice, late, or to several workers at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from msgspec import Struct, structs

from tidegate.rollout.stamped import Stamp, later, said, stamped
from tidegate.rollout.values import Deployment, DeploymentEvent, DeploymentStatus


class Progress(Struct, frozen=True):
    """`statuses`: of each status, when it was said first and last; `words`: the last word on everything else.

    `signed`: every message about it was.
    """

    sender: str
    deployment: str
    statuses: Mapping[str, tuple[float, float]]
    words: Mapping[str, Stamp]
    signed: bool = False


def fold(events: Iterable[DeploymentEvent]) -> tuple[Deployment, ...]:
    """The deployments that these events tell of, by when they started. Of two with one key the same is taken as one."""
    known: dict[tuple[str, str], Progress] = {}
    for event in events:
        key = (event.sender, event.deployment)
        known[key] = joined(known[key], progress_of(event)) if key in known else progress_of(event)
    return tuple(sorted(map(deployment_of, known.values()), key=lambda each: (each.started, each.id)))


def progress_of(event: DeploymentEvent) -> Progress:
    """What one event says."""
    values = {name: getattr(event, name) for name in _WORDS}
    values["action"] = "" if event.action == "deploy" else event.action
    return Progress(
        event.sender,
        event.deployment,
        {event.status: (event.at, event.at)},
        stamped(values, event.at, event.key),
        event.signed,
    )


def joined(one: Progress, other: Progress) -> Progress:
    """What both say of one deployment."""
    statuses = dict(one.statuses)
    for status, (first, last) in other.statuses.items():
        known = statuses.get(status, (first, last))
        statuses[status] = (min(first, known[0]), max(last, known[1]))
    return structs.replace(
        one, statuses=statuses, words=later(one.words, other.words), signed=one.signed and other.signed
    )


def deployment_of(progress: Progress) -> Deployment:
    """The deployment as it is told now. Its status is the last one that was said; of two at once, the graver.

    It `finished` when that status was said first, where no other was said after that.
    """
    status = max(progress.statuses, key=lambda each: (progress.statuses[each][1], _GRAVITY[each]))
    words: dict[str, Any] = {name: said(progress.words, name) for name in _WORDS}
    words["share"] = said(progress.words, "share", None)
    return Deployment(
        id=deployment_id(progress.sender, progress.deployment),
        sender=progress.sender,
        status=cast("DeploymentStatus", status),
        started=min(first for first, _ in progress.statuses.values()),
        finished=None if status == "started" else _finished(progress, status),
        action=said(progress.words, "action", "deploy"),
        **words,
    )


def deployment_id(sender: str, deployment: str) -> str:
    """What a deployment is called among those of all senders."""
    return f"{sender}/{deployment}"


def pack(progress: Progress) -> bytes:
    """As it is kept."""
    return msgspec.json.encode(progress)


def unpack(kept: bytes) -> Progress:
    """What `pack` wrote."""
    return _DECODER.decode(kept)


# Private

_WORDS = (
    "environment",
    "service",
    "repository",
    "revision",
    "previous",
    "artifact",
    "share",
    "actor",
    "url",
    "chain",
)
_GRAVITY: Mapping[str, int] = {"started": 0, "succeeded": 1, "cancelled": 2, "failed": 3, "rolled_back": 4}
_DECODER = msgspec.json.Decoder(Progress)


def _finished(progress: Progress, status: str) -> float:
    first, last = progress.statuses[status]
    others = [end for other, (_, end) in progress.statuses.items() if other != status]
    return first if all(end <= first for end in others) else last
