"""The shipped rules about reach: calm where there is nothing to ask, never quiet where something is unknown."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.policy.helpers import document_of, policy_of
from tests.policy.strategies import realistic_document
from tidegate.policy.decide import decide
from tidegate.policy.trial import with_totals

RULES = ("reach-critical-service", "reach-unresolved", "reach-breadth")
FOUR = ["a", "b", "c", "d"]
PEOPLE = "".join(
    f'[people.{name}]\nemails = ["{name}@example.com"]\naccounts = ["{name}"]\n' for name in ("alice", "bob", "carol")
)


def states(document: dict[str, Any]) -> dict[str, str]:
    verdict = decide(policy_of(PEOPLE, pack="default"), document)
    return {rule.id: rule.state for rule in verdict.rules if rule.id in RULES}


def changed(*kinds: str, **reach: Any) -> dict[str, Any]:
    """A change of files of these kinds, with a known reach."""
    plain = realistic_document()["change"]["files"][0]
    files = [{**plain, "path": f"{n}", "old_path": f"{n}", "kind": kind} for n, kind in enumerate(kinds)]
    given = {f"reach__{name}": value for name, value in reach.items()}
    return document_of(change__files=files, change__files_total=len(files), **given)


def owned(*services: str) -> dict[str, Any]:
    return {
        "critical_services": list(services),
        "service_owners": [{"service": name, "owner": "@bob"} for name in services],
    }


IDLE = {
    "a repository without services": changed("source"),
    "a language that is not read": changed("source", symbols=1),
    "documents alone": changed("docs", services=FOUR, unread_files=3, unresolved_share=0.9, **owned("a")),
    "documents and tests alone": changed("docs", "test", services=FOUR, unread_files=3, **owned("a")),
    "three services that are not critical": changed("source", services=FOUR[:3]),
    "as many calls unresolved as in many projects": changed("source", unresolved_share=0.6),
    "no files at all": changed(services=FOUR, unread_files=3, **owned("a")),
}


@pytest.mark.parametrize("name", IDLE)
def test_nothing_is_asked_for(name: str) -> None:
    assert set(states(IDLE[name]).values()) == {"idle"}


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (changed("source", **owned("a")), "reach-critical-service"),
        (changed("docs", "config", **owned("a")), "reach-critical-service"),
        (changed("source", services=FOUR), "reach-breadth"),
        (changed("source", unread_files=1), "reach-unresolved"),
        (changed("data", unresolved_share=0.61), "reach-unresolved"),
    ],
)
def test_one_rule_asks(document: dict[str, Any], rule: str) -> None:
    found = states(document)
    assert [id_ for id_, state in found.items() if state != "idle"] == [rule]
    assert found[rule] == "fired"


@pytest.mark.parametrize("path", ["reach", "change.files"])
def test_an_unknown_reach_holds(path: str) -> None:
    """Every rule about reach asks where reach is unknown, and where it is unknown whether it is the documents alone."""
    document = changed("source", services=FOUR, unread_files=1, **owned("a"))
    section = path.partition(".")[0]
    document[section] = {**document[section], "status": "partial", "unknowns": [{"path": path, "reason": "lost"}]}
    assert set(states(document).values()) == {"unknown"}
    assert decide(policy_of(PEOPLE, pack="default"), document).outcome != "pass"


def test_the_approvals_that_are_asked_for_satisfy() -> None:
    document = copy.deepcopy(realistic_document())
    document["reach"] |= {"services": FOUR, "unread_files": 1, **owned("a")}
    ours = {"author": "Alice <alice@example.com>", "committer": "Alice <alice@example.com>"}
    document["change"]["commits"] = [{**commit, **ours} for commit in document["change"]["commits"]]
    (review,) = document["review"]["reviews"]
    document["review"] |= {
        "reviews": [review, {**review, "account": "carol", "person": "carol"}],
        "reviews_total": 2,
    }
    assert set(states(with_totals(document)).values()) == {"satisfied"}
