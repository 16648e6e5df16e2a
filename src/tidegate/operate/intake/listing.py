"""Every sender whose messages are read, of deployments, alerts and errors. What is not in this list is not read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from tidegate.operate.intake import alertmanager, cdevents, grafana, pagerduty, plain, sentry
from tidegate.operate.values import Alert, ErrorReport
from tidegate.rollout.intake.listing import READERS as DEPLOYMENTS
from tidegate.rollout.values import DeploymentEvent, NotUsed

Said: TypeAlias = DeploymentEvent | Alert | ErrorReport | NotUsed
Reader: TypeAlias = Callable[[bytes, Mapping[str, str]], tuple[Said, ...]]
Signed: TypeAlias = Callable[[bytes, Mapping[str, str], Sequence[bytes]], bool]

READERS: Mapping[str, Reader] = {
    **DEPLOYMENTS,
    "alertmanager": alertmanager.read,
    "cdevents": cdevents.read,
    "grafana": grafana.read,
    "pagerduty": pagerduty.read,
    "plain": plain.read,
    "sentry": sentry.read,
}
SIGNED: Mapping[str, Signed] = {
    "grafana": grafana.is_signed,
    "pagerduty": pagerduty.is_signed,
    "sentry": sentry.is_signed,
}
"""Of those that sign: whether a message is theirs. GitHub and GitLab have doors of their own."""
