"""How grave an effect is: as in production, less outside of it, less what mitigates it, more by agents.

An environment that nobody named is judged as production. What lowers a severity is named in the effect.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.facts import Actor, EffectCode, Severity
from tidegate.infra.environment import Environment
from tidegate.infra.values import Draft

ORDER: tuple[Severity, ...] = ("note", "low", "medium", "high", "critical")

_OUTSIDE: Mapping[Environment, Mapping[Severity, Severity]] = {
    "staging": {"critical": "high"},
    "development": {"critical": "medium", "high": "medium", "medium": "low"},
}
_PERMITS: tuple[EffectCode, ...] = ("IAM_WIDEN", "IAM_TRUST", "PRIV_ESC", "GUARD_REMOVED", "AUDIT_OFF")
"""What an agent must not do on its own authority even where it could be taken back."""


def severity_of(draft: Draft, environment: Environment, actor: Actor) -> Severity:
    """The severity of an effect in this environment by this actor's hand."""
    grave = draft.severity if draft.fixed else _OUTSIDE.get(environment, {}).get(draft.severity, draft.severity)
    place = max(0, ORDER.index(grave) - sum(one.steps for one in draft.mitigations))
    lasting = not draft.reversible or draft.code in _PERMITS
    if actor == "agent" and lasting and ORDER[place] in ("low", "medium", "high"):
        place += 1
    return ORDER[place]


def gravest(severities: list[Severity]) -> Severity | None:
    """The gravest of these, None of none."""
    return max(severities, key=ORDER.index, default=None)
