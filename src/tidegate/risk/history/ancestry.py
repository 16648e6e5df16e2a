"""Which kept commits another one does not hold, from what is kept alone."""

from __future__ import annotations

import sqlite3
from heapq import heappop, heappush


class Walk:
    """From tips and one commit downward, the highest rank first, until only what that commit holds is left."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._queue: list[tuple[int, int, str, str]] = []
        self._inside: dict[int, bool] = {}
        self._open = 0

    def add(self, oid: str, *, inside: bool) -> None:
        self._reach(self._db.execute(f"{_NODE} WHERE oid = ?", (bytes.fromhex(oid),)), inside)

    def outside(self) -> frozenset[str]:
        found = []
        while self._open:
            _, number, oid, parents = heappop(self._queue)
            inside = self._inside[number]
            if not inside:
                self._open -= 1
                found.append(oid)
            for parent in parents.split():
                known = self._inside.get(int(parent))
                if known is None:
                    self._reach(self._db.execute(f"{_NODE} WHERE id = ?", (int(parent),)), inside)
                elif inside and not known:
                    self._inside[int(parent)] = True
                    self._open -= 1
        return frozenset(found)

    def _reach(self, rows: sqlite3.Cursor, inside: bool) -> None:
        for number, rank, oid, parents in rows.fetchall():
            known = self._inside.get(number)
            if known is None:
                heappush(self._queue, (-rank, number, oid.hex(), parents))
                self._open += not inside
            elif inside and not known:
                self._open -= 1
            self._inside[number] = inside or bool(known)


# Private

_NODE = "SELECT id, rank, oid, parents FROM commits"
