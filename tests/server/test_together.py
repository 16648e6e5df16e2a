"""Group commit: what comes at once is written at once, each sender is told of its own, and nothing is lost or mixed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from msgspec import structs
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests.store.postgres import running_postgres
from tidegate.errors import InputError
from tidegate.operate.intake.listing import Said
from tidegate.operate.values import ErrorReport
from tidegate.rollout.values import DeploymentEvent, NotUsed
from tidegate.server.production.intake import Message, Taken, keep_all, take
from tidegate.server.service import Service
from tidegate.server.together import MOST, Together
from tidegate.store.engine import Database
from tidegate.store.migrate import prepare_database
from tidegate.store.tables import deployments, errors, production_events, production_messages
from tidegate.store.types import ValueNotKeptError

NOW = "2026-11-21T12:00:00.000000Z"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, ...]]:
    """Two empty databases."""
    folder = tmp_path_factory.mktemp("pair", numbered=True)
    if request.param == "sqlite":
        yield tuple(prepare_database(f"sqlite:///{folder}/{name}.db") for name in "ab")
        return
    with running_postgres(folder) as server:
        opened = tuple(prepare_database(server.new_database()) for _ in range(2))
        yield opened
        for each in opened:
            each.close()


def messages(seed: int) -> list[Message]:
    """Some twice, some keys twice with other words, in one message and in several."""
    chance = random.Random(seed)
    found = []
    for _ in range(60):
        said = tuple(_said(chance) for _ in range(chance.choice((0, 1, 1, 1, 3))))
        found.append(Message(chance.choice("ab"), msgspec.json.encode([structs.asdict(one) for one in said]), said))
    return found


def _said(chance: random.Random) -> Said:
    key, at = f"{chance.randrange(40)}", float(chance.randrange(1, 100))
    if chance.random() < 0.2:
        return NotUsed(sender="plain", key=key, type="lunch", at=at)
    if chance.random() < 0.3:
        return ErrorReport(sender="plain", key=chance.choice("xyz"), kind="E", message=key, first=at, last=at)
    return DeploymentEvent(
        sender=chance.choice(("plain", "cd")),
        key=key,
        at=at,
        deployment=f"{chance.randrange(8)}",
        status=chance.choice(("started", "succeeded", "failed")),
        environment="production",
        service="pay",
    )


def test_a_group_is_taken_as_its_messages_are_one_after_the_other(pair: tuple[Database, ...]) -> None:
    for seed in range(3):
        given = messages(seed)
        cut = random.Random(seed).randrange(60)
        together = [*_at_once(pair[0], given[:cut]), *_at_once(pair[0], given[cut:])]
        singly = [taken for each in given for taken in _at_once(pair[1], [each])]
        assert together == singly
        assert sum(each.new for each in singly) > 20 or seed
        assert _everything(pair[0]) == _everything(pair[1])


def _at_once(database: Database, given: Sequence[Message]) -> list[Taken]:
    return database.change(lambda connection: keep_all(connection, given, NOW))


def _everything(database: Database) -> list[list[tuple[object, ...]]]:
    bodies = select(production_messages.c.sender, production_messages.c.digest, production_messages.c.body)
    words = [production_events.c[name] for name in ("sender", "key", "kind", "subject", "at", "document")]
    came = select(*words, production_messages.c.digest).outerjoin(
        production_messages, production_messages.c.id == production_events.c.message
    )
    folded = [select(*(each for each in table.c if each.name != "id")) for table in (deployments, errors)]
    with database.read() as connection:
        return [sorted(map(tuple, connection.execute(query)), key=repr) for query in (bodies, came, *folded)]


def test_what_comes_while_another_writes_shares_one_write() -> None:
    group: Together[int, int] = Together()
    batches: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def write(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        begun.set()
        assert go_on.wait(10)
        return [each * 2 for each in items]

    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(group.add, 0, 1, write)
        assert begun.wait(10)
        rest = [pool.submit(group.add, number, 1, write) for number in range(1, 20)]
        until = time.monotonic() + 10
        while len(group._waiting) < 19 and time.monotonic() < until:
            time.sleep(0.001)
        go_on.set()
        assert first.result(10) == 0
        assert [each.result(10) for each in rest] == [number * 2 for number in range(1, 20)]
    assert [len(each) for each in batches] == [1, 19]


def test_many_threads_get_their_own_answers_in_bounded_groups() -> None:
    group: Together[int, int] = Together()
    sizes: list[int] = []
    writing = threading.Lock()

    def write(items: Sequence[int]) -> list[int]:
        assert writing.acquire(blocking=False), "two wrote at once"
        sizes.append(len(items))
        time.sleep(0.0005)
        writing.release()
        return list(items)

    with ThreadPoolExecutor(64) as pool:
        assert list(pool.map(lambda number: group.add(number, 4 << 20, write), range(2000))) == list(range(2000))
    assert sum(sizes) == 2000
    assert max(sizes) <= 2 <= MOST


def test_what_is_wrong_with_one_is_told_to_it_alone(service: Service) -> None:
    good = [b'{"type":"deployment","deployment":"%d","status":"started","at":%d,"environment":"e","service":"s"}']
    bodies = [good[0] % (number, number + 1) for number in range(40)]
    bad = NotUsed(sender="plain", key="a\0b", type="lunch", at=1.0)
    begun = threading.Barrier(41)

    def spoil() -> Taken:
        begun.wait(10)

        def write(given: Sequence[Message]) -> Sequence[Taken]:
            return service.database.change(lambda connection: keep_all(connection, given, service.now()))

        return service.messages.add(Message("plain", b"[]", (bad,)), 2, write)

    def tell(body: bytes) -> Taken:
        begun.wait(10)
        return take(service, "plain", body, {})

    with ThreadPoolExecutor(41) as pool:
        wrong = pool.submit(spoil)
        right = [pool.submit(tell, body) for body in bodies]
        assert [each.result(20) for each in right] == [Taken(1, 0, 0)] * 40
        with pytest.raises(Exception, match="holds a character") as raised:
            wrong.result(20)
    assert isinstance(raised.value, ValueNotKeptError) or isinstance(raised.value.__cause__, ValueNotKeptError)
    with pytest.raises(InputError):
        take(service, "plain", b"{", {})


def test_a_database_that_is_away_is_asked_once_for_all() -> None:
    group: Together[int, int] = Together()
    asked: list[int] = []

    def write(items: Sequence[int]) -> list[int]:
        asked.append(len(items))
        time.sleep(0.02)
        raise OperationalError("commit", None, Exception("gone"))

    def add(number: int) -> bool:
        with pytest.raises(OperationalError):
            group.add(number, 1, write)
        return True

    with ThreadPoolExecutor(30) as pool:
        assert all(pool.map(add, range(30)))
    assert sum(asked) == 30
    assert len(asked) < 30
