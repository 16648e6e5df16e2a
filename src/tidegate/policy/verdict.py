"""The verdict on a change: an explained tree that every report renders as it stands."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.facts import Finding

Outcome: TypeAlias = Literal["pass", "hold", "block"]
Effect: TypeAlias = Literal["block", "hold", "warn", "note"]
Mode: TypeAlias = Literal["draft", "shadow", "enforce"]
Stage: TypeAlias = Literal["commit", "push", "merge", "deploy"]
RuleState: TypeAlias = Literal["idle", "satisfied", "fired", "unknown", "later", "inactive"]
Truth: TypeAlias = Literal["true", "false", "unknown"]
ObligationKind: TypeAlias = Literal[
    "approvals",
    "annotation",
    "accountable",
    "tests",
    "fail_before",
    "covered",
    "killed",
    "reason",
    "split",
    "ticket",
    "rollback",
    "intent",
    "trailers",
    "facts",
    "clean",
]

STAGES: tuple[Stage, ...] = ("commit", "push", "merge", "deploy")
"""In the order in which a change comes to them."""
STRICTNESS: dict[str, int] = {"pass": 0, "note": 0, "warn": 0, "hold": 1, "block": 2}


class FactRead(Struct, frozen=True):
    """A fact that a condition read. `value` is its JSON, shortened, or the reason why it is unknown."""

    path: str
    value: str
    known: bool


class Condition(Struct, frozen=True):
    """One condition of a rule, its answer, and the facts that it read."""

    text: str
    truth: Truth
    facts: tuple[FactRead, ...]
    reason: str = ""


class Obligation(Struct, frozen=True):
    """One thing that must be true before the change may pass.

    `state` is unknown where it could not be told: that counts as unmet. `why` says what was seen; `next_step` is what
    the reader does now, a command where there is one. `due` is the first stage at which it holds a change.
    """

    kind: ObligationKind
    text: str
    state: Literal["met", "unmet", "unknown"]
    why: str
    next_step: str
    due: Stage = "commit"

    def is_later(self, stage: Stage) -> bool:
        """Whether it does not hold a change yet at this stage."""
        return STAGES.index(self.due) > STAGES.index(stage)


class RuleResult(Struct, frozen=True):
    """What one rule says of this change.

    state: `idle` its conditions are false; `satisfied` it applies and its obligations are met; `fired` it applies and
    is not satisfied; `unknown` its conditions could not be answered, which counts as applying; `later` all that is
    unmet is due at a later stage; `inactive` it is outside its dates or a draft.
    `outcome` is what it asks for; a rule in shadow mode asks and is not obeyed.
    """

    id: str
    title: str
    effect: Effect
    mode: Mode
    state: RuleState
    outcome: Effect | Literal["pass"]
    quantifier: Literal["all", "any"]
    conditions: tuple[Condition, ...]
    obligations: tuple[Obligation, ...]
    reason: str
    owner: str
    origin: str


class Verdict(Struct, frozen=True):
    """The strictest outcome of all enforced rules at a stage. Obligations due later are listed and do not hold."""

    outcome: Outcome
    stage: Stage
    rules: tuple[RuleResult, ...]
    policy: str
    policy_digest: str
    findings: tuple[Finding, ...] = ()
