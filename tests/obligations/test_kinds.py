# ruff: noqa: E501 snapshots show each text as one line, as a person reads it
"""Every kind of obligation: what it asks, what it says when that is missing, and that it never guesses."""

from __future__ import annotations

from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.obligations.cases import (
    case,
    commit,
    declared,
    facts,
    file,
    owners,
    review,
    settings,
    span,
    trailers,
)
from tidegate.errors import InputError
from tidegate.facts import (
    ChangeFacts,
    CoverageFacts,
    EvidenceLines,
    Facts,
    FailBeforeFacts,
    Finding,
    Intent,
    Lines,
    MutationFacts,
    Place,
    Unknown,
)
from tidegate.policy.case import Case
from tidegate.policy.document import conform
from tidegate.policy.obligations import KINDS, judge, parse_requirement
from tidegate.policy.verdict import Obligation

REPLAYED = Finding(
    "note-replayed", "high", "the note of aaaa is on cccc", Place("src/a.py", 3), "git notes remove cccc"
)
SOME = Lines(added=30, ai=5, unknown=25)


def asked(table: dict[str, Any], given: Case) -> Obligation:
    return judge(parse_requirement(table, "a test"), given)


def said(table: dict[str, Any], given: Case) -> list[str]:
    obligation = asked(table, given)
    return [f"{obligation.text} [{obligation.state}, {obligation.due}]", obligation.why, obligation.next_step]


UNMET: dict[str, tuple[dict[str, Any], Case]] = {
    "annotation": (
        {"annotation": True},
        case(facts(provenance={"lines": SOME, "source_lines": SOME, "evidence": EvidenceLines(E4=5, E0=25)})),
    ),
    "accountable": ({"accountable": True}, case(facts(provenance={"unaccountable_lines": 3}))),
    "tests": ({"tests": True}, case(facts(change={"source_lines_added": 120}))),
    "fail_before": (
        {"fail_before": 1},
        case(facts(verification={"tests": FailBeforeFacts(ran=3, pass_before=2, unknown=1)})),
    ),
    "covered": (
        {"covered": 0.8, "in": "critical"},
        case(facts(verification={"coverage": CoverageFacts(lines=9, share=0.9, critical_lines=4, critical_share=0.5)})),
    ),
    "killed": (
        {"killed": 0.7},
        case(facts(verification={"mutation": MutationFacts(mutants=3, killed=1, survived=2, killed_share=0.333)})),
    ),
    "reason": ({"reason": "tests"}, case(facts())),
    "split": ({"split": 2}, case(facts(change={"breadth": 3, "domains": ("auth", "ci-cd", "payments")}))),
    "ticket": ({"ticket": True}, case(facts())),
    "rollback": ({"rollback": True}, case(facts())),
    "intent": ({"intent": True}, case(facts(change={"intent": Intent(what="Faster")}))),
    "trailers": ({"trailers": True}, case(facts(provenance={"declarations": ()}), chosen=trailers("require"))),
    "facts": (
        {"facts": ["change"]},
        case(facts(change={"status": "partial", "unknowns": (Unknown("change.merges", "the clone is shallow"),)})),
    ),
    "clean": ({"clean": ["note-replayed"]}, case(facts(provenance={"findings": (REPLAYED, REPLAYED)}))),
    "approvals": (
        {"approvals": 2, "from": "owners"},
        case(
            facts(
                reviews=[review("alice"), review("mallory"), review("bob")],
                change={"files": (file("src/a.py"), file("docs/x.md"))},
            ),
            who_owns=owners("* @bob @dave\n/docs/ @carol @org/writers\n"),
        ),
    ),
}


def test_every_kind_is_here() -> None:
    assert set(UNMET) == set(KINDS)


def test_what_a_person_reads_who_has_to_annotate() -> None:
    assert said(*UNMET["annotation"]) == snapshot(
        [
            "Every added source line says who or what wrote it [unmet, push]",
            "nothing says who or what wrote 25 of 30 added source lines",
            "tidegate annotate bbbbbbbbbb..cccccccccc --tool TOOL --model MODEL for what an agent wrote; "
            "tidegate annotate bbbbbbbbbb..cccccccccc --human for what people typed",
        ]
    )


def test_what_a_person_reads_when_nobody_answers() -> None:
    assert said(*UNMET["accountable"]) == snapshot(
        [
            "A person answers for every AI line [unmet, push]",
            "nobody answers for 3 AI lines",
            "whoever asked the agent runs: tidegate annotate bbbbbbbbbb..cccccccccc --tool TOOL --model MODEL",
        ]
    )


