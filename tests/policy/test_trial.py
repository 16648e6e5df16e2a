"""Tests of rules, and whether they would notice a change to the rule."""

from __future__ import annotations

import pytest

from tests.policy.helpers import policy_of, rule_of
from tidegate.errors import InputError
from tidegate.policy.trial import neutral_document, parse_trials, run_trials, surviving_mutants, untested

RULES = rule_of("change.breadth > 3 && 'auth' in change.domains", effect='"block"') + rule_of(
    "change.files.exists(f, f.critical && f.added > 10)", id='"b-rule"'
)


def test_tests_pass_and_fail() -> None:
    policy = policy_of(RULES)
    trials = parse_trials(
        b"""
        [[test]]
        name = "broad and sensitive"
        given = { change.breadth = 4, change.domains = ["auth"] }
        expect = { a-rule = "fired", b-rule = "idle", outcome = "block" }

        [[test]]
        name = "one big critical file"
        given."change.files" = [{ path = "a.py", critical = true, added = 11 }]
        expect = { b-rule = "fired", outcome = "hold" }

        [[test]]
        name = "what is lost holds"
        unknown = ["change.files"]
        expect = { b-rule = "unknown", outcome = "hold" }

        [[test]]
        name = "wrong on purpose"
        stage = "push"
        given.change.breadth = 3
        expect = { a-rule = "fired", outcome = "block" }
        """,
        "t.toml",
        policy,
    )
    results = run_trials(policy, trials)
    assert [result.problems for result in results] == [
        (), (), (), ("a-rule is idle, expected fired", "the outcome is pass, expected block"),
    ]  # fmt: skip
    assert untested(policy, trials) == ()
    assert untested(policy, trials[1:3]) == ("a-rule",)


def test_totals_and_shares_follow_from_what_is_given() -> None:
    policy = policy_of(
        rule_of(
            "change.files_total == 2 && change.breadth == 1 && provenance.lines.added == 12 "
            "&& provenance.ai_share == 0.75 && provenance.evidence.E0 == 12 && review.reviews_total == 1"
        )
    )
    (trial,) = parse_trials(
        b"""
        [[test]]
        name = "all follows"
        given.change.files = [{ path = "a" }, { path = "b" }]
        given.change.domains = ["auth"]
        given.provenance.lines = { ai = 8, mixed = 1, unknown = 3 }
        given.review.reviews = [{ account = "bob", state = "approved" }]
        expect.a-rule = "fired"
        """,
        "t.toml",
        policy,
    )
    assert run_trials(policy, [trial])[0].problems == ()


REFUSED = [
    ('name = "x"\nexpect = { a-rul = "fired" }', "there is no rule a-rul; did you mean a-rule?"),
    ('name = "x"\nexpect = { a-rule = "red" }', 'expect: [...]: "red" is none of "idle", '),
    ('name = "x"\nexpect = { outcome = "red" }', "there is no outcome red"),
    ('name = "x"\nexpect = {}', "the test expects nothing"),
    ('name = "x"\nexpect.a-rule = "fired"\ngiven.change.bredth = 1', "there is no fact change.bredth; did you mean"),
    (
        'name = "x"\nexpect.a-rule = "fired"\ngiven.change.breadth = "1"',
        "change.breadth cannot be given so: it does not",
    ),
    (
        'name = "x"\nexpect.a-rule = "fired"\ngiven.change.files = [{ pth = "a" }]',
        "there is no fact change.files[].pth",
    ),
    ('name = "x"\nexpect.a-rule = "fired"\ngiven.change.files_total = 3', "the list and its total differ"),
    ('name = "x"\nexpect.a-rule = "fired"\nunknown = ["change.bredth"]', "there is no fact change.bredth"),
    ('name = "x"\nexpect.a-rule = "fired"\nstages = "push"', "there is no setting stages"),
    ('expect.a-rule = "fired"', "test 'without a name'"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_a_test_that_is_not_right_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse_trials(f"[[test]]\n{text}".encode(), "t.toml", policy_of(RULES))
    assert message in str(error.value)


def test_a_file_of_tests_holds_only_tests() -> None:
    with pytest.raises(InputError, match=r"only \[\[test\]\], not rule"):
        parse_trials(b"rule = []", "t.toml", policy_of(RULES))


def test_mutants_that_no_test_notices_are_named() -> None:
    policy = policy_of(rule_of("change.breadth > 3"))
    weak = b'[[test]]\nname = "far"\ngiven.change.breadth = 9\nexpect.a-rule = "fired"\n'
    edges = weak.replace(b"9", b"4") + weak.replace(b"9", b"3").replace(b"fired", b"idle")
    assert [(m.change, m.text) for m in surviving_mutants(policy, parse_trials(weak, "t", policy))] == [
        ("condition 1: > became >=", "change.breadth >= 3"),
        ("condition 1: 3 became 4", "change.breadth > 4"),
    ]
    assert surviving_mutants(policy, parse_trials(edges, "t", policy)) == ()


def test_every_kind_of_change_is_tried() -> None:
    text = "!(change.title == 'a > b' || change.labels.exists(l, l != 'x')) && change.files_total <= 2"
    policy = policy_of(rule_of(text).replace("when.all = [", "when.all = ['change.breadth < 1', "))
    always = b'[[test]]\nname = "x"\ngiven.change.labels = ["y"]\nexpect.a-rule = "idle"\n'
    kinds = {
        m.change.partition(": ")[2] or m.change for m in surviving_mutants(policy, parse_trials(always, "", policy))
    }
    assert "condition 1 left out" in kinds
    assert "< became <=" in kinds
    assert "> became >=" not in kinds  # that one stands inside a text


def test_the_neutral_document_is_complete_and_consistent() -> None:
    from tidegate.policy.document import conform

    assert conform(neutral_document()) == neutral_document()
