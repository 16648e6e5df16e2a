"""Drills in both databases: what happens in one happens once, and what is due is news when it is due."""

from __future__ import annotations

import threading

from tests.store.world import at, small_world
from tidegate.store import drills, news
from tidegate.store.drills import NewDrill, NewEvent
from tidegate.store.engine import Database
from tidegate.store.erasure import forget_person
from tidegate.store.news import News


def begun(database: Database) -> tuple[int, int]:
    """An exercise that is ready, and who leads it."""
    with database.write() as connection:
        world = small_world(connection)
        new = NewDrill(repository=world.repository, facilitator=world.ada, pattern="p", seed=7, scenario=b"{}")
        number = drills.add(connection, new, at(1)).id
        assert drills.made(connection, number, b'{"a":1}', at(2))
    return number, world.ada


def test_of_two_that_were_made_the_first_is_the_one(database: Database) -> None:
    number, _ = begun(database)
    with database.write() as connection:
        assert not drills.made(connection, number, b"another", at(3))
        assert not drills.fail(connection, number, "too late", at(3))
        assert drills.scenario(connection, number) == b'{"a":1}'
        assert not drills.reported(connection, number, b"before the end", at(3))
        drills.set_state(connection, number, "over")
        assert drills.reported(connection, number, b"first", at(4))
        assert not drills.reported(connection, number, b"second", at(5))
        assert drills.report(connection, number) == b"first"
        (waiting,) = drills.unrecorded(connection)
        drills.set_entry(connection, number, 9)
        assert drills.unrecorded(connection) == ()
        found = drills.get(connection, number)
    assert waiting.id == number
    assert found is not None
    assert (found.state, found.entry, found.changed_at) == ("reported", 9, at(4))


def test_an_event_with_its_key_is_there_once_also_from_many_at_once(database: Database) -> None:
    number, ada = begun(database)
    wrote: list[bool] = []

    def put(said: str) -> None:
        new = NewEvent(drill=number, key="answer:x", kind="answer", person=ada, through="session", about="x", said=said)
        wrote.append(database.change(lambda connection: drills.put(connection, new, at(3))))

    threads = [threading.Thread(target=put, args=(letter,)) for letter in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wrote) == [False] * 5 + [True]
    with database.write() as connection:
        (event,) = drills.unrecorded_answers(connection)
        drills.set_event_entry(connection, event.id, 4)
        assert drills.unrecorded_answers(connection) == ()
        assert [one.entry for one in drills.events(connection, number)] == [4]


def test_those_that_were_begun_least_are_made_first_and_pages_go_back(database: Database) -> None:
    number, ada = begun(database)
    with database.write() as connection:
        more = [
            drills.add(connection, NewDrill(repository=_repository(connection, number), facilitator=ada), at(5)).id
            for _ in range(3)
        ]
        drills.begin(connection, more[0])
        assert [one.id for one in drills.in_states(connection, ("making",))] == [more[1], more[2], more[0]]
        assert drills.count(connection, "making") == 3
        assert [one.id for one in drills.page(connection, most=2)] == [more[2], more[1]]
        assert [one.id for one in drills.page(connection, before=more[1])] == [more[0], number]
        assert drills.get(connection, 10**9) is None
        assert drills.take(connection, 10**9, at(6)) is None


def test_what_is_due_is_news_when_it_is_due_and_not_before(database: Database) -> None:
    number, _ = begun(database)
    with database.write() as connection:
        drills.set_beats(connection, number, [at(10), at(11), at(11), at(30)])

    def told(since: float, now: float) -> tuple[News, ...]:
        with database.read() as connection:
            return tuple(one for one in news.since(connection, at(since), clock=lambda: at(now)) if one.kind == "drill")

    assert told(3, 9.9) == ()
    assert told(3, 10) == (News("drill", number, at(10)),)
    assert told(10.5, 20) == (News("drill", number, at(11)),)
    with database.write() as connection:
        drills.set_beats(connection, number, [])
    assert told(3, 60) == ()


def test_what_an_erased_person_named_goes_and_that_something_was_decided_stays(database: Database) -> None:
    number, ada = begun(database)
    with database.write() as connection:
        for key, said in (("call", "@ada-of-acme"), ("first", "b")):
            event = NewEvent(drill=number, key=key, kind="answer", person=ada, through="token", about=key, said=said)
            assert drills.put(connection, event, at(3))
        forget_person(connection, ada, at(4))
        assert [one.said for one in drills.events(connection, number)] == ["(erased)", "b"]


def _repository(connection: drills.Connection, number: int) -> int:
    found = drills.get(connection, number)
    assert found is not None
    return found.repository
