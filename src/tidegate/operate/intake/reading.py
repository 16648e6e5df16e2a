"""What readers of alerts need beside `rollout/intake/reading.py`: which label says the service, and how grave it is."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.operate.values import Severity
from tidegate.rollout.intake.reading import commit, first, name, text

SERVICES = ("service", "service_name", "app", "app_kubernetes_io_name", "application", "component", "job")
ENVIRONMENTS = ("environment", "env", "deployment_environment", "stage", "cluster", "namespace")
REVISIONS = ("revision", "commit", "sha", "git_sha", "version", "release")
MOST_LABELS = 64

_SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("critical", "page", "emergency", "fatal", "p1", "sev1", "disaster"), "critical"),
    **dict.fromkeys(("high", "error", "major", "p2", "sev2"), "high"),
    **dict.fromkeys(("medium", "warning", "warn", "minor", "ticket", "p3", "sev3"), "medium"),
    **dict.fromkeys(("low", "info", "information", "notice", "none", "debug", "p4", "p5", "sev4"), "low"),
}


def severity_of(given: str) -> Severity:
    """In our words; medium where the sender's word is unknown."""
    return _SEVERITIES.get(given.strip().lower(), "medium")


def service_of(labels: Mapping[str, str]) -> str:
    """The first label that names a service."""
    return name(first(labels, SERVICES))


def environment_of(labels: Mapping[str, str]) -> str:
    """The first label that names an environment."""
    return name(first(labels, ENVIRONMENTS))


def revision_in(labels: Mapping[str, str]) -> str:
    """The first label that is a whole commit."""
    return next((found for each in REVISIONS if (found := commit(labels.get(each, "")))), "")


def labels_of(given: Mapping[str, object]) -> dict[str, str]:
    """Labels as text, so many of them as are kept."""
    taken = sorted(given.items())[:MOST_LABELS]
    return {name(key): text(value if isinstance(value, str) else str(value), 1000) for key, value in taken}
