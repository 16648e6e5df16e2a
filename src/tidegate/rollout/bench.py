"""What the demands of the gate are judged on, and the words that they share."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from tidegate.policy.case import listing, one_line, short
from tidegate.policy.identities import Identities
from tidegate.rollout.document import Covers, Environment, Rollout
from tidegate.rollout.gate import LATEST, ChangeCase, DemandKind, Obligation, Question, Situation, State
from tidegate.rollout.leaves import why_not

OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A whole object id: nothing shorter names one revision for certain."""


class Bench(Struct, frozen=True, kw_only=True):
    """What the demands of a known environment are judged on."""

    question: Question
    environment: Environment
    document: Rollout
    now: float
    skew: float
    situation: Situation
    identities: Identities

    @property
    def early(self) -> float:
        return self.now - self.skew

    @property
    def late(self) -> float:
        return self.now + self.skew


def obligation(kind: DemandKind, text: str, state: State, why: str, next_step: str = "") -> Obligation:
    return Obligation(kind=kind, text=text, state=state, why=why, next_step="" if state == "met" else next_step)


def set_aside(bench: Bench, found: Obligation, covers: Covers, freeze: str = "") -> Obligation:
    """The obligation, set aside where two people did that; else with the reason why what they wrote does not."""
    if found.state == "met":
        return found
    given = [*bench.document.leaves, *bench.situation.leaves]
    about = [one for one in given if one.covers == covers and one.environment == bench.question.environment]
    reasons: list[str] = []
    for leave in about:
        if reason := why_not(leave, bench.question, bench.situation.settings, (bench.early, bench.late), freeze):
            reasons.append(reason)
        else:
            return replace(
                found,
                state="set aside",
                why=f"{found.why}; set aside by {listing(leave.people)}: {one_line(leave.reason)}",
                next_step="",
            )
    return replace(found, why=f"{found.why}; an exception does not hold: {reasons[0]}") if reasons else found


def moment(at: float) -> str:
    """A moment as a person writes it, in UTC to the minute."""
    if not math.isfinite(at) or not 0 <= at <= LATEST:
        return "an unknown time"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def name_of(case: ChangeCase) -> str:
    return f"{short_of(case)} {one_line(case.title, 50)}".strip()


def short_of(case: ChangeCase) -> str:
    return short(case.commit) or "HEAD"


def names_of(cases: Sequence[ChangeCase]) -> str:
    return listing([name_of(case) for case in cases], 3)


def all_of(cases: Sequence[ChangeCase]) -> str:
    return "the one change" if len(cases) == 1 else f"all {len(cases)} changes" if cases else "every change"
