"""Grafana's webhook contact point: grafana.com/docs, "Configure webhook notifications". Like Alertmanager's, with more.

Signed where the contact point has a secret: HMAC-SHA256 of the body (leave its timestamp header empty).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tidegate.operate.intake.alertmanager import Group, GroupAlert, alert_of, alerts_of
from tidegate.operate.values import Alert
from tidegate.rollout.intake.reading import header, is_mac, parse, url
from tidegate.rollout.values import NotUsed

SENDER = "grafana"
SIGNATURE = "x-grafana-alerting-signature"


class _Alert(GroupAlert, rename={"dashboard_url": "dashboardURL", "panel_url": "panelURL"}):
    dashboard_url: str | None = None
    panel_url: str | None = None


class _Group(Group):
    alerts: list[_Alert]  # type: ignore[assignment]


_DECODER = msgspec.json.Decoder(_Group)


def read(body: bytes, headers: Mapping[str, str]) -> tuple[Alert | NotUsed, ...]:  # noqa: ARG001 one form
    """Every alert of the message."""
    group = parse(_DECODER, body, SENDER)
    found = list(alerts_of(Group([], group.version, group.group_key, group.truncated), SENDER))
    for given in group.alerts:
        alert = alert_of(given, SENDER)
        link = url(given.panel_url) or url(given.dashboard_url) or alert.url
        found.append(msgspec.structs.replace(alert, url=link))
    return tuple(found)


def is_signed(body: bytes, headers: Mapping[str, str], secrets: Sequence[bytes]) -> bool:
    """Whether a holder of one of the secrets signed these very bytes."""
    given = header(headers, SIGNATURE)
    return any([is_mac(given, secret, body) for secret in secrets])  # noqa: C419 all are compared
