"""Clicks at the forge and other policies than before are entries of the ledger, once for what they led to."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.server.test_work_journey import SLUG, Place, make_place
from tidegate.facts import Facts, ReviewFact
from tidegate.ledger.fields import Predicate
from tidegate.ledger.keys import PublicKey, read_software_key
from tidegate.ledger.predicates import approval, policy_change
from tidegate.ledger.predicates.approval import Approval
from tidegate.ledger.predicates.policy_change import PolicyChange
from tidegate.ledger.statements import open_entry
from tidegate.server import erasure
from tidegate.server.entries import past_of
from tidegate.server.pseudonyms import whose
from tidegate.server.service import Service
from tidegate.server.work.naming import Naming
from tidegate.server.work.noticed import put_clicks, put_policy_change
from tidegate.server.work.questions import UNREAD_POLICY
from tidegate.store.clock import now

NOW = "2027-01-15T08:00:00.000000Z"


@pytest.fixture
def place(service: Service, tmp_path: Path) -> Place:
    return make_place(service, tmp_path)


def said(place: Place, kind: str) -> list[Predicate]:
    _, _, signer = read_software_key(place.service.config.data / "ledger.key")
    key = PublicKey(signer.algorithm, signer.public_key)
    entries = place.service.log.entries(predicate=kind)
    return [open_entry(entry.envelope, [key])[0].predicate for entry in entries]


def decide(place: Place, name: str) -> None:
    event = place.forge.delivery(name, "pull_request_review", SLUG, action="submitted", pull_request={"number": 1})
    place.deliver(event)
    place.work()


def test_a_click_is_on_record_before_the_decision_that_saw_it(place: Place) -> None:
    place.forge.review(SLUG, 1, "ben")
    place.forge.review(SLUG, 1, "eve", "COMMENTED")
    place.forge.review(SLUG, 1, "renovate[bot]")
    decide(place, "r1")
    decide(place, "r2")
    (made,) = place.decisions()
    (click,) = said(place, approval.TYPE)
    assert isinstance(click, Approval)
    assert (click.evidence, click.key, click.proof) == ("forge-click", "", None)
    assert (click.head, click.merge_tree, click.policy, click.facts) == (
        made.head,
        made.merge_tree,
        made.policy,
        made.facts,
    )
    assert click.at == "2026-03-01T10:00:00Z"
    assert click.recorded[:10] == made.made_at[:10], "it was clicked then, and written down now"
    with place.service.database.read() as connection:
        assert whose(connection, "@Ben") == (click.person,)
    entry, decision = (
        place.service.log.entries(predicate=approval.TYPE)[0],
        place.service.log.find(f"decision:{made.key}"),
    )
    assert decision is not None
    assert entry.index < decision.index
    assert b"ben" not in entry.envelope
    _, _, signer = read_software_key(place.service.config.data / "ledger.key")
    found = erasure.look(place.service.database, "@ben")
    assert erasure.erase_found(place.service.database, place.service.log, signer, found, "request", now()).count == 1


@pytest.mark.parametrize(
    "other",
    [
        {"state": "dismissed"},
        {"state": "commented"},
        {"commit": "e" * 40},
        {"kind": "bot"},
        {"evidence": "ssh"},
        {"account": "", "person": ""},
    ],
)
def test_what_is_no_click_on_this_head_is_none(place: Place, other: dict[str, str]) -> None:
    decide(place, "r1")
    (made,) = place.decisions()
    click = ReviewFact("ben", "", "human", "approved", made.head, "", "main", "", "2026-03-01T10:00:00Z")
    facts = Facts(now=NOW)
    for review, count in ((click, 1), (replace(click, **other), 0)):
        seen = replace(facts, review=replace(facts.review, reviews=(review,)))
        naming = Naming(place.service, place.repository, made.base)
        assert put_clicks(place.service, naming, made, "refs/heads/main", seen) == count


def test_another_policy_of_the_main_branch_is_on_record_once(place: Place) -> None:
    decide(place, "r1")
    (made,) = place.decisions()
    (first,) = said(place, policy_change.TYPE)
    assert isinstance(first, PolicyChange)
    assert (first.after, first.before) == (made.policy, None)
    naming = Naming(place.service, place.repository, made.base)
    other = replace(made, policy="e" * 64, key="other")
    for each, target in (
        (other, "refs/heads/release"),
        (replace(other, policy=UNREAD_POLICY), "refs/heads/main"),
        (replace(other, made_at="2020-01-01T00:00:00.000000Z"), "refs/heads/main"),
        (made, "refs/heads/main"),
    ):
        put_policy_change(place.service, naming, place.repository, each, target)
    assert len(said(place, policy_change.TYPE)) == 1
    for _ in range(2):
        put_policy_change(place.service, naming, place.repository, other, "refs/heads/main")
    changed = said(place, policy_change.TYPE)
    assert [(each.before, each.after) for each in changed if isinstance(each, PolicyChange)] == [
        (None, made.policy),
        (made.policy, "e" * 64),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00Z"),
        ("2030-03-01T10:00:00Z", "2027-01-15T08:00:00Z"),
        ("0001-03-01T10:00:00Z", "1970-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+23:00", "2027-01-15T08:00:00Z"),
        ("yesterday", "2027-01-15T08:00:00Z"),
        ("2026-03-01T10:00:00", "2027-01-15T08:00:00Z"),
        ("", "2027-01-15T08:00:00Z"),
    ],
)
def test_times_of_others_become_times_of_statements(text: str, expected: str) -> None:
    assert past_of(text, NOW) == expected
