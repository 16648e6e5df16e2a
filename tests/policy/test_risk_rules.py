"""Rules over risk and history: what is unknown holds, whatever the rule asks of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.helpers import document_of, policy_of, result_of, rule_of
from tests.policy.strategies import realistic_document
from tidegate.errors import InputError

CONDITIONS = (
    "risk.probability > 0.9",
    "risk.probability < 0.1",
    "risk.usual > 0.5",
    "risk.percentile > 0.95",
    'risk.band == "very high"',
    'risk.impact_band == "very high"',
    "risk.impact >= 0.9",
    'risk.factors.exists(f, f.name == "agent")',
    "risk.factors[99].weight > 1.0",
    "risk.impact_factors.size() > 5",
    'risk.lines.exists(l, l.path.startsWith("vault/"))',
    'risk.model == "prior"',
    "history.repaired_share > 0.5",
    "history.files_repaired > 9",
    "history.author_changes < 3",
    "history.repaired / history.reverted > 100",
    "history.agents.exists(a, a.low > 1.0)",
)


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    """The document as it is written where this one fact is not known."""
    section, _, name = path.partition(".")
    old = document[section]
    totals = {key: value for key, value in old["totals"].items() if key != name}
    kept = {key: value for key, value in old.items() if key != name}
    unknowns = [*old["unknowns"], {"path": path, "reason": "only 12 changes"}]
    return {**document, section: {**kept, "status": "partial", "unknowns": unknowns, "totals": totals}}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_rule_holds_where_its_fact_is_not_known(condition: str) -> None:
    policy = policy_of(rule_of(condition))
    path = condition.split(" ")[0].split("[")[0].removesuffix(".size()").partition(".exists")[0]
    unknown = result_of(policy, without(realistic_document(), path))
    assert (unknown.state, unknown.outcome) == ("unknown", "hold")
    whole = realistic_document()
    section = path.partition(".")[0]
    whole[section] = {"status": "unknown", "unknowns": [{"path": section, "reason": "the collector failed"}]}
    assert result_of(policy, whole).outcome == "hold"


@pytest.mark.parametrize("condition", [c for c in CONDITIONS if "[99]" not in c])
def test_the_same_rule_lets_a_calm_change_through(condition: str) -> None:
    """Without this the proof above could be empty: a rule that always holds."""
    calm = document_of(history__author_changes=9, history__reverted=1, risk__probability=0.5, risk__model="own")
    assert result_of(policy_of(rule_of(condition)), calm).state == "idle"


def test_an_element_that_is_not_there_is_not_safe() -> None:
    policy = policy_of(rule_of("risk.factors[99].weight > 1.0"))
    assert result_of(policy, realistic_document()).outcome == "hold"


def test_a_rule_over_both_numbers_holds_by_either_alone_being_unknown() -> None:
    policy = policy_of(rule_of("risk.percentile > 0.8 && risk.impact >= 0.3"))
    document = realistic_document()
    assert result_of(policy, document).state == "fired"
    for path in ("risk.percentile", "risk.impact"):
        assert result_of(policy, without(document, path)).outcome == "hold"


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ('risk.band == "awful"', 'risk.band is never "awful"'),
        ("risk.chance > 0.5", "there is no fact risk.chance"),
        ("risk.probability / 0.0 > 1.0", "divided by what may be zero"),
    ],
)
def test_a_rule_that_can_never_be_right_is_refused_when_it_is_read(condition: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        policy_of(rule_of(condition))
