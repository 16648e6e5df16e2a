"""The rows of the log: the only place that reads and writes its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from sqlalchemy import Connection, Select, bindparam, func, insert, select, update

from tidegate.errors import InternalError
from tidegate.ledger.merkle import HASH_SIZE, Frontier
from tidegate.ledger.tiles import ReadTile, Tile, TileData
from tidegate.store.rows import every, insert_once, one, select_as, upsert
from tidegate.store.tables import checkpoints, cosignatures, entries, epochs, heads, tiles

PAGE = 2_000


class NewEntry(Struct, frozen=True):
    """`key` is what makes it the same entry when it is sent again; `envelope` is what the log vouches for.

    `predicate` and `subject` are for looking entries up, and prove nothing by themselves.
    """

    key: str
    predicate: str
    subject: str
    envelope: bytes


class Entry(Struct, frozen=True):
    index: int
    key: str
    predicate: str
    subject: str
    envelope: bytes
    leaf: bytes
    at: str


class Head(Struct, frozen=True):
    """Where the log stands; what the next entry follows."""

    frontier: Frontier
    epoch: int


class Epoch(Struct, frozen=True):
    """From `start` on, checkpoints are of `origin`. `lost` is the last known checkpoint of the epoch before, or ""."""

    number: int
    origin: str
    start: int
    started_at: str
    reason: str
    lost: str


class KeptCheckpoint(Struct, frozen=True):
    size: int
    note: str
    at: str


class Cosignature(Struct, frozen=True):
    size: int
    witness: str
    line: str
    at: str


def begin(connection: Connection, origin: str, at: str) -> bool:
    """Whether the log was begun by this: an empty one, in its first epoch."""
    values = {"origin": origin, "size": 0, "frontier": b"", "epoch": 1, "signed_at": at}
    if connection.execute(select(heads.c.origin).limit(1)).first() or not insert_once(connection, heads, values):
        return False
    first = {"number": 1, "origin": origin, "start": 0, "started_at": at, "reason": "", "lost": ""}
    return insert_once(connection, epochs, first)


def head(connection: Connection, origin: str, *, lock: bool = False) -> Head:
    """InternalError where the row is missing or is no head. With `lock`, nobody else appends until the end."""
    query = select(heads.c.size, heads.c.frontier, heads.c.epoch).where(heads.c.origin == origin)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise InternalError("the ledger's head is missing", where=origin)
    size, hashes, epoch = row
    frontier = Frontier(size, tuple(hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)))
    if len(frontier.hashes) != size.bit_count() or len(hashes) % HASH_SIZE:
        raise InternalError("the ledger's head is damaged", where=origin)
    return Head(frontier, epoch)


def keep_head(connection: Connection, origin: str, new: Head, at: str) -> None:
    values = {"size": new.frontier.size, "frontier": b"".join(new.frontier.hashes), "epoch": new.epoch}
    connection.execute(update(heads).where(heads.c.origin == origin).values(**values, signed_at=at))


def origins(connection: Connection) -> tuple[str, ...]:
    """Of the logs that are kept here: one, or none yet."""
    return tuple(row.origin for row in connection.execute(select(heads.c.origin).order_by(heads.c.origin)))


def known_keys(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Which of these keys have entries, and where."""
    query = select(entries.c.key, entries.c.index).where(entries.c.key.in_(keys))
    found: dict[str, int] = dict(connection.execute(query).all())
    return found


def add_entries(connection: Connection, new: Iterable[Entry]) -> None:
    rows = [{name: getattr(entry, name) for name in Entry.__struct_fields__} for entry in new]
    connection.execute(insert(entries), rows)


def entry(connection: Connection, index: int) -> Entry | None:
    return one(connection, Entry, select_as(Entry, entries).where(entries.c.index == index))


def entry_with_key(connection: Connection, key: str) -> Entry | None:
    return one(connection, Entry, select_as(Entry, entries).where(entries.c.key == key))


