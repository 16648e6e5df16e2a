"""Who may approve what: every way that was thought of to get a change through without a second person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.obligations.cases import (
    ALICE,
    CLAUDE,
    HEAD,
    PEOPLE,
    TREE,
    case,
    commit,
    declared,
    facts,
    file,
    owners,
    review,
    settings,
    span,
)
from tidegate.facts import AccountableFact, Unknown
from tidegate.policy.obligations import judge, parse_requirement
from tidegate.policy.verdict import Obligation
from tidegate.settings import Identity

LATER = "2026-03-01T11:00:00Z"
HUMAN = {"prompters": (), "accountable": (), "spans": (span(writer="human"),), "declarations": ()}


def asked(table: dict[str, Any] | None = None, **parts: Any) -> Obligation:
    outside = {k: parts.pop(k) for k in ("who_owns", "chosen", "digest") if k in parts}
    requirement = parse_requirement(table or {"approvals": 1}, "a test")
    return judge(requirement, case(facts(**parts), **outside))


def by(author: str, committer: str = ALICE, **provenance: Any) -> dict[str, Any]:
    """A change that this author wrote by hand, and Alice committed."""
    return {"change": {"commits": (commit(author, committer),)}, "provenance": {**HUMAN, **provenance}}


ACCEPTED: dict[str, dict[str, Any]] = {
    "another person": {"reviews": [review("bob")]},
    "their other account": {"reviews": [review("bob-alt")]},
    "an account in other letters": {"reviews": [review("BOB", person="bob", kind="human")]},
    "a person whom the forge gives no kind": {"reviews": [review("bob", kind="unknown")]},
    "the same tree under another commit": {"reviews": [review("bob", commit="e" * 40)]},
    "the head commit, its tree unread": {"reviews": [review("bob", tree="")]},
    "a review that names no target": {"reviews": [review("bob", target="")]},
    "a review of this policy": {"reviews": [review("bob", policy="policy-1")]},
    "a comment after approving": {"reviews": [review("bob"), review("bob", "commented", at=LATER)]},
    "approving after asking for changes": {"reviews": [review("bob", "changes-requested"), review("bob", at=LATER)]},
    "approving anew after a dismissal": {"reviews": [review("bob", "dismissed"), review("bob", at=LATER)]},
    "approving twice": {"reviews": [review("bob"), review("bob", at=LATER)]},
    "a bot that asks for changes": {
        "reviews": [review("bob"), review("linter[bot]", "changes-requested", kind="bot", at=LATER)]
    },
    "the author who asks for changes": {"reviews": [review("bob"), review("alice", "changes-requested", at=LATER)]},
    "a forge as committer": {
        "reviews": [review("bob")],
        "change": {"commits": (commit(committer="GitHub <noreply@github.com>"),)},
    },
    "a dependency bot as author": {
        "reviews": [review("bob")],
        "change": {
            "commits": (commit("dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>", ALICE),),
            "author": "dependabot[bot]",
        },
        "provenance": {**HUMAN, "authors": (), "spans": ()},
    },
    "an agent whose address only the table of signatures knows": {
        "reviews": [review("bob")],
        "change": {"commits": (commit("aider (gpt-5) <aider@desk.example>", "aider (gpt-5) <aider@desk.example>"),)},
        "provenance": {"declarations": (declared("aider (gpt-5) <aider@desk.example>"),)},
    },
    "a stranger's change with one approval more": {
        "reviews": [review("bob"), review("carol")],
        **by("Zoe <zoe@example.net>"),
    },
    "a forge that does not say when it was opened": {"reviews": [review("bob")], "review_section": {"opened_at": ""}},
}

REFUSED: dict[str, dict[str, Any]] = {
    "no review": {},
    "a comment": {"reviews": [review("bob", "commented")]},
    "a dismissed approval": {"reviews": [review("bob", "dismissed")]},
    "a bot": {"reviews": [review("ci", kind="bot")]},
    "a bot by its name": {"reviews": [review("renovate[bot]", kind="human", person="bob")]},
    "an app that has an account in the identity map": {"reviews": [review("bob", kind="bot")]},
    "a well-known app without the mark": {"reviews": [review("coderabbitai", kind="human")]},
    "a bot of a project": {"reviews": [review("project_7_bot_0a1b", kind="human", person="bob")]},
    "an unknown account": {"reviews": [review("mallory")]},
    "an unknown account that the review gives to a person": {
        "reviews": [review("mallory", person="bob", kind="human")]
    },
    "an account that the review gives to another person": {"reviews": [review("alice", person="bob")]},
    "an account that the review gives to nobody": {"reviews": [review("bob", person="")]},
    "an empty account": {"reviews": [review("", person="bob", kind="human")]},
    "a look-alike in another script": {"reviews": [review("b\u043eb", person="bob", kind="human")]},
    "a look-alike that folds to ASCII": {
        "reviews": [review("\u212aate", person="kate", kind="human")],
        "chosen": settings(people={**PEOPLE, "kate": Identity(accounts=("kate",))}),
    },
    "an account with a space that does not show": {"reviews": [review("bob\u200b", person="bob", kind="human")]},
    "an account with white space": {"reviews": [review(" bob", person="bob", kind="human")]},
    "the prompter": {"reviews": [review("alice")]},
    "the prompter by a second account": {"reviews": [review("alice-two")]},
    "the prompter in other letters": {"reviews": [review("ALICE", person="alice", kind="human")]},
    "the prompter by e-mail in the note": {
        "reviews": [review("bob")],
        "provenance": {"prompters": ("Bob <bob@example.com>",)},
    },
    "the prompter by e-mail in other letters": {
        "reviews": [review("bob")],
        "provenance": {"prompters": ("B <BOB@Example.com>",)},
    },
    "the prompter by a noreply address": {
        "reviews": [review("bob")],
        "provenance": {"prompters": ("x <1234+bob@users.noreply.github.com>",)},
    },
    "the prompter by an old noreply address": {
        "reviews": [review("bob")],
        "provenance": {"prompters": ("Bob <bob-alt@users.noreply.github.com>",)},
    },
    "the prompter by a noreply address of GitLab": {
        "reviews": [review("bob")],
        "provenance": {"prompters": ("Bob <77-bob@users.noreply.gitlab.com>",)},
    },
    "the prompter by account": {"reviews": [review("bob")], "provenance": {"prompters": ("@bob",)}},
    "the prompter by name alone": {"reviews": [review("bob")], "provenance": {"prompters": ("Bob Jones <>",)}},
    "whoever answers for the AI lines": {
        "reviews": [review("bob")],
        "provenance": {"accountable": (AccountableFact("bob", 5, 5),)},
    },
    "whom a session names": {"reviews": [review("bob")], "provenance": {"spans": (span("bob"),)}},
    "an unknown prompter": {"reviews": [review("bob")], "provenance": {"unaccountable_lines": 3}},
    "a prompter whom nobody knows": {
        "reviews": [review("bob")],
        "provenance": {"prompters": ("Agent runner <runner@host.example>",)},
    },
    "the author": {"reviews": [review("bob")], **by("B <bob@example.com>")},
    "the author by an address of the identity map": {"reviews": [review("bob")], **by("Robert <bob@example.com>")},
    "the author of one commit of two": {
        "reviews": [review("bob")],
        "change": {"commits": (commit(), commit("B <bob@example.com>", oid="e" * 40))},
    },
    "an author under an address that nobody knows": {"reviews": [review("bob")], **by("Robert <bobby@evil.example>")},
    "an author who says they are a bot": {"reviews": [review("bob")], **by("helper[bot] <bobby@evil.example>")},
    "an author with somebody else's name": {
        "reviews": [review("bob")],
        **by("Carol King <throwaway@evil.example>"),
    },
    "an author without an address": {"reviews": [review("bob")], **by("Bob Jones <>")},
    "an author who is called like an agent's key": {"reviews": [review("bob")], **by("Claude <claude@evil.example>")},
    "an author who is called like a key": {"reviews": [review("bob")], **by("alice")},
    "an author who is called like an account": {"reviews": [review("bob")], **by("@alice")},
    "an author who is called like an address": {"reviews": [review("bob")], **by("alice@example.com")},
    "an author with two addresses": {"reviews": [review("bob")], **by("Bob <alice@example.com> <bobby@evil.example>")},
    "a committer who is called like a key": {
        "reviews": [review("bob")],
        "change": {"commits": (commit(committer="alice"),)},
    },
    "an author without a name or an address": {"reviews": [review("bob")], **by(" <>")},
    "a co-author": {"reviews": [review("bob")], "provenance": {"authors": ("alice", "bob")}},
    "whoever typed lines by hand": {
        "reviews": [review("bob")],
        "provenance": {"spans": (span("alice"), span("bob", "human"))},
    },
    "whoever opened it": {"reviews": [review("bob")], "change": {"author": "bob"}},
    "whoever opened it, by account": {"reviews": [review("bob")], "change": {"author": "bob-alt"}},
    "whoever opened it, an account of nobody": {"reviews": [review("bob")], "change": {"author": "bobs-third"}},
    "the committer": {"reviews": [review("bob")], "change": {"commits": (commit(committer="B <bob@example.com>"),)}},
    "the committer by e-mail": {
        "reviews": [review("bob")],
        "change": {"commits": (commit(committer="B <bob@example.com>"),)},
    },
    "a committer whom nobody knows": {
        "reviews": [review("bob")],
        "change": {"commits": (commit(committer="root <root@build.example>"),)},
    },
    "nobody made it": {
        "reviews": [review("bob")],
        "change": {"commits": (), "author": ""},
        "provenance": {**HUMAN, "authors": (), "spans": ()},
    },
    "an earlier tree": {"reviews": [review("bob", tree="e" * 40)]},
    "an earlier tree and the head commit": {"reviews": [review("bob", tree="e" * 40, commit=HEAD)]},
    "an earlier commit, its tree unread": {"reviews": [review("bob", tree="", commit="e" * 40)]},
    "no tree and no commit": {"reviews": [review("bob", tree="", commit="")]},
    "a short tree": {"reviews": [review("bob", tree=TREE[:10])]},
    "a change whose tree is not known": {"reviews": [review("bob", tree="")], "change": {"head_tree": ""}},
    "a commit where there is no head": {
        "reviews": [review("bob", tree="", commit="")],
        "change": {"head": ""},
    },
    "another target": {"reviews": [review("bob", target="release")]},
    "a target where the change has none": {"reviews": [review("bob")], "change": {"target": ""}},
    "another policy": {"reviews": [review("bob", policy="policy-0")]},
    "a policy where there is none": {"reviews": [review("bob", policy="policy-1")], "digest": ""},
    "before it was opened": {"reviews": [review("bob", at="2026-03-01T08:59:59Z")]},
    "later than now": {"reviews": [review("bob", at="2026-03-02T09:00:01Z")]},
    "at no time": {"reviews": [review("bob", at="")]},
    "at a time without a zone": {"reviews": [review("bob", at="2026-03-01T10:00:00")]},
    "at a time that is none": {"reviews": [review("bob", at="yesterday")]},
    "asking for changes after approving": {"reviews": [review("bob"), review("bob", "changes-requested", at=LATER)]},
    "asking for changes by the second account": {
        "reviews": [review("bob"), review("bob-alt", "changes-requested", at=LATER)]
    },
    "asking for changes at the same time, listed after": {
        "reviews": [review("bob"), review("bob", "changes-requested")]
    },
    "asking for changes, listed in the wrong order": {
        "reviews": [review("bob", "changes-requested", at=LATER), review("bob")]
    },
    "asking for changes at a time that is not known": {
        "reviews": [review("bob", "changes-requested", at=""), review("bob")]
    },
    "a dismissal after approving": {"reviews": [review("bob"), review("bob", "dismissed", at=LATER)]},
    "asking for changes, answered only for an earlier tree": {
        "reviews": [
            review("bob", "changes-requested"),
            review("bob", tree="e" * 40, at=LATER),
            review("carol", at=LATER),
        ]
    },
    "changes that another person asked for": {"reviews": [review("bob"), review("carol", "changes-requested")]},
    "changes asked for before an approval of another person": {
        "reviews": [review("carol", "changes-requested"), review("bob", at=LATER)]
    },
    "reviews that are not known": {"review_section": {"status": "unknown"}, "reviews": [review("bob")]},
    "reviews that are not all known": {
        "reviews": [review("bob")],
        "review_section": {"status": "partial", "unknowns": (Unknown("review.reviews", "page 2 failed"),)},
    },
    "fewer reviews than there are": {"reviews": [review("bob")], "review_section": {"reviews_total": 2}},
    "authors that are not known": {
        "reviews": [review("bob")],
        "provenance": {"status": "partial", "unknowns": (Unknown("provenance.authors", "no notes"),)},
    },
    "prompters that are not known": {
        "reviews": [review("bob")],
        "provenance": {"status": "partial", "unknowns": (Unknown("provenance.prompters", "no notes"),)},
    },
    "commits that are not known": {
        "reviews": [review("bob")],
        "change": {"status": "partial", "unknowns": (Unknown("change.commits", "shallow"),)},
    },
    "an empty identity map": {"reviews": [review("bob")], "chosen": settings(people={}, teams={})},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_approval_that_counts(name: str) -> None:
    obligation = asked(**ACCEPTED[name])
    assert (obligation.state, obligation.next_step) == ("met", ""), obligation.why


@pytest.mark.parametrize("name", REFUSED)
def test_an_approval_that_does_not_count(name: str) -> None:
    obligation = asked(**REFUSED[name])
    assert obligation.state in ("unmet", "unknown"), obligation.why
    assert obligation.why
    assert obligation.next_step


TWO = {"approvals": 2}


@pytest.mark.parametrize(
    ("reviews", "state"),
    [
        ([review("bob"), review("carol")], "met"),
        ([review("bob"), review("bob-alt")], "unmet"),
        ([review("bob"), review("bob")], "unmet"),
        ([review("bob"), review("alice")], "unmet"),
        ([review("bob"), review("ci", kind="bot")], "unmet"),
        ([review("bob"), review("mallory")], "unmet"),
        ([review("bob"), review("carol", tree="e" * 40)], "unmet"),
    ],
)
def test_two_people_approve(reviews: list[Any], state: str) -> None:
    assert asked(TWO, reviews=reviews).state == state


@pytest.mark.parametrize(
    ("shut_out", "account", "state"),
    [
        ([], "alice", "met"),
        (["committer"], "bob", "met"),
        (["committer"], "alice", "unmet"),
        (["prompter"], "alice", "unmet"),
        (["author"], "alice", "unmet"),
    ],
)
def test_whoever_prompted_the_agent_is_its_author(shut_out: list[str], account: str, state: str) -> None:
    table = {"approvals": 1, "not": shut_out}
    assert asked(table, reviews=[review(account)], change={"commits": (commit(CLAUDE, ALICE),)}).state == state


OWNED = "* @bob\n/docs/ @carol\n/docs/free.md\n/secrets/ @org/solo\n/ops/ @org/core\n/lost/ @org/nobody\n"


@pytest.mark.parametrize(
    ("paths", "accounts", "state"),
    [
        (["src/a.py"], ["bob"], "met"),
        (["src/a.py"], ["carol"], "unmet"),
        (["src/a.py", "docs/x"], ["bob"], "unmet"),
        (["src/a.py", "docs/x"], ["bob", "carol"], "met"),
        (["docs/x"], ["bob"], "unmet"),
        (["ops/x"], ["carol"], "met"),
        (["secrets/key"], ["bob"], "unmet"),
        (["secrets/key"], ["alice"], "unmet"),
        (["lost/x"], ["bob"], "unmet"),
        (["docs/free.md"], ["dave"], "met"),
        (["docs/free.md", "docs/x"], ["dave"], "unmet"),
        (["docs/free.md", "docs/x"], ["carol"], "met"),
    ],
)
def test_owners_approve_what_they_own(paths: list[str], accounts: list[str], state: str) -> None:
    obligation = asked(
        {"approvals": 1, "from": "owners"},
        reviews=[review(account) for account in accounts],
        change={"files": tuple(map(file, paths))},
        who_owns=owners(OWNED),
    )
    assert obligation.state == state, obligation.why


def test_the_owners_of_both_ends_of_a_renaming_are_asked_and_those_of_a_copied_file_are_not() -> None:
    ask = {"approvals": 1, "from": "owners"}
    moved = {"files": (file("src/x", "docs/x", "renamed"),)}
    copied = {"files": (file("src/x", "docs/x", "copied"),)}
    assert asked(ask, reviews=[review("bob")], change=moved, who_owns=owners(OWNED)).state == "unmet"
    assert asked(ask, reviews=[review("bob"), review("carol")], change=moved, who_owns=owners(OWNED)).state == "met"
    assert asked(ask, reviews=[review("bob")], change=copied, who_owns=owners(OWNED)).state == "met"


def test_the_owner_of_a_path_that_is_not_utf8_is_asked() -> None:
    ask = {"approvals": 1, "from": "owners"}
    change = {"files": (file("caf\\xe9/x"),)}
    text = "* @bob\n/caf?/ @carol\n"
    assert asked(ask, reviews=[review("bob")], change=change, who_owns=owners(text)).state == "unmet"


def test_two_approvals_from_owners_are_two_owners() -> None:
    ask = {"approvals": 2, "from": "owners"}
    change = {"files": (file("ops/x"),)}
    with_dave = asked(ask, reviews=[review("bob"), review("dave")], change=change, who_owns=owners(OWNED))
    assert (with_dave.state, "dave is not one of those who are asked" in with_dave.why) == ("unmet", True)
    assert asked(ask, reviews=[review("bob"), review("carol")], change=change, who_owns=owners(OWNED)).state == "met"


@pytest.mark.parametrize(
    ("accounts", "state"), [(["bob"], "unmet"), (["bob", "carol"], "met"), (["bob", "dave"], "unmet")]
)
def test_every_section_of_a_gitlab_file_is_asked_for_its_number(accounts: list[str], state: str) -> None:
    text = "* @bob\n[Core][2] @bob @carol\n*.py\n^[Nice to have] @dave\n*.py\n"
    obligation = asked(
        {"approvals": 1, "from": "owners"},
        reviews=[review(a) for a in accounts],
        who_owns=owners(text, "gitlab"),
    )
    assert obligation.state == state, obligation.why


@pytest.mark.parametrize("text", ["* @bob\n/src/ nobody\n", "* @bob\n!src/\n"])
def test_a_file_whose_owners_could_not_be_told_is_not_approved_by_anybody(text: str) -> None:
    obligation = asked({"approvals": 1, "from": "owners"}, reviews=[review("bob")], who_owns=owners(text))
    assert obligation.state == "unknown"
    assert "CODEOWNERS line 2" in obligation.why


def test_owners_that_could_not_be_read_are_not_nobody() -> None:
    lost = Unknown("change.owners_files", "there is no repository")
    assert asked({"approvals": 1, "from": "owners"}, reviews=[review("bob")], who_owns=lost).state == "unknown"
    assert asked({"approvals": 1}, reviews=[review("bob")], who_owns=lost).state == "met"


@pytest.mark.parametrize(
    ("named", "account", "state"),
    [
        (["bob"], "bob", "met"),
        (["@bob-alt"], "bob", "met"),
        (["@org/core"], "carol", "met"),
        (["@org/core", "dave"], "dave", "met"),
        (["@org/core"], "dave", "unmet"),
        (["@org/core"], "alice", "unmet"),
        (["alice"], "alice", "unmet"),
        (["@org/nobody"], "bob", "unmet"),
        (["zoe"], "bob", "unmet"),
    ],
)
def test_named_people_and_teams_approve(named: list[str], account: str, state: str) -> None:
    assert asked({"approvals": 1, "from": named}, reviews=[review(account)]).state == state


def test_each_maker_whom_nobody_knows_may_be_one_of_those_who_approve() -> None:
    change = {"commits": (commit("Zoe <zoe@example.net>"), commit("Yan <yan@example.net>", oid="e" * 40))}
    provenance = {**HUMAN, "authors": ("Zoe <zoe@example.net>", "Yan <yan@example.net>")}
    everybody = [review("bob"), review("carol"), review("dave")]
    for number, state in ((1, "unknown"), (2, "unknown"), (3, "met")):
        assert asked(reviews=everybody[:number], change=change, provenance=provenance).state == state


def test_an_agent_that_opened_and_wrote_a_change_is_nobody_who_could_approve_it() -> None:
    change = {"author": "claude[bot]", "commits": (commit("claude[bot] <1+claude[bot]@users.noreply.github.com>"),)}
    agent = {"declarations": (declared("claude[bot]", "pull request author", ""),)}
    assert asked(reviews=[review("bob")], change=change, provenance=agent).state == "met"
    assert asked(reviews=[review("alice")], change=change, provenance=agent).state == "unmet"
    assert asked(reviews=[review("claude[bot]", kind="bot")], change=change, provenance=agent).state == "unmet"
