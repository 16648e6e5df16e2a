"""What follows from values that never change, kept in memory within bounds: computed once, and not at every view.

A key names everything that the value follows from (the id of an assessment, the trees of a comparison), so nothing here
is ever out of date and nothing has to be taken away. The value that was not asked for the longest time goes first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from msgspec import Struct

T = TypeVar("T")
MOST_BYTES = 96 << 20


class _Kept(Struct, frozen=True):
    value: Any
    size: int


class Cache:
    """Used by all threads of the service. Of two that miss at once both compute, and nobody waits for the other."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._size = 0

    def get(self, key: Hashable, make: Callable[[], T], size_of: Callable[[T], int]) -> T:
        """The value of the key, made where it is not there. `size_of` estimates its bytes; below 0 it is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                known: T = found.value
                return known
        value = make()
        size = size_of(value)
        if 0 <= size <= self._most // 4:
            self._keep(key, _Kept(value, size))
        return value

    @property
    def size(self) -> int:
        """Estimated bytes of all that is kept."""
        return self._size

    # Private

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = kept
            self._size += kept.size
            while self._size > self._most:
                _, gone = self._kept.popitem(last=False)
                self._size -= gone.size
