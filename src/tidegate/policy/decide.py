"""Facts in, verdict out: a pure function that returns an explained tree.

A rule applies where its conditions are true, and where they could not be answered. Nothing that is missing, broken or
unknown in the facts makes a verdict more permissive; docs/policy.md has the table, tests/policy/test_fail_closed.py the
proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from tidegate.facts import Facts, Unknown, to_document
from tidegate.policy.case import Case
from tidegate.policy.conditions import Question, answer, ask
from tidegate.policy.document import conform
from tidegate.policy.obligations import judge
from tidegate.policy.rules import Policy, Rule
from tidegate.policy.verdict import (
    STRICTNESS,
    Condition,
    Effect,
    Obligation,
    Outcome,
    RuleResult,
    RuleState,
    Stage,
    Truth,
    Verdict,
)


def decide(policy: Policy, facts: Facts | Mapping[str, Any], stage: Stage = "merge") -> Verdict:
    """The verdict of a policy on the facts of a change, or on a document that holds them as JSON does."""
    document = conform(to_document(facts) if isinstance(facts, Facts) else facts)
    question = ask(policy.language, document)
    case = Case(document, policy.owners, policy.settings, policy.digest)
    results = tuple(_judge(rule, question, case, stage) for rule in policy.rules)
    asked = (STRICTNESS[r.outcome] for r in results if r.mode == "enforce")
    return Verdict(
        outcome=_OUTCOMES[max(asked, default=0)],
        stage=stage,
        rules=results,
        policy=policy.origin,
        policy_digest=policy.digest,
        findings=() if isinstance(policy.owners, Unknown) else policy.owners.findings,
    )


def asked_when_unknown(rule: Rule) -> Effect:
    """What a rule asks for when its conditions could not be answered: what it says, else hold or what is stricter.

    That goes for a rule that only warns as well: letting a change pass on a fact that is missing has to be said.
    """
    return rule.on_unknown or ("block" if rule.effect == "block" else "hold")


# Private

_OUTCOMES: tuple[Outcome, ...] = ("pass", "hold", "block")


class _Judged(NamedTuple):
    """What one rule came to."""

    state: RuleState
    outcome: Effect | Literal["pass"]
    conditions: tuple[Condition, ...] = ()
    obligations: tuple[Obligation, ...] = ()


def _judge(rule: Rule, question: Question, case: Case, stage: Stage) -> RuleResult:
    judged = _evaluate(rule, question, case, stage)
    return RuleResult(
        id=rule.id,
        title=rule.title,
        effect=rule.effect,
        mode=rule.mode,
        state=judged.state,
        outcome=judged.outcome,
        quantifier=rule.quantifier,
        conditions=judged.conditions,
        obligations=judged.obligations,
        reason=rule.reason,
        owner=rule.owner,
        origin=rule.origin,
    )


def _evaluate(rule: Rule, question: Question, case: Case, stage: Stage) -> _Judged:
    if rule.mode == "draft" or not _is_in_force(rule, question.document.get("now")):
        return _Judged("inactive", "pass")
    conditions = tuple(answer(condition, question) for condition in rule.conditions)
    truth = _join(rule.quantifier, [c.truth for c in conditions])
    if truth == "false":
        return _Judged("idle", "pass", conditions)
    obligations = tuple(judge(requirement, case) for requirement in rule.requirements)
    unmet = [o for o in obligations if o.state != "met"]
    if obligations and not unmet:
        return _Judged("satisfied", "pass", conditions, obligations)
    if unmet and all(o.is_later(stage) for o in unmet):
        return _Judged("later", "pass", conditions, obligations)
    if truth == "true":
        return _Judged("fired", rule.effect, conditions, obligations)
    return _Judged("unknown", asked_when_unknown(rule), conditions, obligations)


def _join(quantifier: str, truths: Sequence[Truth]) -> Truth:
    """Kleene's conjunction or disjunction."""
    settles: Truth = "false" if quantifier == "all" else "true"
    if settles in truths:
        return settles
    if "unknown" in truths:
        return "unknown"
    return "true" if quantifier == "all" else "false"


def _is_in_force(rule: Rule, now: str | None) -> bool:
    """Whether a rule's dates hold now; they always do when the moment of the question is not known."""
    if now is None:
        return True
    moment = datetime.fromisoformat(now)
    return not (
        (rule.since and moment < datetime.fromisoformat(rule.since))
        or (rule.until and moment >= datetime.fromisoformat(rule.until))
    )
