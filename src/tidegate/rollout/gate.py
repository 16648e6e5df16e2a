"""The gate before an environment: may this deployment go there now, and what must still be true?

A pure function of what is handed in: no clock, no repository, no network. Every demand is an obligation that is met,
unmet, unknown or set aside by two people; unknown counts as unmet. Nothing that is missing, failed, late or unclear
makes a decision more permissive: tests/rollout/test_gate_fail_closed.py is the proof, docs/gates.md the guide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tidegate.policy.decide import decide
from tidegate.policy.rules import Policy
from tidegate.policy.verdict import Outcome
from tidegate.rollout.document import Leave, Rollout, Unreadable
from tidegate.rollout.joined import Direction, Unjoined
from tidegate.rollout.values import Deployment
from tidegate.settings import Settings

SCHEMA = "tidegate.gate/1"
SKEW_SECONDS = 60.0
MOST_SKEW_SECONDS = 3600.0
EARLIEST, LATEST = 1_600_000_000.0, 32_000_000_000.0
"""Moments that a clock can show: from 2020 on. A clock outside is broken."""

State: TypeAlias = Literal["met", "unmet", "unknown", "set aside"]
DemandKind: TypeAlias = Literal[
    "clock",
    "document",
    "environment",
    "joined",
    "running",
    "facts",
    "policy",
    "freeze",
    "order",
    "bake",
    "approvals",
    "blast",
    "budget",
    "ran-before",
    "reversal",
    "record",
]


class Question(Struct, frozen=True, kw_only=True):
    """What wants to be deployed. `revision` is the whole object id; `share` the part of the traffic that it gets.

    `actor` is who asks, as their sender names them. `asked_at` is when, by the sender's clock; None where it is unsaid.
    """

    environment: str
    service: str = ""
    revision: str
    previous: str = ""
    actor: str = ""
    share: float | None = None
    asked_at: float | None = None


class ChangeCase(Struct, frozen=True, kw_only=True):
    """One change of the deployment, as far as it is known.

    `facts` is the document that was kept of it, None where none was. `recorded` is the verdict with which it merged,
    "" where none is known; `asked` what the rules of today say of it at stage deploy, with the rules that say so in
    `rules`. `waived` says who let it merge all the same (an emergency on record), "" where nobody did.
    """

    commit: str
    title: str = ""
    facts: Mapping[str, Any] | None = None
    recorded: Outcome | Literal[""] = ""
    recorded_policy: str = ""
    asked: Outcome | Literal[""] = ""
    rules: tuple[str, ...] = ()
    waived: str = ""


class Changes(Struct, frozen=True, kw_only=True):
    """The changes between what runs and what is to run: those that come, and those that are taken away."""

    direction: Direction
    comes: tuple[ChangeCase, ...] = ()
    goes: tuple[ChangeCase, ...] = ()


class Approval(Struct, frozen=True, kw_only=True):
    """Somebody says that this very revision may go to this environment. Times are Unix seconds."""

    by: str
    at: float
    expires: float
    revision: str
    environment: str
    service: str = ""


class Budget(Struct, frozen=True, kw_only=True):
    """What a query said of the error budget: the part that is left, or why that is not known."""

    left: float | None = None
    at: float = 0.0
    problem: str = ""


class Situation(Struct, frozen=True, kw_only=True):
    """What else is known at the moment of the question. `deployments` is None where nobody keeps them.

    `skew` is how far the clock may be off, in seconds: a moment of the question is all of `now - skew` to `now + skew`.
    `hearsay` says why nobody who counts says what runs there, "" where somebody does.
    """

    settings: Settings
    approvals: tuple[Approval, ...] = ()
    leaves: tuple[Leave, ...] = ()
    deployments: tuple[Deployment, ...] | None = None
    budget: Budget | None = None
    skew: float = SKEW_SECONDS
    hearsay: str = ""


class Obligation(Struct, frozen=True, kw_only=True):
    """One thing that must be true before the deployment. `why` is what was seen, `next_step` what to do now.

    `effect` is what it does where it is not met; `until` the moment from which time alone may mend it (0: never).
    """

    kind: DemandKind
    text: str
    state: State
    why: str
    next_step: str = ""
    effect: Literal["hold", "block"] = "hold"
    until: float = 0.0


class Sums(Struct, frozen=True, kw_only=True):
    """What the coming changes hit together. None where a change does not say; `risk` that any of them needs repair."""

    changes: int = 0
    lines: int | None = None
    services: tuple[str, ...] | None = None
    critical_services: tuple[str, ...] | None = None
    entry_points: int | None = None
    risk: float | None = None
    infra: str | None = None


class Decision(Struct, frozen=True, kw_only=True):
    """The answer. It is recorded as it stands: `document` and `policy` are digests of what it was made by."""

    outcome: Outcome
    question: Question
    direction: Direction | Literal[""]
    obligations: tuple[Obligation, ...]
    sums: Sums
    at: float
    document: str = ""
    schema: Literal["tidegate.gate/1"] = "tidegate.gate/1"

    @property
    def open(self) -> tuple[Obligation, ...]:
        """What is still in the way."""
        return tuple(one for one in self.obligations if one.state in ("unmet", "unknown"))


def gate(
    question: Question,
    changes: Changes | Unjoined,
    document: Rollout | Unreadable,
    now: float,
    situation: Situation,
) -> Decision:
    """Whether the deployment may go ahead now, with every demand that was made of it."""
    from tidegate.rollout.demands import demands_of
    from tidegate.rollout.hits import sum_up

    sums = sum_up(changes.comes) if isinstance(changes, Changes) else Sums()
    obligations = tuple(demands_of(question, changes, document, now, situation, sums))
    in_the_way = [one for one in obligations if one.state in ("unmet", "unknown")]
    blocked = any(one.effect == "block" and one.state == "unmet" for one in in_the_way)
    return Decision(
        outcome="block" if blocked else "hold" if in_the_way else "pass",
        question=question,
        direction=changes.direction if isinstance(changes, Changes) else "",
        obligations=obligations,
        sums=sums,
        at=now if math.isfinite(now) else 0.0,
        document=document.digest if isinstance(document, Rollout) else "",
    )


def ask_rules(policy: Policy, cases: Sequence[ChangeCase]) -> tuple[ChangeCase, ...]:
    """The same changes with what the rules of today say of each at stage deploy. One without facts stays unasked.

    A change that passed when it merged keeps the approvals that were given for the policy of that day.
    """
    return tuple(_asked(policy, case) for case in cases)


# Private

_MOST_RULES = 5


def _asked(policy: Policy, case: ChangeCase) -> ChangeCase:
    if case.facts is None:
        return case
    bound = policy
    if case.recorded == "pass" and case.recorded_policy:
        bound = replace(policy, digest=case.recorded_policy)
    verdict = decide(bound, case.facts, "deploy")
    in_the_way = [r.id for r in verdict.rules if r.mode == "enforce" and r.outcome in ("hold", "block")]
    return replace(case, asked=verdict.outcome, rules=tuple(in_the_way[:_MOST_RULES]))
