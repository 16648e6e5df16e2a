"""Every effect and every rule has a page, and the rules that pages show are rules."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import get_args

import pytest

from tests.docs.generate import severities
from tests.policy.helpers import policy_of
from tidegate.facts import EffectCode
from tidegate.policy.explanation import page_ids, read_page

CODES = get_args(EffectCode)
PACK = tomllib.loads((files("tidegate.policy") / "packs" / "default.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("code", CODES)
def test_every_effect_has_a_page_that_says_how_grave_it_is(code: str) -> None:
    page = read_page("infra-" + code.lower().replace("_", "-"))
    heads = re.findall(r"^## (.*)$", page, flags=re.MULTILINE)
    assert heads == ["What it means", "How grave it is", "Why", "How to do it safely"]
    assert severities(page), "the first lines of `How grave it is` name severities in bold"


def test_every_rule_of_the_pack_has_a_page() -> None:
    assert not [rule["id"] for rule in PACK["rule"] if rule["id"] not in page_ids()]


def test_rules_name_effects_that_there_are() -> None:
    shown = " ".join(condition for rule in PACK["rule"] for kind in rule["when"].values() for condition in kind)
    named = set(re.findall(r'"([A-Z][A-Z_]{3,})"', shown))
    assert named
    assert named <= set(CODES)


RULES = [
    (id_, block)
    for id_ in page_ids()
    for block in re.findall(r"^```toml\n(.*?)^```", read_page(id_), flags=re.MULTILINE | re.DOTALL)
    if "[[rule]]" in block
]


@pytest.mark.parametrize(("id_", "block"), RULES, ids=[f"{id_}-{place}" for place, (id_, _) in enumerate(RULES)])
def test_a_rule_on_a_page_is_one(id_: str, block: str) -> None:
    assert id_ in {rule.id for rule in policy_of(block, pack="default").rules}
