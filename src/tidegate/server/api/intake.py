"""What production says, from whoever has a token for it: events, alerts, errors, spans and metrics.

Senders that sign tell it at `/hooks/SENDER` without a token. Where a secret is set for a sender, what comes here in its
name must be signed too.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tidegate.operate.intake.listing import READERS
from tidegate.server.api.endpoint import Ask, Endpoint, Message, Nothing, Raw
from tidegate.server.api.problems import Problem
from tidegate.server.production.doors import is_signed, signs
from tidegate.server.production.intake import Taken, read, take
from tidegate.server.production.measured import Measured, take_metrics, take_spans
from tidegate.server.production.spoken_for import check_repositories
from tidegate.telemetry.otlp import accepted
from tidegate.telemetry.otlp_wire import JSON, PROTOBUF

MOST_EVENT_BYTES = 4 << 20
MOST_MEASURED_BYTES = 8 << 20


class Exported(Struct, frozen=True, rename="camel", omit_defaults=True):
    """OTLP's answer: empty, or what was not taken and why (`rejectedSpans` or `rejectedDataPoints`)."""

    partial_success: dict[str, Any] = {}


def events(ask: Ask[Nothing, Message]) -> Taken:
    """Taken once: the same again changes nothing, and neither does the order in which things come."""
    sender, body, headers = ask.path["sender"], ask.body.content, ask.body.headers
    if sender not in READERS:
        raise Problem(404, "no such sender is known", mend=f"known are {', '.join(sorted(READERS))}")
    if sender in ask.service.forges:
        raise Problem(409, f"messages of {sender} must be signed", mend=f"send them to /hooks/{sender}")
    signed = is_signed(ask.service.config, sender, headers, body)
    if signs(ask.service.config, sender) and not signed:
        raise Problem(409, f"messages of {sender} must be signed", mend="a secret is set for this sender")
    if ask.who.repositories is not None:
        check_repositories(ask.service, ask.who, read(sender, body, headers, ask.service.now()))
    return take(ask.service, sender, body, headers, signed=signed)


def traces(ask: Ask[Nothing, Message]) -> Raw:
    """Kept for a day; the graph of services and the groups of errors that follow from them are kept for good."""
    return _answer(ask, take_spans(ask.service, ask.body.content, ask.body.headers), "spans")


def metrics(ask: Ask[Nothing, Message]) -> Raw:
    """Kept for fourteen days, of 100,000 series at most."""
    return _answer(ask, take_metrics(ask.service, ask.body.content, ask.body.headers), "points")


# Private


def _answer(ask: Ask[Nothing, Message], measured: Measured, signal: str) -> Raw:
    kind = ask.body.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Raw(accepted(ask.body.headers, measured.rejected, measured.why, signal=signal), kind)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/events/{sender}",
        needs="events:write",
        summary="Tell what production says, in the sender's own form",
        handler=events,
        body=Message,
        answer=Taken,
        problems=(409,),
        status=202,
        takes=(),
        most_bytes=MOST_EVENT_BYTES,
        of_repository=True,
    ),
    Endpoint(
        method="POST",
        path="/otlp/v1/traces",
        needs="events:write",
        summary="Spans, as OTLP/HTTP sends them",
        handler=traces,
        body=Message,
        answer=Exported,
        takes=(JSON, PROTOBUF),
        most_bytes=MOST_MEASURED_BYTES,
    ),
    Endpoint(
        method="POST",
        path="/otlp/v1/metrics",
        needs="events:write",
        summary="Metrics, as OTLP/HTTP sends them",
        handler=metrics,
        body=Message,
        answer=Exported,
        takes=(JSON, PROTOBUF),
        most_bytes=MOST_MEASURED_BYTES,
    ),
)
