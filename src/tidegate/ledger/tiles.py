"""Tiles of a Merkle tree and bundles of its entries, as C2SP tlog-tiles v0.1.0 names and fills them.

A tile holds up to 256 hashes; a hash at tile level L is the root of 256**L leaves. A full tile never changes; the last
one of each level may be partial. A folder of tiles, bundles and a checkpoint is what `tidegate ledger export` writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from tidegate.errors import InputError
from tidegate.ledger.merkle import HASH_SIZE, MAX_SIZE, node_hash

WIDTH = 256
TILE_BYTES = WIDTH * HASH_SIZE
MAX_ENTRY_BYTES = 65_535
"""An entry's length is a 16-bit number in a bundle."""

CHECKPOINT_PATH = "checkpoint"


class TileError(InputError):
    """A tile or a bundle is not what its name says, or its name is none."""


class Tile(msgspec.Struct, frozen=True):
    """The name of a tile: of hashes at `level`, or of entries where `level` is None. `width` is 256 when it is full."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """`tile/0/x001/234.p/7`"""
        kind = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{kind}/{_number_path(self.index)}{partial}"


ReadTile: TypeAlias = Callable[[Tile], bytes]
"""Answers the bytes of a tile. It may answer the full tile for a partial one, because the full one begins with it."""


class TileData(msgspec.Struct, frozen=True):
    tile: Tile
    data: bytes


def parse_path(path: str) -> Tile:
    """The tile that a path names. Raises TileError for any path that `Tile.path` would not write."""
    matched = _PATH.fullmatch(path)
    if matched is None:
        raise TileError("this is no path of a tile", where=path[:100])
    kind, number, width = matched.groups()
    level = None if kind == "entries" else int(kind)
    tile = Tile(level, int(re.sub("[x/]", "", number)), int(width or WIDTH))
    if tile.path != path or not 0 < tile.width <= WIDTH or tile.index > MAX_SIZE or (level or 0) > _TOP_LEVEL:
        raise TileError("this is no path of a tile", where=path[:100])
    return tile


def tile_at(level: int | None, index: int, size: int) -> Tile:
    """The tile at this place of a tree of `size` leaves, full or partial. Raises TileError where there is none."""
    width = min((size >> 8 * (level or 0)) - index * WIDTH, WIDTH)
    if width <= 0 or index < 0:
        raise TileError(f"a tree of {size} leaves has no tile {index} at level {level}")
    return Tile(level, index, width)


def tiles_of(size: int, old: int = 0) -> Iterator[Tile]:
    """Every tile of hashes and of entries of a tree of `size` leaves that the tree of `old` leaves does not have."""
    for level in (None, *range(_TOP_LEVEL + 1)):
        count = size >> 8 * (level or 0)
        if count == 0:
            return
        before = old >> 8 * (level or 0)
        if count > before:
            for index in range(before // WIDTH, -(-count // WIDTH)):
                yield tile_at(level, index, size)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """The entries, each after its length. Raises TileError for one that is longer than 65,535 bytes."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise TileError(f"an entry has {len(entry)} bytes, and {MAX_ENTRY_BYTES} are the most")
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def decode_bundle(data: bytes, count: int) -> list[bytes]:
    """The first `count` entries of a bundle, which must hold whole entries, and at most 256."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < WIDTH:
        begin = at + 2
        at = begin + int.from_bytes(data[at:begin], "big")
        entries.append(data[begin:at])
    if at != len(data) or len(entries) < count:
        raise TileError(f"a bundle does not hold {count} whole entries")
    return entries[:count]


def split_tile(data: bytes, width: int) -> list[bytes]:
    """The first `width` hashes of a tile."""
    if not width * HASH_SIZE <= len(data) <= TILE_BYTES or len(data) % HASH_SIZE:
        raise TileError(f"a tile does not hold {width} whole hashes")
    return [data[at : at + HASH_SIZE] for at in range(0, width * HASH_SIZE, HASH_SIZE)]


class TileReader:
    """Reads the tree of `size` leaves from its tiles: `hash_at` is what proofs are made of.

    What was read is kept, so use one reader for one question, or a bounded number of them.
    """

    def __init__(self, read_tile: ReadTile, size: int) -> None:
        self._read_tile = read_tile
        self._size = size
        self._rows: dict[tuple[int, int], list[list[bytes]]] = {}

    def hash_at(self, level: int, index: int) -> bytes:
        """The root of the complete subtree; raises TileError where the tree has none, or a tile is broken."""
        if level < 0 or index < 0 or (index + 1) << level > self._size:
            raise TileError(f"a tree of {self._size} leaves has no complete subtree {index} at level {level}")
        tile_level, height = divmod(level, 8)
        tile_index, offset = divmod(index << height, WIDTH)
        return self._tile(tile_level, tile_index)[height][offset >> height]

    def _tile(self, level: int, index: int) -> list[list[bytes]]:
        rows = self._rows.get((level, index))
        if rows is None:
            tile = tile_at(level, index, self._size)
            rows = self._rows[(level, index)] = _rows(split_tile(self._read_tile(tile), tile.width))
        return rows


class TileWriter:
    """The growing right edge of the tree, tile by tile. It holds at most 255 hashes for each level."""

    def __init__(self, size: int = 0, edge: Sequence[Sequence[bytes]] = ()) -> None:
        self.size = size
        self._edge = [list(hashes) for hashes in edge]

    @classmethod
    def resume(cls, read_tile: ReadTile, size: int) -> TileWriter:
        """The writer of a log that has `size` leaves already, from its partial tiles."""
        edge: list[list[bytes]] = []
        while count := size >> 8 * len(edge):
            level, width = len(edge), count % WIDTH
            edge.append(split_tile(read_tile(Tile(level, count // WIDTH, width)), width) if width else [])
        return cls(size, edge)

    def extend(self, leaves: Iterable[bytes]) -> list[TileData]:
        """Takes leaf hashes in and answers the tiles that became full."""
        full: list[TileData] = []
        for leaf in leaves:
            self.size += 1
            self._push(0, leaf, full)
        return full

    def partial(self) -> list[TileData]:
        """The tiles that are not full. A checkpoint may be published when these are stored."""
        return [
            TileData(Tile(level, (self.size >> 8 * level) // WIDTH, len(hashes)), b"".join(hashes))
            for level, hashes in enumerate(self._edge)
            if hashes
        ]

    def _push(self, level: int, hash_: bytes, full: list[TileData]) -> None:
        if level == len(self._edge):
            self._edge.append([])
        hashes = self._edge[level]
        hashes.append(hash_)
        if len(hashes) < WIDTH:
            return
        index = (self.size >> 8 * (level + 1)) - 1
        full.append(TileData(Tile(level, index), b"".join(hashes)))
        root = _rows(hashes)[8][0]
        hashes.clear()
        self._push(level + 1, root, full)


# Private

_TOP_LEVEL = 7
"""256**8 leaves are more than any tree has."""

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


def _number_path(number: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _rows(hashes: list[bytes]) -> list[list[bytes]]:
    """The hashes and, above them, the roots of all complete subtrees inside the tile."""
    rows = [hashes]
    while len(rows[-1]) > 1:
        row = rows[-1]
        rows.append([node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)])
    return rows
