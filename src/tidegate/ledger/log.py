"""The log: entries are appended in groups, acknowledged when they are durable and signed, and proved from tiles.

Any number of threads and processes may append to one database: SQLite lets one writer in at a time, PostgreSQL locks
the row of the head. Nothing is remembered between two batches but what was signed, so that nothing can be signed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tidegate.errors import InputError, InternalError
from tidegate.ledger import log_rows as rows
from tidegate.ledger.audit import ClockLimits
from tidegate.ledger.checkpoint import read_checkpoint
from tidegate.ledger.fields import StatementError
from tidegate.ledger.keys import NoteKey, Signer
from tidegate.ledger.log_clock import check_clock
from tidegate.ledger.log_export import export
from tidegate.ledger.log_guard import Guard, LedgerRefusesError, Refusal
from tidegate.ledger.log_outside import Outside
from tidegate.ledger.log_recovery import Recovered, record_recovery
from tidegate.ledger.log_rows import Entry, Head, NewEntry
from tidegate.ledger.log_sequencer import Sequencer
from tidegate.ledger.log_witness import Exposure, Witnessing, no_post
from tidegate.ledger.log_write import Place, Written, write_batch
from tidegate.ledger.merkle import Proof, consistency_proof, inclusion_proof
from tidegate.ledger.receipt import Receipt
from tidegate.ledger.tiles import MAX_ENTRY_BYTES, TileReader
from tidegate.ledger.witness_client import Post, RemoteWitness
from tidegate.store.clock import Clock, now
from tidegate.store.engine import Database
from tidegate.store.types import check_words

__all__ = [
    "Entry",
    "LedgerRefusesError",
    "Log",
    "LogSettings",
    "NewEntry",
    "Post",
    "Refusal",
    "RemoteWitness",
    "open_log",
]


class LogSettings(Struct, frozen=True):
    """`outside` is the file for the last checkpoint, beside the log's key and not beside the database.

    `needed` of the `witnesses` must cosign before an entry counts as witnessed; `post` is how they are asked. `limits`
    are those that `tidegate ledger verify` holds the times of statements to.
    """

    origin: str
    outside: Path
    witnesses: tuple[RemoteWitness, ...] = ()
    needed: int = 0
    post: Post = no_post
    now: Clock = now
    limits: ClockLimits = ClockLimits()


class Log:
    """An open log; `open_log` makes one. Close it, or use it as a context."""

    def __init__(self, database: Database, signer: Signer, settings: LogSettings) -> None:
        self._database = database
        self._signer = signer
        self._settings = settings
        self._guard = Guard(settings.origin, signer, Outside(settings.outside))
        self._witnessing = Witnessing(
            database, settings.witnesses, settings.needed, settings.post, settings.now, self._tell
        )
        self._confirmed = not settings.witnesses
        self._sequencer: Sequencer[NewEntry, int] = Sequencer(self._write, _size_of, "ledger-sequencer")

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Writes what was handed in, and ends."""
        self._sequencer.close()
        self._witnessing.close()

    # Writing

    def append(self, entry: NewEntry) -> int:
        """The index of the entry, once it is durable and a checkpoint over it is signed.

        The same key again answers the same index, whatever the envelope. LedgerRefusesError where the log does not
        sign; InternalError where the database fails: then it may be written or not, and the same key tells.
        """
        return self.submit(entry).result()

    def submit(self, entry: NewEntry) -> Future[int]:
        """As `append`, without waiting for it. StatementError for a time that an audit would not believe."""
        if not 0 < len(entry.envelope) <= MAX_ENTRY_BYTES:
            raise InputError(f"an entry has 1 to {MAX_ENTRY_BYTES} bytes, and this has {len(entry.envelope)}")
        for text in (entry.key, entry.predicate, entry.subject):
            check_words(text)
        try:
            check_clock(entry.predicate, entry.envelope, self._settings.now(), self._settings.limits)
        except StatementError:
            if (known := self.find(entry.key)) is None:
                raise
            return _known(known.index)
        return self._sequencer.submit(entry)

    def refusal(self) -> Refusal | None:
        """Why the log does not sign now; None where it does."""
        with self._database.write() as connection:
            return self._guard.check(connection, self._head(connection, lock=True))

    def recover(self, first: str, second: str, reason: str) -> Recovered:
        """Two people (pseudonyms) say why the log goes on from what the database holds: a new epoch begins.

        InputError where it is one person, or where nothing is amiss. What is lost is named, not brought back.
        """

        def work(connection: Connection) -> Recovered:
            head = self._head(connection, lock=True)
            refusal = self._guard.check(connection, head)
            if refusal is None:
                raise InputError("the ledger is whole: there is nothing to recover from")
            place = Place(
                self._settings.origin, head, self._guard.signing_key(connection, head.epoch), self._settings.now()
            )
            return record_recovery(connection, place, self._signer, refusal, (first, second, reason))

        recovered = self._database.change(work)
        self._guard.remember(recovered.note, anew=True)
        self._confirmed = True
        self._witnessing.committed(recovered.size)
        return recovered

    # Reading

    def checkpoint(self) -> bytes:
        """The last checkpoint as a signed note, with the cosignatures that came so far. InputError in an empty log."""
        with self._database.read() as connection:
            return _cosigned(connection, _last(connection))

    def size(self) -> int:
        with self._database.read() as connection:
            return self._head(connection).frontier.size

    def public_key(self) -> NoteKey:
        """What the checkpoints of this epoch are verified with."""
        with self._database.read() as connection:
            return self._guard.signing_key(connection, self._head(connection).epoch).public

    def entry(self, index: int) -> Entry | None:
        with self._database.read() as connection:
            return rows.entry(connection, index)

    def find(self, key: str) -> Entry | None:
        """The entry that was appended with this key."""
        with self._database.read() as connection:
            return rows.entry_with_key(connection, key)

    def entries(
        self, *, subject: str | None = None, predicate: str | None = None, after: int = -1, most: int = 100
    ) -> tuple[Entry, ...]:
        """By index, from after `after`."""
        with self._database.read() as connection:
            return rows.entries_of(connection, subject=subject, predicate=predicate, after=after, most=most)

    def hash_at(self, level: int, index: int) -> bytes:
        """The root of a complete subtree, from tiles. InputError where the log has none there."""
        with self._database.read() as connection:
            size = self._head(connection).frontier.size
            return TileReader(rows.tile_reader(connection), size).hash_at(level, index)

    def inclusion(self, index: int, size: int | None = None) -> Proof:
        """The proof that the entry is in the log as it was at `size`, now where none is given."""
        with self._database.read() as connection:
            whole = self._head(connection).frontier.size
            reader = TileReader(rows.tile_reader(connection), whole)
            return inclusion_proof(index, _within(size, whole), reader.hash_at)

    def consistency(self, old: int, new: int | None = None) -> Proof:
        """The proof that the log of `old` entries is the beginning of the one of `new`, now where none is given."""
        with self._database.read() as connection:
            whole = self._head(connection).frontier.size
            reader = TileReader(rows.tile_reader(connection), whole)
            return consistency_proof(old, _within(new, whole), reader.hash_at)

    def receipt(self, index: int) -> Receipt:
        """What proves the entry without a network: by the first checkpoint over it that a quorum cosigned, or the last.

        InputError where there is no such entry.
        """
        seen = self._witnessing.size()
        with self._database.read() as connection:
            kept = rows.checkpoint(connection, least=seen) if seen > index else _last(connection)
            kept = kept or _last(connection)
            reader = TileReader(rows.tile_reader(connection), kept.size)
            return Receipt(index, inclusion_proof(index, kept.size, reader.hash_at), _cosigned(connection, kept))

    def export(self, folder: Path) -> int:
        """Writes tiles, entries and the checkpoint as C2SP tlog-tiles names them; the size that was written."""
        with self._database.read() as connection:
            last = _last(connection)
            return export(connection, folder, last.size, _cosigned(connection, last))

    # Witnesses

    def wait_witnessed(self, index: int, timeout: float) -> bool:
        """Whether a quorum of witnesses saw the entry within `timeout` seconds; True at once where none is wanted."""
        return self._witnessing.wait(index, timeout)

    def witnessed_size(self) -> int:
        """The size up to which a quorum of witnesses has seen the log; 0 without witnesses."""
        return self._witnessing.size()

    def exposure(self) -> Exposure:
        """What could still be rewritten unnoticed, and how long it took so far until it could not."""
        return self._witnessing.exposure(self.size())

    # Private

    def _write(self, batch: Sequence[NewEntry]) -> Sequence[int]:
        try:
            self._confirm()
            written = self._database.change(lambda connection: self._written(connection, batch))
        except DBAPIError as error:
            raise InternalError("the ledger could not be written", mend="send the same again: its key tells") from error
        self._guard.remember(written.note)
        if written.note is not None:
            self._witnessing.committed(read_checkpoint(written.note).size)
        return written.indexes

    def _written(self, connection: Connection, batch: Sequence[NewEntry]) -> Written:
        head = self._head(connection, lock=True)
        if (refusal := self._guard.check(connection, head)) is not None:
            raise LedgerRefusesError(refusal)
        signer = self._guard.signing_key(connection, head.epoch)
        return write_batch(connection, Place(self._settings.origin, head, signer, self._settings.now()), batch)

    def _confirm(self) -> None:
        """Before the first signature: if the whole machine was put back, only the witnesses can tell."""
        if self._confirmed:
            return
        if self.size():
            agreed = self._witnessing.ask_all(again=True)
            with self._database.read() as connection:
                head = self._head(connection)
                refusal = self._guard.told(head.epoch)
                if refusal is None and agreed >= max(self._settings.needed, 1):
                    self._guard.confirm(connection, head)
                elif refusal is None:
                    raise InputError(
                        "too few witnesses confirm where the ledger stands, so nothing is signed yet",
                        mend="see that the witnesses can be reached and watch this log",
                    )
        self._confirmed = True

    def _tell(self, refusal: Refusal) -> None:
        with self._database.read() as connection:
            self._guard.tell(self._head(connection).epoch, refusal)

    def _head(self, connection: Connection, *, lock: bool = False) -> Head:
        return rows.head(connection, self._settings.origin, lock=lock)


