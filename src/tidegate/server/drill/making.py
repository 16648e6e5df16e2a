"""What a worker does about exercises, again and again: make them, judge them, put them on record.

Any step may be cut off: it is begun again, a few times, and of two that were made the first is the one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tidegate.drill.after import report_of
from tidegate.drill.values import Scenario
from tidegate.errors import TidegateError
from tidegate.facts import to_json
from tidegate.server.api.problems import Problem
from tidegate.server.drill.child import CHILD, Judging, Making, judge, make
from tidegate.server.drill.record import answers_of, put_decisions, put_results
from tidegate.server.logs import log, log_failure
from tidegate.server.mirrors import open_mirrors
from tidegate.server.service import Service
from tidegate.store import drills, repositories
from tidegate.store.drills import Drill
from tidegate.store.repositories import Repository

MOST_TRIES = 3
TOO_MUCH = "it took more time or memory than there is for it"


def attend(service: Service, command: Sequence[str] = CHILD) -> int:
    """Does what there is to do now, unless another worker of this machine is doing it; how many were made or judged."""
    with _alone(service.config.data / "drill.lock") as mine:
        if not mine:
            return 0
        with service.database.read() as connection:
            waiting = drills.in_states(connection, ("making", "over"))
        for one in waiting:
            try:
                _make(service, one, command) if one.state == "making" else _judge(service, one, command)
            except TidegateError as error:  # the others are made all the same
                log_failure(error, f"drill {one.id}")
        put_decisions(service)
        put_results(service)
        return len(waiting)


# Private


def _make(service: Service, drill: Drill, command: Sequence[str]) -> None:
    if drill.tries >= MOST_TRIES:
        return _fail(service, drill, TOO_MUCH)
    repository, mirror = _place(service, drill)
    if repository is None or not mirror.is_dir():
        return _fail(service, drill, "nothing was fetched of its repository yet")
    service.database.change(lambda connection: drills.begin(connection, drill.id))
    with service.database.read() as connection:
        given = drills.scenario(connection, drill.id)
    asked = Making(
        mirror=str(mirror),
        revision=f"refs/heads/{repository.main}",
        name=repository.slug.rpartition("/")[2][:100],
        pattern=drill.pattern,
        seed=drill.seed,
        given=msgspec.json.decode(given, type=Scenario) if given else None,
    )
    said = make(asked, command)
    if said is None:
        return None
    if said.scenario is None:
        return _fail(service, drill, _words(said.wrong.raised()))
    document, now = to_json(said.scenario), service.now()
    service.database.change(lambda connection: drills.made(connection, drill.id, document, now))
    log("drill", id=drill.id, made=said.scenario.pattern)
    return None


def _judge(service: Service, drill: Drill, command: Sequence[str]) -> None:
    """The report; of what the repository cannot be asked any more, what the scenario says of it."""
    with service.database.read() as connection:
        scenario = msgspec.json.decode(drills.scenario(connection, drill.id), type=Scenario)
        events = drills.events(connection, drill.id)
    answers = answers_of(scenario, events)
    repository, mirror = _place(service, drill)
    report = None
    asked = drill.tries < MOST_TRIES and repository is not None and mirror.is_dir()
    if asked:
        service.database.change(lambda connection: drills.begin(connection, drill.id))
        said = judge(Judging(str(mirror), scenario, answers), command)
        if said is None:
            return
        report = said.report
    document = to_json(report or report_of(scenario, answers, "", None))
    now = service.now()
    service.database.change(lambda connection: drills.reported(connection, drill.id, document, now))
    log("drill", id=drill.id, reported=report is not None)


def _fail(service: Service, drill: Drill, why: str) -> None:
    now = service.now()
    service.database.change(lambda connection: drills.fail(connection, drill.id, why[:1_000], now))
    log("drill", id=drill.id, failed=why[:200])


def _words(error: Exception) -> str:
    if isinstance(error, Problem):
        return error.title
    return ", ".join(part for part in (getattr(error, "what", ""), getattr(error, "where", "")) if part)


def _place(service: Service, drill: Drill) -> tuple[Repository | None, Path]:
    with service.database.read() as connection:
        repository = repositories.get(connection, drill.repository)
    if repository is None or repository.removed_at is not None:
        return None, Path()
    return repository, open_mirrors(service.config).path_of(repository.forge, repository.slug)


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)
