"""How a log goes on after its database was put back: two people say so in an entry that begins a new epoch."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.ledger import bodies
from tidegate.ledger import log_rows as rows
from tidegate.ledger.fields import Subject
from tidegate.ledger.keys import KeyKind, NoteSigningKey, Signer
from tidegate.ledger.log_guard import UNKNOWN_ROOT, Refusal, epoch_origin
from tidegate.ledger.log_write import Place, write_batch
from tidegate.ledger.merkle import root_at
from tidegate.ledger.predicates import recovery
from tidegate.ledger.statements import Statement, sign_statement
from tidegate.ledger.tiles import TileReader


class Recovered(Struct, frozen=True):
    """The entry that says so, the origin that witnesses must be told of, and which entries were lost."""

    index: int
    size: int
    origin: str
    lost: range
    note: bytes


def record_recovery(
    connection: Connection, place: Place, signer: Signer, refusal: Refusal, said: tuple[str, str, str]
) -> Recovered:
    """`said` is by whom (two pseudonyms) and why. StatementError where it is one person, or no pseudonym."""
    first, second, reason = said
    epoch = place.head.epoch + 1
    start = place.head.frontier.size
    origin = epoch_origin(place.origin, epoch)
    commitment = bodies.keep(connection, bodies.Body(first, "recovery-reason", reason.encode()), place.at)
    predicate = _recovery(connection, place, refusal, (first, second), commitment)
    digest = {"sha256": predicate.restored_root}
    envelope = sign_statement(Statement((Subject(digest=digest, name=place.origin),), predicate), [signer])
    lost = refusal.known.text.decode() if refusal.known is not None and refusal.known.root else ""
    rows.keep_epoch(connection, rows.Epoch(epoch, origin, start, place.at, commitment, lost))
    entry = rows.NewEntry(f"recovery:{epoch}", recovery.TYPE, place.origin, envelope)
    key = NoteSigningKey(origin, KeyKind.LOG, signer, lambda: 0)
    on_top = Place(place.origin, rows.Head(place.head.frontier, epoch), key, place.at)
    written = write_batch(connection, on_top, [entry])
    if written.note is None:
        raise AssertionError("an epoch is recorded once")
    return Recovered(written.indexes[0], start + 1, origin, refusal.lost, written.note)


# Private


def _recovery(
    connection: Connection, place: Place, refusal: Refusal, people: tuple[str, str], reason: str
) -> recovery.Recovery:
    """A longer history than the known one is stated up to its size: what stands after it was never signed."""
    size = place.head.frontier.size
    known_size = refusal.known.size if refusal.known is not None else size
    restored = min(size, known_size)
    restored_root = root_at(restored, TileReader(rows.tile_reader(connection), size).hash_at)
    known_root = (refusal.known.root or UNKNOWN_ROOT) if refusal.known is not None else restored_root
    return recovery.Recovery(
        known_size=known_size,
        known_root=known_root.hex(),
        restored_size=restored,
        restored_root=restored_root.hex(),
        people=people,
        reason=reason,
        at=place.at,
    )
