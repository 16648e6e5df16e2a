# ruff: noqa: E501 snapshots show each text as one line, as a person reads it
"""Who approves what reaches a critical service: its owners, else owners of the touched files, else anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.obligations.cases import case, commit, facts, file, owners, reaching, review, settings
from tidegate.facts import Facts, Reach, ServiceOwner, Unknown, to_document
from tidegate.policy.case import Case
from tidegate.policy.document import conform
from tidegate.policy.obligations import judge, parse_requirement
from tidegate.policy.verdict import Obligation

ASK = {"approvals": 1, "from": "service-owners"}
CHOSEN = settings(teams={"@org/core": ("bob", "carol"), "insights": ("dave",), "Ops Team": ("carol",)})


def asked(reach: Mapping[str, str] | Reach, accounts: list[str], text: str = "", **parts: Any) -> Obligation:
    table = parts.pop("table", ASK)
    given = facts(reviews=[review(account) for account in accounts], reach=reach, **parts)
    return judge(parse_requirement(table, "a test"), case(given, who_owns=owners(text), chosen=CHOSEN))


@pytest.mark.parametrize(
    ("critical", "accounts", "state"),
    [
        ({"shop": "@bob"}, ["bob"], "met"),
        ({"shop": "@bob"}, ["carol"], "unmet"),
        ({"shop": "@bob"}, ["carol", "bob"], "met"),
        ({"shop": "@bob"}, [], "unmet"),
        ({"shop": "bob"}, ["bob"], "met"),
        ({"shop": "bob@example.com"}, ["bob"], "met"),
        ({"shop": "@org/core"}, ["carol"], "met"),
        ({"shop": "@org/core"}, ["dave"], "unmet"),
        ({"shop": "@bob @carol"}, ["carol"], "met"),
        ({"shop": "Ops Team"}, ["carol"], "met"),
        ({"shop": "insights"}, ["dave"], "met"),
        ({"shop": "group:default/insights"}, ["dave"], "met"),
        ({"shop": "group:insights"}, ["dave"], "met"),
        ({"shop": "default/insights"}, ["dave"], "met"),
        ({"shop": "user:default/bob"}, ["bob"], "met"),
        ({"shop": "group:default/bob"}, ["bob"], "unmet"),
        ({"shop": "group:default/nobody"}, ["bob", "carol", "dave"], "unmet"),
        ({"shop": "@bob", "mail": "@carol"}, ["bob"], "unmet"),
        ({"shop": "@bob", "mail": "@carol"}, ["bob", "carol"], "met"),
        ({"shop": "@bob", "mail": "@bob"}, ["bob"], "met"),
        ({"shop": "@alice"}, ["alice"], "unmet"),
        ({"shop": "@alice"}, ["bob"], "unmet"),
        ({"shop": "@mallory"}, ["mallory", "bob"], "unmet"),
        ({}, ["dave"], "met"),
        ({}, ["alice"], "unmet"),
    ],
)
def test_an_owner_of_each_critical_service_approves(
    critical: Mapping[str, str], accounts: list[str], state: str
) -> None:
    obligation = asked(critical, accounts)
    assert obligation.state == state, obligation.why
    assert bool(obligation.next_step) == (state != "met")


@pytest.mark.parametrize(
    ("critical", "text", "accounts", "state"),
    [
        ({"shop": ""}, "", ["dave"], "met"),
        ({"shop": ""}, "", ["alice"], "unmet"),
        ({"shop": ""}, "* @bob\n", ["dave"], "unmet"),
        ({"shop": ""}, "* @bob\n", ["bob"], "met"),
        ({"shop": ""}, "* @bob\n/docs/ @carol\n", ["carol"], "met"),
        ({"shop": "", "mail": "@dave"}, "* @bob\n", ["bob"], "unmet"),
        ({"shop": "", "mail": "@dave"}, "* @bob\n", ["dave"], "unmet"),
        ({"shop": "", "mail": "@dave"}, "* @bob\n", ["bob", "dave"], "met"),
        ({"shop": "", "mail": "@dave"}, "", ["dave"], "met"),
        ({"shop": "", "mail": "@dave"}, "", ["bob"], "unmet"),
        ({"shop": "  "}, "* @bob\n", ["dave"], "unmet"),
    ],
)
def test_owners_of_the_files_stand_in_for_a_service_that_nobody_owns(
    critical: Mapping[str, str], text: str, accounts: list[str], state: str
) -> None:
    obligation = asked(critical, accounts, text, change={"files": (file("src/a.py"), file("docs/x"))})
    assert obligation.state == state, obligation.why


def test_two_approvals_from_service_owners_are_two_of_them() -> None:
    two = {"approvals": 2, "from": "service-owners"}
    assert asked({"shop": "@org/core"}, ["bob", "dave"], table=two).state == "unmet"
    assert asked({"shop": "@org/core"}, ["bob", "carol"], table=two).state == "met"
    assert asked({"shop": ""}, ["bob", "dave"], table=two).state == "met"


def test_an_approval_that_may_be_a_strangers_own_does_not_cover_a_service() -> None:
    by_zoe = {"commits": (commit("Zoe <zoe@example.net>"),)}
    assert asked({"shop": "@org/core"}, ["bob"], change=by_zoe).state == "unknown"
    assert asked({"shop": "@org/core"}, ["bob", "carol"], change=by_zoe).state == "met"


UNKNOWN = {
    "the whole section": Reach(unknowns=(Unknown("reach", "the collector failed"),)),
    "the owners": reaching(
        {"shop": "@bob"}, status="partial", unknowns=(Unknown("reach.service_owners", "CODEOWNERS is a link"),)
    ),
    "the services": reaching({}, status="partial", unknowns=(Unknown("reach.critical_services", "lost"),)),
    "one of two": reaching({"shop": "@bob", "mail": "@carol"}, service_owners=(ServiceOwner("shop", "@bob"),)),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_approved_by_nobody(name: str) -> None:
    obligation = asked(UNKNOWN[name], ["bob", "carol", "dave"])
    assert obligation.state == "unknown", obligation.why
    assert obligation.why.startswith("reach.")


def test_owners_of_files_that_could_not_be_read_stand_in_for_nobody() -> None:
    given = facts(reviews=[review("bob")], reach={"shop": ""})
    lost = Unknown("change.owners_files", "there is no repository")
    assert judge(parse_requirement(ASK, "a test"), case(given, who_owns=lost)).state == "unknown"


def test_losing_any_fact_about_reach_never_covers_a_service() -> None:
    """Every field and every element, lost, emptied or of another kind, under approvals that do not suffice."""
    given = to_document(facts(reviews=[review("bob")], reach={"shop": "@carol", "mail": "@bob", "jobs": ""}))
    requirement = parse_requirement(ASK, "a test")
    count = 0
    for damaged in _damaged(given):
        document = conform({**given, "reach": damaged})
        count += 1
        judged = judge(requirement, Case(document, owners("* @carol\n"), CHOSEN, ""))
        assert judged.state in ("unmet", "unknown"), damaged
    assert count > 50


def _damaged(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    reach = document["reach"]
    for name, value in reach.items():
        yield {key: kept for key, kept in reach.items() if key != name}
        for other in (None, [], "", {}, 0, "unknown"):
            yield {**reach, name: other}
        for number in range(len(value) if isinstance(value, (list, tuple)) else 0):
            yield {**reach, name: [*value[:number], *value[number + 1 :]]}


def test_what_a_person_reads_who_needs_owners_of_services() -> None:
    obligation = asked({"shop": "@carol", "mail": "group:default/post", "jobs": "@carol"}, ["bob"])
    assert [obligation.text, obligation.why, obligation.next_step] == snapshot(
        [
            "1 approval by owners of the critical services in its reach who did not make the change",
            "0 of 1; no owner of service shop and service jobs (@carol); no owner of service mail (group:default/post); bob is not one of those who are asked",
            'ask carol to approve; nobody knows who is in group:default/post: add "group:default/post" = [...] to [teams]',
        ]
    )


def test_what_a_person_reads_before_there_are_reviews() -> None:
    given: Facts = facts(
        review_section={"status": "unknown", "unknowns": (Unknown("review", "no reviews were given"),)},
        reach={"shop": "@org/core", "mail": "@dave"},
    )
    obligation = judge(parse_requirement(ASK, "a test"), case(given, chosen=CHOSEN))
    assert [obligation.state, obligation.why, obligation.next_step] == snapshot(
        [
            "unknown",
            "review.reviews is unknown: no reviews were given",
            "ask an owner of each service to approve: bob, carol or dave; then check again with --reviews FILE",
        ]
    )
