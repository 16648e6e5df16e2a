"""The table of docs/policy.md: what a rule comes to, and what that does to the verdict."""

from __future__ import annotations

import pytest

from tests.policy.helpers import document_of, policy_of, result_of, rule_of
from tidegate.facts import ChangeFacts, Facts
from tidegate.policy.decide import decide

UNKNOWN = {"status": "unknown", "unknowns": [{"path": "reach", "reason": "not collected"}]}
TRUE, FALSE, LOST = "change.breadth == 0", "change.breadth == 9", "reach.symbols > 3"
MET = 'require = "[{ facts = [\\"change\\"] }]"'

# condition, keys of the rule, state, what it asks for, outcome of the verdict
TABLE = [
    (TRUE, {"effect": '"block"'}, "fired", "block", "block"),
    (TRUE, {"effect": '"hold"'}, "fired", "hold", "hold"),
    (TRUE, {"effect": '"warn"'}, "fired", "warn", "pass"),
    (TRUE, {"effect": '"note"'}, "fired", "note", "pass"),
    (FALSE, {"effect": '"block"'}, "idle", "pass", "pass"),
    (LOST, {"effect": '"block"'}, "unknown", "block", "block"),
    (LOST, {"effect": '"hold"'}, "unknown", "hold", "hold"),
    (LOST, {"effect": '"warn"'}, "unknown", "hold", "hold"),
    (LOST, {"effect": '"warn"', "on_unknown": '"warn"'}, "unknown", "warn", "pass"),
    (LOST, {"effect": '"note"'}, "unknown", "hold", "hold"),
    (LOST, {"effect": '"block"', "on_unknown": '"warn"'}, "unknown", "warn", "pass"),
    (LOST, {"effect": '"warn"', "on_unknown": '"hold"'}, "unknown", "hold", "hold"),
    # obligations: reach is unknown here, change is complete
    (TRUE, {"require": '[{ facts = ["change"] }]'}, "satisfied", "pass", "pass"),
    (LOST, {"require": '[{ facts = ["change"] }]'}, "satisfied", "pass", "pass"),
    (FALSE, {"require": '[{ facts = ["reach"] }]'}, "idle", "pass", "pass"),
    (TRUE, {"require": '[{ facts = ["reach"] }]'}, "fired", "hold", "hold"),
    (LOST, {"require": '[{ facts = ["reach"] }]', "effect": '"block"'}, "unknown", "block", "block"),
    (TRUE, {"require": '[{ facts = ["change"] }, { facts = ["reach"] }]'}, "fired", "hold", "hold"),
    # modes and dates; it is 2026-01-01T12:00Z
    (TRUE, {"mode": '"shadow"', "effect": '"block"'}, "fired", "block", "pass"),
    (TRUE, {"mode": '"draft"', "effect": '"block"'}, "inactive", "pass", "pass"),
    (TRUE, {"since": "2026-01-02"}, "inactive", "pass", "pass"),
    (TRUE, {"since": "2026-01-01"}, "fired", "hold", "hold"),
    (TRUE, {"until": "2026-01-01"}, "fired", "hold", "hold"),
    (TRUE, {"until": "2025-12-31"}, "inactive", "pass", "pass"),
    (TRUE, {"until": "2026-01-01T12:00:00Z"}, "inactive", "pass", "pass"),
    (TRUE, {"since": "2026-01-01T12:00:00Z"}, "fired", "hold", "hold"),
]


@pytest.mark.parametrize(("condition", "keys", "state", "asked", "outcome"), TABLE)
def test_what_a_rule_comes_to(condition: str, keys: dict[str, str], state: str, asked: str, outcome: str) -> None:
    policy = policy_of(rule_of(condition, **keys))
    document = document_of(reach=UNKNOWN)
    result = result_of(policy, document)
    assert (result.state, result.outcome, decide(policy, document).outcome) == (state, asked, outcome)


