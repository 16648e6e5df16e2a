"""What production said and is not needed any more: let go by whoever takes something in, every ten minutes."""

from __future__ import annotations

from sqlalchemy import Connection

from tidegate.store import measurements, production_events, values
from tidegate.store.clock import later, moment_of

DAY = 86_400.0
SPAN_SECONDS = DAY
SAMPLE_SECONDS = 14 * DAY
UNUSED_SECONDS = 30 * DAY
MESSAGE_SECONDS = 90 * DAY
EVERY_SECONDS = 600.0
FORGOTTEN = "production/forgotten"
"""The row of `values` that says when it was done last."""


def forget_now_and_then(connection: Connection, now: str) -> bool:
    """Whether it was time to: spans, samples, unused events and the bodies of messages that are too old are gone then.

    Deployments, alerts, errors, the graph, and what was read of messages about them stay.
    """
    last = values.read(connection, FORGOTTEN)
    if last is not None and last > later(now, -EVERY_SECONDS):
        return False
    values.write(connection, FORGOTTEN, now, now)
    seconds = moment_of(now).timestamp()
    measurements.forget(connection, spans_before=seconds - SPAN_SECONDS, samples_before=seconds - SAMPLE_SECONDS)
    production_events.forget_unused(connection, later(now, -UNUSED_SECONDS))
    production_events.forget_messages(connection, later(now, -MESSAGE_SECONDS))
    return True
