"""The four steps of an errand. Each takes and answers plain JSON, may be done twice, and answers its trouble.

An answer with `problem` did not succeed: `retry` are the seconds after which it may, None that it never will. Trouble
of a forge does not count as a try, because a forge may be away for a night; trouble of ours does.
"""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tidegate.errors import InputError, InternalError, TidegateError
from tidegate.ledger.log_guard import LedgerRefusesError
from tidegate.server.forge.errors import ForgeError
from tidegate.server.logs import log_failure
from tidegate.server.work.group import answer_group
from tidegate.server.work.journey import Way, decide
from tidegate.server.work.routes import Errand, errands_of, read_hint
from tidegate.server.work.say import say
from tidegate.store import inbox, repositories
from tidegate.store.inbox import Received

Told: TypeAlias = dict[str, Any]
MOST_TRIES = 6
"""Trouble of our own: then the delivery has failed, and `/metrics` counts it."""
MOST_FORGE_TRIES = 300
LONGEST_WAIT = 300.0


class Errands:
    """The steps, for one worker. What is to be tried again waits in its memory; of a dead worker, in the inbox."""

    def __init__(self, way: Way, worker: str) -> None:
        self._way = way
        self._worker = worker
        self._lock = threading.Lock()
        self._later: list[tuple[float, int]] = []

    def look(self, identifiers: Sequence[int]) -> Told:
        """What these deliveries ask for: `errands`, and `ends` for those that ask for nothing."""
        return self._fenced(lambda: self._look(identifiers), {"errands": [], "ends": {}})

    def attend(self, errand: Told) -> Told:
        """Brings one change up to date."""
        return self._fenced(lambda: self._attend(_ERRAND.decode(msgspec.json.encode(errand))))

    def tell(self, attended: Told) -> Told:
        """Says at the forge what stands."""

        def work() -> Told:
            say(self._way.service, attended["change"], again=attended["loud"])
            if attended["group"]:
                return {"group": self._group(attended)}
            return {}

        return self._fenced(work)

    def end(self, identifiers: Sequence[int], answers: Sequence[Told]) -> Told:
        """Ends the deliveries, or has them tried again."""
        return self._fenced(lambda: self._end(identifiers, answers))

    def grouped(self, received: Iterable[Received]) -> list[list[Received]]:
        """Deliveries about one change together, in the order in which the first of each came."""
        groups: dict[tuple[object, ...], list[Received]] = {}
        for each in received:
            hint = read_hint(each)
            alone = hint is None or not hint.pull or hint.event not in ("pull", "review")
            key = (each.id,) if alone or hint is None else (each.forge, hint.slug, hint.pull)
            groups.setdefault(key, []).append(each)
        return list(groups.values())

    def due(self, most: int = 200) -> list[int]:
        """Deliveries whose time to be tried again has come."""
        found: list[int] = []
        with self._lock:
            while self._later and self._later[0][0] <= time.monotonic() and len(found) < most:
                found.append(heapq.heappop(self._later)[1])
        return found

    def waiting(self) -> int:
        with self._lock:
            return len(self._later)

    # Private

    def _look(self, identifiers: Sequence[int]) -> Told:
        errands: list[Errand] = []
        ends: dict[str, str] = {}
        with self._way.service.database.read() as connection:
            received = [each for each in (inbox.get(connection, one) for one in identifiers) if each is not None]
        for each in received:
            found = errands_of(self._way, each)
            if isinstance(found, str):
                ends[str(each.id)] = found
            else:
                errands += [errand for errand in found if errand not in errands]
        return {"errands": [msgspec.to_builtins(errand) for errand in errands], "ends": ends}

    def _attend(self, errand: Errand) -> Told:
        service = self._way.service
        with service.database.read() as connection:
            repository = repositories.get(connection, errand.repository)
        if repository is None or repository.removed_at is not None:
            return {}
        arrived = decide(self._way, repository, errand.number, again=errand.again)
        told = {"change": arrived.change, "group": errand.group, "loud": errand.loud or bool(arrived.forged)}
        return {**told, "ending": arrived.ending} if arrived.ending != "closed" else {}

    def _group(self, attended: Told) -> str:
        from tidegate.store import changes

        with self._way.service.database.read() as connection:
            change = changes.get(connection, attended["change"])
            repository = repositories.get(connection, change.repository) if change else None
        if repository is None:
            raise InternalError("a change lost its repository")
        return answer_group(self._way, repository, attended["change"], attended["group"])

    def _end(self, identifiers: Sequence[int], answers: Sequence[Told]) -> Told:
        service = self._way.service
        problems = [each for each in answers if "problem" in each]
        ends = answers[0].get("ends", {})

        def work(connection: Connection) -> list[tuple[float, int]]:
            waits = []
            for identifier in identifiers:
                held = inbox.get(connection, identifier)
                if held is None or held.state not in ("new", "taken"):
                    continue
                if not problems:
                    why = ends.get(str(identifier))
                    inbox.finish(connection, identifier, "ignored" if why else "done", service.now(), why)
                elif (wait := _wait(problems, held.attempts)) is None:
                    inbox.finish(connection, identifier, "failed", service.now(), problems[0]["problem"])
                else:
                    waits.append((time.monotonic() + wait, identifier))
            return waits

        waits = service.database.change(work)
        with self._lock:
            for each in waits:
                heapq.heappush(self._later, each)
        return {}

    def _fenced(self, work: Callable[[], Told], otherwise: Told | None = None) -> Told:
        """What the work answers, or its trouble in the same form."""
        try:
            return work()
        except ForgeError as error:
            trouble: Told = {"problem": str(error)[:500], "retry": error.retry_after, "forge": True}
        except LedgerRefusesError as error:
            trouble = {"problem": str(error)[:500], "retry": 60.0, "forge": True}
        except InputError as error:
            trouble = {"problem": str(error)[:500], "retry": None}
        except (TidegateError, DBAPIError, PoolTimeoutError) as error:
            log_failure(error, self._worker)
            trouble = {"problem": type(error).__name__, "retry": 1.0}
        except Exception as error:  # noqa: BLE001 the fence around a step: one poisonous delivery stops no other
            log_failure(error, self._worker)
            trouble = {"problem": f"our own failure: {type(error).__name__}", "retry": 1.0}
        return {**(otherwise or {}), **trouble}


# Private

_ERRAND = msgspec.json.Decoder(Errand)  # once, under the lock of the import: see `record._CHECK`


def _wait(problems: Sequence[Told], attempts: int) -> float | None:
    """Seconds until the next try, which double with each; None where no other try is made."""
    if any(each["retry"] is None for each in problems):
        return None
    if attempts >= (MOST_FORGE_TRIES if all(each.get("forge") for each in problems) else MOST_TRIES):
        return None
    asked = max(each["retry"] for each in problems)
    grown = min(LONGEST_WAIT, 0.5 * 2.0 ** min(attempts, 12)) * random.uniform(0.8, 1.2)  # noqa: S311 no secret
    return float(max(asked, grown))