JOINS = [
    ("all", [TRUE, TRUE], "fired"),
    ("all", [TRUE, LOST], "unknown"),
    ("all", [LOST, FALSE], "idle"),
    ("any", [FALSE, FALSE], "idle"),
    ("any", [FALSE, LOST], "unknown"),
    ("any", [LOST, TRUE], "fired"),
]


@pytest.mark.parametrize(("quantifier", "conditions", "state"), JOINS)
def test_conditions_are_joined_in_three_values(quantifier: str, conditions: list[str], state: str) -> None:
    text = rule_of("true").replace("when.all = ['''true''']", f"when.{quantifier} = {conditions}")
    result = result_of(policy_of(text), document_of(reach=UNKNOWN))
    assert (result.state, result.quantifier, len(result.conditions)) == (state, quantifier, 2)


def test_what_is_due_later_does_not_hold_now() -> None:
    policy = policy_of(rule_of("true", require="[{ approvals = 1 }]"))
    states = {stage: result_of(policy, document_of(), stage).state for stage in ("commit", "push", "merge")}
    assert states == {"commit": "later", "push": "later", "merge": "fired"}
    assert decide(policy, document_of(), "push").outcome == "pass"
    unknown = policy_of(rule_of(LOST, require="[{ approvals = 1 }]"))
    assert result_of(unknown, document_of(reach=UNKNOWN), "push").state == "later"
    assert result_of(unknown, document_of(reach=UNKNOWN), "merge").state == "unknown"


def test_the_strictest_enforced_rule_decides_whatever_the_order() -> None:
    rules = [
        rule_of("true", id='"a"', effect='"hold"'),
        rule_of("true", id='"b"', effect='"block"', mode='"shadow"'),
        rule_of("true", id='"c"', effect='"warn"'),
    ]
    assert decide(policy_of("".join(rules)), document_of()).outcome == "hold"
    rules.append(rule_of("true", id='"d"', effect='"block"'))
    assert decide(policy_of("".join(rules)), document_of()).outcome == "block"
    assert decide(policy_of("".join(reversed(rules))), document_of()).outcome == "block"


def test_dates_hold_when_the_moment_of_the_question_is_lost() -> None:
    for keys in ({"since": "2030-01-01"}, {"until": "2020-01-01"}):
        policy = policy_of(rule_of("true", **keys))
        assert result_of(policy, document_of()).state == "inactive"
        for now in (None, "", "soon", "2026-01-01", 5):
            assert result_of(policy, document_of(now=now)).state == "fired"


def test_a_verdict_on_facts_is_the_verdict_on_their_document() -> None:
    policy = policy_of(rule_of("change.breadth == 3"))
    facts = Facts(now="2026-01-01T12:00:00Z", change=ChangeFacts(status="complete", breadth=3))
    assert decide(policy, facts).rules[0].state == "fired"


def test_a_verdict_names_its_policy_and_says_why() -> None:
    policy = policy_of(rule_of("change.breadth < 3 && reach.symbols > 1", owner='"@sre"', reason='"So it is."'))
    verdict = decide(policy, document_of(reach=UNKNOWN), "push")
    (result,) = verdict.rules
    assert (verdict.policy, verdict.policy_digest, verdict.stage) == ("tidegate.toml", policy.digest, "push")
    assert (result.owner, result.reason, result.origin, result.title) == (
        "@sre",
        "So it is.",
        "tidegate.toml",
        "A rule",
    )
    (condition,) = result.conditions
    assert condition.reason == "reach.symbols is unknown: not collected"
    assert [(f.path, f.value, f.known) for f in condition.facts] == [
        ("change.breadth", "0", True),
        ("reach.symbols", "not collected", False),
    ]


def test_nothing_at_all_holds() -> None:
    policy = policy_of(rule_of("change.breadth > 3"))
    for nothing in ({}, {"schema": "other"}, {"schema": "tidegate.facts/1", "change": 5}):
        assert decide(policy, nothing).outcome == "hold"