def test_what_a_person_reads_who_has_to_add_tests() -> None:
    assert said(*UNMET["tests"]) == snapshot(
        [
            "The change brings tests [unmet, push]",
            "120 source lines added and no line of tests",
            "add a test that fails without this change; [files] tests = [...] names test files that were missed",
        ]
    )


def test_what_a_person_reads_who_has_to_split() -> None:
    assert said(*UNMET["split"]) == snapshot(
        [
            "The change touches at most 2 domains [unmet, commit]",
            "it touches 3 at once: auth, ci-cd and payments",
            "propose it in parts, one domain after the other: git reset --soft to the base, then commit each part",
        ]
    )


def test_what_a_person_reads_who_has_to_name_a_ticket() -> None:
    assert said(*UNMET["ticket"]) == snapshot(
        [
            "The description names a ticket [unmet, push]",
            "no ticket in the description",
            "add a line such as `Ticket: ABC-123` or `Fixes #12` to the description",
        ]
    )


def test_what_a_person_reads_who_has_to_plan_a_roll_back() -> None:
    assert said(*UNMET["rollback"]) == snapshot(
        [
            "The description says how to take the change back [unmet, push]",
            "no roll-back plan in the description",
            "add a heading `## Roll-back` or a line `Rollback: ...` that says how to undo it and what is lost then",
        ]
    )


def test_what_a_person_reads_who_has_to_say_why() -> None:
    assert said(*UNMET["intent"]) == snapshot(
        [
            "The description says what the change does and why [unmet, push]",
            "it does not say why",
            "say in the description, or in the last commit's message, what changes and, in a line `Why: ...`, the reason",
        ]
    )


def test_what_a_person_reads_who_has_to_declare() -> None:
    assert said(*UNMET["trailers"]) == snapshot(
        [
            "Commit messages declare AI help as [provenance] trailers asks [unmet, push]",
            "in cccccccccc there are AI lines and no trailer that declares them",
            "tidegate annotate bbbbbbbbbb..cccccccccc --tool TOOL --model MODEL --trailer",
        ]
    )


def test_what_a_person_reads_who_must_not_declare() -> None:
    mark = declared("Co-authored-by: Claude <noreply@anthropic.com>", "trailer co-authored-by")
    given = case(facts(provenance={"declarations": (mark,)}), chosen=trailers("forbid"))
    assert said({"trailers": True}, given) == snapshot(
        [
            "Commit messages declare AI help as [provenance] trailers asks [unmet, push]",
            "in cccccccccc a trailer declares an agent, and this repository forbids that",
            "take it out with git commit --amend or git rebase -i; the note keeps the attribution",
        ]
    )


def test_what_a_person_reads_when_a_part_could_not_be_read() -> None:
    assert said(*UNMET["facts"]) == snapshot(
        [
            "All facts about the change are known [unmet, push]",
            "change.merges is unknown: the clone is shallow",
            "mend what the reason names (a shallow clone: git fetch --unshallow), then run the check again",
        ]
    )


def test_what_a_person_reads_about_a_note_that_is_not_true() -> None:
    assert said(*UNMET["clean"]) == snapshot(
        [
            "No check finds note-replayed [unmet, push]",
            "note-replayed at src/a.py:3: the note of aaaa is on cccc (1 more finding like it)",
            "git notes remove cccc",
        ]
    )


def test_what_a_person_reads_who_needs_approvals() -> None:
    assert said(*UNMET["approvals"]) == snapshot(
        [
            "2 approvals by owners of the touched files who did not make the change [unmet, merge]",
            "1 of 2: bob; no owner of docs/x.md (@carol or @org/writers); alice prompted the agent that wrote it; mallory is in no entry of [people]",
            'ask carol to approve; nobody knows who is in @org/writers: add "@org/writers" = [...] to [teams]; add [people.NAME] with accounts = ["mallory"] to tidegate.toml on the target branch',
        ]
    )


def test_what_a_person_reads_before_there_are_reviews() -> None:
    reason = Unknown("review", "no reviews were given")
    given = case(facts(review_section={"status": "unknown", "unknowns": (reason,)}))
    assert said({"approvals": 1}, given) == snapshot(
        [
            "1 approval by a person who did not make the change [unknown, merge]",
            "review.reviews is unknown: no reviews were given",
            "ask bob, carol or dave to approve; then check again with --reviews FILE",
        ]
    )


