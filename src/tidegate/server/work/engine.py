"""Background work: deliveries from the inbox to decisions, durably, by any number of workers of which any may die.

DBOS remembers how far each piece of work is; it is behind this module alone. What there is to do is told by the inbox,
not by DBOS: whatever DBOS loses, the sweeper (`sweep.py`) finds again. Known of DBOS 3.4 and designed around: two live
processes must not share an executor id, the work of a dead one is not adopted by itself, pickle is its default.
"""

from __future__ import annotations

import random
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tidegate import __version__
from tidegate.errors import TidegateError
from tidegate.server.drill.making import attend
from tidegate.server.logs import log, log_failure
from tidegate.server.mirrors import open_mirrors
from tidegate.server.production.loop import Lookout
from tidegate.server.production.setup import Production, read_production
from tidegate.server.service import Service
from tidegate.server.work.errands import Errands, Told
from tidegate.server.work.journey import Way
from tidegate.server.work.sweep import Sweeper
from tidegate.store import inbox, workers
from tidegate.store.clock import later
from tidegate.store.inbox import Received

WORKFLOW = "tidegate.errands"
_TROUBLE = (DBAPIError, PoolTimeoutError, TidegateError)


class Pace(Struct, frozen=True):
    """Seconds, but for `batch`: among how many deliveries one claim looks for all that are about one change.

    A worker that broke is begun anew after `again`, then after twice that; `tries` of them in a row are enough, and one
    that worked for `sound` did not break in a row.
    """

    beat: float = 3.0
    dead: float = 20.0
    look: float = 1.0
    sweep: float = 10.0
    ask: float = 300.0
    production: float = 5.0
    drills: float = 3.0
    sound: float = 60.0
    batch: int = 1000
    again: float = 1.0
    tries: int = 5


USUAL = Pace()
GROUPS = 4
"""How many changes one claim takes, so that the others have something to do and little is lost with a worker."""


