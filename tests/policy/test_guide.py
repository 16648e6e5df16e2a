"""docs/policy.md cannot lie: its rules load, its tests pass, its conditions are accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.policy.helpers import policy_of
from tidegate.policy.conditions import compile_condition, make_language
from tidegate.policy.reading import NAMED_FUNCTIONS
from tidegate.policy.rules import KEYS
from tidegate.policy.trial import parse_trials, run_trials, surviving_mutants

GUIDE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def test_its_rules_load_and_its_tests_pass_and_hold_them() -> None:
    rules = [block for block in blocks("toml") if "[[rule]]" in block]
    policy = policy_of("\n".join(rules), pack="default")
    own = policy_of(rules[0])
    tests = [block for block in blocks("toml") if "[[test]]" in block]
    trials = parse_trials("\n".join(tests).encode(), "docs/policy.md", own)
    assert [result.problems for result in run_trials(own, trials)] == [()] * 6
    survivors = [mutant.change for mutant in surviving_mutants(own, trials)]
    assert survivors == []
    assert {rule.id: rule.mode for rule in policy.rules}["annotation-required"] == "shadow"


CONDITIONS = [line for block in blocks("cel") for line in block.splitlines()]


@pytest.mark.parametrize("text", CONDITIONS)
def test_its_conditions_are_accepted(text: str) -> None:
    assert compile_condition(make_language({}), text, "docs/policy.md").reading.paths


def test_it_names_every_key_and_function() -> None:
    assert not [key for key in KEYS if f"`{key}`" not in GUIDE and f"`{key}." not in GUIDE]
    unnamed = [name for name in NAMED_FUNCTIONS if not name.startswith("get") and f"`{name}`" not in GUIDE]
    assert unnamed == []