@pytest.mark.parametrize(
    ("terms", "owned", "ask"),
    [
        ({"approvals": 1, "from": "owners"}, "* @bob @dave\n", "ask bob or dave to approve"),
        ({"approvals": 1, "from": "owners"}, "* @bob\n/docs/ @carol\n", "ask bob and carol to approve"),
        ({"approvals": 1, "from": "owners"}, "* @bob\n/docs/ @bob @carol\n", "ask bob or carol to approve"),
        ({"approvals": 2}, "", "ask 2 of bob, carol and dave to approve"),
        ({"approvals": 3}, "", "ask bob, carol and dave to approve"),
        ({"approvals": 1, "from": "owners"}, "* @bob @dave\n/docs/ @carol\n", "ask an owner of each file to approve: "),
    ],
)
def test_everybody_who_is_needed_is_asked_at_once(terms: dict[str, Any], owned: str, ask: str) -> None:
    reason = Unknown("review", "no reviews were given")
    files = (file("src/a.py"), file("docs/x.md"))
    given = facts(review_section={"status": "unknown", "unknowns": (reason,)}, change={"files": files})
    assert said(terms, case(given, who_owns=owners(owned)))[2].startswith(ask)


def test_what_a_person_reads_in_a_repository_without_an_identity_map() -> None:
    given = case(facts(reviews=[review("bob")]), chosen=settings(people={}, teams={}))
    assert said({"approvals": 1}, given) == snapshot(
        [
            "1 approval by a person who did not make the change [unmet, merge]",
            "0 of 1; bob is in no entry of [people]",
            'say in tidegate.toml on the target branch who may approve: [people.NAME] with accounts = ["..."] and emails = ["..."]',
        ]
    )


def test_what_a_person_reads_whose_only_owner_made_the_change() -> None:
    given = case(facts(reviews=[review("bob")]), who_owns=owners("* @alice\n"))
    assert said({"approvals": 1, "from": "owners"}, given) == snapshot(
        [
            "1 approval by owners of the touched files who did not make the change [unmet, merge]",
            "0 of 1; no owner of src/a.py (@alice); bob is not one of those who are asked",
            "everybody who may approve helped to make it, or is in no entry of [people]: name another owner",
        ]
    )


def test_what_a_person_reads_about_a_contributor_whom_nobody_knows() -> None:
    given = case(facts(reviews=[review("bob")], change={"commits": (commit("Zoe <zoe@example.net>"),)}))
    assert said({"approvals": 1}, given) == snapshot(
        [
            "1 approval by a person who did not make the change [unknown, merge]",
            "bob approved, but Zoe <zoe@example.net> is in no entry of [people] and may be among them",
            'add [people.NAME] with emails = ["zoe@example.net"] to tidegate.toml on the target branch, or get 1 more approval',
        ]
    )


