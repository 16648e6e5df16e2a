"""Repositories, changes, what was said of them and what is to be told the forge."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from tests.store.world import assessed, at, read, small_world
from tidegate.errors import InternalError
from tidegate.store import assessments, changes, publications, repositories
from tidegate.store.assessments import Filter, Queued
from tidegate.store.engine import Database
from tidegate.store.repositories import NewRepository
from tidegate.store.tables import assessments as assessments_table


def test_a_repository_comes_back_as_itself(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        assert repositories.remove(connection, world.repository, at(1))
        assert not repositories.remove(connection, world.repository, at(2))
        assert repositories.page(connection) == ()
        again = repositories.add(connection, NewRepository("github", "acme/shop", "https://e.test/new", "trunk"), at(3))
        assert (again.id, again.main, again.added_at, again.removed_at) == (world.repository, "trunk", at(0), None)
        other = repositories.add(connection, NewRepository("gitlab", "acme/shop", "https://e.test/x", "main"), at(3))
        assert other.id != again.id
        assert repositories.page(connection) == (again, other)
        assert repositories.page(connection, after=again.id) == (other,)
        assert repositories.get(connection, other.id) == other


def test_an_earlier_read_never_undoes_a_later_one(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        later = changes.keep(connection, read(world.repository, 1, minute=5, head="c" * 40, state="merged"))
        assert later.newer
        assert later.change.id == world.change
        for minute in (5, 4.9):
            late = changes.keep(connection, read(world.repository, 1, minute=minute, head="d" * 40))
            assert not late.newer
            assert late.change == later.change


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(6)))
def test_in_whatever_order_reads_arrive_the_last_one_stands(database: Database, order: list[int]) -> None:
    with database.write() as connection:
        name = "acme/" + "".join(map(str, order))
        repository = repositories.add(connection, NewRepository("github", name, "u", "main"), at(0)).id
        for minute in order:
            changes.keep(connection, read(repository, 7, minute=minute, title=f"as of {minute}"))
        kept = changes.find(connection, repository, 7)
        assert kept is not None
        assert kept.title == "as of 5"


def test_changes_are_found_by_head_and_by_page(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        made = [changes.keep(connection, read(world.repository, number)).change for number in range(2, 6)]
        changes.keep(connection, read(world.repository, 3, minute=2, state="closed"))
        assert changes.with_head(connection, world.repository, f"{4:040x}") == (made[2],)
        assert changes.get(connection, made[0].id) == made[0]
        page = changes.page(connection, state="open", repository=world.repository, most=2)
        assert [change.number for change in page] == [1, 2]
        rest = changes.page(connection, state="open", after=page[-1].id)
        assert [change.number for change in rest] == [4, 5]


def test_two_assessments_with_one_key_are_one(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        first = assessments.put(connection, assessed(world.change, "k1"), at(1))
        again = assessments.put(connection, assessed(world.change, "k1", verdict="block"), at(2))
        assert first.new
        assert not again.new
        assert again.assessment == first.assessment
        assert assessments.document(connection, first.assessment.id) == assessed(world.change, "k1").document
        assert assessments.document(connection, 987654) is None
        assert assessments.get(connection, first.assessment.id) == first.assessment


def test_a_damaged_document_is_our_failure_and_not_an_answer(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        put = assessments.put(connection, assessed(world.change, "k1"), at(1)).assessment
        for damaged in (b"", b"not zlib", b"x\x9c"):
            connection.execute(update(assessments_table).values(document=damaged))
            with pytest.raises(InternalError, match="kept assessment"):
                assessments.document(connection, put.id)


def test_the_latest_is_the_last_made_and_of_a_head_where_one_is_asked(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        made = [
            assessments.put(connection, assessed(world.change, key, head=head), at(1)).assessment
            for key, head in (("k1", "h1"), ("k2", "h2"), ("k3", "h1"))
        ]
        assert assessments.latest(connection, world.change) == made[2]
        assert assessments.latest(connection, world.change, head="h2") == made[1]
        assert assessments.latest(connection, world.change, head="h9") is None
        assert assessments.of_change(connection, world.change, most=2) == (made[2], made[1])
        assert assessments.of_change(connection, world.change, before=made[1].id) == (made[0],)


def test_an_entry_is_said_once(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        put = assessments.put(connection, assessed(world.change, "k1"), at(1)).assessment
        assert assessments.unrecorded(connection, at(2)) == (put,)
        assert assessments.unrecorded(connection, at(1)) == ()
        assert assessments.set_entry(connection, put.id, 7)
        assert assessments.set_entry(connection, put.id, 7)
        assert not assessments.set_entry(connection, put.id, 8)
        assert assessments.unrecorded(connection, at(2)) == ()
        kept = assessments.get(connection, put.id)
        assert kept is not None
        assert kept.entry == 7


def test_the_queue_has_the_riskiest_first_and_the_unknown_before_them(database: Database) -> None:
    risks = {1: "0.09", 2: "0.5", 3: None, 5: "0.10", 6: "1e-05", 7: "0.5"}
    with database.write() as connection:
        world = small_world(connection)
        ids = {1: world.change}
        for number in range(2, 9):
            ids[number] = changes.keep(connection, read(world.repository, number)).change.id
        for number, risk in risks.items():
            assessments.put(connection, assessed(ids[number], f"k{number}", head=f"{number:040x}", risk=risk), at(1))
        assessments.put(connection, assessed(ids[1], "k1-later", head="old", verdict="hold", risk="0.2"), at(2))
        changes.keep(connection, read(world.repository, 7, minute=3, state="merged"))
        numbers = {identifier: number for number, identifier in ids.items()}
        whole = assessments.queue(connection, Filter())
        assert [numbers[each.change] for each in whole] == [3, 4, 8, 2, 1, 5, 6]
        assert [each.current for each in whole] == [True, False, False, True, False, True, True]
        assert whole[1] == Queued(ids[4], 2.0, None, None, None, False)
        paged: list[Queued] = []
        after = None
        while page := assessments.queue(connection, Filter(), after=after, most=2):
            paged += page
            after = (page[-1].rank, page[-1].change)
        assert tuple(paged) == whole
        held = assessments.queue(connection, Filter(verdicts=("hold", "")))
        assert [numbers[each.change] for each in held] == [4, 8, 1]
        assert assessments.queue(connection, Filter(author="nobody")) == ()
        assert assessments.queue(connection, Filter(target="release")) == ()
        assert len(assessments.queue(connection, Filter(repository=world.repository, author="ada", target="main"))) == 7


def test_a_publication_is_sent_once_and_tried_until_then(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        put = publications.put(connection, world.change, "check:1", "check", at(1))
        assert put.new
        assert not publications.put(connection, world.change, "check:1", "check", at(2)).new
        assert publications.unsent(connection, at(1)) == ()
        assert publications.unsent(connection, at(2)) == (put.publication,)
        assert publications.failed(connection, put.publication.id, "502")
        assert publications.sent(connection, put.publication.id, "4711", at(3))
        assert not publications.sent(connection, put.publication.id, "4712", at(4))
        assert not publications.failed(connection, put.publication.id, "late")
        kept = publications.last(connection, world.change, "check")
        assert kept is not None
        assert (kept.forge_id, kept.attempts, kept.sent_at, kept.problem) == ("4711", 2, at(3), None)
        assert publications.last(connection, world.change, "comment") is None
        other = publications.put(connection, world.change, "comment:1", "comment", at(1)).publication
        assert publications.failed(connection, other.id, "404", for_good=True)
        assert publications.unsent(connection, at(9)) == ()
