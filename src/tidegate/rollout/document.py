"""The rollout document: what an environment asks before anything is deployed to it.

It is `.tidegate/rollout.toml` of the protected branch's tree, never that of the change; read.py reads it. docs/gates.md
is the guide. Times of day and dates without an offset are those of a named time zone; freeze.py says when they hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from tidegate.rollout.freeze import Freeze

PATH = ".tidegate/rollout.toml"
LONGEST_EXCEPTION_DAYS = 14

Tier: TypeAlias = Literal["critical", "high", "medium", "low"]
TIERS: tuple[Tier, ...] = ("low", "medium", "high", "critical")
APPROVALS_OF_TIER: Mapping[Tier, int] = {"critical": 2, "high": 1, "medium": 0, "low": 0}
"""Approvals that are asked where the environment does not say how many."""

Covers: TypeAlias = Literal["freeze", "blast", "budget", "bake", "order", "reversal"]
COVERABLE: tuple[Covers, ...] = ("freeze", "blast", "budget", "bake", "order", "reversal")
"""What two people may set aside. Policy, facts, what cannot be joined, and approvals are not among it."""

Number = Annotated[int, Meta(ge=0, le=1_000_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]


class Blast(Struct, frozen=True, forbid_unknown_fields=True):
    """The most that one step may hit, all changes of the deployment together. What is not said is not bounded.

    `share` is the part of the traffic up to which this step goes; `risk` the probability that any of the changes needs
    repair.
    """

    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    changes: Number | None = None
    lines: Number | None = None
    services: Number | None = None
    critical_services: Number | None = None
    entry_points: Number | None = None
    risk: Share | None = None
    infra: Literal["none", "note", "low", "medium", "high", "critical"] | None = None


class ErrorBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """A query that gives the part of the error budget that is left (1: all of it), and how much must be."""

    query: Text
    at_least: Share = 0.1


class Environment(Struct, frozen=True, forbid_unknown_fields=True):
    """One environment. `after` must run what is to be deployed since `bake_minutes`; `approvers` are people or teams.

    Without a tier it is critical; without `approvals` its tier says how many. `step` are in the order of their share.
    """

    tier: Tier = "critical"
    after: tuple[str, ...] = ()
    bake_minutes: Annotated[int, Meta(ge=0, le=60 * 24 * 90)] = 0
    approvals: Annotated[int, Meta(ge=0, le=20)] | None = None
    approvers: tuple[str, ...] = ()
    step: tuple[Blast, ...] = ()
    error_budget: ErrorBudget | None = None

    @property
    def approvals_asked(self) -> int:
        return APPROVALS_OF_TIER[self.tier] if self.approvals is None else self.approvals

    def limits(self, share: float | None) -> tuple[Blast, ...]:
        """The bounds of a step to this part of the traffic: where nobody says how much it gets, it gets all.

        Those of the first step that goes so far; beyond the last, those of all steps hold.
        """
        wanted = 1.0 if share is None else share
        fitting = [step for step in self.step if step.share >= wanted]
        return (fitting[0],) if fitting else self.step


class Leave(Struct, frozen=True, kw_only=True):
    """What sets one demand of one environment aside for a while: given by two people, for a reason, with an end.

    `freeze` names one window, empty: any. `revision` is the one commit that it is for, empty: whatever is deployed.
    """

    covers: Covers
    environment: str
    people: tuple[str, ...]
    reason: str
    starts: float
    ends: float
    freeze: str = ""
    revision: str = ""
    origin: str = ""


class Rollout(Struct, frozen=True, kw_only=True):
    """The document, ready to be asked. `origin` says where it was read; `digest` changes with anything in it."""

    environments: Mapping[str, Environment]
    freezes: tuple[Freeze, ...]
    leaves: tuple[Leave, ...]
    origin: str
    digest: str


class Unreadable(Struct, frozen=True):
    """A document that is not there or not right: nothing may be deployed by it."""

    reason: str
    mend: str
