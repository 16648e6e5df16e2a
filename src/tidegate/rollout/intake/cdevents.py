"""CDEvents over HTTP: CloudEvents structured, binary or batched, or the event alone. cdevents.dev, 0.4 and 0.5.

A kind of event is known by the beginning of its type, whatever its version. `customData` may name what the events have
no field for: `revision`, `repository`, `service`, `previous`, `actor`, `url`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.rollout.intake.reading import (
    commit,
    digest,
    first,
    header,
    moment,
    moment_or,
    name,
    parse,
    revision_of,
    text,
    url,
)
from tidegate.rollout.values import DeploymentAction, DeploymentEvent, NotUsed

SENDER = "cdevents"
PREFIX = "dev.cdevents."
MOST_EVENTS = 10_000
T = TypeVar("T")


class Context(Struct, rename={"chain": "chainId"}):
    id: str
    source: str
    type: str
    timestamp: str
    chain: str | None = None
    version: str | None = None
    specversion: str | None = None


class Reference(Struct):
    id: str
    source: str | None = None


class Content(Struct, rename={"artifact": "artifactId", "ticket": "ticketURI"}):
    environment: Reference | None = None
    service: Reference | None = None
    artifact: str | None = None
    description: str | None = None
    ticket: str | None = None


class Subject(Struct):
    id: str
    source: str | None = None
    content: msgspec.Raw = msgspec.Raw(b"{}")


class Event(Struct, rename={"custom": "customData"}):
    """A CDEvent. `custom` is whatever its sender put there."""

    context: Context
    subject: Subject
    custom: msgspec.Raw = msgspec.Raw(b"null")


class Foreign(Struct):
    """A CloudEvent that is no CDEvent."""

    id: str
    source: str
    type: str
    at: float


class _Cloud(Struct):
    specversion: str = ""
    id: str = ""
    source: str = ""
    type: str = ""
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    context: msgspec.Raw = msgspec.Raw(b"")


_CLOUD = msgspec.json.Decoder(_Cloud)
_BATCH = msgspec.json.Decoder(list[msgspec.Raw])
_EVENT = msgspec.json.Decoder(Event)
_CONTENT = msgspec.json.Decoder(Content)
_ANY = msgspec.json.Decoder(dict[str, Any])
_ACTIONS: Mapping[str, DeploymentAction] = {
    "service.deployed": "deploy",
    "service.upgraded": "deploy",
    "service.rolledback": "roll_back",
    "service.removed": "remove",
}


def read(body: bytes, headers: Mapping[str, str]) -> tuple[DeploymentEvent | NotUsed, ...]:
    """What the events say of deployments. Each is one deployment that ended well: CDEvents has none that begins."""
    return tuple(deployment_of(event) for event in events_of(body, headers))


def events_of(body: bytes, headers: Mapping[str, str]) -> tuple[Event | Foreign, ...]:
    """The events of a request, in whichever of the modes of CloudEvents over HTTP it came."""
    kind = header(headers, "content-type").partition(";")[0].strip().lower()
    if kind == "application/cloudevents-batch+json" or body.lstrip()[:1] == b"[":
        events = parse(_BATCH, body, SENDER)
        if len(events) > MOST_EVENTS:
            raise InputError(f"more than {MOST_EVENTS} events at once", where="body", mend="send them in parts")
        return tuple(_structured(bytes(each)) for each in events)
    if header(headers, "ce-type"):
        return (_binary(body, headers),)
    return (_structured(body),)


def deployment_of(event: Event | Foreign) -> DeploymentEvent | NotUsed:
    """What one event says of a deployment."""
    if isinstance(event, Foreign):
        return NotUsed(sender=SENDER, key=digest(event.source, event.id), type=name(event.type), at=event.at)
    context = event.context
    at = moment(context.timestamp, "context.timestamp")
    key = digest(context.source, context.id)
    action = _ACTIONS.get(word_of(event))
    if action is None:
        return NotUsed(sender=SENDER, key=key, type=name(context.type), at=at)
    content, custom = content_of(event), custom_of(event)
    if content.environment is None:
        raise InputError(f"{context.type} without an environment", where="subject.content.environment")
    artifact = text(unquote(content.artifact or ""))
    return DeploymentEvent(
        sender=SENDER,
        key=key,
        at=at,
        deployment=key,
        status="succeeded",
        environment=name(content.environment.id),
        service=name(first(custom, ("service",)) or event.subject.id),
        repository=name(first(custom, ("repository",))),
        revision=commit(first(custom, ("revision", "commit", "sha"))) or revision_of(content.artifact or ""),
        previous=commit(first(custom, ("previous",))),
        artifact=artifact,
        actor=name(first(custom, ("actor",))),
        url=url(first(custom, ("url",))),
        chain=name(context.chain),
        action=action,
    )


def word_of(event: Event) -> str:
    """Subject and predicate of its type, without the version: `service.deployed`; "" where it is no CDEvent."""
    if not event.context.type.startswith(PREFIX):
        return ""
    return ".".join(event.context.type.removeprefix(PREFIX).split(".")[:2])


def content_of(event: Event) -> Content:
    """What its subject holds, as far as services and incidents need it."""
    return parse(_CONTENT, bytes(event.subject.content), SENDER)


def custom_of(event: Event) -> Mapping[str, Any]:
    """Its custom data where they are an object, else nothing."""
    return _or(lambda: _ANY.decode(event.custom), {})


# Private


def _structured(body: bytes) -> Event | Foreign:
    cloud = parse(_CLOUD, body, SENDER)
    if len(memoryview(cloud.context)):
        return _checked(parse(_EVENT, body, SENDER))
    if not cloud.type or not cloud.id or not cloud.source:
        raise InputError(f"no message of {SENDER}: neither a CDEvent nor a CloudEvent", where="body")
    if not cloud.type.startswith(PREFIX):
        return Foreign(cloud.id, cloud.source, cloud.type, moment_or(cloud.time, 0.0, "time"))
    return _checked(parse(_EVENT, bytes(cloud.data), SENDER))


def _binary(body: bytes, headers: Mapping[str, str]) -> Event | Foreign:
    kind, source, identifier = (header(headers, f"ce-{each}") for each in ("type", "source", "id"))
    if kind.startswith(PREFIX):
        return _checked(parse(_EVENT, body, SENDER))
    if not source or not identifier:
        raise InputError("a CloudEvent without its source or its id", where="ce-id")
    return Foreign(identifier, source, kind, moment_or(header(headers, "ce-time"), 0.0, "ce-time"))


def _checked(event: Event) -> Event:
    context = event.context
    if not (context.version or context.specversion) or not context.id or not context.source or not event.subject.id:
        raise InputError(f"no message of {SENDER}: version, id, source or subject is missing", where="context")
    if not context.type.startswith(PREFIX):
        raise InputError(f"{context.type!r:.80} is no type of CDEvents", where="context.type")
    return event


def _or(make: Callable[[], T], otherwise: T) -> T:
    try:
        return make()
    except (msgspec.DecodeError, RecursionError):
        return otherwise
