"""What gates answered, what people said for deployments, and how canaries were judged, kept on both databases."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.store.world import at, small_world
from tidegate.errors import InternalError
from tidegate.store import canaries, deployment_approvals, gate_callbacks, gates
from tidegate.store.canaries import NewCanary
from tidegate.store.deployment_approvals import NewWord
from tidegate.store.engine import Database
from tidegate.store.gate_callbacks import NewCallback
from tidegate.store.gates import NewGate
from tidegate.store.packed import pack, unpack

HELD = NewGate(
    question="q" * 64,
    answer="a" * 64,
    sender="http",
    environment="production",
    service="pay",
    repository=None,
    revision="1" * 40,
    previous="0" * 40,
    share=0.05,
    outcome="hold",
    document=b'{"outcome":"hold"}',
    asked_by="ada",
)


def test_the_same_answer_is_one_row_until_it_differs_or_is_old(database: Database) -> None:
    with database.write() as connection:
        first = gates.put(connection, HELD, at(1))
        again = gates.put(connection, structs.replace(HELD, document=b"{}"), at(2))
        assert (again.id, again.times, again.again_at) == (first.id, 2, at(2))
        assert gates.get(connection, first.id) == again
        assert gates.document(connection, first.id) == HELD.document
        passes = structs.replace(HELD, answer="b" * 64, outcome="pass")
        let = gates.put(connection, passes, at(3))
        old = gates.put(connection, passes, at(70), not_before=at(10))
        back = gates.put(connection, HELD, at(71))
        assert len({first.id, let.id, old.id, back.id}) == 4
        last = gates.of_question(connection, HELD.question)
        assert last is not None
        assert last.id == back.id
        assert [one.id for one in gates.page(connection, outcome="pass", environment="production")] == [old.id, let.id]
        assert [one.id for one in gates.page(connection, before=let.id)] == [first.id]
        assert gates.page(connection, service="other") == ()


def test_only_what_the_ledger_holds_counts_as_passed(database: Database) -> None:
    with database.write() as connection:
        let = gates.put(connection, structs.replace(HELD, outcome="pass"), at(1))
        assert gates.passed(connection, "production", "pay", "1" * 40) == ()
        assert gates.set_entry(connection, let.id, 7)
        assert [one.entry for one in gates.passed(connection, "production", "pay", "1" * 40)] == [7]
        assert gates.passed(connection, "production", "pay", "2" * 40) == ()
        assert [one.revision for one in gates.passed_there(connection, "production", "pay")] == ["1" * 40]
        assert gates.passed_there(connection, "production", "other") == ()
        assert not gates.set_entry(connection, let.id + 1, 8)


def test_a_word_is_written_once_and_can_be_taken_back(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        said = NewWord(
            person=world.ada,
            repository=world.repository,
            covers="freeze",
            environment="production",
            service="",
            revision="",
            freeze="christmas",
            reason="the fix of #12",
            starts=100.0,
            ends=200.5,
        )
        first = deployment_approvals.put(connection, said, at(1))
        assert first.new
        assert not deployment_approvals.put(connection, said, at(2)).new
        joins = structs.replace(said, person=world.ben, joins=first.word.id)
        second = deployment_approvals.put(connection, joins, at(3)).word
        found = deployment_approvals.live(connection, world.repository, "production", 150.0)
        assert [(one.person, one.joins) for one in found] == [(world.ada, None), (world.ben, first.word.id)]
        assert deployment_approvals.live(connection, world.repository, "production", 200.5) == ()
        assert deployment_approvals.live(connection, world.repository, "staging", 150.0) == ()
        assert deployment_approvals.revoke(connection, second.id, at(4))
        assert not deployment_approvals.revoke(connection, second.id, at(5))
        assert [one.id for one in deployment_approvals.live(connection, world.repository, "production", 150.0)] == [
            first.word.id
        ]
        assert [one.id for one in deployment_approvals.page(connection, repository=world.repository)] == [
            second.id,
            first.word.id,
        ]
        assert deployment_approvals.set_entry(connection, first.word.id, 3)
        assert not deployment_approvals.set_entry(connection, first.word.id, 4)


def test_a_judgement_is_kept_whole(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        new = NewCanary(
            repository=world.repository,
            name="pay",
            environment="production",
            service="pay",
            revision="1" * 40,
            rules="2" * 40,
            verdict="roll_back",
            since=10.0,
            until=610.0,
            document=b'{"decision":"roll back"}',
            asked_by="ada",
        )
        first = canaries.put(connection, new, at(1))
        second = canaries.put(connection, structs.replace(new, verdict="hold"), at(2))
        assert canaries.document(connection, first) == new.document
        assert [one.id for one in canaries.page(connection, name="pay")] == [second, first]
        assert [one.id for one in canaries.page(connection, before=second)] == [first]
        last = canaries.last(connection, "production", "pay", "1" * 40)
        assert last is not None
        assert last.verdict == "hold"
        assert canaries.last(connection, "production", "pay", "3" * 40) is None
        assert [one.id for one in canaries.unrecorded(connection, most=1)] == [first]
        assert canaries.set_entry(connection, first, 9)
        assert first not in [one.id for one in canaries.unrecorded(connection)]
        found = canaries.get(connection, first)
        assert found is not None
        assert found.entry == 9


def test_a_callback_is_taken_by_one(database: Database) -> None:
    with database.write() as connection:
        new = NewCallback(
            callback="https://forge.example/callback/1",
            sender="github",
            forge="github",
            repository="acme/shop",
            environment="production",
            service="",
            revision="1" * 40,
            actor="ada",
        )
        kept = gate_callbacks.put(connection, new, at(1))
        assert gate_callbacks.put(connection, new, at(2)) == kept
        assert gate_callbacks.due(connection, at(1)) == (kept,)
        assert gate_callbacks.take(connection, kept, at(3))
        assert not gate_callbacks.take(connection, kept, at(4))
        assert gate_callbacks.due(connection, at(2)) == ()
        (late,) = gate_callbacks.due(connection, at(5))
        assert late.tries == 1
        assert gate_callbacks.settle(connection, kept.id, "answered", "s" * 64, at(6))
        assert gate_callbacks.due(connection, at(9)) == ()


def test_a_damaged_document_is_our_own_failure() -> None:
    assert unpack(pack(b"{}"), "gate 1") == b"{}"
    for damaged in (b"", b"{}", pack(b'{"a": 1}')[:-3]):
        with pytest.raises(InternalError, match="damaged"):
            unpack(damaged, "gate 1")
