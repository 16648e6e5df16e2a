"""What the worker does about production, again and again: watch, open, trace, end, judge. Any step may be cut off."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.server.logs import log, log_failure
from tidegate.server.production.confirming import put_causes
from tidegate.server.production.incident_entries import put_ended, put_incident
from tidegate.server.production.opening import end_incident, join_evidence, open_incidents, to_attend
from tidegate.server.production.outcomes import sweep_outcomes
from tidegate.server.production.setup import Production
from tidegate.server.production.taken_back import taken_back
from tidegate.server.production.tracing import trace_incident
from tidegate.server.production.watching import Watcher
from tidegate.server.rollout.callbacks import answer_callbacks
from tidegate.server.rollout.canaries import put_canaries
from tidegate.server.rollout.told import put_deployments, put_gates
from tidegate.server.work.journey import Way
from tidegate.store import incidents
from tidegate.store.incidents import Incident

MOST_OPEN = 50


class Lookout:
    """The tasks of one machine: of several workers on it one is at them. `setup` None: nothing is watched."""

    def __init__(self, way: Way, setup: Production | None, clock: Callable[[], float] = time.time) -> None:
        self._way = way
        self._setup = setup
        self._clock = clock
        self._attended = 0
        self._watcher = Watcher(way.service, setup, clock) if setup is not None else None

    @property
    def pause(self) -> float:
        """Seconds between two looks: as often as there is something new to see; 0: as the caller likes."""
        return min(max(self._setup.step, 1.0), 15.0) if self._setup is not None else 0.0

    def look(self) -> None:
        """Does all that there is to do now, unless another worker of this machine is doing it."""
        with _alone(self._way.service.config.data / "production.lock") as mine:
            if mine:
                self._watch()
                self._attend()
                self._attend_to_gates()
                sweep_outcomes(self._way, self._setup, self._clock())

    # Private

    def _watch(self) -> None:
        if self._watcher is None:
            return
        try:
            self._watcher.look()
        except TidegateError as error:  # Prometheus is away: nothing is known, and the incidents are attended to
            log_failure(error, "watch")

    def _attend(self) -> None:
        service = self._way.service
        open_incidents(service, self._clock())
        with service.database.read() as connection:
            still_open = to_attend(connection, self._attended, MOST_OPEN)
        self._attended = still_open[-1].id if still_open else 0
        for incident in still_open:
            try:
                self._attend_to(incident)
            except TidegateError as error:  # the others are attended to all the same
                log_failure(error, f"incident {incident.id}")

    def _attend_to_gates(self) -> None:
        """Questions that wait for an answer, and what the ledger does not hold yet."""
        service = self._way.service
        steps: tuple[Callable[[], int], ...] = (
            partial(answer_callbacks, self._way),
            partial(put_gates, service),
            partial(put_deployments, service),
            partial(put_canaries, service),
            partial(put_causes, service),
            partial(put_ended, service),
        )
        for step in steps:
            try:
                step()
            except TidegateError as error:  # the next look finds the same again
                log_failure(error, "gates")

    def _attend_to(self, incident: Incident) -> None:
        service, now = self._way.service, self._clock()
        join_evidence(service, incident, now)
        trace_incident(self._way, self._setup, incident, now)
        if incident.entry is None:
            put_incident(service, incident.id)
        with service.database.read() as connection:
            known = incidents.get(connection, incident.id)
        if known is None:
            return
        end_incident(service, known, now, partial(taken_back, self._way))
        with service.database.read() as connection:
            ended = incidents.get(connection, incident.id)
        if ended is not None and ended.state == "resolved":
            trace_incident(self._way, self._setup, ended, now)
            put_incident(service, ended.id)
            log("attended", incident=ended.id)


# Private


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
