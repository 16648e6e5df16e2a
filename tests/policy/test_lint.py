"""What lint says of a policy: everything that is wrong, and what is likely not meant."""

from __future__ import annotations

from tests.policy.helpers import NOW, rule_of
from tidegate.policy.folder import own_rules
from tidegate.policy.lint import Remark, lint
from tidegate.settings import Source, parse_settings


def remarks_of(text: str, pack: str = "none") -> list[Remark]:
    loaded = parse_settings([Source("t.toml", "tidegate.toml", f'policy.pack = "{pack}"\n{text}'.encode())], {})
    return list(lint(own_rules(loaded), loaded.settings, NOW))


def test_every_error_is_named_not_only_the_first() -> None:
    text = rule_of("change.bredth > 1") + rule_of("true", id='"b-rule"', efect='"x"')
    assert [str(remark) for remark in remarks_of(text)] == [
        "error: t.toml, rule a-rule, condition 1: there is no fact change.bredth; did you mean change.breadth?",
        "error: t.toml, rule b-rule: a rule has no key efect; did you mean effect?",
    ]


def test_two_rules_with_one_id_are_an_error() -> None:
    (remark,) = remarks_of(rule_of("true") * 2)
    assert (remark.level, remark.what) == ("error", "two rules have the id a-rule")


def test_a_sound_rule_raises_nothing() -> None:
    assert remarks_of(rule_of("change.breadth > 3", owner='"@sre"')) == []
    assert remarks_of(rule_of("true", owner='"@sre"')) == []
    assert remarks_of("", pack="default") == []


def test_what_is_likely_not_meant_is_a_warning() -> None:
    text = (
        rule_of("verification.mutation.killed_share < 0.5", id='"a"', effect='"block"')
        + rule_of("true", id='"b"', until="2026-01-01", owner='"@sre"')
        + rule_of("true", id='"c"', mode='"shadow"', owner='"@sre"')
        + rule_of("change.breadth > 1", id='"d"', effect='"block"', on_unknown='"warn"', owner='"@sre"')
        + rule_of("1 > 2", id='"e"', owner='"@sre"')
        + rule_of("2 > 1", id='"f"', owner='"@sre"')
    )
    found = [(remark.where.rpartition(" ")[2], remark.what) for remark in remarks_of(text)]
    assert all(remark.level == "warning" for remark in remarks_of(text))
    assert found == [
        ("a", "nobody owns it"),
        ("b", "it ended at 2026-01-02T00:00:00Z"),
        ("c", "it is in shadow mode without an end"),
        ("d", "on_unknown = warn is weaker than effect = block: losing a fact lets more through"),
        ("e", "the condition 1 > 2 reads no fact: it is always false"),
        ("f", "the condition 2 > 1 reads no fact: it is always true"),
    ]


def test_the_pack_is_as_sound_as_it_asks_others_to_be() -> None:
    from tidegate.policy.rules import PACK_ORIGIN, read_pack
    from tidegate.settings import PolicySettings, Settings

    own = [entry._replace(origin="the pack") for entry in read_pack()]
    assert PACK_ORIGIN != "the pack"
    assert lint(own, Settings(policy=PolicySettings(pack="none")), NOW) == ()


def test_a_member_of_a_team_whom_nobody_knows_is_named() -> None:
    people = '[people.alice]\naccounts = ["alice"]\n[teams]\n"@acme/core" = ["alice", "alcie"]\n'
    assert [str(remark) for remark in remarks_of(people)] == [
        'warning: teams."@acme/core": alcie is in no entry of [people], and counts for nobody; did you mean alice?'
    ]
