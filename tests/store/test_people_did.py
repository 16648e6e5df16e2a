"""Approvals, time spent reading, questions, emergencies; and what the service keeps of itself."""

from __future__ import annotations

import math
import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store.world import World, at, small_world
from tidegate.store import accounts, approvals, emergencies, looks, questions, values, workers
from tidegate.store.approvals import NewApproval
from tidegate.store.clock import later, moment_of, now, seconds_between
from tidegate.store.engine import Database
from tidegate.store.looks import View
from tidegate.store.questions import NewQuestion


def approval(world: World, envelope: bytes, *, minute: float = 1) -> NewApproval:
    return NewApproval(
        change=world.change,
        person=world.ada,
        with_key=None,
        evidence="forge-click",
        stage="merge",
        target="main",
        base="b",
        head="h",
        merge_tree="t",
        policy="p",
        facts="f",
        envelope=envelope,
        at=at(minute),
        expires_at=at(60),
    )


def test_an_approval_sent_again_is_the_same_also_when_it_was_revoked(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        first = approvals.put(connection, approval(world, b"envelope"))
        assert first.new
        assert approvals.revoke(connection, first.approval.id, at(2))
        assert not approvals.revoke(connection, first.approval.id, at(3))
        again = approvals.put(connection, replace(approval(world, b"envelope"), person=world.ben))
        assert not again.new
        assert (again.approval.person, again.approval.revoked_at) == (world.ada, at(2))
        assert approvals.live(connection, world.change, at(2)) == ()
        assert approvals.get(connection, first.approval.id) == again.approval


def test_an_approval_lives_from_when_it_was_given_until_it_expires(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        put = approvals.put(connection, approval(world, b"one", minute=10)).approval
        assert [len(approvals.live(connection, world.change, at(minute))) for minute in (9, 10, 59, 60)] == [0, 1, 1, 0]
        assert approvals.of_change(connection, world.change) == (put,)
        assert approvals.set_entry(connection, put.id, 3)
        assert not approvals.set_entry(connection, put.id, 4)
        assert approvals.revoke_with_key(connection, 1, at(11)) == 0


def test_time_is_credited_from_the_opening_and_never_more_than_passed(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        view = View(world.change, world.ada, "h")
        assert looks.add_seconds(connection, view, {"a.py:1-9": 30.0}, at(1)) == {}
        looks.open_page(connection, view, at(2))
        assert looks.add_seconds(connection, view, {"a.py:1-9": 30.0}, at(2.5)) == {"a.py:1-9": 30.0}
        credited = looks.add_seconds(connection, view, {"a.py:1-9": 60.0, "b.py:1-2": 60.0}, at(3))
        assert credited == {"a.py:1-9": 15.0, "b.py:1-2": 15.0}
        assert looks.add_seconds(connection, view, {"a.py:1-9": 5.0}, at(3)) == {}
        assert looks.add_seconds(connection, view, {"a.py:1-9": 5.0}, at(2)) == {}
        assert looks.add_seconds(connection, view, {"a.py:1-9": 5.0}, at(3)) == {}
        kept = {look.hunk: look for look in looks.of_change(connection, world.change)}
        assert {hunk: look.seconds for hunk, look in kept.items()} == {"": 0.0, "a.py:1-9": 45.0, "b.py:1-2": 15.0}
        assert (kept["a.py:1-9"].first_at, kept["a.py:1-9"].last_at) == (at(2.5), at(3))


def test_a_closed_laptop_was_not_reading_and_nonsense_counts_nothing(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        view = View(world.change, world.ada, "h")
        looks.open_page(connection, view, at(0))
        credited = looks.add_seconds(connection, view, {"a": 36_000.0}, at(600))
        assert credited == {"a": looks.LONGEST_REPORT}
        for nonsense in (math.nan, math.inf, -5.0, 0.0):
            assert looks.add_seconds(connection, view, {"a": nonsense, "": 9.0}, at(601)) == {}


def test_understanding_is_said_once_and_of_what_was_seen(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        view = View(world.change, world.ada, "h")
        assert not looks.understand(connection, view, "a", at(1))
        looks.open_page(connection, view, at(1))
        assert not looks.understand(connection, view, "", at(1))
        looks.add_seconds(connection, view, {"a": 5.0}, at(2))
        assert looks.understand(connection, view, "a", at(3))
        assert not looks.understand(connection, view, "a", at(4))
        assert not looks.understand(connection, View(world.change, world.ben, "h"), "a", at(4))
        said = [look.understood_at for look in looks.of_change(connection, world.change, head="h") if look.hunk]
        assert said == [at(3)]
        assert looks.of_change(connection, world.change, head="other") == ()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reports=st.lists(
        st.tuples(st.integers(0, 3), st.floats(0, 2), st.floats(0, 500), st.floats(0, 500)), min_size=1, max_size=12
    )
)
def test_whatever_windows_report_the_sum_is_at_most_the_time_that_passed(
    database: Database, reports: list[tuple[int, float, float, float]]
) -> None:
    with database.write() as connection:
        world = small_world(connection) if not accounts.has_people(connection) else None
        owner = accounts.person_named(connection, "ada")
        assert owner is not None
        if world is None:
            world = World(owner.id, 0, 0, database_change(connection))
        clean(connection)
        minute = 0.0
        looks.open_page(connection, View(world.change, owner.id, "h0"), at(minute))
        for window, passed, first, second in reports:
            minute += passed
            looks.add_seconds(
                connection, View(world.change, owner.id, f"h{window}"), {"a": first, "b": second}, at(minute)
            )
        total = sum(look.seconds for look in looks.of_change(connection, world.change))
        assert total <= minute * 60 + 1e-3


def test_two_windows_at_once_share_the_clock(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        looks.open_page(connection, View(world.change, world.ada, "h0"), at(0))

    def report(window: int) -> None:
        view = View(world.change, world.ada, f"h{window}")
        database.change(lambda connection: looks.add_seconds(connection, view, {"a": 60.0}, at(1)))

    threads = [threading.Thread(target=report, args=[window]) for window in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert sum(look.seconds for look in looks.of_change(connection, world.change)) == 60.0


def test_the_first_answer_stands(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        new = NewQuestion(world.change, world.ben, "h", "a.py:1-9", "Why is this <b>safe</b>?")
        asked = questions.ask(connection, new, at(1))
        assert questions.of_change(connection, world.change, unanswered=True) == (asked,)
        assert questions.answer(connection, asked.id, "It is escaped.", world.ada, at(2))
        assert not questions.answer(connection, asked.id, "It is not.", world.ben, at(3))
        kept = questions.get(connection, asked.id)
        assert kept is not None
        assert (kept.answer, kept.answered_by, kept.answered_at) == ("It is escaped.", world.ada, at(2))
        assert questions.of_change(connection, world.change, unanswered=True) == ()
        assert questions.of_change(connection, world.change) == (kept,)


def test_the_glass_is_broken_by_two_people_and_mends_itself(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        asked = emergencies.ask(connection, world.change, "the shop is down", world.ada, at(1), at(60))
        assert emergencies.in_force(connection, world.change, at(2)) is None
        assert not emergencies.confirm(connection, asked.id, world.ada, at(2))
        assert not emergencies.confirm(connection, asked.id, world.ben, at(60))
        assert emergencies.confirm(connection, asked.id, world.ben, at(3))
        assert not emergencies.confirm(connection, asked.id, world.ben, at(4))
        live = emergencies.in_force(connection, world.change, at(59))
        assert live is not None
        assert (live.confirmed_by, live.confirmed_at) == (world.ben, at(3))
        assert emergencies.in_force(connection, world.change, at(60)) is None
        assert emergencies.set_entry(connection, asked.id, 5)
        assert not emergencies.set_entry(connection, asked.id, 6)
        assert [each.entry for each in emergencies.page(connection, change=world.change)] == [5]
        assert emergencies.page(connection, after=asked.id) == ()


def test_a_dead_workers_work_goes_to_one_and_it_learns_that_it_died(database: Database) -> None:
    with database.write() as connection:
        assert workers.start(connection, "w1", "host", at(1))
        assert not workers.start(connection, "w1", "host", at(1))
        assert workers.start(connection, "w2", "host", at(1))
        assert workers.beat(connection, "w2", at(5))
        assert [worker.id for worker in workers.dead(connection, at(3))] == ["w1"]
        assert [worker.id for worker in workers.living(connection)] == ["w1", "w2"]
        assert not workers.stop_dead(connection, "w2", at(3), at(6))
        assert workers.stop_dead(connection, "w1", at(3), at(6))
        assert not workers.stop_dead(connection, "w1", at(3), at(6))
        assert not workers.beat(connection, "w1", at(7))
        assert workers.dead(connection, at(3)) == ()
        assert workers.stop(connection, "w2", at(8))
        assert workers.living(connection) == ()


def test_a_value_is_the_last_or_the_first_that_was_written(database: Database) -> None:
    with database.write() as connection:
        assert values.read(connection, "n") is None
        values.write(connection, "n", "1", at(1))
        values.write(connection, "n", "2", at(2))
        assert values.read(connection, "n") == "2"
        assert values.write_once(connection, "n", "3", at(3)) == "2"
        assert values.write_once(connection, "m", "4", at(3)) == "4"


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_times_sort_as_text_and_come_back(one: object, other: object) -> None:
    from datetime import UTC, datetime

    from tidegate.store.clock import text_of

    assert isinstance(one, datetime)
    assert isinstance(other, datetime)
    if not (1 < one.year < 9999 and 1 < other.year < 9999):
        return
    first, second = text_of(one), text_of(other)
    assert moment_of(first) == one.astimezone(UTC)
    assert (first < second) == (one.astimezone(UTC) < other.astimezone(UTC))


def test_the_clock_counts_in_both_directions() -> None:
    assert later(at(1), 90) == at(2.5)
    assert later(at(1), -60) == at(0)
    assert seconds_between(at(2), at(1)) == -60.0
    assert 0 <= seconds_between(now(), now()) < 60


def database_change(connection: object) -> int:
    from tidegate.store import changes

    return changes.page(connection)[0].id  # type: ignore[arg-type]


def clean(connection: object) -> None:
    from tidegate.store.tables import looks as table

    connection.execute(table.delete())  # type: ignore[attr-defined]
