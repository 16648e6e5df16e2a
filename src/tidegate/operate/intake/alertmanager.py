"""Alertmanager's webhook, version 4: prometheus.io/docs/alerting/latest/configuration/#webhook_config.

A message is a group; each of its alerts is one. Fired again after it was over, an alert has another `startsAt`, so that
the two together are its key.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.intake.reading import environment_of, labels_of, revision_in, service_of, severity_of
from tidegate.operate.values import Alert
from tidegate.rollout.intake.reading import digest, first, moment, name, parse, text, url
from tidegate.rollout.values import NotUsed

SENDER = "alertmanager"
VERSIONS = ("4",)
_SUMMARIES = ("summary", "message", "description", "title")


class GroupAlert(Struct, rename={"starts_at": "startsAt", "ends_at": "endsAt", "generator_url": "generatorURL"}):
    """One alert of a group. Of one that is not over, `ends_at` is a time of the year 1, or one to come."""

    status: str
    starts_at: str
    labels: dict[str, str]
    ends_at: str | None = None
    annotations: dict[str, str] | None = None
    generator_url: str | None = None
    fingerprint: str = ""


class Group(Struct, rename={"truncated": "truncatedAlerts", "group_key": "groupKey"}):
    """The message, as far as Grafana sends the same."""

    alerts: list[GroupAlert]
    version: str = ""
    group_key: str = ""
    truncated: int = 0


DECODER = msgspec.json.Decoder(Group)


def read(body: bytes, headers: Mapping[str, str]) -> tuple[Alert | NotUsed, ...]:  # noqa: ARG001 one form
    """Every alert of the message, and how many its sender left out of it."""
    group = parse(DECODER, body, SENDER)
    if group.version not in VERSIONS:
        raise InputError(
            f"version {group.version!r:.20} of the webhook; this reads {' and '.join(VERSIONS)}", where="version"
        )
    return alerts_of(group, SENDER)


def alerts_of(group: Group, sender: str) -> tuple[Alert | NotUsed, ...]:
    """The alerts of a group of this sender."""
    found: list[Alert | NotUsed] = [alert_of(each, sender) for each in group.alerts]
    if group.truncated > 0:
        key = digest(group.group_key, group.truncated, [each.fingerprint for each in group.alerts])
        why = f"{group.truncated} alerts of the group were left out by {sender}: see max_alerts"
        found.append(NotUsed(sender=sender, key=key, type="truncated", why=why))
    return tuple(found)


def alert_of(given: GroupAlert, sender: str) -> Alert:
    """One alert. InputError for a state that is neither firing nor resolved."""
    if given.status not in ("firing", "resolved"):
        raise InputError(f"{given.status!r:.40} is no state of an alert", where="alerts.status")
    started = moment(given.starts_at, "alerts.startsAt")
    ended = moment(given.ends_at, "alerts.endsAt") if given.status == "resolved" else None
    labels = labels_of(given.labels)
    fingerprint = given.fingerprint or digest(sorted(given.labels.items()))
    return Alert(
        key=f"{name(fingerprint)}/{started:.3f}",
        sender=sender,
        name=name(given.labels.get("alertname")) or "alert",
        started=started,
        ended=None if ended is None else max(started, ended),
        service=service_of(given.labels),
        environment=environment_of(given.labels),
        severity=severity_of(given.labels.get("severity", "")),
        summary=text(first(given.annotations or {}, _SUMMARIES)),
        labels=labels,
        revision=revision_in(given.labels),
        url=url(given.generator_url),
        at=started if ended is None else ended,
    )
