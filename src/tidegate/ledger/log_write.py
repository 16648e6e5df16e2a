"""One batch of entries, inside one transaction: rows, tiles, head and the checkpoint that signs them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.ledger import log_rows as rows
from tidegate.ledger.checkpoint import Checkpoint, sign_checkpoint
from tidegate.ledger.keys import NoteSigningKey
from tidegate.ledger.merkle import leaf_hash
from tidegate.ledger.tiles import TileWriter


class Written(Struct, frozen=True):
    """Where each entry of the batch is, and the checkpoint that was signed: None where all were there already."""

    indexes: tuple[int, ...]
    note: bytes | None


class Place(Struct, frozen=True):
    """What the batch goes on top of, and who signs for it. `origin` is the log's, `signer` bears the epoch's."""

    origin: str
    head: rows.Head
    signer: NoteSigningKey
    at: str


def write_batch(connection: Connection, place: Place, batch: Sequence[rows.NewEntry]) -> Written:
    """Of two entries with one key the first is written, and both get its index."""
    size = place.head.frontier.size
    known = rows.known_keys(connection, [entry.key for entry in batch])
    fresh: list[rows.Entry] = []
    for new in batch:
        if new.key in known:
            continue
        index = known[new.key] = size + len(fresh)
        leaf = leaf_hash(new.envelope)
        fresh.append(rows.Entry(index, new.key, new.predicate, new.subject, new.envelope, leaf, place.at))
    note = _extend(connection, place, fresh) if fresh else None
    return Written(tuple(known[entry.key] for entry in batch), note)


# Private


def _extend(connection: Connection, place: Place, fresh: Sequence[rows.Entry]) -> bytes:
    leaves = [entry.leaf for entry in fresh]
    writer = TileWriter.resume(rows.tile_reader(connection), place.head.frontier.size)
    full = writer.extend(leaves)
    frontier = place.head.frontier.extend(leaves)
    note = sign_checkpoint(Checkpoint(place.signer.name, frontier.size, frontier.root), [place.signer])
    rows.add_entries(connection, fresh)
    rows.keep_tiles(connection, [*full, *writer.partial()])
    rows.keep_head(connection, place.origin, rows.Head(frontier, place.head.epoch), place.at)
    rows.keep_checkpoint(connection, rows.KeptCheckpoint(frontier.size, note.decode(), place.at))
    return note
