"""What the service adds to an audit: merges with their makers, emergencies, decisions that are in no ledger."""

from __future__ import annotations

import msgspec
import pytest

from tests.server.conftest import Made
from tests.store.world import at, read
from tidegate.errors import InputError
from tidegate.ledger.evidence.values import Click
from tidegate.server.audit import facts_of, read_world, repository_of
from tidegate.server.entries import pseudonym_of
from tidegate.server.forge.merged import MergedAs, merged_as
from tidegate.settings import Identity, Settings
from tidegate.store import accounts, assessments, changes, emergencies, repositories
from tidegate.store.assessments import NewAssessment
from tidegate.store.clock import later, moment_of

MERGED_AT = "2026-05-01T12:00:00Z"
COMMIT = "c" * 40


def uri_of(made: Made) -> str:
    with made.service.database.read() as connection:
        (repository,) = repositories.page(connection)
    return f"repo:{repository.slug}"


def merge(made: Made, number: int, **state: object) -> changes.Change:
    said = msgspec.json.encode({"merged_at": MERGED_AT, "merge_commit": COMMIT, **state}).decode()
    row = read(made.world.repository, number, minute=500, state="merged", forge_state=said)
    return made.service.database.change(lambda connection: changes.keep(connection, row).change)


def test_a_merged_change_is_known_by_commit_head_and_time(made: Made) -> None:
    change = merge(made, 41)
    world = read_world(made.service.database, uri_of(made), Settings(), at(600))
    (found,) = [each for each in world.merges or () if each.number == 41]
    assert (found.commit, found.head, found.target) == (COMMIT, change.head, f"refs/heads/{change.target}")
    assert found.at == moment_of(MERGED_AT).timestamp()
    assert found.unknown_lines is None, "nobody counted them"


def test_where_the_forge_did_not_say_the_commit_it_stays_open(made: Made) -> None:
    merge(made, 42, merged_at="", merge_commit="", updated_at=MERGED_AT)
    world = read_world(made.service.database, uri_of(made), Settings(), at(600))
    (found,) = [each for each in world.merges or () if each.number == 42]
    assert (found.commit, found.at) == ("", moment_of(MERGED_AT).timestamp())


def test_an_emergency_that_nobody_confirmed_is_told(made: Made) -> None:
    change = merge(made, 43)
    with made.service.database.write() as connection:
        asked = emergencies.ask(connection, change.id, "fire", made.people["approver"], at(5), at(900))
    world = read_world(made.service.database, uri_of(made), Settings(), at(600))
    assert [(each.head, each.confirmed) for each in world.emergencies or ()] == [(change.head, False)]
    with made.service.database.write() as connection:
        assert emergencies.confirm(connection, asked.id, made.people["admin"], at(6))
    world = read_world(made.service.database, uri_of(made), Settings(), at(600))
    assert [each.confirmed for each in world.emergencies or ()] == [True]


def test_a_decision_that_never_reached_the_ledger_is_told_after_a_while(made: Made) -> None:
    change = merge(made, 44)
    new = NewAssessment(
        change.id, "key", "a" * 40, "b" * 40, "d" * 40, "e" * 64, "f" * 64, "pass", None, b'{"facts":{}}'
    )
    made.service.database.change(lambda connection: assessments.put(connection, new, at(5)))
    for now, expected in ((at(6), ()), (later(at(5), 4000), ("b" * 40,))):
        assert read_world(made.service.database, uri_of(made), Settings(), now).unrecorded == expected
    assert facts_of(made.service.database, uri_of(made))("f" * 64) == b'{"facts":{}}'
    assert facts_of(made.service.database, uri_of(made))("0" * 64) is None


def test_a_repository_is_named_as_statements_do(made: Made) -> None:
    assert repository_of(made.service.database, uri_of(made)).id == made.world.repository
    with pytest.raises(InputError, match="0 repositories"):
        repository_of(made.service.database, "repo:no/where")


def test_pseudonyms_are_those_of_the_identity_map(made: Made) -> None:
    """Who approved under a pseudonym and who made the change are compared by the map at the protected branch."""
    from tidegate.server.audit import _Reading

    with made.service.database.write() as connection:
        accounts.add_identity(connection, made.people["approver"], "email", "", "ann@example.com", at(1))
        pseudonym = pseudonym_of(connection, made.people["approver"], "approver", at(1))
        (repository,) = repositories.page(connection)
        settings = Settings(people={"ann": Identity(emails=("ann@example.com",))})
        assert _Reading(connection, repository, settings)._pseudonyms == {"ann": (pseudonym,)}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"merged_at": None, "merge_commit_sha": "1" * 40}, MergedAs()),
        ({"merged_at": MERGED_AT, "merge_commit_sha": "1" * 40}, MergedAs(MERGED_AT, "1" * 40)),
        ({"merged_at": MERGED_AT, "merge_commit_sha": None, "sha": "2" * 40}, MergedAs(MERGED_AT, "2" * 40)),
        ({"merged_at": MERGED_AT, "squash_commit_sha": "3" * 40, "sha": "2" * 40}, MergedAs(MERGED_AT, "3" * 40)),
        ([1], MergedAs()),
    ],
)
def test_both_forges_say_what_a_merge_became(document: object, expected: MergedAs) -> None:
    assert merged_as(msgspec.json.encode(document)) == expected


def test_approvals_at_the_forge_are_those_of_the_facts(made: Made) -> None:
    change = merge(made, 45)
    review = {
        "account": "bob",
        "person": "bob",
        "kind": "human",
        "state": "approved",
        "commit": "b" * 40,
        "at": MERGED_AT,
    }
    reviews = [
        review,
        {**review, "state": "commented"},
        {**review, "kind": "bot", "person": ""},
        {**review, "at": "soon"},
    ]
    document = msgspec.json.encode({"facts": {"review": {"reviews": reviews}}})
    new = NewAssessment(change.id, "k", "a" * 40, change.head, "d" * 40, "e" * 64, "f" * 64, "pass", None, document)
    made.service.database.change(lambda connection: assessments.put(connection, new, at(5)))
    world = read_world(made.service.database, uri_of(made), Settings(), at(6))
    (found,) = [each for each in world.merges or () if each.number == 45]
    when = moment_of(MERGED_AT).timestamp()
    assert found.clicks == (Click("name:bob", "b" * 40, when), Click("", "b" * 40, when, bot=True))
