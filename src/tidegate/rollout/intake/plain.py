"""Deployments in plain JSON, one or a list, for a sender that no other reader knows: docs/production-events.md."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.rollout.intake.reading import commit, digest, moment_or, name, parse, text, url
from tidegate.rollout.values import DeploymentAction, DeploymentEvent, DeploymentStatus, NotUsed

SENDER = "plain"
MOST_EVENTS = 10_000


class PlainDeployment(Struct, tag_field="type", tag="deployment", forbid_unknown_fields=True):
    """`deployment` names it among the sender's own; `at` is RFC 3339 or Unix seconds, or when it came."""

    deployment: str
    status: DeploymentStatus
    environment: str = ""
    service: str = ""
    id: str = ""
    at: str | float | None = None
    repository: str = ""
    revision: str = ""
    previous: str = ""
    artifact: str = ""
    share: float | None = None
    actor: str = ""
    url: str = ""
    chain: str = ""
    action: DeploymentAction = "deploy"


class _Kind(Struct):
    type: str = ""


_KIND = msgspec.json.Decoder(_Kind)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_DECODER = msgspec.json.Decoder(PlainDeployment)


def read(body: bytes, headers: Mapping[str, str]) -> tuple[DeploymentEvent | NotUsed, ...]:  # noqa: ARG001 one form
    """What it says. A name that is not known in a deployment is an error, so that a slip of the pen is noticed."""
    return tuple(read_one(each) for each in parts_of(body))


def parts_of(body: bytes) -> tuple[bytes, ...]:
    """The objects of a list, or the one that there is."""
    if body.lstrip()[:1] != b"[":
        return (body,)
    found = parse(_LIST, body, SENDER)
    if len(found) > MOST_EVENTS:
        raise InputError(f"more than {MOST_EVENTS} events at once", where="body", mend="send them in parts")
    return tuple(bytes(each) for each in found)


def type_of(body: bytes) -> str:
    """What it says it is."""
    return parse(_KIND, body, SENDER).type


def read_one(body: bytes) -> DeploymentEvent | NotUsed:
    """A single object."""
    kind = type_of(body)
    if kind != "deployment":
        if not kind:
            raise InputError("an event without its type", where="type", mend='say "type": "deployment"')
        return NotUsed(sender=SENDER, key=digest(body.decode("utf-8", "replace")), type=name(kind))
    given = parse(_DECODER, body, SENDER)
    if not given.deployment:
        raise InputError("a deployment without a name", where="deployment")
    if given.share is not None and not 0 <= given.share <= 1:
        raise InputError(f"a share of {given.share:g}", where="share", mend="write it from 0 to 1")
    for where, revision in (("revision", given.revision), ("previous", given.previous)):
        if revision and not commit(revision):
            raise InputError(f"{revision!r:.80} is no whole commit", where=where, mend="report: git rev-parse HEAD")
    at = moment_or(given.at, 0.0, "at")
    run = name(given.deployment)
    return DeploymentEvent(
        sender=SENDER,
        key=name(given.id) or digest(run, given.status, at, given.share),
        at=at,
        deployment=run,
        status=given.status,
        environment=name(given.environment),
        service=name(given.service),
        repository=name(given.repository),
        revision=commit(given.revision),
        previous=commit(given.previous),
        artifact=text(given.artifact),
        share=given.share,
        actor=name(given.actor),
        url=url(given.url),
        chain=name(given.chain),
        action=given.action,
    )
