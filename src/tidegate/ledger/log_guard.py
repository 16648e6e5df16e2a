"""What keeps a log from signing two histories: before each signature the database is held against what is known.

Known is the last checkpoint that this process made, at its start the one in the file beside the key. Where the database
holds less, or something else, the log refuses to sign until two people record a recovery, which begins a new epoch.
"""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.errors import InputError, InternalError, TidegateError
from tidegate.ledger import log_rows as rows
from tidegate.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint, sign_checkpoint
from tidegate.ledger.keys import KeyKind, NoteKey, NoteSigningKey, PublicKey, Signer
from tidegate.ledger.log_outside import Outside
from tidegate.ledger.merkle import root_at
from tidegate.ledger.predicates.recovery import Recovery
from tidegate.ledger.statements import open_entry
from tidegate.ledger.tiles import TileReader

UNKNOWN_ROOT = bytes(32)
"""In a recovery, where nobody could say which root the lost log had: a witness tells its size alone."""


class Refusal(Struct, frozen=True):
    """Why the log does not sign. `known` is what was signed before, `size` what the database holds of it."""

    what: str
    size: int
    known: Checkpoint | None = None

    def __str__(self) -> str:
        lost = self.lost
        if not lost:
            return self.what
        return f"{self.what}; lost are the entries {lost.start} to {lost.stop - 1}"

    @property
    def lost(self) -> range:
        """The indexes of entries that were acknowledged and may not be in the database any more."""
        return range(self.size, self.known.size) if self.known else range(0)


