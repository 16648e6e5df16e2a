"""Rules as people write them: what is read, what is refused, how the pack is adjusted, what the digest covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.helpers import policy_of, rule_of
from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.policy.rules import PACK_ORIGIN, read_policy
from tidegate.settings import Source, parse_settings

FULL = """
[[rule]]
id = "night-deploys"
title = "Nothing goes out at night"
effect = "block"
when.any = ["change.breadth > 2", "change.files_total > 50"]
require = [{ facts = ["change"] }]
on_unknown = "hold"
mode = "shadow"
owner = "@acme/sre"
reason = "Nobody is awake."
since = 2026-01-01
until = "2026-06-30"
"""


def test_a_rule_is_read_whole() -> None:
    (rule,) = policy_of(FULL).rules
    assert (rule.id, rule.title, rule.effect, rule.mode) == (
        "night-deploys", "Nothing goes out at night", "block", "shadow",
    )  # fmt: skip
    assert (rule.quantifier, [c.text for c in rule.conditions]) == (
        "any", ["change.breadth > 2", "change.files_total > 50"],
    )  # fmt: skip
    assert (rule.on_unknown, rule.owner, rule.reason) == ("hold", "@acme/sre", "Nobody is awake.")
    assert (rule.since, rule.until) == ("2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z")
    assert [r.kind for r in rule.requirements] == ["facts"]
    assert rule.origin == "tidegate.toml"


REFUSED = [
    ('title = "x"', "tidegate.toml: a rule needs an id of lower-case words with hyphens"),
    ('id = "Not This"', "a rule needs an id of lower-case words with hyphens"),
    ('id = "outcome"', "a rule needs an id of lower-case words with hyphens"),
    ("id = 5", "a rule needs an id of lower-case words with hyphens"),
    ('id = "a"\nwhen.all = ["true"]\neffect = "hold"', "tidegate.toml, rule a: Object missing required field `title`"),
    (rule_of("true", title='" "'), "tidegate.toml, rule a-rule: the title is empty"),
    (rule_of("true", severity='"high"'), "a rule has no key severity"),
    (rule_of("true", efect='"hold"'), "a rule has no key efect; did you mean effect?"),
    (rule_of("true", effect='"stop"'), 'effect: "stop" is none of "block", '),
    (rule_of("true", mode='"on"'), 'mode: "on" is none of "draft", '),
    (rule_of("true", on_unknown='"pass"'), 'on_unknown: "pass" is none of '),
    (rule_of("true", require="[5]"), "it must be a table, not a whole number"),
    (rule_of("true", require="[{ aprovals = 2 }]"), "rule a-rule, require 1: no obligation is called aprovals"),
    (rule_of("true", since='"soon"'), "tidegate.toml, rule a-rule, since: not a date; write it like 2026-12-31"),
    (rule_of("true", until="2026-01-01T10:00:00"), "rule a-rule, until: not a date"),
    (rule_of("true", until="10:00:00"), "rule a-rule, until: not a date"),
    (rule_of("true") + "when.any = ['true']", "a rule has either when.all or when.any"),
    (rule_of("true").replace("when.all = ['''true''']", "when.all = []"), "when.all is empty"),
    (rule_of("true").replace("when.all = ['''true''']", "when.any = []"), "when.any is empty"),
    (rule_of("true").replace("when.all = ['''true''']", "when = {}"), "a rule has either when.all or when.any"),
    (rule_of("true").replace("when.all", "when.some"), "some"),
    (rule_of("true").replace("'''true'''", "true"), "it must be a text, not true or false"),
    (rule_of("change.bredth > 3"), "tidegate.toml, rule a-rule, condition 1: there is no fact change.bredth"),
    (rule_of("'auht' in change.domains"), 'change.domains is never "auht"; did you mean auth?'),
    (rule_of("true") * 2, "two rules have the id a-rule"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[message[:50] for _, message in REFUSED])
def test_a_rule_that_is_not_right_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        policy_of(text if text.lstrip().startswith("[[rule]]") else f"[[rule]]\n{text}")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_second_condition_is_named_by_its_number() -> None:
    with pytest.raises(InputError, match="rule a-rule, condition 2: "):
        policy_of(rule_of("true").replace("'''true'''", "'true', 'change.bredth == 1'"))


def test_the_pack_applies_and_is_adjusted_by_id() -> None:
    plain = policy_of("", pack="default")
    assert plain.origin == PACK_ORIGIN
    adjusted = policy_of('[[rule]]\nid = "annotation-required"\nmode = "shadow"\n' + rule_of("true"), pack="default")
    assert adjusted.origin == f"{PACK_ORIGIN} and tidegate.toml"
    assert [r.id for r in adjusted.rules] == [*(r.id for r in plain.rules), "a-rule"]
    (before,) = [r for r in plain.rules if r.id == "annotation-required"]
    (after,) = [r for r in adjusted.rules if r.id == "annotation-required"]
    assert (before.mode, after.mode) == ("enforce", "shadow")
    assert (after.title, after.requirements) == (before.title, before.requirements)
    assert after.origin == f"{PACK_ORIGIN}, adjusted in tidegate.toml"


def test_a_key_that_is_not_known_is_refused_in_an_adjustment_too() -> None:
    with pytest.raises(InputError, match="a rule has no key mod; did you mean mode"):
        policy_of('[[rule]]\nid = "annotation-required"\nmod = "shadow"', pack="default")


def test_without_the_pack_an_adjustment_is_an_incomplete_rule() -> None:
    with pytest.raises(InputError, match="rule annotation-required"):
        policy_of('[[rule]]\nid = "annotation-required"\nmode = "shadow"', pack="none")


def test_the_digest_changes_with_what_can_change_a_verdict_and_only_with_that() -> None:
    base = policy_of(rule_of("true")).digest
    assert policy_of("\n# a comment\n" + rule_of("true")).digest == base
    assert policy_of(rule_of("true", mode='"shadow"')).digest != base
    assert policy_of(rule_of("false")).digest != base
    assert policy_of('people.alice.accounts = ["alice"]\n' + rule_of("true")).digest != base
    two = rule_of("true") + rule_of("true", id='"b-rule"')
    swapped = rule_of("true", id='"b-rule"') + rule_of("true")
    assert policy_of(two).digest == policy_of(swapped).digest


def test_domains_of_the_settings_can_be_named() -> None:
    (rule,) = policy_of("domains.billing.paths = ['billing/']\n" + rule_of("'billing' in change.domains")).rules
    assert rule.conditions[0].reading.paths == ("change.domains",)


def test_origins_of_rules_follow_their_files() -> None:
    sources = [
        Source("tidegate.toml at 1a2b3c4", "tidegate.toml", f'policy.pack = "none"\n{rule_of("true")}'.encode()),
        Source("p.toml at 1a2b3c4", ".tidegate/policy/p.toml", rule_of("true", id='"b-rule"').encode()),
    ]
    policy = read_policy(None, "", parse_settings(sources, {}))
    assert [r.origin for r in policy.rules] == ["tidegate.toml at 1a2b3c4", "p.toml at 1a2b3c4"]


def test_owners_count_into_the_digest(tmp_path: Path) -> None:
    loaded = parse_settings([], {})
    repo = Repo.init(tmp_path)
    first = repo.commit("one", {"CODEOWNERS": "* @alice\n"})
    second = repo.commit("two", {"CODEOWNERS": "* @bob\n"})
    third = repo.commit("three", {"README": "words\n"})
    with open_repository(tmp_path) as repository:
        digests = [read_policy(repository, oid, loaded).digest for oid in (first, second, third)]
    assert digests[0] != digests[1]
    assert digests[1] == digests[2]