MET: dict[str, tuple[dict[str, Any], Case]] = {
    "annotation": ({"annotation": True}, case(facts())),
    "accountable": ({"accountable": True}, case(facts())),
    "tests": ({"tests": True}, case(facts(change={"test_lines_added": 4, "test_files": 1}))),
    "fail_before": ({"fail_before": 1}, case(facts(verification={"tests": FailBeforeFacts(ran=1, fail_before=1)}))),
    "covered": ({"covered": 0.8}, case(facts(verification={"coverage": CoverageFacts(lines=5, covered=4, share=0.8)}))),
    "killed": ({"killed": 1}, case(facts(verification={"mutation": MutationFacts(mutants=2, killed=2)}))),
    "reason": ({"reason": "tests"}, case(facts(change={"intent": Intent(tests="the order never mattered")}))),
    "split": ({"split": 3}, case(facts(change={"breadth": 3, "domains": ("auth", "ci-cd", "payments")}))),
    "ticket": ({"ticket": True}, case(facts(change={"intent": Intent(ticket="ABC-1")}))),
    "rollback": ({"rollback": True}, case(facts(change={"intent": Intent(rollback="revert it")}))),
    "intent": ({"intent": True}, case(facts(change={"intent": Intent(what="Faster", why="Slow")}))),
    "trailers": (
        {"trailers": True},
        case(facts(provenance={"declarations": (declared("x", "trailer assisted-by"),)}), chosen=trailers("require")),
    ),
    "facts": ({"facts": ["change", "provenance"]}, case(facts())),
    "clean": ({"clean": ["note-orphan-key"]}, case(facts(provenance={"findings": (REPLAYED,)}))),
    "approvals": ({"approvals": 1}, case(facts(reviews=[review("bob")]))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_obligation_that_is_met_has_no_next_step(kind: str) -> None:
    obligation = asked(*MET[kind])
    assert (obligation.state, obligation.next_step) == ("met", ""), obligation.why
    assert obligation.why


@pytest.mark.parametrize("kind", KINDS)
def test_taking_any_fact_away_never_meets_an_obligation(kind: str) -> None:
    table, unmet = UNMET[kind]
    assert asked(table, unmet).state != "met"
    for section, values in unmet.document.items():
        for name in values if isinstance(values, dict) else ():
            less = conform({**unmet.document, section: {k: v for k, v in values.items() if k != name}})
            assert asked(table, Case(less, unmet.owners, unmet.settings, unmet.policy_digest)).state != "met", name


@pytest.mark.parametrize("kind", KINDS)
def test_an_obligation_over_nothing_at_all_is_not_met(kind: str) -> None:
    given = Case(case(Facts(now="2026-01-01T00:00:00Z")).document, owners(), settings(), "")
    wish = trailers("require") if kind == "trailers" else settings()
    obligation = asked(MET[kind][0], Case(given.document, given.owners, wish, ""))
    assert obligation.state != "met"
    assert obligation.next_step


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "a test: no obligation is called nothing; known: accountable, annotation, approvals, clean"),
        ({"approval": 1}, "a test: no obligation is called approval; did you mean approvals?"),
        ({"approvals": 1, "form": "owners"}, "a test: there is no setting form; did you mean from?"),
        ({"approvals": 0}, "a test: approvals = 0: ask for 1 to 20"),
        ({"approvals": -1}, "a test: approvals = -1: ask for 1 to 20"),
        ({"approvals": 99}, "a test: approvals = 99: ask for 1 to 20"),
        ({"approvals": "2"}, "a test: approvals: it must be a whole number, not a text"),
        ({"approvals": True}, "a test: approvals: it must be a whole number, not true or false"),
        ({"approvals": 1, "from": []}, "a test: from = [] is nobody"),
        ({"approvals": 1, "from": ["alice", " "]}, 'a test: from names nobody: "" is not a person or a team'),
        ({"approvals": 1, "from": "everybody"}, "a test: from"),
        ({"approvals": 1, "kind": "robot"}, 'a test: kind: "robot" is none of "human"'),
        ({"approvals": 1, "not": ["owner"]}, 'a test: not[0]: "owner" is none of "author", "prompter", "committer"'),
        ({"tests": False}, "a test: tests = false asks nothing: leave it out"),
        ({"tests": 1}, "a test: tests: it must be true or false, not a whole number"),
        ({"tests": True, "lines": 3}, "a test: there is no setting lines"),
        ({"tests": True, "split": True}, "a test: tests and split are two obligations in one table"),
        ({"fail_before": 0}, "a test: fail_before = 0: ask for 1 to 1,000"),
        ({"covered": 0}, "a test: covered = 0: ask for more than 0 and at most 1"),
        ({"covered": 80}, "a test: covered = 80: ask for more than 0 and at most 1"),
        ({"killed": 0.5, "in": "auth"}, 'a test: in: "auth" is none of "all", "critical"'),
        ({"reason": "size"}, 'a test: reason: "size" is'),
        ({"split": 0}, "a test: split is the greatest number of domains"),
        ({"split": False}, "a test: split is the greatest number of domains"),
        ({"clean": []}, "a test: clean = [] asks nothing"),
        ({"clean": ["Note Replayed"]}, "a test: 'Note Replayed' is no id of a finding"),
        ({"clean": ["note-replayed"], "of": ["notes"]}, "a test: of names sections of the facts"),
        ({"facts": []}, "a test: facts = [] asks nothing"),
        ({"facts": ["chnage"]}, "a test: no section of the facts is called chnage"),
    ],
)
def test_a_requirement_that_asks_nothing_or_is_misspelt_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_requirement(table, "a test")
    assert str(caught.value).startswith(message)


def test_a_hostile_branch_name_gets_into_no_command() -> None:
    change = {"base": "", "head": "$(reboot)", "head_tree": "d" * 40, "target": "`reboot`"}
    given = case(facts(change=change, provenance={"unaccountable_lines": 1}))
    assert asked({"accountable": True}, given).next_step.startswith(
        "whoever asked the agent runs: tidegate annotate HEAD "
    )


def test_hostile_text_stays_on_one_line() -> None:
    spans = (span(oid="\x1b[31mx\n" * 9),)
    given = case(facts(provenance={"spans": spans, "declarations": ()}), chosen=trailers("require"))
    assert asked({"trailers": True}, given).why.isprintable()


def test_the_default_facts_of_the_tests_fit_the_document() -> None:
    assert case(facts()).document["change"]["status"] == "complete"
    assert case(facts()).document["provenance"]["status"] == "complete"
    assert isinstance(facts().change, ChangeFacts)