class Bell:
    """Rung when something came into the inbox; whoever waits wakes up."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> None:
        self._event.wait(seconds)
        self._event.clear()


class Engine:
    """One worker with `threads` hands. Its id is its own: after a restart it is another worker."""

    def __init__(self, way: Way, bell: Bell, threads: int, pace: Pace = USUAL) -> None:
        self.identifier = uuid.uuid4().hex
        self.lost = False
        self.error: Exception | None = None
        self._service = service = way.service
        self._bell = bell
        self._pace = pace
        self._stop = threading.Event()
        self._errands = Errands(way, self.identifier)
        self._lookout = Lookout(way, _production(service))
        self._sweeper = Sweeper(way, self.identifier, self._errands, self._recover, pace.dead, pace.ask)
        self._run = self._launch()
        service.database.change(
            lambda connection: workers.start(connection, self.identifier, socket.gethostname()[:200], service.now())
        )
        loops = [self._beat, self._sweep, self._look_out, self._make_drills, *([self._work] * threads)]
        self._threads = [
            threading.Thread(target=self._guard, args=(loop,), daemon=True, name=f"tidegate-{loop.__name__}")
            for loop in loops
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Ends in good order: what is under way is finished, or left to others after `seconds`."""
        self._stop.set()
        self._bell.ring()
        ends = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.1, ends - time.monotonic()))
        with suppress(*_TROUBLE):
            self._service.database.change(self._leave)
        _forget_engine()

    def settled(self) -> bool:
        """Whether nothing waits and nothing is under way, as far as this worker knows."""
        with self._service.database.read() as connection:
            counts = inbox.counts(connection)
        return not counts.get("new") and not counts.get("taken") and not self._errands.waiting()

    # Private

    def _guard(self, loop: Callable[[], None]) -> None:
        """A loop that breaks ends the worker: one whose heart stands still, or that claims nothing, is none."""
        try:
            loop()
        except Exception as error:  # noqa: BLE001 the last door of this thread: the worker ends by it
            log_failure(error, self.identifier)
            self.error = error
            self.lost = True
            self._stop.set()

    def _launch(self) -> Callable[[list[int]], Any]:
        """Starts DBOS under this worker's id; the workflow, ready to be started."""
        from dbos import DBOS, DBOSConfig

        url = _workflow_url(self._service)
        config = DBOSConfig(
            name="tidegate",
            system_database_url=url,
            executor_id=self.identifier,
            application_version=f"tidegate-{__version__}",
            serializer=_portable(),
            log_level="CRITICAL",
            use_listen_notify=False,
        )
        DBOS(config=config)
        steps = self._errands

        @DBOS.step(name="tidegate.look")
        def look(identifiers: list[int]) -> Told:
            return steps.look(identifiers)

        @DBOS.step(name="tidegate.attend")
        def attend(errand: Told) -> Told:
            return steps.attend(errand)

        @DBOS.step(name="tidegate.tell")
        def tell(attended: Told) -> Told:
            return steps.tell(attended)

        @DBOS.step(name="tidegate.end")
        def end(identifiers: list[int], answers: list[Told]) -> Told:
            return steps.end(identifiers, answers)

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=5)
        def errands(identifiers: list[int]) -> None:
            found = look(identifiers)
            done = [attend(errand) for errand in found["errands"]]
            told = [tell(each) for each in done if "change" in each]
            end(identifiers, [found, *done, *told])

        DBOS.launch()
        return lambda identifiers: DBOS.start_workflow(errands, identifiers).get_result()

    def _recover(self, worker: str) -> int:
        """Ends what DBOS remembers of a dead worker; how many. The deliveries go back to the inbox and are handled
        with what came since about the same change: resumed one by one, the work of many deaths would pile up."""
        from dbos import DBOS

        found = DBOS.list_workflows(
            executor_id=worker, status=["PENDING", "ENQUEUED"], load_input=False, load_output=False, limit=10_000
        )
        if found:
            DBOS.delete_workflows([each.workflow_id for each in found])
        return len(found)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                groups = self._claim()
                for group in groups:
                    if not self._stop.is_set():
                        self._run([each.id for each in group])
            except _TROUBLE as error:
                log_failure(error, self.identifier)
                self._stop.wait(self._pace.look)
            except Exception as error:  # noqa: BLE001 the fence around work: a worker that ended would do nothing more
                log_failure(error, self.identifier)
                self._stop.wait(self._pace.look)
            else:
                if not groups:
                    self._bell.wait(self._pace.look)

    def _claim(self) -> list[list[Received]]:
        """The next deliveries, those of one change together."""
        service, worker = self._service, self.identifier
        due = self._errands.due()
        now = service.now()
        taken = service.database.change(lambda connection: _take_again(connection, due, worker, now))
        if not taken:
            with service.database.read() as connection:
                waiting = self._errands.grouped(inbox.waiting(connection, most=self._pace.batch))
            near = waiting[: 3 * GROUPS]  # not always the first: other workers are looking at the same
            chosen = [each.id for group in random.sample(near, min(GROUPS, len(near))) for each in group]
            taken = service.database.change(lambda connection: inbox.take_all(connection, chosen, worker, now))
        return self._errands.grouped(taken)

    def _beat(self) -> None:
        while not self._stop.wait(self._pace.beat):
            try:
                alive = self._service.database.change(
                    lambda connection: workers.beat(connection, self.identifier, self._service.now())
                )
            except _TROUBLE as error:
                log_failure(error, self.identifier)
                continue
            if not alive:
                self.lost = True
                log("worker", id=self.identifier, lost=True)
                self._stop.set()

    def _sweep(self) -> None:
        while not self._stop.wait(self._pace.sweep):
            for task in self._sweeper.tasks():
                try:
                    task()
                except Exception as error:  # noqa: BLE001 the fence around one task: the others are done all the same
                    log_failure(error, self.identifier)
                if self._stop.is_set():
                    return
            with suppress(Exception):
                _forget_workflows()
            self._bell.ring()

    def _look_out(self) -> None:
        while not self._stop.wait(self._lookout.pause or self._pace.production):
            try:
                self._lookout.look()
            except Exception as error:  # noqa: BLE001 the fence around one look: the next one comes
                log_failure(error, self.identifier)

    def _make_drills(self) -> None:
        while not self._stop.wait(self._pace.drills):
            try:
                attend(self._service)
            except Exception as error:  # noqa: BLE001 the fence around one look: the next one comes
                log_failure(error, self.identifier)

    def _leave(self, connection: Any) -> None:
        for held in inbox.held_by(connection, self.identifier, most=10_000):
            inbox.put_back(connection, held.id, held.problem)
        workers.stop(connection, self.identifier, self._service.now())


