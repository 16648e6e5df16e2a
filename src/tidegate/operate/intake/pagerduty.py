"""PagerDuty: webhooks V3 (developer.pagerduty.com, "Webhooks Overview") and events as its Events API v2 takes them.

A V3 message is signed: `X-PagerDuty-Signature: v1=<HMAC-SHA256 of the body>,...`. An incident there is an alert here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.intake.reading import environment_of, labels_of, revision_in, service_of, severity_of
from tidegate.operate.values import Alert
from tidegate.rollout.intake.reading import digest, header, is_mac, moment, moment_or, name, parse, text, url
from tidegate.rollout.values import NotUsed

SENDER = "pagerduty"
SIGNATURE = "x-pagerduty-signature"
_MOST_SIGNATURES = 10
_OVER = ("resolved",)


class _Named(Struct):
    id: str = ""
    summary: str | None = None


class _Incident(Struct):
    id: str = ""
    type: str = ""
    status: str = ""
    title: str | None = None
    created_at: str | None = None
    html_url: str | None = None
    service: _Named | None = None
    priority: _Named | None = None
    urgency: str | None = None


class _Event(Struct):
    id: str
    event_type: str
    occurred_at: str
    resource_type: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Payload(Struct):
    summary: str = ""
    source: str = ""
    severity: str = ""
    timestamp: str | None = None
    component: str | None = None
    custom_details: dict[str, Any] | str | None = None


class _Message(Struct):
    event: _Event | None = None
    event_action: str | None = None
    dedup_key: str | None = None
    payload: _Payload | None = None
    client_url: str | None = None


_DECODER = msgspec.json.Decoder(_Message)
_INCIDENT = msgspec.json.Decoder(_Incident)


def read(body: bytes, headers: Mapping[str, str]) -> tuple[Alert | NotUsed, ...]:  # noqa: ARG001 one form
    """What the message says."""
    message = parse(_DECODER, body, SENDER)
    if message.event is not None:
        return (_of_webhook(message.event),)
    if message.payload is not None or message.event_action is not None:
        return (_of_event(message, body),)
    raise InputError(f"no message of {SENDER}: neither an event nor a payload", where="body")


def is_signed(body: bytes, headers: Mapping[str, str], secrets: Sequence[bytes]) -> bool:
    """Whether a holder of one of the secrets signed these very bytes."""
    given = [each.strip().removeprefix("v1=") for each in header(headers, SIGNATURE).split(",")[:_MOST_SIGNATURES]]
    return any([is_mac(each, secret, body) for each in given for secret in secrets])  # noqa: C419 all are compared


# Private


def _of_webhook(event: _Event) -> Alert | NotUsed:
    at = moment(event.occurred_at, "event.occurred_at")
    data = parse(_INCIDENT, bytes(event.data), SENDER) if event.event_type.startswith("incident.") else _Incident()
    if data.type != "incident" or not data.id:  # a note, a responder: about an incident, and not its state
        return NotUsed(sender=SENDER, key=name(event.id), type=name(event.event_type), at=at)
    over = data.status in _OVER or event.event_type == "incident.resolved"
    grade = (data.priority.summary if data.priority else "") or data.urgency or ""
    title = text(data.title)
    return Alert(
        key=name(data.id),
        sender=SENDER,
        name=name(title) or "incident",
        started=moment_or(data.created_at, at, "event.data.created_at"),
        ended=at if over else None,
        service=name((data.service.summary or data.service.id) if data.service else ""),
        severity=severity_of(grade),
        summary=title,
        url=url(data.html_url),
        at=at,
    )


def _of_event(message: _Message, body: bytes) -> Alert | NotUsed:
    """An event as the Events API v2 takes it: a change event says what was built, and of no deployment."""
    payload = message.payload or _Payload()
    at = moment_or(payload.timestamp, 0.0, "payload.timestamp")
    if message.event_action is None:
        return NotUsed(sender=SENDER, key=digest(body.decode("utf-8", "replace")), type="change", at=at)
    if message.event_action not in ("trigger", "acknowledge", "resolve"):
        raise InputError(f"{message.event_action!r:.40} is no action of an event", where="event_action")
    if message.event_action != "trigger" and not message.dedup_key:
        raise InputError("it is said of which event this is no more", where="dedup_key")
    details = payload.custom_details if isinstance(payload.custom_details, dict) else {}
    labels = labels_of(details)
    return Alert(
        key=name(message.dedup_key) or digest(body.decode("utf-8", "replace")),
        sender=SENDER,
        name=name(payload.summary) or "event",
        started=at,
        ended=at if message.event_action == "resolve" else None,
        service=service_of(labels) or name(payload.component or payload.source),
        environment=environment_of(labels),
        severity=severity_of(payload.severity),
        summary=text(payload.summary),
        labels=labels,
        revision=revision_in(labels),
        url=url(message.client_url),
        at=at,
    )
