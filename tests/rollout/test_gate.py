"""The gate: what each demand asks, and what sets it aside."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.policy.helpers import document_of, policy_of, rule_of
from tests.rollout.helpers import (
    BEFORE,
    HOUR,
    NOW,
    REVISION,
    case,
    decide_on,
    deployment,
    forward,
    question,
    rollout_of,
    situation,
    state_of,
)
from tidegate.rollout.document import Leave, Unreadable
from tidegate.rollout.gate import Approval, Budget, ChangeCase, Changes, ask_rules, gate
from tidegate.rollout.joined import Unjoined

LOW = '[environments.production]\ntier = "low"\n'
FREEZE = f"""{LOW}[[freeze]]
name = "month end"
from = "2026-03-04"
until = "2026-03-05"
"""


def approval(by: str = "bob", **given: Any) -> Approval:
    usual = {"at": NOW - 60, "expires": NOW + HOUR, "revision": REVISION, "environment": "production"}
    return Approval(**{"by": by, **usual, **given})


def leave(*people: str, **given: Any) -> Leave:
    usual: dict[str, Any] = {"covers": "freeze", "environment": "production", "reason": "a fix of the invoices"}
    times = {"starts": NOW - HOUR, "ends": NOW + HOUR}
    return Leave(**{**usual, **times, "people": people or ("alice", "bob"), **given})


def test_a_deployment_of_what_passed_passes() -> None:
    decision = decide_on()
    assert decision.outcome == "pass"
    assert decision.open == ()
    assert decision.sums.changes == 1


@pytest.mark.parametrize(
    ("given", "outcome", "why"),
    [
        ({"asked": "hold", "rules": ("two-people",)}, "hold", "held by two-people"),
        ({"asked": "block"}, "block", "blocked"),
        ({"recorded": "block"}, "block", "blocked"),
        ({"recorded": "hold"}, "hold", "held"),
        ({"facts": None}, "hold", "nothing is known of 1 change"),
        ({"facts": None, "recorded": "block"}, "block", "blocked"),
        ({"asked": ""}, "hold", "without a verdict"),
        ({"asked": "block", "waived": "alice and bob, entry 12"}, "pass", ""),
    ],
)
def test_every_change_must_pass(given: dict[str, Any], outcome: str, why: str) -> None:
    decision = decide_on(changes=forward(case(), case(commit="d" * 40, **given)))
    assert decision.outcome == outcome
    assert any(why in one.why for one in decision.obligations)


def test_what_cannot_be_joined_or_read_is_held() -> None:
    assert decide_on(changes=Unjoined("no-previous", "nobody knows")).outcome == "hold"
    broken = gate(question(), forward(), Unreadable("line 3: it is broken", "mend it"), NOW, situation())
    assert [one.kind for one in broken.open] == ["document"]
    assert decide_on(ask_environment="productio").open[0].next_step == "did you mean production?"


def test_a_freeze_holds_until_it_ends() -> None:
    held = decide_on(FREEZE)
    assert held.outcome == "hold"
    assert "until 2026-03-06 00:00 UTC" in held.open[0].why
    assert decide_on(FREEZE, now=held.open[0].until).outcome == "pass"
    assert decide_on(FREEZE, now=NOW - 12 * HOUR - 30).outcome == "hold"  # the clock may be off by a minute
    assert decide_on(FREEZE, now=NOW - 12 * HOUR - 61).outcome == "pass"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, ""),
        ({"people": ("alice", "@bob")}, ""),
        ({"people": ("alice", "Alice <alice@example.com>")}, "takes two"),
        ({"people": ("@alice", "@alice-work")}, "takes two"),  # one person with two accounts
        ({"people": ("cara", "cara2")}, "takes two"),  # two entries that may be one person
        ({"people": ("alice", "mallory")}, "nobody who is known"),
        ({"people": ("alice", "robot")}, "nobody who is known"),
        ({"people": ("alice", "deployer[bot]")}, "nobody who is known"),
        ({"people": ("alice",)}, "takes two"),
        ({"reason": "  "}, "no reason"),
        ({"freeze": "weekend"}, "for the freeze weekend"),
        ({"freeze": "month end"}, ""),
        ({"revision": BEFORE}, "another revision"),
        ({"revision": REVISION}, ""),
        ({"starts": NOW + 1}, "has not begun"),
        ({"ends": NOW}, "has ended"),
        ({"starts": NOW - 30 * 86400}, "longer than 14 days"),
        ({"environment": "staging"}, None),
        ({"covers": "budget"}, None),
    ],
)
def test_a_freeze_is_set_aside_by_two_people(given: dict[str, Any], reason: str | None) -> None:
    decision = decide_on(FREEZE, leaves=(leave(**given),))
    found = next(one for one in decision.obligations if one.kind == "freeze")
    if reason == "":
        assert (decision.outcome, found.state) == ("pass", "set aside")
    else:
        assert (decision.outcome, found.state) == ("hold", "unmet")
        assert (reason or "exception") in found.why or reason is None


def test_policy_facts_and_approvals_are_never_set_aside() -> None:
    every = tuple(leave(covers=covers) for covers in ("freeze", "blast", "budget", "bake", "order", "reversal"))
    text = '[environments.production]\ntier = "high"\n'
    decision = decide_on(text, changes=forward(case(facts=None)), leaves=every)
    assert [one.kind for one in decision.open] == ["facts", "policy", "approvals"]


APPROVED = '[environments.production]\ntier = "high"\napprovals = 2\n'


@pytest.mark.parametrize(
    ("approvals", "actor", "state"),
    [
        ((approval("bob"), approval("cara")), "alice", "met"),
        ((approval("bob"), approval("@bob")), "alice", "unmet"),
        ((approval("bob"), approval("alice")), "alice", "unmet"),
        ((approval("bob"), approval("alice")), "@alice-work", "unmet"),
        ((approval("bob"), approval("alice")), "github-actions[bot]", "met"),
        ((approval("bob"), approval("alice")), "", "unknown"),
        ((approval("bob"), approval("alice")), "mallory", "unknown"),
        ((approval("cara"), approval("cara2")), "alice", "unmet"),
        ((approval("bob"), approval("cara")), "cara2", "unmet"),
        ((approval("bob"), approval("cara", revision=BEFORE)), "alice", "unmet"),
        ((approval("bob"), approval("cara", environment="staging")), "alice", "unmet"),
        ((approval("bob"), approval("cara", service="shop")), "alice", "unmet"),
        ((approval("bob"), approval("cara", at=NOW + 1)), "alice", "unmet"),
        ((approval("bob"), approval("cara", expires=NOW + 30)), "alice", "unmet"),
        ((approval("bob"), approval("cara", at=NOW - 8 * 86400, expires=NOW + HOUR)), "alice", "unmet"),
        ((approval("bob"), approval("cara", at=float("nan"))), "alice", "unmet"),
        ((approval("bob"), approval("robot")), "alice", "unmet"),
        ((approval("bob"), approval("mallory")), "alice", "unmet"),
    ],
)
def test_approvals_are_counted_by_people(approvals: tuple[Approval, ...], actor: str, state: str) -> None:
    decision = decide_on(APPROVED, approvals=approvals, ask_actor=actor)
    assert state_of(decision, "approvals") == state
    assert decision.outcome == ("pass" if state == "met" else "hold")


def test_only_those_who_may_approve() -> None:
    text = '[environments.production]\napprovals = 1\napprovers = ["@acme/sre"]\n'
    assert decide_on(text, approvals=(approval("bob"),)).outcome == "pass"
    assert decide_on(text, approvals=(approval("alice"),), ask_actor="bob").outcome == "hold"


ORDERED = """[environments.staging]
[environments.production]
tier = "low"
after = ["staging"]
bake_minutes = 60
"""


@pytest.mark.parametrize(
    ("deployments", "order", "bake"),
    [
        ((deployment(),), "met", "met"),
        ((deployment(finished=NOW - 0.5 * HOUR),), "met", "unmet"),
        ((deployment(finished=NOW + HOUR),), "unmet", ""),
        ((deployment(revision=BEFORE),), "unmet", ""),
        ((deployment(status="rolled_back"),), "unmet", ""),
        ((deployment(status="started", finished=None),), "unmet", ""),
        ((deployment(service="other"),), "unmet", ""),
        ((deployment(action="remove"),), "unmet", ""),
        ((deployment(started=float("nan")),), "unmet", ""),
        ((deployment(), deployment(id="d2", revision=BEFORE, started=NOW - 1.9 * HOUR)), "met", "unmet"),
        ((deployment(), deployment(id="d2", revision=BEFORE, started=NOW - 0.5 * HOUR)), "met", "met"),
        ((deployment(), deployment(id="d2", revision=BEFORE, started=float("nan"))), "unmet", ""),
        (
            (deployment(), deployment(id="d0", status="started", started=NOW - 4 * HOUR, finished=None)),
            "unmet",
            "",
        ),
        ((), "unmet", ""),
        (None, "unknown", ""),
    ],
)
def test_it_ran_elsewhere_first_for_long_enough(deployments: Any, order: str, bake: str) -> None:
    decision = decide_on(ORDERED, deployments=deployments)
    assert (state_of(decision, "order"), state_of(decision, "bake")) == (order, bake)


STEPS = """[environments.production]
tier = "low"
[[environments.production.step]]
share = 0.1
[[environments.production.step]]
changes = 1
lines = 100
services = 2
critical_services = 0
entry_points = 3
risk = 0.3
infra = "low"
"""


def test_a_step_hits_no_more_than_it_may() -> None:
    fits = facts_that_hit()
    two = forward(case(facts=fits), case(commit="d" * 40, facts=facts_that_hit()))
    assert decide_on(STEPS, changes=forward(case(facts=fits))).outcome == "pass"
    over = decide_on(STEPS, changes=two)
    assert [one.why for one in over.open] == ["it is 2", "it is 120", "it is 0.36"]
    assert decide_on(STEPS, changes=two, ask_share=0.05).outcome == "pass"  # a small step is not bounded
    assert decide_on(STEPS, changes=two, ask_share=7.0).outcome == "hold"  # no share at all is all of it


def facts_that_hit(**given: Any) -> dict[str, Any]:
    usual = {"change__lines_added": 50, "change__lines_deleted": 10, "risk__probability": 0.2}
    return document_of(**{**usual, "reach__services": ["a", "b"], "reach__entry_points": ["GET /a"], **given})


@pytest.mark.parametrize("section", ["reach", "risk", "infra", "change"])
def test_what_a_change_hits_and_does_not_say_is_unknown(section: str) -> None:
    facts = facts_that_hit()
    facts[section] = {"status": "unknown", "unknowns": [{"path": section, "reason": "it broke"}]}
    decision = decide_on(STEPS, changes=forward(case(facts=facts)))
    assert decision.outcome == "hold"
    assert {one.state for one in decision.open} == {"unknown"}


BUDGET = LOW + '[environments.production.error_budget]\nquery = "left"\nat_least = 0.2\n'


@pytest.mark.parametrize(
    ("budget", "state"),
    [
        (Budget(left=0.2, at=NOW), "met"),
        (Budget(left=0.19, at=NOW), "unmet"),
        (Budget(left=-3.0, at=NOW), "unmet"),
        (Budget(left=float("nan"), at=NOW), "unknown"),
        (Budget(left=20.0, at=NOW), "unknown"),
        (Budget(left=0.9, at=NOW - HOUR), "unknown"),
        (Budget(left=0.9, at=NOW + HOUR), "unknown"),
        (Budget(left=0.9, at=NOW, problem="it timed out"), "unknown"),
        (Budget(), "unknown"),
        (None, "unknown"),
    ],
)
def test_the_error_budget(budget: Budget | None, state: str) -> None:
    assert state_of(decide_on(BUDGET, budget=budget), "budget") == state


def test_a_roll_back_goes_to_what_ran_and_waits_for_no_freeze() -> None:
    ran = deployment(environment="production")
    back = Changes(direction="backward", goes=(case(),))
    assert decide_on(FREEZE, changes=back, deployments=(ran,)).outcome == "pass"
    assert decide_on(FREEZE, changes=back, deployments=()).outcome == "hold"
    assert decide_on(FREEZE, changes=back, deployments=None).outcome == "hold"
    assert state_of(decide_on(changes=back, deployments=(deployment(),)), "ran-before") == "unmet"
    unknown = Changes(direction="backward", goes=(case(facts=None),))
    assert state_of(decide_on(changes=unknown, deployments=(ran,)), "reversal") == "unknown"
    aside = decide_on(changes=unknown, deployments=(ran,), leaves=(leave(covers="reversal"),))
    assert aside.outcome == "pass"


def test_what_cannot_be_undone_stops_a_roll_back() -> None:
    effect = {
        "code": "DATA_DESTROY",
        "severity": "critical",
        "address": "aws_db_instance.main",
        "reason": "the data is gone",
        "reversible": False,
        **dict.fromkeys(("back", "environment", "source"), ""),
        **{key: [] for key in ("dependents", "path", "mitigations")},
        "certainty": "certain",
        "place": {"path": "", "line": 0, "end_line": 0},
    }
    facts = document_of(infra__effects=[effect], infra__effects_total=1)
    back = Changes(direction="backward", goes=(case(facts=facts),))
    decision = decide_on(changes=back, deployments=(deployment(environment="production"),))
    assert "DATA_DESTROY of aws_db_instance.main" in decision.open[0].why


@pytest.mark.parametrize(
    ("given", "fine"),
    [
        ({"now": float("nan")}, False),
        ({"now": float("inf")}, False),
        ({"now": -5.0}, False),
        ({"now": 1e15}, False),
        ({"skew": float("nan")}, False),
        ({"skew": -1.0}, False),
        ({"skew": 86400.0}, False),
        ({"ask_asked_at": NOW - 2 * HOUR}, False),
        ({"ask_asked_at": float("nan")}, False),
        ({"ask_asked_at": NOW - 60}, True),
        ({"changes": forward(case(facts=document_of(now="2030-01-01T00:00:00Z")))}, False),
        ({"changes": forward(case(facts={"now": "yesterday"}))}, False),
        ({"deployments": (deployment(environment="production", finished=NOW + 2 * HOUR),)}, False),
        ({"deployments": (deployment(environment="production", started=float("nan")),)}, False),
        ({"deployments": (deployment(environment="production", finished=float("nan")),)}, False),
        ({"deployments": (deployment(environment="production", finished=NOW + HOUR / 2),)}, True),
        ({"deployments": (deployment(environment="other", finished=NOW + 2 * HOUR),)}, True),
    ],
)
def test_a_clock_that_cannot_be_trusted_holds(given: dict[str, Any], fine: bool) -> None:
    decision = decide_on(**given)
    assert (decision.outcome == "pass") is fine
    assert (state_of(decision, "clock") == "met") is fine


def test_rules_are_asked_at_stage_deploy() -> None:
    policy = policy_of(rule_of("change.breadth > 2", require="[{ approvals = 1 }]"))
    narrow, broad = (case(facts=document_of(change__breadth=breadth), asked="") for breadth in (1, 3))
    none = case(facts=None, asked="")
    asked = ask_rules(policy, (narrow, broad, none))
    assert [one.asked for one in asked] == ["pass", "hold", ""]
    assert asked[1].rules == ("a-rule",)
    decision = decide_on(changes=forward(*asked))
    assert decision.outcome == "hold"


def test_two_hundred_changes_take_no_time() -> None:
    policy = policy_of("", pack="default")
    cases = tuple(ChangeCase(commit=f"{number:040x}", facts=document_of(), recorded="pass") for number in range(200))
    began = time.process_time()
    changes = Changes(direction="forward", comes=ask_rules(policy, cases))
    decision = gate(question(), changes, rollout_of(STEPS), NOW, situation())
    assert decision.sums.changes == 200
    assert time.process_time() - began < 0.6  # 0.3 s, and as much again for a busy machine
