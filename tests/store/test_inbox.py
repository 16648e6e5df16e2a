"""Deliveries: kept once, taken by one worker, ended once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.world import at
from tidegate.store import inbox
from tidegate.store.engine import Database
from tidegate.store.inbox import Delivery


def delivery(name: str, *, body: bytes = b"{}") -> Delivery:
    return Delivery("github", name, "pull_request", "acme/shop", body)


def fill(database: Database, count: int) -> None:
    with database.write() as connection:
        for number in range(count):
            assert inbox.receive(connection, delivery(f"d{number}"), at(number))


def test_the_same_delivery_is_kept_once_and_as_it_came_first(database: Database) -> None:
    with database.write() as connection:
        assert inbox.receive(connection, delivery("d1", body=b"first\0\xff"), at(1))
        assert not inbox.receive(connection, delivery("d1", body=b"second"), at(2))
        assert inbox.receive(connection, Delivery("gitlab", "d1", "push", "acme/shop", b"other forge"), at(3))
    with database.read() as connection:
        kept = inbox.find(connection, "github", "d1")
        assert kept is not None
        assert (kept.body, kept.received_at, kept.state, kept.attempts) == (b"first\0\xff", at(1), "new", 0)
        assert inbox.counts(connection) == {"new": 2}
        assert inbox.find(connection, "github", "d2") is None


def test_the_oldest_are_claimed_first_and_by_one_worker(database: Database) -> None:
    fill(database, 3)
    with database.write() as connection:
        first = inbox.claim(connection, "w1", at(10), most=2)
        assert [taken.delivery for taken in first] == ["d0", "d1"]
        assert [(taken.state, taken.worker, taken.attempts) for taken in first] == [("taken", "w1", 1)] * 2
        assert [taken.delivery for taken in inbox.claim(connection, "w2", at(11), most=2)] == ["d2"]
        assert inbox.claim(connection, "w2", at(12)) == ()
        assert inbox.take(connection, first[0].id, "w2", at(12)) is None
        assert [held.delivery for held in inbox.held_by(connection, "w1")] == ["d0", "d1"]


def test_many_workers_never_get_the_same(database: Database) -> None:
    fill(database, 40)

    def work(worker: int) -> list[str]:
        got: list[str] = []
        while taken := database.change(lambda connection: inbox.claim(connection, f"w{worker}", at(60), most=3)):
            got += [each.delivery for each in taken]
        return got

    with ThreadPoolExecutor(4) as pool:
        got = [name for names in pool.map(work, range(4)) for name in names]
    assert sorted(got) == sorted(f"d{number}" for number in range(40))


def test_it_ends_once_and_as_it_ended_first(database: Database) -> None:
    fill(database, 1)
    with database.write() as connection:
        (taken,) = inbox.claim(connection, "w1", at(1))
        assert inbox.finish(connection, taken.id, "failed", at(2), "the forge was away")
        assert not inbox.finish(connection, taken.id, "done", at(3))
        kept = inbox.get(connection, taken.id)
        assert kept is not None
        assert (kept.state, kept.handled_at, kept.problem) == ("failed", at(2), "the forge was away")
        assert not inbox.put_back(connection, taken.id)
        assert inbox.claim(connection, "w2", at(4)) == ()


def test_what_a_dead_worker_held_goes_back_and_counts_its_attempts(database: Database) -> None:
    fill(database, 1)
    with database.write() as connection:
        (taken,) = inbox.claim(connection, "w1", at(1))
        assert inbox.put_back(connection, taken.id, "w1 died")
        (again,) = inbox.claim(connection, "w2", at(2))
        assert (again.id, again.attempts, again.worker) == (taken.id, 2, "w2")


def test_stuck_are_those_that_wait_or_are_held_too_long(database: Database) -> None:
    fill(database, 4)  # received at minutes 0 to 3
    with database.write() as connection:
        inbox.claim(connection, "w1", at(5), most=1)
        found = [each.delivery for each in inbox.stuck(connection, at(2.5))]
        assert found == ["d1", "d2"]
        assert [each.delivery for each in inbox.stuck(connection, at(6))] == ["d0", "d1", "d2", "d3"]
        inbox.finish(connection, inbox.stuck(connection, at(6))[0].id, "done", at(6))
        assert [each.delivery for each in inbox.stuck(connection, at(6), most=2)] == ["d1", "d2"]


def test_what_the_forge_lists_and_we_do_not_know_was_missed(database: Database) -> None:
    fill(database, 2)
    with database.read() as connection:
        assert inbox.known(connection, "github", ["d0", "d1", "d2"]) == {"d0", "d1"}
        assert inbox.known(connection, "gitlab", ["d0"]) == frozenset()
        assert inbox.known(connection, "github", []) == frozenset()


def test_pages_go_from_the_newest_back_without_gaps(database: Database) -> None:
    fill(database, 7)
    seen: list[str] = []
    before = None
    with database.read() as connection:
        while page := inbox.page(connection, before=before, most=3):
            seen += [each.delivery for each in page]
            before = page[-1].id
        assert seen == [f"d{number}" for number in reversed(range(7))]
        assert inbox.page(connection, state="done") == ()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(["a", "b", "c", "a", "b", "c", "a"]))
def test_in_whatever_order_and_however_often_each_is_new_once(database: Database, order: list[str]) -> None:
    with database.write() as connection:
        new = [name for name in order if inbox.receive(connection, delivery(f"{name}-{order}"), at(1))]
    assert sorted(new) == ["a", "b", "c"]