@contextmanager
def working(
    service: Service,
    bell: Bell,
    threads: int,
    pace: Pace = USUAL,
    failed: Callable[[Exception], None] = lambda _: None,
) -> Iterator[None]:
    """Works in the background of this process until the block ends; begins anew where the worker was given up.

    Where it broke too often in a row, `failed` is told the last reason, and nothing works any more.
    """
    if not threads:
        yield
        return
    ended = threading.Event()
    way = Way(service, open_mirrors(service.config))

    def run() -> None:
        broken = 0
        while not ended.is_set():
            began = time.monotonic()
            error = _work_until(ended, lambda: Engine(way, bell, threads, pace))
            broken = 0 if error is None or time.monotonic() - began > pace.sound else broken + 1
            if error is not None and broken >= pace.tries:
                failed(error)
                return
            if error is not None:
                ended.wait(pace.again * 2.0 ** max(0, broken - 1))

    thread = threading.Thread(target=run, name="tidegate-engine")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


# Private


def _production(service: Service) -> Production | None:
    return read_production(service.config.production) if service.config.production is not None else None


def _work_until(ended: threading.Event, begin: Callable[[], Engine]) -> Exception | None:
    """Why the worker broke; None where it was told to end, or was given up by the others."""
    try:
        engine = begin()
    except Exception as error:  # noqa: BLE001 the fence around one worker: what it is made of may fail by anything
        log_failure(error, "")
        with suppress(Exception):
            _forget_engine()
        return error
    while not engine.lost and not ended.wait(0.2):
        pass
    engine.stop()
    return engine.error


def _forget_engine() -> None:
    from dbos import DBOS

    DBOS.destroy(destroy_registry=True)


def _take_again(connection: Any, due: Sequence[int], worker: str, at: str) -> tuple[Received, ...]:
    """Those whose time to be tried again has come; each time counts."""
    found = []
    for identifier in due:
        held = inbox.get(connection, identifier)
        if held is not None and held.state == "taken" and held.worker == worker:
            inbox.put_back(connection, identifier, held.problem)
            if (taken := inbox.take(connection, identifier, worker, at)) is not None:
                found.append(taken)
    return tuple(found)


def _workflow_url(service: Service) -> str:
    """PostgreSQL: the same database, in a schema of its own. SQLite: a file beside it, because DBOS and the ledger
    would wait for each other's writes; it may be thrown away at any time."""
    database = service.database
    if database.kind == "postgresql":
        return database.engine.url.render_as_string(hide_password=False)
    assert database.path is not None  # noqa: S101 a file, on SQLite
    path = database.path.with_name(f"{database.path.stem}-workflows.db")
    _make_wal(path)
    return f"sqlite:///{path}"


def _make_wal(path: Path) -> None:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=20)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _portable() -> Any:
    from dbos._serialization import DBOSPortableJSON

    return DBOSPortableJSON


def _forget_workflows() -> None:
    """What ended an hour ago is in the tables of ours, where it belongs."""
    from dbos import DBOS

    before = later(_now(), -3600)
    old = DBOS.list_workflows(
        status=["SUCCESS", "ERROR"], end_time=before, limit=1000, load_input=False, load_output=False
    )
    if old:
        DBOS.delete_workflows([each.workflow_id for each in old])


def _now() -> str:
    from tidegate.store.clock import now

    return now()
