"""Who may tell of production without a token: whoever signs what they send with a secret of this service."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.operate.intake.listing import SIGNED, Said
from tidegate.rollout.intake.reading import header
from tidegate.server.config import Config
from tidegate.server.production.intake import as_signed, read

_DEPLOYMENTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "github": ("x-github-event", frozenset(("deployment", "deployment_status"))),
    "gitlab": ("x-gitlab-event", frozenset(("Deployment Hook",))),
}


def signs(config: Config, sender: str) -> bool:
    """Whether messages of this sender are to be signed, because a secret is set for it."""
    given = config.senders.get(sender)
    return sender in SIGNED and given is not None and bool(given.accepted)


def is_signed(config: Config, sender: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a holder of a secret of this service signed these very bytes."""
    return signs(config, sender) and SIGNED[sender](body, headers, config.senders[sender].accepted)


def deployments_of(forge: str, headers: Mapping[str, str], body: bytes, now: str) -> tuple[Said, ...]:
    """What an authentic message of a forge says of deployments: nothing, where it is about something else."""
    name, events = _DEPLOYMENTS.get(forge, ("", frozenset()))
    return as_signed(read(forge, body, headers, now)) if name and header(headers, name) in events else ()