class LedgerRefusesError(InputError):
    """The log does not sign. Nothing was written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            f"the ledger refuses to sign: {refusal}",
            mend="bring the database back, or let two people record it with `tidegate ledger recover`",
        )
        self.refusal = refusal


class Guard:
    """Used by one thread at a time, inside the transaction that holds the head."""

    def __init__(self, origin: str, signer: Signer, outside: Outside) -> None:
        self._origin = origin
        self._signer = signer
        self._outside = outside
        self._public = PublicKey(signer.algorithm, signer.public_key)
        self._known: Checkpoint | None = None
        self._unsaved: bytes | None = None
        self._told: tuple[int, Refusal] | None = None
        self._epochs: dict[int, rows.Epoch] = {}

    def check(self, connection: Connection, head: rows.Head) -> Refusal | None:
        """Why the log must not sign on top of this head; None where it may. InternalError where rows are damaged."""
        if (told := self.told(head.epoch)) is not None:
            return told
        size = head.frontier.size
        reader = TileReader(rows.tile_reader(connection), size)
        if root_at(size, reader.hash_at) != head.frontier.root:
            raise InternalError("the ledger's head and its tiles do not agree", mend="run `tidegate ledger verify`")
        known, refusal = self._what_is_known(connection, head)
        if known is None or refusal is not None:
            return refusal
        if known.size > size:
            return Refusal(f"{known.size} entries were signed, and the database holds {size}", size, known)
        if root_at(known.size, reader.hash_at) != known.root:
            return Refusal("the database holds another history than was signed", _shared(known, size), known)
        return None

    def signing_key(self, connection: Connection, number: int) -> NoteSigningKey:
        """What signs the checkpoints of an epoch: the log's key, under the origin of the epoch."""
        return self._named(self._epoch(connection, number).origin)

    def public_key(self, origin: str) -> NoteKey:
        return self._named(origin).public

    def remember(self, note: bytes | None, *, anew: bool = False) -> None:
        """What was just signed and committed is known now, here and beside the key. InputError where that fails."""
        if note is not None:
            self._known, self._unsaved = read_checkpoint(note), note
        if self._unsaved is not None:
            self._outside.keep(self._unsaved, anew=anew)
            self._unsaved = None

    def begin(self, head: rows.Head) -> None:
        """Leaves word beside the key that there is a log, before anything is in it."""
        if head.frontier.size == 0 and head.epoch == 1 and self._outside.read() is None:
            empty = Checkpoint(self._origin, 0, head.frontier.root)
            self._outside.keep(sign_checkpoint(empty, [self._named(self._origin)]))

    def tell(self, epoch: int, refusal: Refusal) -> None:
        """A witness says that this is not the log that it saw. It stands until a recovery."""
        self._told = (epoch, refusal)

    def told(self, epoch: int) -> Refusal | None:
        return self._told[1] if self._told is not None and self._told[0] == epoch else None

    def confirm(self, connection: Connection, head: rows.Head) -> None:
        """Witnesses say that this is the log that they saw: where the file beside the key is missing, that will do."""
        if self._known is None and self._outside.read() is None:
            origin = self._epoch(connection, head.epoch).origin
            self._known = Checkpoint(origin, head.frontier.size, head.frontier.root)
            self._unsaved = sign_checkpoint(self._known, [self._named(origin)])

    # Private

    def _what_is_known(self, connection: Connection, head: rows.Head) -> tuple[Checkpoint | None, Refusal | None]:
        size = head.frontier.size
        epoch = self._epoch(connection, head.epoch)
        if self._known is not None and self._known.origin == epoch.origin:
            return self._known, None
        note = self._outside.read()
        if note is None:
            what = f"the last checkpoint is not where it is kept ({self._outside.path})"
            return None, Refusal(what, size) if size else None
        try:
            known = self._opened(note)
        except TidegateError:
            return None, Refusal(f"the last checkpoint was tampered with ({self._outside.path})", size)
        if known.origin == epoch.origin:
            self._known = known
            return known, None
        return None, self._settled_by_recovery(connection, head, known)

    def _settled_by_recovery(self, connection: Connection, head: rows.Head, known: Checkpoint) -> Refusal | None:
        """Whether the recovery that ended the epoch of `known` took account of it."""
        size = head.frontier.size
        epochs = rows.all_epochs(connection)
        ended = next((epoch.number for epoch in epochs if epoch.origin == known.origin), None)
        if ended is None or ended >= head.epoch:
            return Refusal(f"the last checkpoint is of {known.origin}, which the database does not know", size, known)
        recovery = self._recovery(connection, epochs[ended])
        if known.size > recovery.known_size:
            return Refusal("more was signed than the recovery accounts for", recovery.restored_size, known)
        return None

    def _epoch(self, connection: Connection, number: int) -> rows.Epoch:
        if number in self._epochs:
            return self._epochs[number]
        epochs = rows.all_epochs(connection)
        if [epoch.number for epoch in epochs] != list(range(1, number + 1)) or epochs[0].origin != self._origin:
            raise InternalError("the epochs of the ledger are damaged", mend="run `tidegate ledger verify`")
        if number > 1:
            self._recovery(connection, epochs[-1])
        self._epochs[number] = epochs[-1]
        return epochs[-1]

    def _recovery(self, connection: Connection, epoch: rows.Epoch) -> Recovery:
        """The entry that an epoch begins with. An epoch without one was made by somebody who cannot sign."""
        entry = rows.entry(connection, epoch.start)
        if entry is not None:
            predicate = open_entry(entry.envelope, [self._public])[0].predicate
            if isinstance(predicate, Recovery) and epoch.origin == epoch_origin(self._origin, epoch.number):
                return predicate
        raise InternalError(f"epoch {epoch.number} of the ledger does not begin with a recovery")

    def _opened(self, note: bytes) -> Checkpoint:
        origin = read_checkpoint(note).origin
        return open_checkpoint(note, origin, [self.public_key(origin)]).checkpoint

    def _named(self, origin: str) -> NoteSigningKey:
        return NoteSigningKey(origin, KeyKind.LOG, self._signer, lambda: 0)


def epoch_origin(origin: str, number: int) -> str:
    """Each epoch has an origin of its own: a witness never takes one for the other, and must be told of the new one."""
    return origin if number == 1 else f"{origin}/epoch/{number}"


# Private


def _shared(known: Checkpoint, size: int) -> int:
    """Of two histories nobody can tell where they part without the lost one: at worst, at the beginning."""
    return min(known.size, size) if known.size > size else 0
