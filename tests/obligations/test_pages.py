"""Every rule of the pack has a page that a person can act on, and every example in it is right."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from tidegate.change.codeowners import NO_OWNERS
from tidegate.policy.explanation import page_ids, read_page
from tidegate.policy.obligations import parse_requirement
from tidegate.policy.rules import RuleTable, make_policy, read_pack
from tidegate.settings import Settings, Source, parse_settings

RULES = tuple(str(entry.table["id"]) for entry in read_pack())
FINDINGS = sorted(
    set(re.findall(r'"(codeowners-[a-z-]+)"', (files("tidegate.change") / "codeowners.py").read_text("utf-8")))
)


def without_examples(page: str) -> str:
    return re.sub(r"```.*?```", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("rule", RULES)
def test_the_page_of_a_rule_says_what_why_and_how(rule: str) -> None:
    page = without_examples(read_page(rule))
    title = next(str(entry.table["title"]) for entry in read_pack() if entry.table["id"] == rule)
    assert page.startswith(f"# {rule}\n{title}.\n\n## What it asks\n")
    headings = ["What it asks", "Why", "How to satisfy it", "How to tune it"]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == headings
    assert "```toml" in read_page(rule).partition("## How to tune it")[2]


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_page_of_a_finding_says_what_it_means_and_the_mend(finding: str) -> None:
    headings = re.findall(r"^## (.+)$", without_examples(read_page(finding)), re.MULTILINE)
    assert headings == ["What it means", "How to mend it"]


def test_every_finding_about_codeowners_has_a_page_and_no_page_is_left_over() -> None:
    assert len(FINDINGS) == 6
    assert {page for page in page_ids() if page.startswith("codeowners-")} == set(FINDINGS)


@pytest.mark.parametrize("rule", RULES)
def test_every_example_of_a_page_is_a_sound_configuration(rule: str) -> None:
    for number, example in enumerate(re.findall(r"```toml\n(.*?)```", read_page(rule), re.DOTALL)):
        loaded = parse_settings([Source(f"example {number}", "tidegate.toml", example.encode())], {})
        own = [RuleTable(table, "the example") for table in loaded.settings.rule]
        policy = make_policy(own, NO_OWNERS, loaded.settings)
        assert {str(table["id"]) for table in loaded.settings.rule} <= {r.id for r in policy.rules}


@pytest.mark.parametrize("entry", read_pack(), ids=RULES)
def test_every_rule_is_whole(entry: RuleTable) -> None:
    table = entry.table
    assert table["owner"] == "tidegate"
    assert str(table["reason"]).endswith(".")
    assert len(str(table["title"])) <= 64
    if table["effect"] in ("warn", "note"):
        assert "on_unknown" in table
        assert "require" not in table
    else:
        assert "on_unknown" not in table
        assert [parse_requirement(required, "pack") for required in table.get("require", [{"intent": True}])]


def test_the_pack_is_small_and_in_the_order_in_which_a_person_acts() -> None:
    assert len(RULES) <= 36
    dues = [
        rule.requirements[0].kind == "approvals"
        for rule in make_policy([], NO_OWNERS, Settings()).rules
        if rule.requirements
    ]
    assert dues == sorted(dues)
