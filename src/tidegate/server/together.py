"""Group commit: while one thread writes, whoever comes waits, and then the first of them writes for them all.

There is no thread of its own, and alone nobody waits; the more come at once, the more share a commit.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tidegate.errors import InternalError

Item = TypeVar("Item")
Result = TypeVar("Result")
Write: TypeAlias = Callable[[Sequence[Item]], Sequence[Result]]

MOST = 500
MOST_BYTES = 8 << 20
AWAY = (OperationalError, InterfaceError, PoolTimeoutError, InternalError)
TOO_MUCH = "54"
"""SQLSTATE: something is too large or too complex for PostgreSQL, which names that an operational error."""


class Together(Generic[Item, Result]):
    """Who waits for a write. Everybody who adds to one of these hands in the same kind of `write`."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._written = False
        self._guard = threading.Lock()

    def add(self, item: Item, size: int, write: Write[Item, Result]) -> Result:
        """What `write` answers for the item, of `size` bytes, once it is written together with what else waits.

        `write` gets items in the order in which they came and answers as many results. Where it raises, nothing may be
        written, and each item is written by itself: what is wrong with one is told to its sender alone.
        """
        mine = _Waiting[Item, Result](item, size)
        with self._guard:
            self._waiting.append(mine)
            first, self._written = not self._written, True
        if not first:
            mine.turn.acquire()
        if mine.result is None and mine.error is None:
            self._lead(write)
        return mine.told()

    # Private

    def _lead(self, write: Write[Item, Result]) -> None:
        """Writes what waits, this thread's own as the first of it, and hands over to the next that is left."""
        batch = self._next()
        try:
            _settle(batch, write)
        finally:
            with self._guard:
                following = self._waiting[0] if self._waiting else None
                self._written = following is not None
            if following is not None:
                following.turn.release()
            for each in batch[1:]:
                each.turn.release()

    def _next(self) -> list[_Waiting[Item, Result]]:
        with self._guard:
            batch = [self._waiting.popleft()]
            size = batch[0].size
            while self._waiting and len(batch) < MOST and size + self._waiting[0].size <= MOST_BYTES:
                size += self._waiting[0].size
                batch.append(self._waiting.popleft())
        return batch


# Private


class _Waiting(Generic[Item, Result]):
    """An item, and what became of it once it is its `turn`; without either it is the one who writes."""

    def __init__(self, item: Item, size: int) -> None:
        self.item = item
        self.size = size
        self.turn = threading.Lock()
        self.turn.acquire()
        self.result: Result | None = None
        self.error: BaseException | None = None

    def told(self) -> Result:
        if self.error is not None:
            raise self.error
        if self.result is None:
            raise InternalError("nobody wrote what waited to be written")
        return self.result


def _settle(batch: Sequence[_Waiting[Item, Result]], write: Write[Item, Result]) -> None:
    try:
        results = write([each.item for each in batch])
    except Exception as error:  # noqa: BLE001  each who waits is told
        if len(batch) == 1 or _is_away(error):
            _fail(batch, error)
        else:
            for each in batch:
                _settle([each], write)
    except BaseException:
        _fail(batch, InternalError("the thread that wrote was ended"))
        raise
    else:
        for each, result in zip(batch, results, strict=True):
            each.result = result


def _is_away(error: Exception) -> bool:
    """Whether it is the database that fails, and none of the items: to try each would only take its time."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, AWAY) and not state.startswith(TOO_MUCH)


def _fail(batch: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
    for each in batch:
        each.error = error
