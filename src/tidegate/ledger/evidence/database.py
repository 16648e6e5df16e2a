"""A ledger read out of its database, without its key: nothing can be written or signed through it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.ledger import log_rows as rows
from tidegate.ledger.evidence.source import check_index
from tidegate.ledger.merkle import Proof, consistency_proof, inclusion_proof
from tidegate.ledger.receipt import Receipt
from tidegate.ledger.tiles import WIDTH, TileReader
from tidegate.store.engine import Database

PAGE = 8 * WIDTH


class DatabaseSource:
    """The ledger as it is when this is made: what is appended later is not seen.

    A receipt is by the last checkpoint that `needed` witnesses cosigned, where the entry is in it, else by the last.
    """

    def __init__(self, database: Database, needed: int = 0) -> None:
        self._database = database
        with database.read() as connection:
            last = rows.checkpoint(connection)
            if last is None:
                raise InputError("the ledger is empty", where=database.shown)
            self._last = last
            self._seen = _cosigned(connection, needed, last)
            self._notes = {kept.size: _note(connection, kept) for kept in (self._last, self._seen)}

    @property
    def size(self) -> int:
        return self._last.size

    def checkpoint(self) -> bytes:
        return self._notes[self._last.size]

    def entries(self) -> Iterator[tuple[int, bytes]]:
        for begin in range(0, self._last.size, PAGE):
            with self._database.read() as connection:
                found = rows.entries_of(connection, after=begin - 1, most=min(PAGE, self._last.size - begin))
            for entry in found:
                if begin <= entry.index < min(begin + PAGE, self._last.size):
                    yield entry.index, entry.envelope

    def envelope(self, index: int) -> bytes:
        check_index(index, self._last.size)
        with self._database.read() as connection:
            entry = rows.entry(connection, index)
        if entry is None:
            raise InputError(f"entry {index} is missing from the database", mend="run tidegate ledger verify")
        return entry.envelope

    def receipt(self, index: int) -> Receipt:
        check_index(index, self._last.size)
        size = self._seen.size if index < self._seen.size else self._last.size
        with self._database.read() as connection:
            reader = TileReader(rows.tile_reader(connection), size)
            return Receipt(index, inclusion_proof(index, size, reader.hash_at), self._notes[size])

    def consistency(self, old: int, new: int) -> Proof:
        if new > self._last.size:
            raise InputError(f"the ledger has {self._last.size} entries, and not {new}")
        with self._database.read() as connection:
            reader = TileReader(rows.tile_reader(connection), self._last.size)
            return consistency_proof(old, new, reader.hash_at)


# Private


def _cosigned(connection: Connection, needed: int, last: rows.KeptCheckpoint) -> rows.KeptCheckpoint:
    """The last checkpoint that so many witnesses cosigned; the last of all where there is none, or none is needed."""
    largest = sorted(rows.cosigned_sizes(connection, 0).values(), reverse=True)
    for size in largest[max(needed, 1) - 1 :]:
        if len(rows.cosignatures_of(connection, size)) >= max(needed, 1):
            return rows.checkpoint(connection, least=size) or last
    return last


def _note(connection: Connection, kept: rows.KeptCheckpoint) -> bytes:
    return "".join((kept.note, *(each.line for each in rows.cosignatures_of(connection, kept.size)))).encode()