def open_log(database: Database, signer: Signer, settings: LogSettings) -> Log:
    """The log of this database, begun if it is none yet. InputError where the database holds another one's.

    It opens also where it refuses to sign: what is there can still be read, verified, and recovered from.
    """
    if not 0 <= settings.needed <= len(settings.witnesses):
        raise InputError(f"{len(settings.witnesses)} witnesses cannot give {settings.needed} cosignatures")
    guard = Guard(settings.origin, signer, Outside(settings.outside))

    def work(connection: Connection) -> None:
        rows.begin(connection, settings.origin, settings.now())
        if (kept := rows.origins(connection)) != (settings.origin,):
            raise InputError(
                f"this database holds the ledger of {', '.join(kept)}", mend=f"it cannot hold that of {settings.origin}"
            )
        guard.begin(rows.head(connection, settings.origin, lock=True))

    database.change(work)
    return Log(database, signer, settings)


# Private


def _known(index: int) -> Future[int]:
    """What was in the log before: the same sent again, however late."""
    found: Future[int] = Future()
    found.set_result(index)
    return found


def _last(connection: Connection) -> rows.KeptCheckpoint:
    kept = rows.checkpoint(connection)
    if kept is None:
        raise InputError("the ledger is empty, so there is no checkpoint yet")
    return kept


def _cosigned(connection: Connection, kept: rows.KeptCheckpoint) -> bytes:
    lines = (each.line for each in rows.cosignatures_of(connection, kept.size))
    return "".join((kept.note, *lines)).encode()


def _within(size: int | None, whole: int) -> int:
    if size is not None and size > whole:
        raise InputError(f"the ledger has {whole} entries, and not {size}")
    return whole if size is None else size


def _size_of(entry: NewEntry) -> int:
    return len(entry.envelope)