def entries_of(
    connection: Connection,
    *,
    subject: str | None = None,
    predicate: str | None = None,
    after: int = -1,
    most: int = 100,
) -> tuple[Entry, ...]:
    """By index, from after `after`."""
    query = select_as(Entry, entries).where(entries.c.index > after).order_by(entries.c.index).limit(most)
    if subject is not None:
        query = query.where(entries.c.subject == subject)
    if predicate is not None:
        query = query.where(entries.c.predicate == predicate)
    return every(connection, Entry, query)


def envelopes(connection: Connection, begin_: int, end: int) -> list[bytes]:
    """The envelopes of [begin, end), as many as there are."""
    query = select(entries.c.envelope).where(entries.c.index >= begin_, entries.c.index < end)
    return [row.envelope for row in connection.execute(query.order_by(entries.c.index))]


def tile_reader(connection: Connection) -> ReadTile:
    """Reads tiles of hashes from their rows. InternalError where one is missing or too short."""

    def read(tile: Tile) -> bytes:
        row = connection.execute(_ONE_TILE, {"level": tile.level, "number": tile.index}).first()
        if row is None or len(row.hashes) < tile.width * HASH_SIZE:
            raise InternalError("a tile of the ledger is missing or cut off", where=tile.path)
        return bytes(row.hashes[: tile.width * HASH_SIZE])

    return read


def keep_tiles(connection: Connection, written: Iterable[TileData]) -> None:
    rows = [{"level": data.tile.level, "index": data.tile.index, "hashes": data.data} for data in written]
    statement = upsert(connection, tiles)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["level", "index"], set_={"hashes": statement.excluded.hashes}),
        rows,
    )


def keep_checkpoint(connection: Connection, checkpoint: KeptCheckpoint) -> None:
    values = {name: getattr(checkpoint, name) for name in checkpoint.__struct_fields__}
    connection.execute(insert(checkpoints).values(**values))


def checkpoint(connection: Connection, *, least: int | None = None) -> KeptCheckpoint | None:
    """The last one; with `least`, the first one of at least this size."""
    query = select_as(KeptCheckpoint, checkpoints).limit(1)
    if least is None:
        return one(connection, KeptCheckpoint, query.order_by(checkpoints.c.size.desc()))
    return one(connection, KeptCheckpoint, query.where(checkpoints.c.size >= least).order_by("size"))


def keep_cosignature(connection: Connection, cosignature: Cosignature) -> None:
    """The first one of a witness for a size stands."""
    values = {name: getattr(cosignature, name) for name in cosignature.__struct_fields__}
    insert_once(connection, cosignatures, values)


def cosignatures_of(connection: Connection, size: int) -> tuple[Cosignature, ...]:
    query = select_as(Cosignature, cosignatures).where(cosignatures.c.size == size).order_by("witness")
    return every(connection, Cosignature, query)


def cosigned_sizes(connection: Connection, start: int) -> dict[str, int]:
    """The largest size after `start` that each witness cosigned."""
    query = (
        select(cosignatures.c.witness, func.max(cosignatures.c.size))
        .where(cosignatures.c.size > start)
        .group_by(cosignatures.c.witness)
    )
    found: dict[str, int] = dict(connection.execute(query).all())
    return found


def all_epochs(connection: Connection) -> tuple[Epoch, ...]:
    return every(connection, Epoch, select_as(Epoch, epochs).order_by("number"))


def keep_epoch(connection: Connection, epoch: Epoch) -> None:
    connection.execute(insert(epochs).values({name: getattr(epoch, name) for name in epoch.__struct_fields__}))


def pages(connection: Connection, query: Select[tuple[object, ...]], size: int = PAGE) -> Iterator[Sequence[object]]:
    """The rows of a long answer, a page at a time, without holding more than one."""
    streaming = connection.execution_options(stream_results=True, yield_per=size)
    yield from streaming.execute(query).partitions(size)


# Private

_ONE_TILE = select(tiles.c.hashes).where(tiles.c.level == bindparam("level"), tiles.c.index == bindparam("number"))
